//! The office's word on a payment: recorded, put into the handheld's channel, and onto the dispatcher's list where
//! somebody must act.

use super::facts::CardPayment;
use super::{moved_by, settled};
use crate::domain::exception::ExceptionType;
use crate::domain::id::PaymentId;
use crate::domain::money::Money;
use crate::domain::outcome::{Outcome, OutcomeState};
use crate::facts::name;
use crate::office::agreements::{OFFICE_DEVICE, runs};
use crate::office::decide::waits;
use crate::office::exceptions::{Trouble, raise, settle};
use crate::office::{OfficeError, feed, to_json};
use rusqlite::{Connection, OptionalExtension as _};

/// How long a payment stays off the list after somebody said that it is left for now, milliseconds.
const LEFT_FOR_MS: i64 = 3_600_000;

/// Says `state` of a payment.
pub fn say(
    db: &Connection,
    payment: &CardPayment,
    state: OutcomeState,
    over: bool,
    why: Option<&str>,
    now_ms: i64,
) -> Result<(), OfficeError> {
    let id = payment.id.to_string();
    let n: u32 = db.query_row("SELECT outcome_n + 1 FROM card_payment WHERE payment = ?1", [&id], |r| r.get(0))?;
    let outcome = Outcome {
        payment: payment.id,
        state,
        amount_minor: amount(payment, state),
        auth_code: auth_code(db, &id)?,
        response_code: payment.known.last.as_ref().and_then(|a| a.response_code.clone()),
        reason: why.map(str::to_owned),
        at_ms: now_ms,
        n,
    };
    db.execute(
        "UPDATE card_payment SET outcome = ?2, outcome_n = ?3, outcome_record = ?4, over = ?5, next_ms = ?6
         WHERE payment = ?1",
        (&id, name(&state)?, n, to_json(&outcome)?, over, now_ms),
    )?;
    if payment.device == OFFICE_DEVICE {
        runs::heard(db, payment, &outcome)?;
    } else {
        feed::note(db, &feed::channel_of(&payment.device), "outcome", &id, "put")?;
    }
    if over || state == OutcomeState::Approved {
        db.execute("DELETE FROM blob WHERE sha256 = ?1", [&payment.blob])?;
    }
    list(db, payment, state, why.unwrap_or(""), now_ms)?;
    // The settlement file may have been quicker.
    settled::said(db, &id, now_ms)?;
    moved_by(db, &id, now_ms)
}

/// Nothing is to be done for this payment any more; its card data is erased.
pub fn end(db: &Connection, payment: PaymentId) -> Result<(), OfficeError> {
    let id = payment.to_string();
    db.execute("UPDATE card_payment SET over = 1 WHERE payment = ?1", [&id])?;
    db.execute("DELETE FROM blob WHERE sha256 = (SELECT blob FROM card_payment WHERE payment = ?1)", [&id])?;
    Ok(())
}

fn amount(payment: &CardPayment, state: OutcomeState) -> i64 {
    match state {
        OutcomeState::Approved
        | OutcomeState::PartlyApproved
        | OutcomeState::Captured
        | OutcomeState::Settled
        | OutcomeState::Disputed
        | OutcomeState::VoidFailed => payment.known.last.as_ref().map_or(0, |a| a.approved_minor),
        OutcomeState::Declined
        | OutcomeState::LateDeclined
        | OutcomeState::Expired
        | OutcomeState::Held
        | OutcomeState::NotSent
        | OutcomeState::Voided => payment.amount.minor,
    }
}

fn auth_code(db: &Connection, payment: &str) -> Result<Option<String>, OfficeError> {
    let sql = "SELECT auth_code FROM attempt WHERE payment = ?1 ORDER BY n DESC LIMIT 1";
    Ok(db.query_row(sql, [payment], |r| r.get(0)).optional()?.flatten())
}

/// What the dispatcher's list gains or loses with it.
fn list(
    db: &Connection,
    payment: &CardPayment,
    state: OutcomeState,
    why: &str,
    now_ms: i64,
) -> Result<(), OfficeError> {
    let kind = match state {
        OutcomeState::LateDeclined => Some(ExceptionType::LateDecline),
        OutcomeState::Expired => Some(ExceptionType::CardExpired),
        OutcomeState::Held => Some(ExceptionType::HeldExcess),
        OutcomeState::VoidFailed => Some(ExceptionType::VoidFailed),
        OutcomeState::Approved
        | OutcomeState::PartlyApproved
        | OutcomeState::Declined
        | OutcomeState::NotSent
        | OutcomeState::Voided
        | OutcomeState::Captured
        | OutcomeState::Settled
        | OutcomeState::Disputed => None,
    };
    let subject = payment.id.to_string();
    for solved in [ExceptionType::PaymentUnknown, ExceptionType::ReversalStuck, ExceptionType::ApprovedUnseen] {
        settle(db, solved, &subject, "the processor's answer is known", now_ms)?;
    }
    if state != OutcomeState::Held {
        settle(db, ExceptionType::HeldExcess, &subject, "decided", now_ms)?;
    }
    kind.map_or(Ok(()), |kind| trouble(db, payment, kind, why, now_ms))
}

/// Puts a payment onto the dispatcher's list.
pub fn trouble(
    db: &Connection,
    payment: &CardPayment,
    kind: ExceptionType,
    note: &str,
    now_ms: i64,
) -> Result<(), OfficeError> {
    let may_wait =
        matches!(kind, ExceptionType::PaymentUnknown | ExceptionType::ReversalStuck | ExceptionType::ApprovedUnseen);
    if may_wait && waits(db, &payment.id.to_string(), now_ms - LEFT_FOR_MS)? {
        return Ok(());
    }
    let trouble = Trouble {
        kind,
        subject: &payment.id.to_string(),
        device: Some(&payment.device),
        job: Some(&payment.job),
        amount: Money::new(payment.amount.minor, payment.amount.currency),
        note,
        deadline_ms: payment.known.deadline_ms,
    };
    raise(db, &trouble, now_ms)
}
