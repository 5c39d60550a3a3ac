//! Where the money of a whole receipt stands, and whether two receipts of an invoice say the same of it.

use super::back::sum;
use super::{ReceiptKind, RefundLine, TenderLine};
use crate::domain::journal::Hash;
use crate::domain::money::Money;
use crate::domain::payment::Standing;
use crate::domain::read::JobDetail;
use crate::domain::refund::{RefundKind, RefundState};
use serde::{Deserialize, Serialize};

/// Where the money of a whole receipt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptStanding {
    /// Nothing certain, nothing promised.
    Due,
    /// Some of it is certain, the rest is to be paid.
    PartPaid,
    /// All that is not certain is promised: the bank has not agreed yet.
    Pending,
    /// Of some of it nobody knows.
    Unknown,
    /// All of it is certain.
    Paid,
    /// It was asked to give money back, and the office has not said whether.
    RefundWaiting,
    /// Some of what was paid was given back.
    PartRefunded,
    /// All that was paid was given back.
    Refunded,
}

impl ReceiptStanding {
    /// What payments, refunds and what is left of the invoice make of it.
    pub fn of(tenders: &[TenderLine], refunds: &[RefundLine], open: Money) -> ReceiptStanding {
        let any = |standing| tenders.iter().any(|t| t.standing() == standing);
        if any(Standing::Unknown) {
            ReceiptStanding::Unknown
        } else if any(Standing::Pending) {
            ReceiptStanding::Pending
        } else if let Some(back) = given_back(tenders, refunds, open) {
            back
        } else if open.minor <= 0 {
            ReceiptStanding::Paid
        } else if any(Standing::Paid) {
            ReceiptStanding::PartPaid
        } else {
            ReceiptStanding::Due
        }
    }

    /// Where the money of a job's invoice stands; none before there is one.
    pub fn of_job(job: &JobDetail) -> Option<ReceiptStanding> {
        let invoice = job.invoice.as_ref()?;
        let refunds = RefundLine::all(&job.refunds, &job.payments, invoice);
        Some(ReceiptStanding::of(&TenderLine::all(&job.payments, invoice.id), &refunds, job.open()?))
    }

    /// The name in JSON and in the databases.
    pub fn name(self) -> &'static str {
        match self {
            ReceiptStanding::Due => "due",
            ReceiptStanding::PartPaid => "part_paid",
            ReceiptStanding::Pending => "pending",
            ReceiptStanding::Unknown => "unknown",
            ReceiptStanding::Paid => "paid",
            ReceiptStanding::RefundWaiting => "refund_waiting",
            ReceiptStanding::PartRefunded => "part_refunded",
            ReceiptStanding::Refunded => "refunded",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            ReceiptStanding::Due => "to be paid",
            ReceiptStanding::PartPaid => "partly paid",
            ReceiptStanding::Pending => "pending: the bank had not agreed yet",
            ReceiptStanding::Unknown => "not known",
            ReceiptStanding::Paid => "paid",
            ReceiptStanding::RefundWaiting => "refund asked for, not released yet",
            ReceiptStanding::PartRefunded => "partly refunded",
            ReceiptStanding::Refunded => "refunded",
        }
    }

    /// Money went back, or it is asked to.
    pub fn is_refund(self) -> bool {
        matches!(self, ReceiptStanding::RefundWaiting | ReceiptStanding::PartRefunded | ReceiptStanding::Refunded)
    }

    /// Somebody's word is still awaited: when it has come, a new receipt is due.
    pub fn is_open(self) -> bool {
        matches!(self, ReceiptStanding::Pending | ReceiptStanding::Unknown | ReceiptStanding::RefundWaiting)
    }
}

/// What refunds make of money that is certain; none when there are none, or when all was paid another way since.
fn given_back(tenders: &[TenderLine], refunds: &[RefundLine], open: Money) -> Option<ReceiptStanding> {
    let back = sum(refunds, RefundState::Refunded);
    if sum(refunds, RefundState::Requested) > 0 {
        return Some(ReceiptStanding::RefundWaiting);
    }
    if back == 0 {
        return None;
    }
    let certain = tenders.iter().filter(|t| t.standing() == Standing::Paid).map(|t| t.amount.minor);
    if certain.fold(0, i64::saturating_add) <= back {
        return Some(ReceiptStanding::Refunded);
    }
    // A credit stays one; what was owed again and is paid now is a paid invoice.
    let credit = |r: &RefundLine| r.state == RefundState::Refunded && r.kind == RefundKind::Credit;
    (open.minor > 0 || refunds.iter().any(credit)).then_some(ReceiptStanding::PartRefunded)
}

/// A digest of what a receipt says of payments and refunds, 16 hex digits: another one makes another edition.
pub fn said(tenders: &[TenderLine], refunds: &[RefundLine], open: Money) -> String {
    let mut text = format!("{} {open}", ReceiptKind::of(tenders, refunds, open).word());
    for tender in tenders {
        text.push_str(&format!("\n{} {} {}", tender.reference, tender.amount, tender.statement()));
    }
    for refund in refunds {
        text.push_str(&format!("\n{} {} {}", refund.reference, refund.amount, refund.statement()));
    }
    Hash::of(text.as_bytes()).to_string().chars().take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use crate::domain::payment::{PaymentState as S, Tender};
    use crate::domain::receipt::example::{Paid, example};

    #[track_caller]
    fn check(states: &[S], open: i64, expect: ReceiptStanding, kind: ReceiptKind) {
        check_back(states, &[], open, expect, kind);
    }

    #[track_caller]
    fn check_back(
        states: &[S],
        back: &[(RefundState, RefundKind, i64)],
        open: i64,
        expect: ReceiptStanding,
        kind: ReceiptKind,
    ) {
        let refunds: Vec<RefundLine> = back.iter().map(|(state, kind, minor)| refund(*state, *kind, *minor)).collect();
        let line = example(Paid::Card).unwrap().tenders.remove(0);
        let tenders: Vec<TenderLine> =
            states.iter().map(|state| TenderLine { state: *state, ..line.clone() }).collect();
        let open = Money::new(open, Currency::EUR);
        let found = (ReceiptStanding::of(&tenders, &refunds, open), ReceiptKind::of(&tenders, &refunds, open));
        assert_eq!(found, (expect, kind), "{states:?} {back:?}");
    }

    /// A refund of a payment of 145.00.
    fn refund(state: RefundState, kind: RefundKind, minor: i64) -> RefundLine {
        RefundLine {
            tender: Tender::Card,
            state,
            amount: Money::new(minor, Currency::EUR),
            kind,
            reason: "faulty".to_owned(),
            reference: "R1".to_owned(),
            payment: None,
            at: String::new(),
        }
    }

    #[test]
    fn pending_is_not_paid_and_unknown_outranks_all() {
        use ReceiptKind::{Sale, Void};
        use ReceiptStanding::{Due, Paid, PartPaid, Pending, Unknown};
        check(&[], 0, Paid, Sale);
        check(&[], 100, Due, Sale);
        check(&[S::Declined], 100, Due, Sale);
        check(&[S::Declined, S::Recorded], 0, Paid, Sale);
        check(&[S::Approved], 100, PartPaid, Sale);
        check(&[S::Stored], 0, Pending, Sale);
        check(&[S::Approved, S::Held], 0, Pending, Sale);
        check(&[S::Recorded, S::Requested], 100, Unknown, Sale);
        check(&[S::Stored, S::VoidPending], 0, Unknown, Sale);
        check(&[S::LateDeclined], 100, Due, Sale);
        check(&[S::Declined, S::Voided], 100, Due, Void);
        check(&[S::VoidPending], 0, Unknown, Void);
        check(&[S::Voided, S::Recorded], 0, Paid, Sale);
        check(&[S::VoidFailed], 0, Unknown, Sale);
    }

    #[test]
    fn money_that_went_back_is_not_paid() {
        use ReceiptKind::{Refund, Sale};
        use ReceiptStanding::{Paid, PartRefunded, Pending, RefundWaiting, Refunded, Unknown};
        use RefundKind::{Credit, Reopen};
        use RefundState::{Refunded as Done, Refused, Requested};
        check_back(&[S::Approved], &[(Requested, Credit, 14_500)], 0, RefundWaiting, Refund);
        check_back(&[S::Approved], &[(Requested, Reopen, 100)], 0, RefundWaiting, Refund);
        check_back(&[S::Captured], &[(Done, Credit, 14_500)], 0, Refunded, Refund);
        check_back(&[S::Captured], &[(Done, Credit, 100)], 0, PartRefunded, Refund);
        check_back(&[S::Recorded], &[(Done, Reopen, 14_500)], 14_500, Refunded, Refund);
        check_back(&[S::Recorded], &[(Done, Reopen, 100)], 100, PartRefunded, Refund);
        check_back(&[S::Recorded], &[(Done, Credit, 100), (Requested, Credit, 100)], 0, RefundWaiting, Refund);
        check_back(&[S::Recorded], &[(Done, Credit, 14_400), (Done, Reopen, 100)], 100, Refunded, Refund);
        // Refused: nothing goes back. Paid another way: a sale again; a credit stays one.
        check_back(&[S::Captured], &[(Refused, Credit, 14_500)], 0, Paid, Sale);
        check_back(&[S::Captured, S::Recorded], &[(Done, Reopen, 14_500)], 0, Paid, Sale);
        check_back(&[S::Captured, S::Recorded], &[(Done, Credit, 14_500)], 0, PartRefunded, Refund);
        // What is not certain is said first.
        check_back(&[S::Captured, S::Stored], &[(Done, Reopen, 14_500)], 0, Pending, Refund);
        check_back(&[S::Captured, S::Unknown], &[(Requested, Reopen, 100)], 0, Unknown, Refund);
    }

    #[test]
    fn a_refund_and_each_word_on_it_is_something_new() {
        let tenders = example(Paid::Card).unwrap().tenders;
        let of = |refunds: &[RefundLine]| said(&tenders, refunds, Money::zero(Currency::EUR));
        let states = [RefundState::Requested, RefundState::Refunded, RefundState::Refused];
        let mut all: Vec<String> = states.map(|state| of(&[refund(state, RefundKind::Credit, 100)])).into();
        all.push(of(&[]));
        all.push(of(&[refund(RefundState::Refunded, RefundKind::Credit, 101)]));
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn a_capture_says_nothing_new_and_an_outcome_does() {
        let line = example(Paid::Card).unwrap().tenders.remove(0);
        let of = |state| said(&[TenderLine { state, ..line.clone() }], &[], Money::zero(Currency::EUR));
        assert_eq!(of(S::Approved), of(S::Captured));
        assert_ne!(of(S::Stored), of(S::Approved));
        assert_ne!(of(S::Stored), of(S::LateDeclined));
        assert_ne!(said(&[], &[], Money::zero(Currency::EUR)), said(&[], &[], Money::new(1, Currency::EUR)));
    }
}
