//! What the receipt's screen holds.

use crate::app::msg::OpId;
use crate::domain::receipt::{Dots, Party, ReceiptRow, Sheet};

/// A receipt on its way to paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptView {
    /// The layout that is awaited or was answered.
    pub op: OpId,
    /// Its rows, or why there are none; `None` until answered.
    pub rows: Option<Result<Vec<ReceiptRow>, String>>,
    /// The e-mail address that is being typed.
    pub email: Option<EmailField>,
    /// Where the receipt goes by e-mail, once that is on the disk.
    pub emailed: Option<String>,
    /// Whose copy is shown and printed.
    pub party: Party,
    /// Local date and time of the receipt that it replaces.
    pub replaces: Option<String>,
    /// The merchant's copy needs the holder's signature.
    pub signature: bool,
    /// The receipt's number as a code.
    pub number: Option<Dots>,
    /// A sheet that a stopped program left at the printer.
    pub unfinished: Option<Sheet>,
    /// First row shown.
    pub scroll: usize,
    /// What would stop the printer, in a sentence.
    pub trouble: Option<String>,
    /// The print that is awaited, and how far it is.
    pub printing: Option<Printing>,
    /// The last sheet that reached the printer, and whether somebody says that it is on paper.
    pub printed: Option<(Sheet, bool)>,
}

/// An e-mail address as it is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailField {
    /// As typed.
    pub text: String,
    /// Why it is no address, in a sentence; until the next key.
    pub wrong: Option<String>,
}

/// A receipt that is being printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printing {
    /// The print that is awaited.
    pub op: OpId,
    /// Rows sent.
    pub sent: u16,
    /// Rows there are; 0 until the printer has said.
    pub rows: u16,
    /// What the printer waits for, in a word.
    pub waits: Option<String>,
    /// It was asked to stop.
    pub stopping: bool,
}
