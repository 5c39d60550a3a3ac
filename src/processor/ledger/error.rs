//! What can go wrong with the ledger file, each with the next step.

use crate::sqlite::OpenError;
use rusqlite::ErrorCode;

/// Why the ledger cannot be opened or used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A row holds what this program never wrote.
    #[error("the ledger holds a row that this program cannot read ({detail}); bring back a copy")]
    Broken {
        /// Which column, and what is wrong with it.
        detail: &'static str,
    },
    /// A statement failed.
    #[error("the ledger cannot be used now: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

impl LedgerError {
    /// Whether the same call would fail again for ever. Only a lock, a full disk and a failed read or write may pass.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Open(why) => why.is_permanent(),
            Self::Broken { .. } => true,
            Self::Sqlite(source) => !matches!(
                source.sqlite_error_code(),
                Some(
                    ErrorCode::DatabaseBusy
                        | ErrorCode::DatabaseLocked
                        | ErrorCode::DiskFull
                        | ErrorCode::SystemIoFailure
                        | ErrorCode::CannotOpen
                )
            ),
        }
    }
}
