//! What a row means in the ledger: which accounts it moves, always in balance.

use super::{FoldError, Known, RowRef};
use crate::domain::id::EntryId;
use crate::domain::invoice::Invoice;
use crate::domain::ledger::{Account, Entry};
use crate::domain::money::MoneyError;
use crate::domain::payment::{Payment, Tender};
use crate::domain::refund::{Refund, RefundState};

/// Receivable against revenue, tax, tips and rounding; `sign` -1 takes it back.
pub(super) fn invoice_entry(invoice: &Invoice, row: RowRef, sign: i64) -> Result<Option<Entry>, FoldError> {
    let t = &invoice.totals;
    let side = |minor: i64, factor: i64| minor.checked_mul(factor * sign).ok_or(MoneyError::Overflow);
    let sides = [
        (Account::Receivable, side(t.total_minor, 1)?),
        (Account::Revenue, side(t.net_minor, -1)?),
        (Account::Tax, side(t.tax_minor, -1)?),
        (Account::Tips, side(t.tip_minor, -1)?),
        (Account::Rounding, side(t.rounding_minor, -1)?),
    ];
    Ok(Entry::balanced(EntryId(row.id.0), row.at_ms, invoice.customer, t.currency, &sides)?)
}

/// Money that went back and is linked to no payment: out of where it was, from what was sold.
pub(super) fn unlinked_entry(refund: &Refund, known: &Known, row: RowRef) -> Result<Option<Entry>, FoldError> {
    if refund.state != RefundState::Refunded {
        return Ok(None);
    }
    let minor = refund.amount.minor;
    let out = minor.checked_neg().ok_or(MoneyError::Overflow)?;
    let customer = known.invoice.as_ref().map(|invoice| invoice.customer);
    let sides = [(money_account(refund.tender), out), (Account::Refunds, minor)];
    Ok(Entry::balanced(EntryId(row.id.0), row.at_ms, customer, refund.amount.currency, &sides)?)
}

/// What moved between two states of a payment.
pub(super) fn payment_entry(
    before: Option<&Payment>,
    after: &Payment,
    invoice: &Invoice,
    row: RowRef,
) -> Result<Option<Entry>, FoldError> {
    // What a deposit brings in is owed to the customer; all else is what the customer owes.
    let owed = if invoice.is_deposit() { Account::Deposits } else { Account::Receivable };
    let mut sides = position(after, owed)?;
    if let Some(before) = before {
        for ((_, now), (_, was)) in sides.iter_mut().zip(position(before, owed)?) {
            *now = now.checked_sub(was).ok_or(MoneyError::Overflow)?;
        }
    }
    Ok(Entry::balanced(EntryId(row.id.0), row.at_ms, invoice.customer, after.amount.currency, &sides)?)
}

/// Where the money of a tender is.
fn money_account(tender: Tender) -> Account {
    match tender {
        Tender::Card => Account::CardClearing,
        Tender::Cash => Account::Cash,
        Tender::Cheque => Account::Cheques,
        Tender::Transfer => Account::Transfers,
        Tender::Deposit => Account::Deposits,
    }
}

/// Where a payment's money stands in the ledger: always the same accounts in the same order, and in balance.
fn position(payment: &Payment, owed: Account) -> Result<[(Account, i64); 8], MoneyError> {
    let taken = payment.split(payment.approved_minor)?;
    let back = payment.split(payment.refunded_minor)?;
    let again = payment.split(payment.returned_minor)?.base_minor;
    let minus = |a: i64, b: i64| a.checked_sub(b).ok_or(MoneyError::Overflow);
    let money = money_account(payment.tender);
    Ok([
        (money, minus(payment.approved_minor, payment.refunded_minor)?),
        (owed, minus(again, taken.base_minor)?),
        (Account::Tips, minus(back.extras.tip_minor, taken.extras.tip_minor)?),
        (Account::Surcharges, minus(back.extras.surcharge_minor, taken.extras.surcharge_minor)?),
        (Account::Rounding, minus(back.extras.rounding_minor, taken.extras.rounding_minor)?),
        (Account::Refunds, minus(back.base_minor, again)?),
        (Account::CardPending, payment.pending_minor),
        (Account::PendingOffset, minus(0, payment.pending_minor)?),
    ])
}
