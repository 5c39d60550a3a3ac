//! What the processor said is written down. An answer counts only while its fencing number is still the newest.

use super::facts::CardPayment;
use super::publish::trouble;
use super::worker::postpone;
use crate::domain::exception::ExceptionType;
use crate::office::kept;
use crate::office::processors::{Answer, Found, ProcessorError};
use crate::office::{Office, OfficeError};
use rusqlite::Connection;

/// The longest pause between tries, milliseconds.
pub(super) const RETRY_MAX_MS: i64 = 60_000;
/// After so many failed calls a dispatcher hears of it.
const TRIES_BEFORE_ALARM: u32 = 5;

/// Writes an attempt's new state, if nobody else took it meanwhile, and has the payment looked at again at once.
pub(super) fn settle_attempt(
    db: &Connection,
    office: &Office,
    payment: &CardPayment,
    state: &str,
    answer: Option<&Answer>,
) -> Result<(), OfficeError> {
    let now = office.now_ms();
    let id = payment.id.to_string();
    let approved = answer.filter(|a| a.approved).map(|a| a.amount_minor);
    let mine = db.execute(
        "UPDATE attempt SET state = ?3, lease_ms = 0, tries = 0, approved_minor = coalesce(?4, approved_minor),
             response_code = coalesce(?5, response_code), auth_code = coalesce(?6, auth_code),
             token = coalesce(?8, token)
         WHERE payment = ?1 AND key = ?2 AND fence = ?7",
        (
            &id,
            payment.key(),
            state,
            approved,
            answer.map(|a| &a.response_code),
            answer.and_then(|a| a.auth_code.as_ref()),
            payment.fence,
            answer.and_then(|a| a.token.as_ref()),
        ),
    )?;
    if mine == 1 {
        if let Some(answer) = answer.filter(|answer| answer.approved) {
            kept::approved(db, payment, answer, now)?;
            let sql = "UPDATE card_payment SET approved_minor = ?2, approved_ms = coalesce(approved_ms, ?3)
                       WHERE payment = ?1";
            db.execute(sql, (&id, approved, now))?;
        }
        postpone(db, payment.id, now)?;
        wake_others(db, &id, now)?;
    }
    Ok(())
}

/// Others of the same invoice may wait for what has become of a payment.
pub(super) fn wake_others(db: &Connection, payment: &str, now_ms: i64) -> Result<(), OfficeError> {
    let sql = "UPDATE card_payment SET next_ms = min(next_ms, ?2) WHERE over = 0 AND payment IN
               (SELECT o.id FROM payment o JOIN payment p ON p.invoice = o.invoice WHERE p.id = ?1 AND o.id <> ?1)";
    db.execute(sql, (payment, now_ms))?;
    Ok(())
}

pub(super) fn record_answer(
    db: &Connection,
    office: &Office,
    payment: &CardPayment,
    answer: Result<Answer, ProcessorError>,
) -> Result<(), OfficeError> {
    match answer {
        Ok(answer) => {
            let state = if answer.approved { "approved" } else { "declined" };
            settle_attempt(db, office, payment, state, Some(&answer))?;
            soft_decline_pause(db, office, payment, &answer)
        }
        // Its adapter has sent nothing, and never will.
        Err(why @ ProcessorError::Unable(_)) => {
            tracing::error!(payment = %payment.id, error = %why, "the processor cannot carry this card's data");
            db.execute("UPDATE card_payment SET unfit = 1 WHERE payment = ?1", [payment.id.to_string()])?;
            settle_attempt(db, office, payment, "dead", None)
        }
        Err(why) => {
            tracing::warn!(payment = %payment.id, error = %why, "no answer to an authorisation: in doubt");
            settle_attempt(db, office, payment, "in_doubt", None)
        }
    }
}

/// A reversal was confirmed. An attempt that nobody approved is followed by another, each later than the one before; a
/// dispatcher hears of it when it goes on.
pub(super) fn record_reversed(db: &Connection, office: &Office, payment: &CardPayment) -> Result<(), OfficeError> {
    settle_attempt(db, office, payment, "dead", None)?;
    if payment.known.void_requested || payment.known.approved_at_ms.is_some() {
        return Ok(());
    }
    dead_pause(db, office, payment)
}

fn dead_pause(db: &Connection, office: &Office, payment: &CardPayment) -> Result<(), OfficeError> {
    let now = office.now_ms();
    let n = payment.known.last.as_ref().map_or(1, |attempt| attempt.n);
    if n >= TRIES_BEFORE_ALARM {
        trouble(db, payment, ExceptionType::PaymentUnknown, "its requests do not arrive at the processor", now)?;
    }
    let pause = office.settings().timing.retry_ms.saturating_mul(1 << n.min(12)).min(RETRY_MAX_MS);
    postpone(db, payment.id, now + pause)
}

/// A soft decline is not tried again in the same breath.
pub(super) fn soft_decline_pause(
    db: &Connection,
    office: &Office,
    payment: &CardPayment,
    answer: &Answer,
) -> Result<(), OfficeError> {
    if !answer.approved && super::plan::SOFT_DECLINES.contains(&answer.response_code.as_str()) {
        postpone(db, payment.id, office.now_ms() + office.settings().timing.retry_ms)?;
    }
    Ok(())
}

pub(super) fn record_found(
    db: &Connection,
    office: &Office,
    payment: &CardPayment,
    found: Result<Found, ProcessorError>,
) -> Result<(), OfficeError> {
    match found {
        // It may still be on its way: only a reversal makes sure that it has no effect when it arrives.
        Ok(Found::Nothing) => settle_attempt(db, office, payment, "reversing", None),
        Ok(Found::Reversed) => record_reversed(db, office, payment),
        Ok(Found::Unfinished { reference }) => {
            let sql = "UPDATE attempt SET reference = ?3 WHERE payment = ?1 AND key = ?2";
            db.execute(sql, (payment.id.to_string(), payment.key(), reference))?;
            settle_attempt(db, office, payment, "announced", None)
        }
        Ok(Found::Answered { answer, captured_minor: 0 }) => record_answer(db, office, payment, Ok(answer)),
        Ok(Found::Answered { answer, captured_minor }) => {
            let sql = "UPDATE card_payment SET captured_minor = ?2 WHERE payment = ?1";
            db.execute(sql, (payment.id.to_string(), captured_minor))?;
            settle_attempt(db, office, payment, "captured", Some(&answer))
        }
        Err(why) => failed(db, office, payment, ExceptionType::PaymentUnknown, &why),
    }
}

/// A call without an answer: again later, and a dispatcher hears of it when it goes on.
pub(super) fn failed(
    db: &Connection,
    office: &Office,
    payment: &CardPayment,
    kind: ExceptionType,
    why: &ProcessorError,
) -> Result<(), OfficeError> {
    let now = office.now_ms();
    let tries: u32 = db.query_row(
        "UPDATE attempt SET tries = tries + 1, lease_ms = 0 WHERE payment = ?1 AND key = ?2 RETURNING tries",
        (payment.id.to_string(), payment.key()),
        |r| r.get(0),
    )?;
    if tries >= TRIES_BEFORE_ALARM {
        trouble(db, payment, kind, &why.to_string(), now)?;
    }
    let pause = office.settings().timing.retry_ms.saturating_mul(1 << tries.min(6)).min(RETRY_MAX_MS);
    postpone(db, payment.id, now + pause)
}
