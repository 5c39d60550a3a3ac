//! What goes back of a payment, and what of it counts for the invoice.

use super::{IllegalTransition, Payment, PaymentState, Split, share};
use crate::domain::invoice::PaidSums;
use crate::domain::money::MoneyError;
use crate::domain::refund::{Refund, RefundKind, RefundState};

impl Payment {
    /// The payment after one of its refunds went from one state to another.
    ///
    /// # Errors
    /// More would go back than was taken, or nothing was taken.
    pub fn after_refund(&self, was: Option<&Refund>, now: &Refund) -> Result<Payment, IllegalTransition> {
        let illegal = Err(IllegalTransition { event: "a refund", state: self.state.name() });
        let in_state = |refund: Option<&Refund>, state| match refund {
            Some(refund) if refund.state == state => refund.amount.minor,
            Some(_) | None => 0,
        };
        let open = in_state(Some(now), RefundState::Requested) - in_state(was, RefundState::Requested);
        let done = in_state(Some(now), RefundState::Refunded) - in_state(was, RefundState::Refunded);
        let mut next = self.clone();
        // An answer may come after the payment itself was given back whole.
        next.refund_open_minor = self.refund_open_minor.saturating_add(open).max(0);
        next.refunded_minor = self.refunded_minor.saturating_add(done);
        if now.kind == RefundKind::Reopen {
            next.returned_minor = self.returned_minor.saturating_add(done);
        }
        next.rev = self.rev.saturating_add(1);
        let too_much = next.refunded_minor.saturating_add(next.refund_open_minor) > self.approved_minor;
        let may = self.may_refund() || (was.is_some() && done == 0);
        let same = now.amount.currency == self.amount.currency && now.amount.minor > 0;
        let own = now.tender == self.tender || now.state == RefundState::Requested;
        if too_much || !may || !same || !own { illegal } else { Ok(next) }
    }

    /// Whether money can go back.
    pub fn may_refund(&self) -> bool {
        matches!(
            self.state,
            PaymentState::Approved
                | PaymentState::Captured
                | PaymentState::Settled
                | PaymentState::VoidFailed
                | PaymentState::Recorded
        )
    }

    /// What may still go back, minor units.
    pub fn refundable_minor(&self) -> i64 {
        let used = self.refunded_minor.saturating_add(self.refund_open_minor);
        if self.may_refund() { self.approved_minor.saturating_sub(used).max(0) } else { 0 }
    }

    /// The most that can go back so that what it paid loses no more than `base_minor`: with its share of tip and the like.
    pub fn refundable_of(&self, base_minor: i64) -> i64 {
        let before = self.refunded_minor.saturating_add(self.refund_open_minor);
        self.most_with(before, self.refundable_minor(), base_minor).unwrap_or(0)
    }

    /// The most, from 0 to `most_minor`, that takes no more than `base_minor` from what is paid, after `before_minor` of it.
    ///
    /// # Errors
    /// An overflow.
    pub fn most_with(&self, before_minor: i64, most_minor: i64, base_minor: i64) -> Result<i64, MoneyError> {
        let base = |minor: i64| {
            let sum = before_minor.checked_add(minor).ok_or(MoneyError::Overflow)?;
            Ok::<_, MoneyError>(self.split(sum)?.base_minor)
        };
        let before = base(0)?;
        let (mut low, mut high) = (0, most_minor);
        while low < high {
            let middle = high - (high - low) / 2;
            if base(middle)?.checked_sub(before).ok_or(MoneyError::Overflow)? <= base_minor {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Ok(low)
    }

    pub(super) fn has_refunds(&self) -> bool {
        self.refunded_minor > 0 || self.refund_open_minor > 0
    }

    /// What `minor` of it are.
    ///
    /// # Errors
    /// An overflow.
    pub fn split(&self, minor: i64) -> Result<Split, MoneyError> {
        share(self.amount.minor, self.extras, minor)
    }

    /// What of it pays the invoice when all of it is there, minor units.
    ///
    /// # Errors
    /// An overflow.
    pub fn base_minor(&self) -> Result<i64, MoneyError> {
        Ok(self.split(self.amount.minor)?.base_minor)
    }

    /// What of it counts for the invoice, certain and pending, minor units.
    ///
    /// # Errors
    /// An overflow.
    pub fn covers(&self) -> Result<PaidSums, MoneyError> {
        let approved = self.split(self.approved_minor)?.base_minor;
        let returned = self.split(self.returned_minor)?.base_minor;
        Ok(PaidSums {
            approved_minor: approved.checked_sub(returned).ok_or(MoneyError::Overflow)?,
            pending_minor: self.split(self.pending_minor)?.base_minor,
        })
    }
}
