//! What screen and printer tell each other of a receipt.

use super::{Dots, ReceiptRow, Sheet};
use crate::domain::event::ReceiptState;

/// A receipt as it would be printed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReceiptPreview {
    /// Its rows.
    pub rows: Vec<ReceiptRow>,
    /// A sheet that a stopped program left at the printer: nobody knows whether it came out.
    pub unfinished: Option<Sheet>,
    /// Local date and time of the receipt that it would replace.
    pub replaces: Option<String>,
    /// The merchant's copy needs the holder's signature.
    pub signature: bool,
    /// The receipt's number as a code.
    pub number: Option<Dots>,
}

/// What became of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintedReceipt {
    /// Which sheet.
    pub sheet: Sheet,
    /// How it ended.
    pub state: ReceiptState,
    /// What happened and what to do.
    pub sentence: String,
}
