//! Refunds that the processor may have given back twice: some make two of one that the network doubled. That cannot be
//! prevented from here, so it is looked for: at once, and again when nothing can be under way any more.
//!
//! Invariant: only looks; sends nothing that moves money. Start at [`look`].

use super::follow_up::sent_of;
use super::refunds;
use crate::domain::exception::ExceptionType;
use crate::domain::id::RefundId;
use crate::domain::money::Money;
use crate::office::exceptions::{Trouble, raise};
use crate::office::processors::{FollowUp, Processor, ProcessorError};
use crate::office::{Office, OfficeError, id_from};
use rusqlite::Connection;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Looks at one refund.
const LOOKS: u32 = 2;
/// What the network held back for so long does not arrive any more, milliseconds.
const AGAIN_MS: i64 = 10 * 60_000;
/// The pause after a look that was not answered, milliseconds.
const RETRY_MS: i64 = 60_000;
/// Refunds that are looked at in one round.
const ROUND: u32 = 16;

/// From now on it is looked whether this refund, which was done, was done once.
pub(super) fn watch(db: &Connection, refund: RefundId, now_ms: i64) -> Result<(), OfficeError> {
    let sql = "UPDATE follow_up SET looks = ?2, look_ms = ?3 WHERE kind = 'refund' AND subject = ?1";
    db.execute(sql, (refund.to_string(), LOOKS, now_ms))?;
    Ok(())
}

/// Begins a round beside the worker, if a look is due.
pub(super) fn begin(office: &Office, processor: &Arc<dyn Processor>, tasks: &mut JoinSet<()>, at_once: usize) {
    let now = office.now_ms();
    let due = office.read(|db| -> rusqlite::Result<bool> { db.prepare_cached(DUE)?.exists((now, 1)) });
    if tasks.len() >= at_once || !due.unwrap_or(false) {
        return;
    }
    let (office, processor) = (office.clone(), processor.clone());
    tasks.spawn(async move {
        if let Err(why) = look(&office, &*processor).await {
            tracing::error!(error = %why, "refunds were not looked at; it is tried again");
        }
    });
}

const DUE: &str = "SELECT key, payment, n, subject, stan, amount_minor, at_ms FROM follow_up
                   WHERE looks > 0 AND look_ms <= ?1 ORDER BY look_ms LIMIT ?2";

/// Looks at the refunds whose turn it is.
pub async fn look(office: &Office, processor: &dyn Processor) -> Result<(), OfficeError> {
    let now = office.now_ms();
    for (refund, call) in office.write(|tx| take(tx, now))? {
        let found = processor.refunded_beyond(&call).await;
        office.write(|tx| record(tx, office, refund, &call, found))?;
    }
    Ok(())
}

/// Those that are due, for this round alone: if it crashes they are due again after the pause.
fn take(db: &Connection, now_ms: i64) -> Result<Vec<(RefundId, FollowUp)>, OfficeError> {
    let mut taken = Vec::new();
    let mut statement = db.prepare_cached(DUE)?;
    let mut rows = statement.query((now_ms, ROUND))?;
    while let Some(r) = rows.next()? {
        let (payment, subject): (String, String) = (r.get(1)?, r.get(3)?);
        let Some(of) = sent_of(db, &payment, r.get(2)?)? else { continue };
        let (key, stan, amount_minor, at_ms) = (r.get(0)?, r.get(4)?, r.get(5)?, r.get(6)?);
        taken.push((id_from(&subject)?, FollowUp { of, key, stan, at_ms, repeat: true, amount_minor }));
    }
    for (_, call) in &taken {
        db.execute("UPDATE follow_up SET look_ms = ?2 WHERE key = ?1", (&call.key, now_ms + RETRY_MS))?;
    }
    Ok(taken)
}

fn record(
    db: &Connection,
    office: &Office,
    refund: RefundId,
    call: &FollowUp,
    found: Result<i64, ProcessorError>,
) -> Result<(), OfficeError> {
    let now = office.now_ms();
    let over = |looks: u32| {
        let sql = "UPDATE follow_up SET looks = min(looks - 1, ?2), look_ms = ?3 WHERE key = ?1 AND looks > 0";
        db.execute(sql, (&call.key, looks, now + AGAIN_MS)).map(drop)
    };
    match found {
        Ok(0) => over(LOOKS)?,
        Ok(beyond_minor) => {
            over(0)?;
            say(db, refund, beyond_minor, now)?;
        }
        Err(ProcessorError::Unable(_) | ProcessorError::Refused(_)) => over(0)?,
        Err(why @ (ProcessorError::InDoubt(_) | ProcessorError::Setting(_))) => {
            tracing::warn!(%refund, error = %why, "whether the refund was done once is looked at again");
        }
    }
    Ok(())
}

fn say(db: &Connection, id: RefundId, beyond_minor: i64, now_ms: i64) -> Result<(), OfficeError> {
    let Some(work) = refunds::work(db, id)? else { return Ok(()) };
    let (asked, beyond) = (work.refund.amount, Money::new(beyond_minor, work.refund.amount.currency));
    let (subject, job) = (id.to_string(), work.refund.job.to_string());
    let note = format!("{asked} were to go back to the card, and {beyond} more did");
    let trouble = Trouble {
        kind: ExceptionType::RefundDoubled,
        subject: &subject,
        device: Some(&work.device),
        job: Some(&job),
        amount: beyond,
        note: &note,
        deadline_ms: None,
    };
    raise(db, &trouble, now_ms)
}
