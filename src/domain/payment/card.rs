//! The card of a payment: all that is kept of it in the clear.

use super::CardMarks;
use serde::{Deserialize, Serialize};

/// How the card met the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardEntry {
    /// Tapped.
    Contactless,
    /// Inserted.
    Chip,
    /// Swiped.
    Magstripe,
    /// Not there: the processor keeps it.
    OnFile,
}

/// All that is kept of a card in the clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardSummary {
    /// `VISA`, `MASTERCARD`…
    pub brand: String,
    /// Four digits.
    pub last4: String,
    /// Application id, hex.
    pub aid: String,
    /// Application label.
    pub label: String,
    /// How the holder was verified, in words for the receipt.
    pub cvm: String,
    /// How the card met the reader.
    pub entry: CardEntry,
    /// What rules hang on.
    #[serde(default, skip_serializing_if = "CardMarks::is_none")]
    pub marks: CardMarks,
}
