//! The processor's settlement file: what it says that it paid out, matched with what was captured here, both ways.
//!
//! UTF-8 CSV with a header row, the columns in any order: `line` (the processor's id of the line, never used twice),
//! `reference` (our key of the attempt or refund, its RRN, or the processor's own name for it; empty for a payout),
//! `type` (`sale`, `refund`, `chargeback`, `chargeback_reversed` or `payout`), `amount`, `currency`, `fee` (0 where there is none), `settled_on`
//! (2025-11-25), `batch`, `payout` (the processor's name for it, or nothing). All or nothing; the same file again
//! changes nothing. Invariant: never commits. Start at [`import_settlement`].

mod matching;
mod report;

pub(in crate::office) use matching::named_in;

pub use report::{Batch, Report, Unmatched, Unsettled};

use super::cell::Cells;
use super::table::{self, Table};
use super::{ImportErrors, RowErrors, Seen};
use crate::domain::money::{Currency, Money};
use crate::office::OfficeError;
use rusqlite::{OptionalExtension as _, Transaction};
use std::collections::BTreeSet;

/// The columns of the file.
pub const COLUMNS: &[&str] =
    &["line", "reference", "type", "amount", "currency", "fee", "settled_on", "batch", "payout"];

/// Days after which captured money that is not settled is listed.
pub const UNSETTLED_DAYS: i64 = 4;

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    line: String,
    reference: String,
    kind: String,
    amount_minor: i64,
    currency: String,
    fee_minor: i64,
    settled_on: String,
    batch: String,
    payout: String,
}

/// A payout that the bank's statement shows, said on the command line: `BATCH=AMOUNT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidOut {
    /// The batch.
    pub batch: String,
    /// How much arrived, in the batch's currency.
    pub amount: String,
}

impl std::str::FromStr for PaidOut {
    type Err = String;

    fn from_str(text: &str) -> Result<PaidOut, String> {
        match text.split_once('=') {
            Some((batch, amount)) if !batch.trim().is_empty() && !amount.trim().is_empty() => {
                Ok(PaidOut { batch: batch.trim().to_owned(), amount: amount.trim().to_owned() })
            }
            _ => Err(format!("{text:?} is no payout: write BATCH=AMOUNT, such as B17=120.50")),
        }
    }
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum SettlementError {
    /// The file, or the database.
    #[error(transparent)]
    Import(#[from] ImportErrors),
    /// A payout of the command line.
    #[error("{0}")]
    PaidOut(String),
    /// The office.
    #[error(transparent)]
    Office(#[from] OfficeError),
}

impl SettlementError {
    /// Whether the same file is never taken.
    pub fn is_permanent(&self) -> bool {
        match self {
            SettlementError::Import(why) => why.is_permanent(),
            SettlementError::PaidOut(_) => true,
            SettlementError::Office(why) => why.is_permanent(),
        }
    }
}

impl From<rusqlite::Error> for SettlementError {
    fn from(why: rusqlite::Error) -> SettlementError {
        SettlementError::Import(why.into())
    }
}

/// Reads the file into the database, matches it, and says what fits and what does not.
///
/// # Errors
/// Nothing was imported, and why, by row.
pub fn import_settlement(
    tx: &Transaction<'_>,
    csv: &[u8],
    paid_out: &[PaidOut],
    now_ms: i64,
    days: i64,
) -> Result<Report, SettlementError> {
    let mut errors = RowErrors::default();
    let table = table::read(COLUMNS, csv, &mut errors);
    let lines = lines(tx, &table, &mut errors)?;
    errors.into_result()?;
    let mut report = Report::default();
    let mut batches = BTreeSet::new();
    for (line, known) in &lines {
        batches.insert(line.batch.clone());
        match known {
            true => report.unchanged += 1,
            false => {
                insert(tx, line, now_ms)?;
                report.added += 1;
            }
        }
    }
    for one in paid_out {
        put_paid_out(tx, one, now_ms)?;
        batches.insert(one.batch.clone());
    }
    matching::matched(tx, now_ms)?;
    report::fill(tx, &mut report, &batches, now_ms, days)?;
    Ok(report)
}

/// The lines, and whether each is known already.
fn lines(tx: &Transaction<'_>, table: &Table, errors: &mut RowErrors) -> Result<Vec<(Line, bool)>, rusqlite::Error> {
    let mut keys = Seen::default();
    let mut lines = Vec::with_capacity(table.rows.len());
    for record in &table.rows {
        let mut cells = Cells::new(table, record, errors);
        let line = cells.key("line", &mut keys);
        let kind = cells.choice("type", &["sale", "refund", "chargeback", "chargeback_reversed", "payout"]);
        let reference = if kind == "payout" { cells.line("reference") } else { cells.required("reference") };
        let currency = cells.currency("currency");
        let amount_minor = cells.amount("amount", currency);
        if amount_minor == 0 {
            cells.wrong("amount", "an amount above zero");
        }
        let fee_minor = cells.amount("fee", currency);
        let settled_on = cells.date("settled_on");
        if settled_on.is_empty() {
            cells.wrong("settled_on", "a date such as 2025-03-31");
        }
        let (batch, payout) = (cells.required("batch"), cells.line("payout"));
        let currency = currency.map_or("", |c| c.code()).to_owned();
        let kind = kind.to_owned();
        let read = Line { line, reference, kind, amount_minor, currency, fee_minor, settled_on, batch, payout };
        let kept = kept(tx, &read.line)?;
        if kept.as_ref().is_some_and(|kept| *kept != read) {
            cells.wrong("line", "the same content as when this line was imported before");
        }
        lines.push((read, kept.is_some()));
    }
    Ok(lines)
}

fn kept(tx: &Transaction<'_>, line: &str) -> rusqlite::Result<Option<Line>> {
    let sql = "SELECT line, reference, type, amount_minor, currency, fee_minor, settled_on, batch, payout
               FROM settlement_line WHERE line = ?1";
    tx.prepare_cached(sql)?
        .query_row([line], |r| {
            Ok(Line {
                line: r.get(0)?,
                reference: r.get(1)?,
                kind: r.get(2)?,
                amount_minor: r.get(3)?,
                currency: r.get(4)?,
                fee_minor: r.get(5)?,
                settled_on: r.get(6)?,
                batch: r.get(7)?,
                payout: r.get(8)?,
            })
        })
        .optional()
}

fn insert(tx: &Transaction<'_>, line: &Line, now_ms: i64) -> rusqlite::Result<()> {
    let sql =
        "INSERT INTO settlement_line (line, reference, type, amount_minor, currency, fee_minor, settled_on, batch,
                                            payout, imported_ms)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    tx.prepare_cached(sql)?.execute((
        &line.line,
        &line.reference,
        &line.kind,
        line.amount_minor,
        &line.currency,
        line.fee_minor,
        &line.settled_on,
        &line.batch,
        &line.payout,
        now_ms,
    ))?;
    Ok(())
}

/// A payout of the command line stands as a line of its own, and replaces what was said of the batch before.
fn put_paid_out(tx: &Transaction<'_>, one: &PaidOut, now_ms: i64) -> Result<(), SettlementError> {
    let sql = "SELECT DISTINCT currency FROM settlement_line WHERE batch = ?1 AND type <> 'payout'";
    let found: Vec<String> =
        tx.prepare_cached(sql)?.query_map([&one.batch], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
    let [currency] = found.as_slice() else {
        let why =
            if found.is_empty() { "no line is of it" } else { "it has several currencies: put payouts in the file" };
        return Err(SettlementError::PaidOut(format!("batch {} cannot be matched: {why}", one.batch)));
    };
    let currency: Currency = currency.parse().map_err(OfficeError::from)?;
    let money = Money::parse(&one.amount, currency).ok().filter(|money| money.minor > 0);
    let money = money.ok_or_else(|| {
        SettlementError::PaidOut(format!("{:?} is no amount of {currency} above zero: write it as 120.50", one.amount))
    })?;
    let sql = "INSERT INTO settlement_line (line, reference, type, amount_minor, currency, fee_minor, settled_on, batch,
                                            payout, imported_ms)
               SELECT ?1, '', 'payout', ?2, ?3, 0, max(settled_on), batch, '', ?4 FROM settlement_line WHERE batch = ?5
               ON CONFLICT (line) DO UPDATE SET amount_minor = excluded.amount_minor, imported_ms = excluded.imported_ms";
    let line = format!("paid out {}", one.batch);
    tx.execute(sql, (line, money.minor, currency.code(), now_ms, &one.batch))?;
    Ok(())
}
