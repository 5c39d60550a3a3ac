//! The handheld's database. One connection writes; it lives on the store actor's thread.
//!
//! Invariant: every change of the device's own facts is one transaction that writes the tables *and* one row of the
//! journal, and it is on the disk when [`Store::commit`] returns. Start there.

mod deposit;
mod feed;
mod identity;
mod journal;
mod paper;
mod prices;
mod read;
mod shift;
mod today;
mod verify;

pub use feed::FeedApplied;
pub use identity::Identity;
pub use journal::Outgoing;
pub use paper::NextSheet;
pub use verify::Verified;

use crate::domain::document::DocumentError;
use crate::domain::event::{DecodeError, Event};
use crate::domain::fold::{FoldError, RowRef, fold};
use crate::domain::journal::Stamp;
use crate::domain::money::{Currency, MoneyError};
use crate::domain::payment::Payment;
use crate::domain::shift::ShiftError;
use crate::domain::totals::TotalsError;
use crate::facts::{self, FactsError, Origin};
use crate::sqlite::{self, Kind, Migration, OpenError};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::path::Path;

/// The handheld's database.
pub const KIND: Kind = Kind {
    what: "a handheld's database",
    application_id: 0x746c_6401,
    migrations: &[Migration { name: "base", sql: include_str!("../migrations/device/0001_base.sql") }],
};

/// Why something is not in the store, or not out of it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite said no; nothing was written.
    #[error("the database says: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The row does not fit what is known; nothing was written.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// The tables of facts.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// A record cannot be read.
    #[error("a record in the database cannot be read: {0}")]
    Record(String),
    /// A row cannot be written or read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// No totals.
    #[error(transparent)]
    Totals(#[from] TotalsError),
    /// Something that a cash shift does not allow.
    #[error(transparent)]
    Shift(#[from] ShiftError),
    /// Arithmetic.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// No number.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Not enrolled.
    #[error("this handheld is not enrolled: run `tillroll enrol --office URL --code CODE`")]
    NotEnrolled,
    /// Not there.
    #[error("{0} is not on this handheld")]
    Missing(&'static str),
    /// A visit without lines.
    #[error("there is nothing to bill yet: add a line first")]
    NothingToBill,
}

impl StoreError {
    /// Whether trying the same again is useless.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, StoreError::Sqlite(_))
    }
}

/// A committed row and what it made of its payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The row's place.
    pub seq: u64,
    /// The payment that the row speaks about, as it is now.
    pub payment: Option<Payment>,
}

/// A sealed blob to be written with its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBlob {
    /// SHA-256, hex.
    pub sha256: String,
    /// Sealed bytes.
    pub bytes: Vec<u8>,
}

/// The handheld's database.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    currency: Currency,
}

impl Store {
    /// Opens or creates the database at `path`. `currency` is what sums are shown in before any document exists.
    pub fn open(path: &Path, currency: Currency) -> Result<Store, OpenError> {
        Ok(Store { connection: sqlite::open(path, &KIND)?, currency })
    }

    /// Writes what `event` changes, its journal row and its blob, in one transaction.
    pub fn commit(&mut self, event: &Event, stamp: &Stamp, blob: Option<&NewBlob>) -> Result<Committed, StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let committed = apply(&tx, event, stamp, blob)?;
        tx.commit()?;
        Ok(committed)
    }

    /// Folds away the write-ahead log; for idle moments and a clean exit.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// SQLite's own health check.
    pub fn health(&self) -> Result<(), String> {
        sqlite::health(&self.connection)
    }

    /// The connection, for reading only.
    pub(crate) fn read(&self) -> &Connection {
        &self.connection
    }
}

fn apply(tx: &Transaction<'_>, event: &Event, stamp: &Stamp, blob: Option<&NewBlob>) -> Result<Committed, StoreError> {
    let identity: Identity = identity::meta(tx, "identity")?.ok_or(StoreError::NotEnrolled)?;
    let known = facts::known(tx, event)?;
    let changed = fold(event, &known, RowRef { id: stamp.id, at_ms: stamp.at_ms })?;
    let seq = journal::append(tx, &identity, event, stamp)?;
    let (device, epoch) = (identity.device.to_string(), identity.epoch.to_string());
    facts::write(tx, &changed, Origin { device: &device, epoch: &epoch, seq, at_ms: stamp.at_ms })?;
    deposit::check_used_elsewhere(tx, event, &known, &changed)?;
    paper::write(tx, event, seq, stamp.at_ms)?;
    if let Some(payment) = event.about().payment.map(|id| id.to_string()) {
        if let Some(blob) = blob {
            let sql = "INSERT INTO blob (sha256, payment, bytes) VALUES (?1, ?2, ?3)";
            tx.prepare_cached(sql)?.execute((&blob.sha256, &payment, &blob.bytes))?;
        }
        if changed.erase_blob {
            tx.prepare_cached("DELETE FROM blob WHERE payment = ?1")?.execute([&payment])?;
        }
    }
    Ok(Committed { seq, payment: changed.payment })
}
