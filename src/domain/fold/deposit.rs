//! What a row makes of a deposit: it is paid, it pays an invoice, or it goes back.
//!
//! Invariant: nobody uses or gives back more than is left. Only the office's word may leave less than was used: then the
//! customer owes it, and the office hears of it.

use super::{Changes, FoldError, Known, RowRef, books, is_over, sums_with};
use crate::domain::deposit::DepositUse;
use crate::domain::invoice::{Invoice, InvoiceState, PaidSums};
use crate::domain::money::{Money, MoneyError};
use crate::domain::payment::{Payment, PaymentState, Tender};
use crate::domain::totals::Totals;

/// A document for a deposit; nothing is owed by it. Who took it need not have heard of an invoice of somebody else.
pub(super) fn issued(invoice: &Invoice, known: &Known) -> Result<Changes, FoldError> {
    if known.invoice.as_ref().is_some_and(|known| known.id == invoice.id) {
        return Err(FoldError::Invoiced);
    }
    let plain = invoice.totals == Totals::of_deposit(invoice.totals.total()) && invoice.lines.is_empty();
    if !plain || invoice.totals.total_minor <= 0 || invoice.deposit != Some(DepositUse::NONE) {
        return Err(FoldError::NoDeposit);
    }
    Ok(Changes { invoice: Some(Invoice { state: InvoiceState::Issued, ..invoice.clone() }), ..Changes::default() })
}

/// A deposit that nobody paid is taken back; not one that has paid an invoice, whatever became of its own payment.
pub(super) fn cancelled(invoice: &Invoice) -> Result<Changes, FoldError> {
    match invoice.deposit.is_some_and(|deposit| deposit.used_minor != 0) {
        true => Err(FoldError::DepositSpent),
        false => {
            let cancelled = Invoice { state: InvoiceState::Cancelled, ..invoice.clone() };
            Ok(Changes { invoice: Some(cancelled), ..Changes::default() })
        }
    }
}

fn delta(now: i64, was: i64) -> Result<i64, MoneyError> {
    now.checked_sub(was).ok_or(MoneyError::Overflow)
}

fn plus(a: i64, b: i64) -> Result<i64, MoneyError> {
    a.checked_add(b).ok_or(MoneyError::Overflow)
}

/// What of a payment is asked back and what went back, as far as it paid the deposit; together never more than it paid.
/// A void asks for all of it.
fn going_back(payment: &Payment) -> Result<(i64, i64), MoneyError> {
    let given = payment.split(payment.refunded_minor)?.base_minor;
    let both = match payment.state == PaymentState::VoidPending {
        true => payment.approved_minor,
        false => plus(payment.refunded_minor, payment.refund_open_minor)?,
    };
    let both = payment.split(both)?.base_minor;
    Ok((delta(both, given)?, given))
}

/// What follows for a deposit from one of the payments that pay it.
pub(super) fn paid(
    mut payment: Payment,
    invoice: &Invoice,
    known: &Known,
    row: RowRef,
    asked: bool,
) -> Result<Changes, FoldError> {
    if payment.tender == Tender::Deposit || payment.extras.tip_minor != 0 {
        return Err(FoldError::NoDeposit);
    }
    if known.payment.is_none() && invoice.state == InvoiceState::Cancelled {
        return Err(FoldError::Missing("a deposit"));
    }
    // What goes back of a deposit is not a sale that is credited: there was none.
    payment.returned_minor = payment.refunded_minor;
    let before = invoice.deposit.unwrap_or(DepositUse::NONE);
    let (open, given) = known.payment.as_ref().map_or(Ok((0, 0)), going_back)?;
    let (now_open, now_given) = going_back(&payment)?;
    let now = DepositUse {
        asked_minor: plus(before.asked_minor, delta(now_open, open)?)?,
        given_minor: plus(before.given_minor, delta(now_given, given)?)?,
        ..before
    };
    let sums = sums_with(&payment, known)?;
    let now = DepositUse { paid_minor: now.paid_minor.max(plus(sums.approved_minor, now.given_minor)?), ..now };
    let left = before.left_minor(known.sums.unwrap_or(PaidSums::NONE))?;
    let after = now.left_minor(sums)?;
    if asked && after < 0 && after < left {
        return Err(match before.used_minor {
            0 => FoldError::DepositShort(Money::new(left.max(0), invoice.totals.currency)),
            _ => FoldError::DepositSpent,
        });
    }
    // What the office gave back went back, although it is used: there is that much less, not that it cannot be.
    let now = match asked {
        true => now,
        false => DepositUse { paid_minor: now.paid_minor.max(plus(now.used_minor, now.back_minor()?)?), ..now },
    };
    let (state, _) = invoice.standing(sums)?;
    Ok(Changes {
        entry: books::payment_entry(known.payment.as_ref(), &payment, invoice, row)?,
        invoice: Some(Invoice { state, deposit: Some(now), ..invoice.clone() }),
        erase_blob: is_over(&payment),
        payment: Some(payment),
        ..Changes::default()
    })
}

/// The deposit that a payment of an invoice takes from, after it. `None`: it takes from none, or from one that another
/// handheld holds and only the office has.
pub(super) fn used(
    payment: &Payment,
    invoice: &Invoice,
    known: &Known,
    asked: bool,
) -> Result<Option<Invoice>, FoldError> {
    let (Some(id), Some(deposit)) = (payment.deposit, &known.deposit) else { return Ok(None) };
    let before = deposit.deposit.filter(|_| deposit.id == id && deposit.state != InvoiceState::Cancelled);
    let before = before.ok_or(FoldError::Missing("a deposit"))?;
    let whose = deposit.customer == invoice.customer && deposit.totals.currency == invoice.totals.currency;
    if !whose {
        return Err(FoldError::Missing("a deposit of this customer"));
    }
    let takes = |payment: &Payment| delta(payment.approved_minor, payment.refunded_minor);
    let was = known.payment.as_ref().map_or(Ok(0), takes)?;
    let more = delta(takes(payment)?, was)?;
    let left = before.left_minor(known.deposit_sums.unwrap_or(PaidSums::NONE))?;
    if asked && more > 0 && more > left {
        return Err(FoldError::DepositShort(Money::new(left.max(0), deposit.totals.currency)));
    }
    let now = DepositUse { used_minor: plus(before.used_minor, more)?, ..before };
    Ok(Some(Invoice { deposit: Some(now), ..deposit.clone() }))
}
