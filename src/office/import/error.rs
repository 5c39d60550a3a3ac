//! What is wrong with a file, for people: row, column, what was found, what was expected.

use serde::Serialize;
use std::fmt;

/// How many faults are listed; the rest is a count.
pub const LISTED_MAX: usize = 50;
/// How much of a wrong cell is repeated, characters.
const FOUND_MAX_CHARS: usize = 60;

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowError {
    /// 1 is the header row, 2 the first data row.
    pub row: usize,
    /// The column's name; empty when the whole row is meant.
    pub column: String,
    /// What stands there, cut when long.
    pub found: String,
    /// What should stand there.
    pub expected: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}", self.row)?;
        if !self.column.is_empty() {
            write!(f, ", column {}", self.column)?;
        }
        write!(f, ": found {}, expected {}", self.found, self.expected)
    }
}

/// The faults of a file: the first 50, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RowErrors {
    /// At most 50, by row.
    pub listed: Vec<RowError>,
    /// All of them.
    pub total: usize,
}

impl RowErrors {
    /// Notes that `found` stands where `expected` should.
    pub(super) fn add(&mut self, row: usize, column: &str, found: &str, expected: impl Into<String>) {
        let found = if found.is_empty() { "nothing".to_owned() } else { quoted(found) };
        self.add_plain(row, column, found, expected);
    }

    /// The same with `found` in own words.
    pub(super) fn add_plain(&mut self, row: usize, column: &str, found: String, expected: impl Into<String>) {
        self.total += 1;
        if self.listed.len() < LISTED_MAX {
            self.listed.push(RowError { row, column: column.to_owned(), found, expected: expected.into() });
        }
    }

    /// Whether anything was wrong.
    pub(super) fn any(&self) -> bool {
        self.total > 0
    }

    pub(super) fn into_result(self) -> Result<(), ImportErrors> {
        if self.any() { Err(ImportErrors::Rows(self)) } else { Ok(()) }
    }
}

impl fmt::Display for RowErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.total == 1 { "" } else { "s" };
        write!(f, "nothing was imported, {} fault{plural} in the file", self.total)?;
        for fault in &self.listed {
            write!(f, "\n  {fault}")?;
        }
        if self.total > self.listed.len() {
            write!(f, "\n  and {} more", self.total - self.listed.len())?;
        }
        Ok(())
    }
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportErrors {
    /// The file: correct it and import again.
    #[error("{0}")]
    Rows(RowErrors),
    /// The database.
    #[error("nothing was imported, the office's database refused: {0}")]
    Database(#[from] rusqlite::Error),
}

impl ImportErrors {
    /// The same file is never taken; a database that is busy may be free later.
    pub fn is_permanent(&self) -> bool {
        match self {
            ImportErrors::Rows(_) => true,
            ImportErrors::Database(why) => !matches!(
                why.sqlite_error_code(),
                Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
            ),
        }
    }
}

/// `text` in quotes, control characters escaped, cut when long.
fn quoted(text: &str) -> String {
    let short: String = text.chars().take(FOUND_MAX_CHARS).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{:?}{more}", short)
}
