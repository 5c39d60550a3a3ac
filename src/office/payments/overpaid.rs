//! More money than an invoice asks for: cash beside a card that was agreed to after all, two handhelds on one invoice, a
//! transfer that came twice. It goes onto the dispatcher's list, and leaves it when refunds bring it back to the total.
//!
//! What counts is certain money without what went back, by the handheld's journal or the processor's word, whichever
//! says more; tips and the like do not. A payment whose void is under way or failed is dealt with there.
//! Start at [`check`] and [`begin`].

use super::{give_back, settled};
use crate::domain::exception::ExceptionType;
use crate::domain::money::{Currency, Money, MoneyError};
use crate::domain::payment::{Payment, PaymentState, Tender};
use crate::office::exceptions::{Trouble, raise, settle};
use crate::office::{OfficeError, from_json};
use rusqlite::Connection;

/// Looks whether an invoice has more than it asks for, and keeps the list so.
pub fn check(db: &Connection, invoice: &str, now_ms: i64) -> Result<(), OfficeError> {
    let Some(bill) = bill(db, invoice)? else { return Ok(()) };
    if bill.at_most_minor <= bill.total_minor && !bill.listed {
        return Ok(());
    }
    let excess = excess_minor(&bill, &payments(db, invoice)?)?;
    if excess <= 0 {
        let why = "no more came in than the invoice asks for";
        return settle(db, ExceptionType::Overpaid, invoice, why, now_ms);
    }
    let money = |minor| Money::new(minor, bill.currency);
    let net = bill.total_minor.checked_add(excess).ok_or(MoneyError::Overflow)?;
    let what = if bill.is_deposit { "a deposit that needs" } else { "an invoice of" };
    let note = format!("{} came in for {what} {}", money(net), money(bill.total_minor));
    // What somebody has dealt with does not come back.
    let sql = "SELECT EXISTS (SELECT 1 FROM exception e JOIN decision d ON d.exception = e.id
               WHERE e.type = 'overpaid' AND e.subject = ?1 AND e.amount_minor >= ?2 AND d.action = 'note')";
    if db.prepare_cached(sql)?.query_row((invoice, excess), |r| r.get(0))? {
        return Ok(());
    }
    db.execute(
        "UPDATE exception SET amount_minor = ?2, note = ?3 WHERE type = 'overpaid' AND subject = ?1 AND state = 'open'
         AND amount_minor <> ?2 AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.exception = exception.id)",
        (invoice, excess, &note),
    )?;
    let trouble = Trouble {
        kind: ExceptionType::Overpaid,
        subject: invoice,
        device: Some(&bill.device),
        job: Some(&bill.job),
        amount: money(excess),
        note: &note,
        deadline_ms: None,
    };
    raise(db, &trouble, now_ms)
}

/// Begins a refund of what is too much, to the newest card payment that has something left: how much; `None` where no
/// card can give it back, or all of it is on its way already.
pub fn begin(
    db: &Connection,
    exception: &str,
    invoice: &str,
    who: (&str, &str),
    now_ms: i64,
) -> Result<Option<Money>, OfficeError> {
    let Some(bill) = bill(db, invoice)? else { return Ok(None) };
    let payments = payments(db, invoice)?;
    let mut still = excess_minor(&bill, &payments)?;
    for Counted { payment, under_way_minor, .. } in &payments {
        still = still.checked_sub(payment.split(*under_way_minor)?.base_minor).ok_or(MoneyError::Overflow)?;
    }
    for Counted { payment, .. } in payments.iter().rev().filter(|one| one.payment.tender == Tender::Card) {
        // With its share of tip and the like; nothing of one whose part of the excess rounds to nothing.
        let most = if still > 0 { payment.most_with(0, payment.amount.minor, still)? } else { 0 };
        let begun = give_back::begin(db, exception, &payment.id.to_string(), most, who, now_ms)?;
        if begun.is_some() {
            return Ok(begun);
        }
    }
    Ok(None)
}

struct Bill {
    /// Zero when it was taken back; of a deposit, what was agreed or has paid invoices, whichever is more.
    total_minor: i64,
    is_deposit: bool,
    job: String,
    device: String,
    currency: Currency,
    /// No more than this came in.
    at_most_minor: i64,
    /// It is on the list.
    listed: bool,
}

fn bill(db: &Connection, invoice: &str) -> Result<Option<Bill>, OfficeError> {
    let sql = "SELECT CASE i.state WHEN 'cancelled' THEN 0 ELSE max(i.total_minor, i.used_minor) END, i.job, i.device, i.currency,
                      (SELECT coalesce(sum(max(p.approved_minor, coalesce(c.captured_minor, 0))), 0)
                       FROM payment p LEFT JOIN card_payment c ON c.payment = p.id WHERE p.invoice = i.id),
                      EXISTS (SELECT 1 FROM exception e
                              WHERE e.type = 'overpaid' AND e.subject = i.id AND e.state = 'open'),
                      i.kind = 'deposit'
               FROM invoice i WHERE i.id = ?1";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([invoice])?;
    let Some(r) = rows.next()? else { return Ok(None) };
    let currency: String = r.get(3)?;
    Ok(Some(Bill {
        total_minor: r.get(0)?,
        job: r.get(1)?,
        device: r.get(2)?,
        currency: currency.parse()?,
        at_most_minor: r.get(4)?,
        listed: r.get(5)?,
        is_deposit: r.get(6)?,
    }))
}

struct Counted {
    payment: Payment,
    taken_minor: i64,
    back_minor: i64,
    /// Asked for or on its way, and not back yet.
    under_way_minor: i64,
}

/// The invoice's payments that count, oldest first.
fn payments(db: &Connection, invoice: &str) -> Result<Vec<Counted>, OfficeError> {
    let sql = "SELECT p.record, max(p.approved_minor, coalesce(c.captured_minor, 0)),
                      max(p.refunded_minor, coalesce(c.refunded_minor, 0)),
                      (SELECT coalesce(sum(w.amount_minor), 0) FROM refund_work w
                       WHERE w.payment = p.id AND w.state IN ('waits', 'released'))
               FROM payment p LEFT JOIN card_payment c ON c.payment = p.id
               WHERE p.invoice = ?1 AND NOT EXISTS (SELECT 1 FROM exception e
                         WHERE e.type = 'void_failed' AND e.subject = p.id AND e.state = 'open')
               ORDER BY p.at_ms, p.id";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([invoice])?;
    let mut found = Vec::new();
    while let Some(r) = rows.next()? {
        let record: String = r.get(0)?;
        let payment: Payment = from_json(&record)?;
        if payment.state != PaymentState::VoidPending {
            let (taken_minor, back_minor, under_way_minor): (i64, i64, i64) = (r.get(1)?, r.get(2)?, r.get(3)?);
            // A chargeback took it back without being asked.
            let disputed_minor = settled::sums(db, &payment.id.to_string())?.disputed_minor.max(0);
            let back_minor = back_minor.saturating_add(disputed_minor).min(taken_minor);
            found.push(Counted { payment, taken_minor, back_minor, under_way_minor });
        }
    }
    Ok(found)
}

fn excess_minor(bill: &Bill, payments: &[Counted]) -> Result<i64, MoneyError> {
    let mut excess = bill.total_minor.checked_neg().ok_or(MoneyError::Overflow)?;
    for Counted { payment, taken_minor, back_minor, .. } in payments {
        let (taken, back) = (payment.split(*taken_minor)?.base_minor, payment.split(*back_minor)?.base_minor);
        let net = taken.checked_sub(back).ok_or(MoneyError::Overflow)?;
        excess = excess.checked_add(net).ok_or(MoneyError::Overflow)?;
    }
    Ok(excess)
}
