//! What people decided about a job's payments.

use crate::domain::decision::Action;
use crate::domain::money::{Currency, Money};
use crate::office::decide::FOLLOWED;
use rusqlite::Connection;

/// The most decisions that one page shows.
const DECISIONS_MAX: u32 = 200;

/// One decision.
pub(in crate::office::pages) struct Decided {
    pub(in crate::office::pages) id: String,
    /// None for an action of a newer program.
    pub(in crate::office::pages) action: Option<Action>,
    pub(in crate::office::pages) amount: Money,
    pub(in crate::office::pages) reason: String,
    pub(in crate::office::pages) detail: String,
    pub(in crate::office::pages) by: String,
    /// Unix milliseconds.
    pub(in crate::office::pages) at_ms: i64,
    /// Who took it back.
    pub(in crate::office::pages) undone_by: Option<String>,
    /// Whether it can be taken back now.
    pub(in crate::office::pages) undoable: bool,
}

/// The decisions about a job, oldest first.
pub(in crate::office::pages) fn of_job(db: &Connection, job: &str) -> rusqlite::Result<Vec<Decided>> {
    let sql = format!(
        "SELECT d.id, d.action, d.amount_minor, d.currency, d.reason, d.detail, d.decided_by, d.at_ms, d.undone_by,
             d.undone_ms IS NULL AND d.action IN ('recollect', 'invoice') AND NOT {FOLLOWED}
         FROM decision d WHERE d.job = ?1 ORDER BY d.at_ms, d.id LIMIT ?2"
    );
    let read = |row: &rusqlite::Row<'_>| {
        let action: String = row.get(1)?;
        Ok(Decided {
            id: row.get(0)?,
            action: Action::from_name(&action),
            amount: Money::new(row.get(2)?, super::name::<Currency>(row, 3)?),
            reason: row.get(4)?,
            detail: row.get(5)?,
            by: row.get(6)?,
            at_ms: row.get(7)?,
            undone_by: row.get(8)?,
            undoable: row.get(9)?,
        })
    };
    db.prepare_cached(&sql)?.query_map((job, DECISIONS_MAX), read)?.collect()
}

/// What of the job's invoice was given up, minor units.
pub(in crate::office::pages) fn written_off(decisions: &[Decided]) -> i64 {
    let given_up = decisions.iter().filter(|one| one.action == Some(Action::WriteOff));
    given_up.fold(0_i64, |sum, one| sum.saturating_add(one.amount.minor))
}
