//! Master data from CSV files: technicians, customers, sites, equipment, prices, jobs.
//!
//! All or nothing: every cell of the file is checked before the first row is written, and every fault is told with
//! its row and column. `external_id` is the natural key, so importing again changes nothing, and nothing is ever
//! deleted. Invariant: never commits; the caller does, and only after `Ok` (a dry run rolls back).
//! Start at [`import`]; what handhelds hear of it is in [`feed`].

mod cell;
mod customers;
mod equipment;
mod error;
pub mod feed;
mod jobs;
mod prices;
pub mod settlement;
mod sites;
mod table;
mod technicians;
mod upsert;

pub use error::{ImportErrors, RowError, RowErrors};
pub use feed::{FeedNote, FeedOp, hand_over};

use rusqlite::Transaction;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use upsert::Change;
use uuid::Uuid;

/// The most data rows that one file may have.
pub const ROWS_MAX: usize = 200_000;
/// The longest cell, bytes.
pub const CELL_MAX_BYTES: usize = 4_000;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportKind {
    /// People and their handhelds.
    Technicians,
    /// Who pays.
    Customers,
    /// Where the work is done.
    Sites,
    /// What the work is done on.
    Equipment,
    /// The price book.
    Prices,
    /// Work orders.
    Jobs,
}

impl ImportKind {
    /// Every kind, in an order in which references exist before they are used.
    pub const ALL: [ImportKind; 6] = [
        ImportKind::Technicians,
        ImportKind::Customers,
        ImportKind::Sites,
        ImportKind::Equipment,
        ImportKind::Prices,
        ImportKind::Jobs,
    ];

    /// The word on the command line.
    pub fn name(self) -> &'static str {
        match self {
            ImportKind::Technicians => "technicians",
            ImportKind::Customers => "customers",
            ImportKind::Sites => "sites",
            ImportKind::Equipment => "equipment",
            ImportKind::Prices => "prices",
            ImportKind::Jobs => "jobs",
        }
    }

    /// The columns of the header row; a file may have them in any order.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            ImportKind::Technicians => technicians::COLUMNS,
            ImportKind::Customers => customers::COLUMNS,
            ImportKind::Sites => sites::COLUMNS,
            ImportKind::Equipment => equipment::COLUMNS,
            ImportKind::Prices => prices::COLUMNS,
            ImportKind::Jobs => jobs::COLUMNS,
        }
    }
}

impl fmt::Display for ImportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for ImportKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        ImportKind::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| {
            format!("{text:?} cannot be imported: name one of {}", ImportKind::ALL.map(ImportKind::name).join(", "))
        })
    }
}

/// How many rows were what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct ImportReport {
    /// New here.
    pub added: u64,
    /// Known and different.
    pub updated: u64,
    /// Known and the same.
    pub unchanged: u64,
}

impl ImportReport {
    /// Rows in all.
    pub fn rows(self) -> u64 {
        self.added + self.updated + self.unchanged
    }

    fn count(&mut self, change: Change) {
        match change {
            Change::Added => self.added += 1,
            Change::Updated => self.updated += 1,
            Change::Unchanged => self.unchanged += 1,
        }
    }
}

/// What every kind's `apply` works with.
struct Work<'a> {
    tx: &'a Transaction<'a>,
    now_ms: i64,
    new_id: &'a mut dyn FnMut() -> Uuid,
    notes: feed::Notes,
    report: ImportReport,
}

/// Checks `csv` (UTF-8 with a header row) and writes it into `tx`.
///
/// `now_ms` (Unix milliseconds) and `new_id` (UUIDv7) go into new rows. `feed` gets each change that a handheld has
/// to hear of, once, after everything was written; rows that are equal give none.
///
/// # Errors
/// [`ImportErrors::Rows`] when anything in the file is wrong: then nothing was written and `feed` was not called.
/// [`ImportErrors::Database`] when the database refused: roll back.
pub fn import(
    tx: &Transaction<'_>,
    kind: ImportKind,
    csv: &[u8],
    now_ms: i64,
    new_id: &mut dyn FnMut() -> Uuid,
    feed: &mut dyn FnMut(FeedNote),
) -> Result<ImportReport, ImportErrors> {
    let mut errors = RowErrors::default();
    let table = table::read(kind.columns(), csv, &mut errors);
    let mut work = Work { tx, now_ms, new_id, notes: feed::Notes::default(), report: ImportReport::default() };
    match kind {
        ImportKind::Technicians => technicians::run(&mut work, &table, &mut errors)?,
        ImportKind::Customers => customers::run(&mut work, &table, &mut errors)?,
        ImportKind::Sites => sites::run(&mut work, &table, &mut errors)?,
        ImportKind::Equipment => equipment::run(&mut work, &table, &mut errors)?,
        ImportKind::Prices => prices::run(&mut work, &table, &mut errors)?,
        ImportKind::Jobs => jobs::run(&mut work, &table, &mut errors)?,
    }
    errors.into_result()?;
    for note in work.notes.into_list() {
        feed(note);
    }
    Ok(work.report)
}

/// The first row of each value of a column that must not repeat.
#[derive(Default)]
struct Seen(HashMap<String, usize>);

impl Seen {
    /// Notes `value` for `row`; the earlier row if there was one. Empty values do not count.
    fn again(&mut self, value: &str, row: usize) -> Option<usize> {
        if value.is_empty() {
            return None;
        }
        match self.0.get(value) {
            Some(first) => Some(*first),
            None => {
                self.0.insert(value.to_owned(), row);
                None
            }
        }
    }
}
