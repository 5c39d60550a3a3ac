//! Transfers that customers have announced on the doorstep: pending until somebody has seen the money.
//!
//! Start at [`expected`] and [`decide`].

use super::moved_by;
use crate::domain::event::TenderRecorded;
use crate::domain::exception::ExceptionType;
use crate::domain::id::PaymentId;
use crate::domain::outcome::{Outcome, OutcomeState};
use crate::facts;
use crate::office::exceptions::{Trouble, raise, settle};
use crate::office::{OfficeError, feed, to_json};
use rusqlite::Connection;

/// A handheld recorded one.
pub fn expected(db: &Connection, device: &str, taken: &TenderRecorded, now_ms: i64) -> Result<(), OfficeError> {
    let (subject, job) = (taken.payment.to_string(), taken.job.to_string());
    db.execute("INSERT INTO transfer (payment, device) VALUES (?1, ?2)", (&subject, device))?;
    let note = format!("{} should come with {:?}", taken.document, taken.reference);
    let trouble = Trouble {
        kind: ExceptionType::TransferExpected,
        subject: &subject,
        device: Some(device),
        job: Some(&job),
        amount: taken.amount,
        note: &note,
        deadline_ms: None,
    };
    raise(db, &trouble, now_ms)
}

/// The money came, or it will not; `false` when that was said before.
pub fn decide(db: &Connection, payment: PaymentId, came: bool, who: &str, now_ms: i64) -> Result<bool, OfficeError> {
    let id = payment.to_string();
    let missing = || OfficeError::Missing(format!("the transfer {id}"));
    let known = facts::payment(db, payment)?.ok_or_else(missing)?;
    let state = if came { OutcomeState::Approved } else { OutcomeState::Expired };
    let reason = if came { "the transfer came" } else { "the transfer did not come" };
    let word = Outcome {
        payment,
        state,
        amount_minor: known.amount.minor,
        auth_code: None,
        response_code: None,
        reason: Some(reason.to_owned()),
        at_ms: now_ms,
        n: 1,
    };
    let sql = "UPDATE transfer SET word_n = 1, word = ?2, decided_by = ?3 WHERE payment = ?1 AND word_n = 0";
    if db.execute(sql, (&id, to_json(&word)?, who))? == 0 {
        return Ok(false);
    }
    let device: String = db.query_row("SELECT device FROM transfer WHERE payment = ?1", [&id], |r| r.get(0))?;
    feed::note(db, &feed::channel_of(&device), "outcome", &id, "put")?;
    settle(db, ExceptionType::TransferExpected, &id, reason, now_ms)?;
    moved_by(db, &id, now_ms)?;
    Ok(true)
}
