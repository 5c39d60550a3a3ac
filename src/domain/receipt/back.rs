//! One refund on a receipt, and the words for each state that it may be in.
//!
//! Invariant: REFUNDED is said of money that goes back and of no other; what waits for the office is said to wait.
//! Start at [`RefundLine::all`].

use super::short_reference;
use crate::domain::id::PaymentId;
use crate::domain::invoice::Invoice;
use crate::domain::money::Money;
use crate::domain::payment::{Standing, Tender};
use crate::domain::read::PaymentView;
use crate::domain::refund::{Refund, RefundKind, RefundState};
use serde::{Deserialize, Serialize};

/// One refund on a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundLine {
    /// How the money goes back.
    pub tender: Tender,
    /// Where it is.
    pub state: RefundState,
    /// How much, above zero.
    pub amount: Money,
    /// What becomes of the debt.
    pub kind: RefundKind,
    /// Why, in the technician's words; stands on the merchant's copy only.
    pub reason: String,
    /// The refund's reference, short.
    pub reference: String,
    /// The payment's that it gives back; none when it is linked to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    /// Local date and time at which it began; empty when not known.
    #[serde(default)]
    pub at: String,
}

impl RefundLine {
    /// What a receipt says of a refund. Whoever has a clock adds `at`.
    pub fn of(refund: &Refund) -> RefundLine {
        RefundLine {
            tender: refund.tender,
            state: refund.state,
            amount: refund.amount,
            kind: refund.kind,
            reason: refund.reason.clone(),
            reference: short_reference(&refund.id.to_string()),
            payment: refund.payment.map(|id| short_reference(&id.to_string())),
            at: String::new(),
        }
    }

    /// What a receipt says of an invoice's refunds: of its payments, and of its visit those that are linked to none.
    pub fn all<'a>(
        refunds: impl IntoIterator<Item = &'a Refund>,
        payments: &[PaymentView],
        invoice: &Invoice,
    ) -> Vec<RefundLine> {
        refunds.into_iter().filter(|refund| is_of(refund, payments, invoice)).map(RefundLine::of).collect()
    }

    /// The words for its state.
    pub fn statement(&self) -> &'static str {
        match (self.state, self.tender) {
            (RefundState::Requested, _) => "REFUND REQUESTED - NOT RELEASED YET",
            (RefundState::Refused, _) => "REFUND REFUSED - NOTHING GOES BACK",
            (RefundState::Refunded, Tender::Card) => "REFUNDED TO THE CARD",
            (RefundState::Refunded, Tender::Cash) => "REFUNDED IN CASH",
            (RefundState::Refunded, Tender::Cheque | Tender::Transfer) => "REFUNDED BY THE OFFICE",
            (RefundState::Refunded, Tender::Deposit) => "BACK TO THE DEPOSIT",
        }
    }

    /// What a person needs to tell apart.
    pub fn standing(&self) -> Standing {
        match self.state {
            RefundState::Requested => Standing::Unknown,
            RefundState::Refunded => Standing::Paid,
            RefundState::Refused => Standing::Failed,
        }
    }
}

/// Whether a receipt of `invoice` has a row for it.
pub fn is_of(refund: &Refund, payments: &[PaymentView], invoice: &Invoice) -> bool {
    let pays = |id: PaymentId| payments.iter().any(|v| v.payment.id == id && v.payment.invoice == invoice.id);
    refund.payment.map_or(refund.visit == invoice.visit && !invoice.is_deposit(), pays)
}

/// The sum of the refunds in a state, minor units.
pub fn sum(refunds: &[RefundLine], state: RefundState) -> i64 {
    refunds.iter().filter(|refund| refund.state == state).map(|refund| refund.amount.minor).fold(0, i64::saturating_add)
}
