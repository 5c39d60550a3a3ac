//! A receipt put together from what the store holds: what it says, and which sheet it will be.
//!
//! Invariant: read in one go, so that what is journalled of a receipt is what stands on it.

use crate::domain::event::ReceiptQueued;
use crate::domain::receipt::back::is_of;
use crate::domain::receipt::{Merchant, Receipt, ReceiptKind, ReceiptOf, RefundLine, TenderLine};
use crate::store::{Store, StoreError};
use jiff::tz::TimeZone;

/// A receipt and the row that is written before it is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Composed {
    /// What it says.
    pub receipt: Receipt,
    /// The row.
    pub row: ReceiptQueued,
    /// When, Unix milliseconds.
    pub at_ms: i64,
}

/// A receipt as it would be printed at `now_ms`.
pub(super) fn compose(store: &Store, of: ReceiptOf, now_ms: i64) -> Result<Composed, StoreError> {
    let ReceiptOf { job, document, party } = of;
    let mut detail = store.job_detail(job)?;
    detail.show(document);
    let identity = store.identity()?;
    let merchant = store.document::<Merchant>("merchant")?;
    let invoice = detail.invoice.clone().ok_or(StoreError::Missing("the invoice"))?;
    let codes = store.response_codes(invoice.id)?;
    let tenders: Vec<TenderLine> = detail
        .payments
        .iter()
        .filter(|view| view.payment.invoice == invoice.id)
        .map(|view| TenderLine {
            at: local_minute(view.payment.at_ms),
            response: codes.get(&view.payment.id.to_string()).cloned(),
            ..TenderLine::of(view)
        })
        .filter(TenderLine::is_shown)
        .collect();
    let refunds: Vec<RefundLine> = detail
        .refunds
        .iter()
        .filter(|refund| is_of(refund, &detail.payments, &invoice))
        .map(|refund| RefundLine { at: local_minute(refund.at_ms), ..RefundLine::of(refund) })
        .collect();
    let open = invoice.open(detail.sums)?;
    let mut receipt = Receipt {
        merchant: merchant.ok_or(StoreError::Missing("the merchant's name"))?,
        document: invoice.document.clone(),
        printed_at: local_minute(now_ms),
        customer: detail.row.customer_name.clone(),
        device: identity.name.to_string(),
        mode: identity.mode,
        kind: ReceiptKind::for_document(&invoice, &tenders, &refunds, open),
        party,
        copy: 1,
        replaces: None,
        statement: None,
        tenders,
        refunds,
        invoice,
        open,
    };
    let (standing, said) = (receipt.standing(), receipt.said());
    let next = store.next_sheet(receipt.invoice.id, party, &said)?;
    receipt.copy = next.sheet.copy;
    receipt.replaces = next.replaces_ms.map(local_minute);
    let (invoice, visit) = (receipt.invoice.id, receipt.invoice.visit);
    Ok(Composed {
        row: ReceiptQueued { invoice, job, visit, sheet: next.sheet, standing, said },
        receipt,
        at_ms: now_ms,
    })
}

/// `2026-11-24 09:58`, local.
pub(super) fn local_minute(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}
