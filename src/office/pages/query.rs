//! What the pages read from the office's database. Invariant: reads only.

pub(super) mod board;
pub(super) mod decisions;
pub(super) mod devices;
pub(super) mod exceptions;
pub(super) mod job;
pub(super) mod payments;
pub(super) mod shifts;

use rusqlite::{Connection, Row};
use serde::de::DeserializeOwned;

/// The figures in the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    /// Finished visits that nobody has approved.
    pub(super) review: i64,
    /// Payments that wait for a decision.
    pub(super) held: i64,
    /// Refunds and transfers that wait for a decision.
    pub(super) refunds: i64,
    /// Open exceptions.
    pub(super) exceptions: i64,
    /// Handhelds with a forked journal or rows that could not be applied.
    pub(super) unwell_devices: i64,
}

/// Reads them.
pub(super) fn counts(db: &Connection) -> rusqlite::Result<Counts> {
    let sql = "SELECT
         (SELECT count(*) FROM job j JOIN visit_work w ON w.visit = j.visit
          WHERE w.state = 'done' AND j.review = 'open'),
         (SELECT count(*) FROM card_payment WHERE over = 0 AND released_by IS NULL
          AND json_extract(outcome_record, '$.state') = 'held'),
         (SELECT count(*) FROM refund_work WHERE state = 'waits')
             + (SELECT count(*) FROM transfer t JOIN payment p ON p.id = t.payment
                WHERE t.word_n = 0 AND p.state = 'tendered'),
         (SELECT count(*) FROM exception WHERE state = 'open'),
         (SELECT count(*) FROM device d WHERE d.revoked_ms IS NULL AND
          (EXISTS (SELECT 1 FROM journal_fork f WHERE f.device = d.id)
           OR EXISTS (SELECT 1 FROM journal j WHERE j.device = d.id AND j.result IN ('held', 'quarantined'))))";
    db.prepare_cached(sql)?.query_row([], |row| {
        Ok(Counts {
            review: row.get(0)?,
            held: row.get(1)?,
            refunds: row.get(2)?,
            exceptions: row.get(3)?,
            unwell_devices: row.get(4)?,
        })
    })
}

/// A column of JSON.
fn record<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|why| not_read(column, why))
}

/// A column of JSON that may be absent.
fn record_if_any<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| serde_json::from_str(&text).map_err(|why| not_read(column, why))).transpose()
}

/// A column with one of the snake-case names of our enums.
fn name<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_value(serde_json::Value::String(text)).map_err(|why| not_read(column, why))
}

/// The same, for a column that may be absent.
fn name_if_any<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| serde_json::from_value(serde_json::Value::String(text)).map_err(|why| not_read(column, why)))
        .transpose()
}

fn not_read(column: usize, why: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(why))
}
