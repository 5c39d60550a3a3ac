//! The dispatcher's list: one open entry for each trouble and subject.

use super::{OfficeError, id_from};
use crate::domain::exception::{Exception, ExceptionType};
use crate::domain::money::Money;
use rusqlite::Connection;
use uuid::Uuid;

/// What is wrong, with what, since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble<'a> {
    /// What kind.
    pub kind: ExceptionType,
    /// The id of what it is about.
    pub subject: &'a str,
    /// From which handheld.
    pub device: Option<&'a str>,
    /// Of which job.
    pub job: Option<&'a str>,
    /// Money at stake.
    pub amount: Money,
    /// What exactly, in a sentence.
    pub note: &'a str,
    /// Until when it can be dealt with, Unix milliseconds.
    pub deadline_ms: Option<i64>,
}

/// Puts a trouble on the list, once.
pub fn raise(db: &Connection, trouble: &Trouble<'_>, now_ms: i64) -> Result<(), OfficeError> {
    db.prepare_cached(
        "INSERT INTO exception (id, type, subject, device, job, amount_minor, currency, note, opened_ms, deadline_ms,
                                state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'open')
         ON CONFLICT (type, subject) WHERE state = 'open' DO NOTHING",
    )?
    .execute((
        Uuid::now_v7().to_string(),
        trouble.kind.name(),
        trouble.subject,
        trouble.device,
        trouble.job,
        trouble.amount.minor,
        trouble.amount.currency.code(),
        trouble.note,
        now_ms,
        trouble.deadline_ms,
    ))?;
    Ok(())
}

/// Takes a trouble off the list because it solved itself.
pub fn settle(db: &Connection, kind: ExceptionType, subject: &str, why: &str, now_ms: i64) -> Result<(), OfficeError> {
    db.execute(
        "UPDATE exception SET state = 'resolved', resolved_ms = ?3, resolution = ?4, owner = 'office'
         WHERE type = ?1 AND subject = ?2 AND state = 'open'",
        (kind.name(), subject, now_ms, why),
    )?;
    Ok(())
}

/// Every entry, oldest first.
pub fn all(db: &Connection) -> Result<Vec<Exception>, OfficeError> {
    let mut statement = db.prepare_cached(
        "SELECT id, type, subject, amount_minor, currency, opened_ms, deadline_ms, owner, state
         FROM exception ORDER BY opened_ms, id",
    )?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, kind, currency): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(4)?);
        found.push(Exception {
            id: id_from(&id)?,
            kind: crate::facts::named(&kind)?,
            subject: row.get(2)?,
            amount_minor: row.get(3)?,
            currency: currency.parse()?,
            opened_at: row.get(5)?,
            deadline: row.get(6)?,
            owner: row.get(7)?,
            state: row.get(8)?,
        });
    }
    Ok(found)
}
