//! The reader and printer of a real handheld. Their drivers over Bluetooth and the header are not built yet: until then
//! there is none, and the screen says so.

use tillroll_hardware::printer::PrinterLink;
use tillroll_hardware::reader::ReaderLink;
use tillroll_hardware::reader::mms::driver;
use tokio::sync::mpsc;

/// Columns of a 58 mm roll.
const COLUMNS: u16 = 32;

/// A reader that is never there: every payment at it ends with the reader's own sentence.
pub fn no_reader() -> ReaderLink {
    let (never, links) = mpsc::channel(1);
    // Kept open for as long as the program runs, so that the driver waits instead of ending.
    tokio::spawn(async move { never.closed().await });
    driver::spawn(links)
}

/// A printer that is never there.
pub fn no_printer() -> PrinterLink {
    let (commands, _) = mpsc::channel(1);
    let (_, events) = mpsc::channel(1);
    PrinterLink { commands, events, columns: COLUMNS }
}
