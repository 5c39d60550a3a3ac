//! A deposit: money that a customer pays ahead, under a document of its own, before there is an invoice. It is owed to the
//! customer until it pays an invoice or goes back; what an invoice leaves of it stays as the customer's credit.
//!
//! Invariant: what is used and what goes back are never more than was paid; a constraint in both databases says so too.

use super::document::DocumentNumber;
use super::id::{CustomerId, InvoiceId, JobId, PaymentId, VisitId};
use super::invoice::{Invoice, InvoiceState, PaidSums};
use super::money::{Money, MoneyError};
use super::totals::Totals;
use serde::{Deserialize, Serialize};

/// What has become of a deposit, minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepositUse {
    /// The most that was certainly paid so far, what went back again included. Never less than was used and went back,
    /// which the office's word may make more than was paid.
    pub paid_minor: i64,
    /// Paid invoices with it.
    pub used_minor: i64,
    /// Asked to go back, and not answered.
    pub asked_minor: i64,
    /// Gone back.
    pub given_minor: i64,
}

impl DepositUse {
    /// Nothing yet.
    pub const NONE: DepositUse = DepositUse { paid_minor: 0, used_minor: 0, asked_minor: 0, given_minor: 0 };

    /// Gone back or asked to.
    ///
    /// # Errors
    /// An overflow.
    pub fn back_minor(self) -> Result<i64, MoneyError> {
        self.asked_minor.checked_add(self.given_minor).ok_or(MoneyError::Overflow)
    }

    /// What can still be used or go back, of what was certainly paid (`sums` count what went back no more). Below zero
    /// when a payment came to nothing after it was used.
    ///
    /// # Errors
    /// An overflow.
    pub fn left_minor(self, sums: PaidSums) -> Result<i64, MoneyError> {
        let left = sums.approved_minor.checked_sub(self.used_minor);
        left.and_then(|left| left.checked_sub(self.asked_minor)).ok_or(MoneyError::Overflow)
    }
}

impl Totals {
    /// Of a deposit: no lines and no tax, which the invoice that it pays has.
    pub fn of_deposit(amount: Money) -> Totals {
        Totals {
            currency: amount.currency,
            net_minor: amount.minor,
            tax_minor: 0,
            taxes: Vec::new(),
            discount_minor: 0,
            tip_minor: 0,
            rounding_minor: 0,
            total_minor: amount.minor,
        }
    }
}

/// Who a deposit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct For {
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// Who pays.
    pub customer: CustomerId,
}

impl Invoice {
    /// A document for a deposit of `amount`.
    pub fn for_deposit(id: InvoiceId, document: DocumentNumber, whose: For, amount: Money, issued_ms: i64) -> Invoice {
        Invoice {
            id,
            document,
            job: whose.job,
            visit: whose.visit,
            customer: whose.customer,
            lines: Vec::new(),
            totals: Totals::of_deposit(amount),
            issued_ms,
            state: InvoiceState::Issued,
            delivered: false,
            deposit: Some(DepositUse::NONE),
        }
    }

    /// Whether it is a deposit, not an invoice.
    pub fn is_deposit(&self) -> bool {
        self.deposit.is_some()
    }
}

/// A deposit as screens show it and as the feed brings it to handhelds that did not take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deposit {
    /// Its document.
    pub id: InvoiceId,
    /// Its number.
    pub document: DocumentNumber,
    /// The job that it was taken for.
    pub job: JobId,
    /// Whose money it is.
    pub customer: CustomerId,
    /// When, Unix milliseconds by the clock of the device that took it.
    pub at_ms: i64,
    /// As agreed.
    pub total: Money,
    /// What can still be used or go back, minor units.
    pub left_minor: i64,
    /// Promised and not certain, minor units.
    pub pending_minor: i64,
    /// The payments that used it, with how much each, minor units.
    pub uses: Vec<(PaymentId, i64)>,
}

impl Deposit {
    /// The deposit of a document; `None` for an invoice, and for one that was taken back.
    ///
    /// # Errors
    /// An overflow.
    pub fn of(invoice: &Invoice, sums: PaidSums, uses: Vec<(PaymentId, i64)>) -> Result<Option<Deposit>, MoneyError> {
        let Some(deposit) = invoice.deposit.filter(|_| invoice.state != InvoiceState::Cancelled) else {
            return Ok(None);
        };
        Ok(Some(Deposit {
            id: invoice.id,
            document: invoice.document.clone(),
            job: invoice.job,
            customer: invoice.customer,
            at_ms: invoice.issued_ms,
            total: invoice.totals.total(),
            left_minor: deposit.left_minor(sums)?.max(0),
            pending_minor: sums.pending_minor,
            uses,
        }))
    }

    /// The same, less what these payments use and it does not know of yet: another handheld's, or this one's newest.
    #[must_use]
    pub fn less(mut self, others: &[(PaymentId, i64)]) -> Deposit {
        for (payment, minor) in others {
            if !self.uses.iter().any(|(known, _)| known == payment) {
                self.left_minor = self.left_minor.saturating_sub(*minor).max(0);
                self.uses.push((*payment, *minor));
            }
        }
        self
    }

    /// What of it may pay `open`.
    pub fn may_pay(&self, open: Money) -> Money {
        let same = self.total.currency == open.currency;
        Money::new(if same { self.left_minor.min(open.minor).max(0) } else { 0 }, open.currency)
    }
}

/// The first of `deposits` that can pay something of `open`, and how much: those taken for `job` before others.
pub fn usable(deposits: &[Deposit], job: JobId, open: Money) -> Option<(&Deposit, Money)> {
    let (own, others): (Vec<&Deposit>, Vec<&Deposit>) = deposits.iter().partition(|deposit| deposit.job == job);
    let mut found = own.into_iter().chain(others).map(|deposit| (deposit, deposit.may_pay(open)));
    found.find(|(_, amount)| amount.minor > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use uuid::Uuid;

    fn deposit(left_minor: i64) -> Deposit {
        Deposit {
            id: InvoiceId(Uuid::from_u128(1)),
            document: "D07-000001".parse().unwrap(),
            job: JobId(Uuid::from_u128(2)),
            customer: CustomerId(Uuid::from_u128(3)),
            at_ms: 0,
            total: Money::new(5_000, Currency::EUR),
            left_minor,
            pending_minor: 0,
            uses: vec![(PaymentId(Uuid::from_u128(9)), 1_000)],
        }
    }

    #[test]
    fn what_is_left_is_what_was_paid_less_what_was_used_and_asked_back() {
        let sums = PaidSums { approved_minor: 5_000, pending_minor: 700 };
        let with = |used_minor, asked_minor| DepositUse { used_minor, asked_minor, ..DepositUse::NONE };
        assert_eq!(with(0, 0).left_minor(sums), Ok(5_000));
        assert_eq!(with(2_000, 500).left_minor(sums), Ok(2_500));
        // The bank took its word back after the deposit was used.
        assert_eq!(with(2_000, 0).left_minor(PaidSums::NONE), Ok(-2_000));
        assert!(with(i64::MAX, i64::MAX).left_minor(sums).is_err());
    }

    #[test]
    fn a_use_counts_once_whoever_tells_of_it() {
        let (known, new) = (PaymentId(Uuid::from_u128(9)), PaymentId(Uuid::from_u128(10)));
        assert_eq!(deposit(4_000).less(&[(known, 1_000)]).left_minor, 4_000);
        assert_eq!(deposit(4_000).less(&[(known, 1_000), (new, 1_500), (new, 1_500)]).left_minor, 2_500);
        assert_eq!(deposit(1_000).less(&[(new, 1_500)]).left_minor, 0, "never below nothing");
    }

    #[test]
    fn it_pays_what_is_open_and_no_other_currency() {
        let eur = |minor| Money::new(minor, Currency::EUR);
        assert_eq!(deposit(4_000).may_pay(eur(3_450)), eur(3_450));
        assert_eq!(deposit(2_000).may_pay(eur(3_450)), eur(2_000));
        let usd = Money::new(3_450, "USD".parse().unwrap());
        assert_eq!(deposit(4_000).may_pay(usd).minor, 0);
    }
}
