//! Where the money of a whole receipt stands, and whether two receipts of an invoice say the same of it.

use super::{ReceiptKind, TenderLine};
use crate::domain::journal::Hash;
use crate::domain::money::Money;
use crate::domain::payment::Standing;
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
}

impl ReceiptStanding {
    /// What payments and what is left of the invoice make of it.
    pub fn of(tenders: &[TenderLine], open: Money) -> ReceiptStanding {
        let any = |standing| tenders.iter().any(|t| t.standing() == standing);
        if any(Standing::Unknown) {
            ReceiptStanding::Unknown
        } else if any(Standing::Pending) {
            ReceiptStanding::Pending
        } else if open.minor <= 0 {
            ReceiptStanding::Paid
        } else if any(Standing::Paid) {
            ReceiptStanding::PartPaid
        } else {
            ReceiptStanding::Due
        }
    }

    /// The name in JSON and in the databases.
    pub fn name(self) -> &'static str {
        match self {
            ReceiptStanding::Due => "due",
            ReceiptStanding::PartPaid => "part_paid",
            ReceiptStanding::Pending => "pending",
            ReceiptStanding::Unknown => "unknown",
            ReceiptStanding::Paid => "paid",
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
        }
    }

    /// Somebody's word is still awaited: when it has come, a new receipt is due.
    pub fn is_open(self) -> bool {
        matches!(self, ReceiptStanding::Pending | ReceiptStanding::Unknown)
    }
}

/// A digest of what a receipt says of the payments, 16 hex digits: another one makes another edition.
pub fn said(tenders: &[TenderLine], open: Money) -> String {
    let mut text = format!("{} {open}", ReceiptKind::of(tenders).word());
    for tender in tenders {
        text.push_str(&format!("\n{} {} {}", tender.reference, tender.amount, tender.statement()));
    }
    Hash::of(text.as_bytes()).to_string().chars().take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use crate::domain::payment::PaymentState as S;
    use crate::domain::receipt::example::{Paid, example};

    #[track_caller]
    fn check(states: &[S], open: i64, expect: ReceiptStanding, kind: ReceiptKind) {
        let line = example(Paid::Card).unwrap().tenders.remove(0);
        let tenders: Vec<TenderLine> =
            states.iter().map(|state| TenderLine { state: *state, ..line.clone() }).collect();
        let found = (ReceiptStanding::of(&tenders, Money::new(open, Currency::EUR)), ReceiptKind::of(&tenders));
        assert_eq!(found, (expect, kind), "{states:?}");
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
    fn a_capture_says_nothing_new_and_an_outcome_does() {
        let line = example(Paid::Card).unwrap().tenders.remove(0);
        let of = |state| said(&[TenderLine { state, ..line.clone() }], Money::zero(Currency::EUR));
        assert_eq!(of(S::Approved), of(S::Captured));
        assert_ne!(of(S::Stored), of(S::Approved));
        assert_ne!(of(S::Stored), of(S::LateDeclined));
        assert_ne!(said(&[], Money::zero(Currency::EUR)), said(&[], Money::new(1, Currency::EUR)));
    }
}
