//! A receipt from the office's own facts: as the handheld would print it, with the office's newest word on each payment.

use crate::domain::id::InvoiceId;
use crate::domain::invoice::{Invoice, PaidSums};
use crate::domain::money::MoneyError;
use crate::domain::outcome::{Outcome, OutcomeState};
use crate::domain::payment::Payment;
use crate::domain::read::PaymentView;
use crate::domain::receipt::back::is_of;
use crate::domain::receipt::{Party, Receipt, ReceiptKind, RefundLine, TenderLine};
use crate::domain::refund::{Refund, RefundWord};
use crate::facts;
use crate::office::{Office, OfficeError, from_json, mode};
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension as _};

/// The receipt of an invoice at `now_ms`; it replaces the one of `before_ms`.
pub(super) fn compose(
    office: &Office,
    db: &Connection,
    invoice: InvoiceId,
    before_ms: Option<i64>,
    now_ms: i64,
) -> Result<Receipt, OfficeError> {
    let missing = |what: &str| OfficeError::Missing(format!("{what} of invoice {invoice}"));
    let of = facts::invoice(db, invoice)?.ok_or_else(|| missing("the record"))?;
    let (mut tenders, mut sums) = (Vec::new(), PaidSums::NONE);
    let mut views = payments(db, invoice)?;
    let refunds = refunds(db, &of, &mut views)?;
    for (view, response) in views {
        let add = |sum: i64, more: i64| sum.checked_add(more).ok_or(MoneyError::Overflow);
        let covers = view.payment.covers()?;
        sums = PaidSums {
            approved_minor: add(sums.approved_minor, covers.approved_minor)?,
            pending_minor: add(sums.pending_minor, covers.pending_minor)?,
        };
        tenders.push(TenderLine { at: local_minute(view.payment.at_ms), response, ..TenderLine::of(&view) });
    }
    tenders.retain(TenderLine::is_shown);
    let names =
        "SELECT (SELECT name FROM customer WHERE id = i.customer), (SELECT name FROM device WHERE id = i.device)
                 FROM invoice i WHERE i.id = ?1";
    let (customer, device): (Option<String>, Option<String>) = db
        .query_row(names, [invoice.to_string()], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?
        .ok_or_else(|| missing("the row"))?;
    let open = of.open(sums)?;
    Ok(Receipt {
        merchant: office.settings().merchant.clone(),
        document: of.document.clone(),
        printed_at: local_minute(now_ms),
        customer: customer.unwrap_or_default(),
        device: device.unwrap_or_default(),
        mode: mode::of(db)?,
        kind: ReceiptKind::for_document(&of, &tenders, &refunds, open),
        party: Party::Customer,
        copy: 1,
        replaces: before_ms.map(local_minute),
        statement: None,
        invoice: of,
        tenders,
        refunds,
        open,
    })
}

/// The invoice's payments with the office's word, if the handheld has not journalled it yet, and the bank's answer.
fn payments(db: &Connection, invoice: InvoiceId) -> Result<Vec<(PaymentView, Option<String>)>, OfficeError> {
    let mut statement = db.prepare_cached(
        "SELECT p.record, coalesce(c.outcome_record, t.word) FROM payment p
         LEFT JOIN card_payment c ON c.payment = p.id LEFT JOIN transfer t ON t.payment = p.id
         WHERE p.invoice = ?1 ORDER BY p.at_ms, p.id",
    )?;
    let mut rows = statement.query([invoice.to_string()])?;
    let mut found = Vec::new();
    while let Some(r) = rows.next()? {
        let (record, word): (String, Option<String>) = (r.get(0)?, r.get(1)?);
        let payment: Payment = from_json(&record)?;
        let word: Option<Outcome> = word.map(|text| from_json(&text)).transpose()?;
        let payment = word.as_ref().and_then(|word| payment.after_outcome(word)).unwrap_or(payment);
        let said = |state| word.as_ref().is_some_and(|word| word.state == state);
        let (went_on, not_sent) =
            (word.as_ref().and_then(|word| word.state.since_approval()), said(OutcomeState::NotSent));
        found.push((PaymentView { payment, went_on, not_sent }, word.and_then(|word| word.response_code)));
    }
    Ok(found)
}

/// The invoice's refunds with the office's word, if the handheld has not journalled it yet; what it makes of the
/// payments, too.
fn refunds(
    db: &Connection,
    invoice: &Invoice,
    payments: &mut [(PaymentView, Option<String>)],
) -> Result<Vec<RefundLine>, OfficeError> {
    // What the office began itself is no handheld's until that has heard of it.
    let mut statement = db.prepare_cached(
        "SELECT r.record, w.word FROM refund r LEFT JOIN refund_work w ON w.refund = r.id WHERE r.visit = ?1
         UNION ALL
         SELECT NULL, w.word FROM refund_work w JOIN payment p ON p.id = w.payment
         WHERE p.visit = ?1 AND w.exception IS NOT NULL AND w.state = 'done'
           AND NOT EXISTS (SELECT 1 FROM refund r WHERE r.id = w.refund)",
    )?;
    let mut rows = statement.query([invoice.visit.to_string()])?;
    let views: Vec<PaymentView> = payments.iter().map(|(view, _)| view.clone()).collect();
    let mut found = Vec::new();
    while let Some(r) = rows.next()? {
        let (was, word): (Option<String>, Option<String>) = (r.get(0)?, r.get(1)?);
        let was: Option<Refund> = was.map(|text| from_json(&text)).transpose()?;
        let word: Option<RefundWord> = word.map(|text| from_json(&text)).transpose()?;
        let Some(now) = word.map(|word| word.refund).or_else(|| was.clone()) else { continue };
        if !is_of(&now, &views, invoice) {
            continue;
        }
        let of = payments.iter_mut().find(|(view, _)| Some(view.payment.id) == now.payment);
        let news = was.as_ref().map(|was| was.state) != Some(now.state);
        if let Some((view, _)) = of.filter(|_| news)
            && let Ok(after) = view.payment.after_refund(was.as_ref(), &now)
        {
            view.payment = after;
        }
        found.push(now);
    }
    found.sort_by_key(|refund| (refund.at_ms, refund.id));
    Ok(found.iter().map(|now| RefundLine { at: local_minute(now.at_ms), ..RefundLine::of(now) }).collect())
}

/// `2026-11-24 09:58`, by the office's zone.
fn local_minute(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}
