//! Reading the book: one key, all of it, and the totals. Never writes.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{Ledger, LedgerError};
use crate::processor::answer::ResponseCode;

/// How many authorisations one reading of the book holds at most; the newest are kept. The totals count all of them.
pub const BOOK_ROWS: usize = 10_000;

/// What came of an authorisation. Amounts in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Nothing yet. A decline stays so.
    Open,
    /// Undone before any money moved.
    Reversed,
    /// The money moved.
    Captured {
        /// How much.
        captured_minor: i64,
        /// How much of it went back since.
        refunded_minor: i64,
    },
}

impl Ending {
    /// Whether nothing is left of the authorisation.
    pub const fn is_reversed(self) -> bool {
        match self {
            Self::Open => false,
            Self::Captured { captured_minor, refunded_minor } => refunded_minor >= captured_minor,
            Self::Reversed => true,
        }
    }

    /// What was captured, whether or not it went back later.
    pub const fn captured_minor(self) -> i64 {
        match self {
            Self::Open | Self::Reversed => 0,
            Self::Captured { captured_minor, .. } => captured_minor,
        }
    }

    /// What went back after a capture.
    pub const fn refunded_minor(self) -> i64 {
        match self {
            Self::Open | Self::Reversed => 0,
            Self::Captured { refunded_minor, .. } => refunded_minor,
        }
    }
}

/// One authorisation and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The caller's idempotency key.
    pub key: String,
    /// System trace audit number.
    pub stan: String,
    /// Retrieval reference number.
    pub rrn: String,
    /// The terminal that read the card.
    pub terminal: String,
    /// Amount asked for, in minor units.
    pub amount_minor: i64,
    /// ISO 4217 letters.
    pub currency: String,
    /// When it came, Unix milliseconds.
    pub received_at_ms: i64,
    /// The card was read earlier, with no link.
    pub deferred: bool,
    /// Name of the test card, if it is one.
    pub card: Option<String>,
    /// Brand of the card, if its number could be read.
    pub brand: Option<String>,
    /// Last four digits, if the number could be read.
    pub last4: Option<String>,
    /// The answer.
    pub code: ResponseCode,
    /// What was authorised, in minor units; 0 for a decline.
    pub approved_minor: i64,
    /// Six digits, for an approval.
    pub auth_code: Option<String>,
    /// The network's id of it, for an approval.
    pub network_id: Option<String>,
    /// The card that was kept with it.
    pub keeps: Option<String>,
    /// The kept card that was charged.
    pub kept_token: Option<String>,
    /// Who asked for the charge of a kept card.
    pub initiator: Option<String>,
    /// The network's id of the payment with which its holder agreed.
    pub follows: Option<String>,
    /// What came of it.
    pub ending: Ending,
}

/// The book at one moment.
#[derive(Debug)]
pub struct Book {
    /// The newest [`BOOK_ROWS`] authorisations, oldest first.
    pub entries: Vec<Entry>,
    /// Whether older ones were left out.
    pub truncated: bool,
    /// Captured less refunded, in minor units, for each currency in which anything was captured.
    pub captured_net_minor: BTreeMap<String, i64>,
    /// Captures and refunds, counted and summed.
    pub counts: Counts,
}

/// Captures and refunds, counted and summed over every currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// How many captures.
    pub captures: u32,
    /// Their sum, minor units.
    pub captured_minor: i64,
    /// How many refunds.
    pub refunds: u32,
    /// Their sum, minor units.
    pub refunded_minor: i64,
}

impl Ledger {
    /// The authorisation under `key`, if there is one, and whether a reversal of the key is known.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn lookup(&mut self, key: &str) -> Result<(Option<Entry>, bool), LedgerError> {
        let tx = self.connection.transaction()?;
        let found = entry(&tx, key)?;
        let reversed = match &found {
            Some(entry) => entry.ending.is_reversed(),
            None => super::ending_kind(&tx, key)?.is_some(),
        };
        Ok((found, reversed))
    }

    /// The whole book, as of one moment.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn book(&mut self) -> Result<Book, LedgerError> {
        let tx = self.connection.transaction()?;
        let mut query = tx.prepare_cached(&format!("{ENTRY} ORDER BY a.n DESC LIMIT {}", BOOK_ROWS + 1))?;
        let mut entries = Vec::new();
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            entries.push(from_row(row)?);
        }
        let truncated = entries.len() > BOOK_ROWS;
        entries.truncate(BOOK_ROWS);
        entries.reverse();
        Ok(Book { entries, truncated, captured_net_minor: totals(&tx)?, counts: counts(&tx)? })
    }

    /// Captured less refunded, in minor units by currency.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn captured_net_minor(&self) -> Result<BTreeMap<String, i64>, LedgerError> {
        totals(&self.connection)
    }
}

const ENTRY: &str = "SELECT a.key, a.stan, a.rrn, a.terminal, a.amount_minor, a.currency, a.deferred, a.card, a.brand,
        a.last4, a.response_code, a.approved_minor, a.auth_code, e.kind, e.amount_minor,
        (SELECT sum(r.amount_minor) FROM refunds r WHERE r.of = a.key), a.received_at_ms,
        (SELECT k.token FROM kept_cards k WHERE k.of = a.key), a.kept_token, a.initiator, a.follows
    FROM authorisations a LEFT JOIN endings e ON e.key = a.key";

/// The authorisation under `key`, if there is one.
pub(super) fn entry(connection: &Connection, key: &str) -> Result<Option<Entry>, LedgerError> {
    let mut query = connection.prepare_cached(&format!("{ENTRY} WHERE a.key = ?1"))?;
    query.query_row([key], |row| Ok(from_row(row))).optional()?.transpose()
}

/// The authorisation under `key`, which was seen or written in the same transaction.
pub(super) fn must_entry(connection: &Connection, key: &str) -> Result<Entry, LedgerError> {
    entry(connection, key)?.ok_or(LedgerError::Broken { detail: "an authorisation is gone" })
}

fn totals(connection: &Connection) -> Result<BTreeMap<String, i64>, LedgerError> {
    let mut query = connection.prepare_cached(
        "SELECT a.currency, sum(e.amount_minor - (SELECT coalesce(sum(r.amount_minor), 0) FROM refunds r WHERE r.of = e.key))
         FROM endings e JOIN authorisations a ON a.key = e.key
         WHERE e.kind = 'captured' GROUP BY a.currency",
    )?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn counts(connection: &Connection) -> Result<Counts, LedgerError> {
    let sql = "SELECT (SELECT count(*) FROM endings WHERE kind = 'captured'),
                      (SELECT coalesce(sum(amount_minor), 0) FROM endings WHERE kind = 'captured'),
                      (SELECT count(*) FROM refunds), (SELECT coalesce(sum(amount_minor), 0) FROM refunds)";
    Ok(connection.query_row(sql, [], |r| {
        Ok(Counts { captures: r.get(0)?, captured_minor: r.get(1)?, refunds: r.get(2)?, refunded_minor: r.get(3)? })
    })?)
}

fn from_row(row: &Row<'_>) -> Result<Entry, LedgerError> {
    let digits: String = row.get(10)?;
    let code = ResponseCode::from_digits(&digits).ok_or(LedgerError::Broken { detail: "response_code" })?;
    let kind: Option<String> = row.get(13)?;
    let ended_minor: Option<i64> = row.get(14)?;
    let refunded_minor: Option<i64> = row.get(15)?;
    let ending = match (kind.as_deref(), ended_minor, refunded_minor) {
        (None, None, None) => Ending::Open,
        (Some("reversed"), Some(_), None) => Ending::Reversed,
        (Some("captured"), Some(captured_minor), back) => {
            Ending::Captured { captured_minor, refunded_minor: back.unwrap_or(0) }
        }
        (Some(_) | None, _, _) => {
            return Err(LedgerError::Broken { detail: "endings.kind" });
        }
    };
    let (key, approved_minor): (String, i64) = (row.get(0)?, row.get(11)?);
    Ok(Entry {
        network_id: (approved_minor > 0).then(|| super::network_id(&key)),
        keeps: row.get(17)?,
        kept_token: row.get(18)?,
        initiator: row.get(19)?,
        follows: row.get(20)?,
        key,
        stan: row.get(1)?,
        rrn: row.get(2)?,
        terminal: row.get(3)?,
        amount_minor: row.get(4)?,
        currency: row.get(5)?,
        received_at_ms: row.get(16)?,
        deferred: row.get(6)?,
        card: row.get(7)?,
        brand: row.get(8)?,
        last4: row.get(9)?,
        code,
        approved_minor,
        auth_code: row.get(12)?,
        ending,
    })
}
