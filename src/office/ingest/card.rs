//! A card's data comes in: the office's side of the payment begins. One read of a card serves one payment; a second
//! payment that comes with the same read is stopped, and a dispatcher hears of it.

use super::apply::ApplyError;
use crate::domain::event::PaymentCardRead;
use crate::domain::exception::ExceptionType;
use crate::domain::id::PaymentId;
use crate::domain::journal::Row;
use crate::domain::money::Money;
use crate::domain::outcome::{Outcome, OutcomeState};
use crate::facts::name;
use crate::office::epoch::WORDS_AN_EPOCH;
use crate::office::exceptions::{Trouble, raise, settle};
use crate::office::to_json;
use crate::sync::wire::batch::Envelope;
use rusqlite::{Connection, OptionalExtension as _};

/// Takes down what was read.
pub(super) fn read(db: &Connection, e: &Envelope, read: &PaymentCardRead, now_ms: i64) -> Result<(), ApplyError> {
    let first: Option<String> = db
        .prepare_cached(
            "SELECT payment FROM card_payment
             WHERE ksn = ?1 AND ciphertext_sha256 = ?2 AND payment <> ?3 AND reused_from IS NULL",
        )?
        .query_row((&read.ksn, &read.ciphertext_sha256, read.payment.to_string()), |r| r.get(0))
        .optional()?;
    db.execute(
        "INSERT INTO card_payment (payment, device, epoch, currency, amount_minor, blob, ksn, ciphertext_sha256,
                                   reused_from, outcome, outcome_n, next_ms)
         SELECT id, ?2, ?3, currency, amount_minor, ?4, ?5, ?6, ?7, 'none',
                (SELECT count(*) FROM former_epoch) * ?9, ?8 FROM payment WHERE id = ?1",
        (
            read.payment.to_string(),
            e.device.to_string(),
            e.epoch.to_string(),
            &read.blob,
            &read.ksn,
            &read.ciphertext_sha256,
            &first,
            now_ms,
            WORDS_AN_EPOCH,
        ),
    )?;
    first.map_or(Ok(()), |first| reused(db, e, read, &first, now_ms))
}

fn reused(db: &Connection, e: &Envelope, read: &PaymentCardRead, first: &str, now_ms: i64) -> Result<(), ApplyError> {
    let (subject, job, device) = (read.payment.to_string(), read.job.to_string(), e.device.to_string());
    let sql = "SELECT amount_minor, currency FROM payment WHERE id = ?1";
    let (minor, currency): (i64, String) = db.query_row(sql, [&subject], |r| Ok((r.get(0)?, r.get(1)?)))?;
    let sql = "SELECT p.document || ' of ' || d.name FROM payment p JOIN device d ON d.id = p.device WHERE p.id = ?1";
    let whose: String = db.query_row(sql, [first], |r| r.get(0))?;
    let note = format!("this read of the card belongs to a payment of invoice {whose}: nothing is sent for this one");
    let trouble = Trouble {
        kind: ExceptionType::CardDataReused,
        subject: &subject,
        device: Some(&device),
        job: Some(&job),
        amount: Money::new(minor, currency.parse().map_err(crate::office::OfficeError::from)?),
        note: &note,
        deadline_ms: None,
    };
    Ok(raise(db, &trouble, now_ms)?)
}

/// A request or an acceptance that the handheld had before it met this office after a restore: the lost office may
/// have sent it, so it is in question until the processor, the settlement file or a person says.
pub(super) fn question(db: &Connection, e: &Envelope, row: &Row, payment: PaymentId) -> Result<(), ApplyError> {
    db.execute(
        "UPDATE card_payment SET in_question = 1
         WHERE payment = ?1 AND over = 0 AND in_question = 0
           AND ?2 <= (SELECT met_seq FROM device_epoch WHERE device = ?3 AND epoch = ?4)
           AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.payment = ?1
               AND substr(a.key, 1, 8) = (SELECT substr(value, 1, 8) FROM meta WHERE name = 'epoch'))",
        (payment.to_string(), row.seq, e.device.to_string(), e.epoch.to_string()),
    )?;
    Ok(())
}

/// The word of a lost office, from the journal of the handheld that saw it.
pub(super) fn regain(db: &Connection, outcome: &Outcome, now_ms: i64) -> Result<(), ApplyError> {
    let id = outcome.payment.to_string();
    let sql = "UPDATE card_payment SET outcome = ?2, outcome_record = ?3 WHERE payment = ?1 AND in_question > 0";
    db.execute(sql, (&id, name(&outcome.state)?, to_json(outcome)?))?;
    if is_end(outcome.state) {
        settle(db, ExceptionType::PaymentReconcile, &id, "the handheld had seen how it ended", now_ms)?;
    }
    Ok(())
}

/// Whether nothing is at the processor after this word, once the handheld has seen it.
pub(super) fn is_end(state: OutcomeState) -> bool {
    match state {
        OutcomeState::Declined | OutcomeState::LateDeclined | OutcomeState::Expired | OutcomeState::Voided => true,
        OutcomeState::Approved
        | OutcomeState::PartlyApproved
        | OutcomeState::Held
        | OutcomeState::NotSent
        | OutcomeState::VoidFailed
        | OutcomeState::Captured
        | OutcomeState::Settled
        | OutcomeState::Disputed => false,
    }
}
