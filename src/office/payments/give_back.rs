//! Refunds that the office begins itself, to deal with an exception: released from the start, carried out as any other
//! refund is, and told to the handheld when the money goes back.
//!
//! Invariants: the exception stays on the list until the money is on its way back, and comes back when the processor
//! refuses; a handheld never hears of a refund that came to nothing. Start at [`begin`].

use super::refunds::Work;
use super::settled;
use crate::domain::exception::ExceptionType;
use crate::domain::id::{PaymentId, RefundId};
use crate::domain::money::{Currency, Money};
use crate::domain::payment::Tender;
use crate::domain::refund::{Refund, RefundKind, RefundState};
use crate::facts;
use crate::office::exceptions::{Trouble, raise};
use crate::office::{OfficeError, id_from, to_json};
use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

/// Begins one of a captured card payment: what is left of it, and no more than `most_minor`. How much; `None` where
/// nothing is left. The debt is open again, or was paid another way.
pub fn begin(
    db: &Connection,
    exception: &str,
    payment: &str,
    most_minor: i64,
    (by, reason): (&str, &str),
    now_ms: i64,
) -> Result<Option<Money>, OfficeError> {
    let payment: PaymentId = id_from(payment)?;
    let amount_minor = left_minor(db, payment)?.min(most_minor);
    let Some(of) = facts::payment(db, payment)?.filter(|_| amount_minor > 0) else { return Ok(None) };
    let refund = Refund {
        id: RefundId(Uuid::now_v7()),
        payment: Some(payment),
        job: of.job,
        visit: of.visit,
        tender: Tender::Card,
        amount: Money::new(amount_minor, of.amount.currency),
        kind: RefundKind::Reopen,
        reason: reason.to_owned(),
        manager: false,
        state: RefundState::Requested,
        answer: None,
        at_ms: now_ms,
    };
    db.execute(
        "INSERT INTO refund_work (refund, payment, device, job, tender, currency, amount_minor, state, decided_by,
                                  decided_ms, next_ms, record, exception)
         SELECT ?1, payment, device, ?3, 'card', currency, ?4, 'released', ?5, ?6, ?6, ?7, ?8
         FROM card_payment WHERE payment = ?2",
        (
            refund.id.to_string(),
            payment.to_string(),
            refund.job.to_string(),
            amount_minor,
            by,
            now_ms,
            to_json(&refund)?,
            exception,
        ),
    )?;
    Ok(Some(refund.amount))
}

/// What of a card payment was captured, and neither went back nor is asked for or on its way, minor units. What the
/// bank took back by a chargeback is not there to be given again.
fn left_minor(db: &Connection, payment: PaymentId) -> Result<i64, OfficeError> {
    let sql = "SELECT c.captured_minor - c.refunded_minor
                   - (SELECT coalesce(sum(w.amount_minor), 0) FROM refund_work w
                      WHERE w.payment = c.payment AND w.state IN ('waits', 'released'))
               FROM card_payment c WHERE c.payment = ?1";
    let payment = payment.to_string();
    let left: Option<i64> = db.prepare_cached(sql)?.query_row([&payment], |r| r.get(0)).optional()?;
    let disputed = settled::sums(db, &payment)?.disputed_minor.max(0);
    Ok(left.unwrap_or(0).saturating_sub(disputed))
}

/// Whether the office gives so much of the payment back that `amount` more is not there.
pub(super) fn leaves_too_little(db: &Connection, payment: PaymentId, amount: Money) -> Result<bool, OfficeError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM refund_work
                              WHERE payment = ?1 AND exception IS NOT NULL AND state <> 'refused')";
    let begun = db.prepare_cached(sql)?.query_row([payment.to_string()], |r| r.get(0))?;
    Ok(begun && left_minor(db, payment)? < amount.minor)
}

/// What the processor said of a refund of the office is the end of its exception, or its beginning again.
pub(super) fn ended(
    db: &Connection,
    work: &Work,
    exception: &str,
    answer: &str,
    now_ms: i64,
) -> Result<(), OfficeError> {
    let done = work.state == "done";
    let by = work.decided_by.as_deref().unwrap_or_default();
    let word = if done { format!("{answer}: {}", work.refund.reason) } else { answer.to_owned() };
    let sql = "UPDATE exception SET state = 'resolved', resolved_ms = ?2, resolution = ?3 WHERE id = ?1
               RETURNING type, subject, device, job, amount_minor, currency, deadline_ms";
    type Columns = (String, String, Option<String>, Option<String>, i64, String, Option<i64>);
    let of: Columns = db.query_row(sql, (exception, now_ms, word), |r| {
        Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?, r.get(6)?))
    })?;
    if done {
        return Ok(());
    }
    let (kind, subject, device, job, minor, currency, deadline_ms) = of;
    let kind: ExceptionType = facts::named(&kind)?;
    let currency: Currency = currency.parse()?;
    let note = format!("a refund of {} that {by} began came to nothing: {answer}", work.refund.amount);
    let trouble = Trouble {
        kind,
        subject: &subject,
        device: device.as_deref(),
        job: job.as_deref(),
        amount: Money::new(minor, currency),
        note: &note,
        deadline_ms,
    };
    raise(db, &trouble, now_ms)
}
