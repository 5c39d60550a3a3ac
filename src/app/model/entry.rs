//! What is typed or chosen on the way to a tender or a refund.
//!
//! Invariant: plain data.

use crate::domain::id::PaymentId;

/// What was chosen for the next tender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckoutView {
    /// Only so much of what is open, minor units.
    pub part_minor: Option<i64>,
    /// On top, minor units.
    pub tip_minor: i64,
    /// The customer has said yes to the surcharge of a credit card.
    pub credit: bool,
}

impl CheckoutView {
    /// All of it, no tip.
    pub const EMPTY: CheckoutView = CheckoutView { part_minor: None, tip_minor: 0, credit: false };
}

/// What an amount is typed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A tip for the next tender.
    Tip,
    /// How much the next tender pays.
    Part,
    /// A cheque was taken.
    Cheque,
    /// A transfer was announced.
    Transfer,
    /// Money is to be paid ahead.
    Deposit,
    /// Money goes back.
    Refund {
        /// Of which payment.
        payment: PaymentId,
    },
    /// Money goes back that is linked to no payment.
    Unlinked,
    /// An entry was wrong.
    Correct {
        /// Which.
        payment: PaymentId,
    },
}

/// How far the entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryStep {
    /// The amount is typed.
    Amount,
    /// The text is typed.
    Text,
    /// A letter decides.
    Decide,
}

/// An amount that is typed, and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryView {
    /// What for.
    pub purpose: Purpose,
    /// How far.
    pub step: EntryStep,
    /// The amount, minor units.
    pub digits: String,
    /// Reference or reason.
    pub text: String,
    /// Why it was not taken, in a sentence.
    pub problem: Option<String>,
    /// The open tender that the technician was warned about.
    pub linked_to: Option<PaymentId>,
}

impl EntryView {
    /// Nothing typed.
    pub const EMPTY: EntryView = EntryView {
        purpose: Purpose::Tip,
        step: EntryStep::Amount,
        digits: String::new(),
        text: String::new(),
        problem: None,
        linked_to: None,
    };
}
