//! The row that begins a journal.

use crate::domain::document::Series;
use crate::domain::id::Epoch;
use serde::{Deserialize, Serialize};

/// Row 1 of every epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalOpened {
    /// The label of this epoch's document numbers.
    pub series: Series,
    /// The program's version.
    pub program: String,
    /// The head of the epoch before, if there was one.
    pub previous: Option<PreviousHead>,
}

/// Where the epoch before ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousHead {
    /// Its id.
    pub epoch: Epoch,
    /// Its last row.
    pub seq: u64,
    /// That row's hash, hex.
    pub hash: String,
}
