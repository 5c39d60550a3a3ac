//! A card's data comes in: the office's side of the payment begins. One read of a card serves one payment; a second
//! payment that comes with the same read is stopped, and a dispatcher hears of it.

use super::apply::ApplyError;
use crate::domain::event::PaymentCardRead;
use crate::domain::exception::ExceptionType;
use crate::domain::money::Money;
use crate::office::exceptions::{Trouble, raise};
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
         SELECT id, ?2, ?3, currency, amount_minor, ?4, ?5, ?6, ?7, 'none', 0, ?8 FROM payment WHERE id = ?1",
        (
            read.payment.to_string(),
            e.device.to_string(),
            e.epoch.to_string(),
            &read.blob,
            &read.ksn,
            &read.ciphertext_sha256,
            &first,
            now_ms,
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
