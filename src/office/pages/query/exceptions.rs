//! Exceptions, with what they are about.

use super::name;
use crate::domain::exception::ExceptionType;
use crate::domain::money::{Currency, Money};
use crate::office::decide::FOLLOWED;
use rusqlite::{Connection, params};

/// The most exceptions that one page shows.
pub(in crate::office::pages) const EXCEPTIONS_MAX: u32 = 300;
/// How many resolved ones stand below.
pub(in crate::office::pages) const RESOLVED_MAX: u32 = 15;

/// One exception.
pub(in crate::office::pages) struct Open {
    pub(in crate::office::pages) id: String,
    pub(in crate::office::pages) kind: ExceptionType,
    pub(in crate::office::pages) amount: Money,
    pub(in crate::office::pages) note: String,
    pub(in crate::office::pages) opened_ms: i64,
    pub(in crate::office::pages) deadline_ms: Option<i64>,
    pub(in crate::office::pages) owner: Option<String>,
    pub(in crate::office::pages) resolved_ms: Option<i64>,
    pub(in crate::office::pages) resolution: Option<String>,
    pub(in crate::office::pages) device_name: Option<String>,
    pub(in crate::office::pages) job: Option<String>,
    /// Number, title and customer of the job.
    pub(in crate::office::pages) about: Option<String>,
    /// The payment that it is about, if it is about one.
    pub(in crate::office::pages) payment: Option<String>,
    /// What was noted with the decision, such as a link.
    pub(in crate::office::pages) detail: Option<String>,
    /// Somebody has decided, and what was begun has not come to its end.
    pub(in crate::office::pages) under_way: bool,
    /// The decision, if it can still be taken back.
    pub(in crate::office::pages) undoable: Option<String>,
}

/// Which, and in what order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::office::pages) enum Order {
    /// Open, most money first, then oldest.
    Money,
    /// Open, oldest first.
    Age,
    /// Resolved, newest first.
    Resolved,
}

/// Exceptions of one job (`Some`) or of all.
pub(in crate::office::pages) fn exceptions(
    db: &Connection,
    order: Order,
    job: Option<&str>,
) -> rusqlite::Result<Vec<Open>> {
    let (state, by, limit) = match order {
        Order::Money => ("open", "e.amount_minor DESC, e.opened_ms", EXCEPTIONS_MAX),
        Order::Age => ("open", "e.opened_ms, e.amount_minor DESC", EXCEPTIONS_MAX),
        Order::Resolved => ("resolved", "e.resolved_ms DESC", RESOLVED_MAX),
    };
    let sql = format!(
        "SELECT e.id, e.type, e.amount_minor, e.currency, e.note, e.opened_ms, e.deadline_ms, e.owner, e.resolved_ms,
             e.resolution, d.name, j.id, j.external_id || ' ' || j.title || ', ' || c.name, p.id,
             d2.detail, CASE WHEN d2.action IN ('recollect', 'invoice') AND NOT d2.followed THEN d2.id END,
             e.state = 'open' AND d2.id IS NOT NULL
         FROM exception e
         LEFT JOIN (SELECT d.*, {FOLLOWED} AS followed FROM decision d WHERE d.undone_ms IS NULL) d2 ON d2.exception = e.id
         LEFT JOIN device d ON d.id = e.device
         LEFT JOIN payment p ON p.id = e.subject
         LEFT JOIN job j ON j.id = coalesce(e.job, p.job)
         LEFT JOIN customer c ON c.id = j.customer
         WHERE e.state = ?1 AND (?2 IS NULL OR j.id = ?2) ORDER BY {by}, e.id LIMIT ?3"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params![state, job, limit], |row| {
        Ok(Open {
            id: row.get(0)?,
            kind: name(row, 1)?,
            amount: Money::new(row.get(2)?, name::<Currency>(row, 3)?),
            note: row.get(4)?,
            opened_ms: row.get(5)?,
            deadline_ms: row.get(6)?,
            owner: row.get(7)?,
            resolved_ms: row.get(8)?,
            resolution: row.get(9)?,
            device_name: row.get(10)?,
            job: row.get(11)?,
            about: row.get(12)?,
            payment: row.get(13)?,
            detail: row.get(14)?,
            undoable: row.get(15)?,
            under_way: row.get(16)?,
        })
    })?;
    rows.collect()
}
