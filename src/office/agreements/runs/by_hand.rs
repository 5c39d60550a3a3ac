//! What people do about a run that the bank declined: have it tried before its day, or charged again after the last try.

use super::{charge, load, payment_id};
use crate::domain::id::PaymentId;
use crate::facts;
use crate::office::decide::Refused;
use crate::office::{OfficeError, id_from};
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension as _};

/// A person wants a declined payment tried at once and not on its day.
///
/// # Errors
/// It has ended, or no such run.
pub fn try_now(db: &Connection, agreement: &str, due: &str, now_ms: i64) -> Result<(), Refused> {
    let done = db.execute(
        "UPDATE agreement_run SET now_after =
             (SELECT count(*) FROM attempt t WHERE t.payment = agreement_run.payment AND t.state = 'declined')
         WHERE agreement = ?1 AND due = ?2
           AND payment IN (SELECT payment FROM card_payment WHERE over = 0)
           AND agreement IN (SELECT id FROM agreement WHERE state = 'active')",
        (agreement, due),
    )?;
    if done == 0 {
        return Err(Refused::Conflict("This run has ended, or its agreement is not in force."));
    }
    let sql = "UPDATE card_payment SET next_ms = ?3
               WHERE payment = (SELECT payment FROM agreement_run WHERE agreement = ?1 AND due = ?2)";
    db.execute(sql, (agreement, due, now_ms))?;
    Ok(())
}

/// A person wants the bill of a run charged again after every try of its payment was used up: a new payment of the
/// same bill, linked to the one before.
///
/// # Errors
/// It is no run's present payment, has not ended, or the agreement is not in force.
pub fn again(db: &Connection, payment: &str, now_ms: i64) -> Result<(), Refused> {
    let sql = "SELECT r.agreement, r.due, r.n + 1 FROM agreement_run r JOIN card_payment c ON c.payment = r.payment
               WHERE r.payment = ?1 AND c.over = 1 AND c.captured_minor = 0";
    let found: Option<(String, String, u32)> =
        db.prepare_cached(sql)?.query_row([payment], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).optional()?;
    let (agreement, date, n) = found.ok_or(Refused::Conflict("Another payment has followed already."))?;
    let due = load(db, &agreement)?
        .ok_or(Refused::Conflict("The agreement is not in force any more: bill the customer another way."))?;
    let before: PaymentId = id_from(payment)?;
    let day: Date = date.parse().map_err(|_| Refused::Missing("due date"))?;
    let record = facts::payment(db, before).map_err(OfficeError::from)?.ok_or(Refused::Missing("payment"))?;
    let invoice = facts::invoice(db, record.invoice).map_err(OfficeError::from)?.ok_or(Refused::Missing("bill"))?;
    let next = payment_id(&agreement, day, n);
    charge(db, &due, &invoice, (next, Some(before)), day, now_ms)?;
    let sql = "UPDATE agreement_run SET payment = ?3, n = ?4, now_after = NULL WHERE agreement = ?1 AND due = ?2";
    db.execute(sql, (&agreement, &date, next.to_string(), n))?;
    Ok(())
}
