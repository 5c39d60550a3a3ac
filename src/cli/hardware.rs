//! Which reader and printer a command works with. The drivers over Bluetooth and the header are not built yet: until
//! then a real handheld has none, and the screen says so.

use std::path::PathBuf;
use std::time::Duration;
use tillroll_hardware::printer::PrinterLink;
use tillroll_hardware::reader::ReaderLink;
use tillroll_hardware::reader::mms::{driver, sim};
use tillroll_hardware::transport::line;
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

/// A reader by its name: `tcp:HOST:PORT`, MMS in its serial framing.
pub fn reader_at(name: &str) -> anyhow::Result<ReaderLink> {
    match name.split_once(':') {
        Some(("tcp", address)) if address.contains(':') => Ok(driver::spawn(line::tcp(address.to_owned()))),
        _ => anyhow::bail!("{name} names no reader: write it as tcp:HOST:PORT"),
    }
}

/// A simulated reader under the public test key.
pub fn simulated(ksn_file: Option<PathBuf>, present_after: Duration) -> sim::SimConfig {
    sim::SimConfig {
        serial: "5A11D01".to_owned(),
        ksn_file,
        first_ksn: [0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0, 0],
        present_after,
    }
}
