//! Exceptions: what a dispatcher must deal with.

use super::id::ExceptionId;
use super::money::Currency;
use serde::{Deserialize, Serialize};

/// What kind of trouble. The names in JSON are these in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionType {
    /// A stored payment was declined by the bank.
    LateDecline,
    /// A stored payment must be forwarded soon.
    CardExpiring,
    /// A stored payment was not forwarded in time.
    CardExpired,
    /// Nobody knows what became of a payment.
    PaymentUnknown,
    /// Approved, and the handheld has not said that it saw it.
    ApprovedUnseen,
    /// Money without a bill.
    UnmatchedPayment,
    /// A stored payment is larger than what its invoice still owes, or breaks a rule; a dispatcher decides.
    HeldExcess,
    /// A void came too late; a refund is needed.
    VoidFailed,
    /// More money came in than an invoice asks for.
    Overpaid,
    /// The cardholder disputes a payment, and the bank has taken the money back.
    Disputed,
    /// A reversal is not answered.
    ReversalStuck,
    /// Cash counted and cash expected differ.
    CashVariance,
    /// Two people changed the same thing.
    Conflict,
    /// Rows of a journal are missing.
    SequenceGap,
    /// One place of a journal with two contents: a copied or restored card.
    Fork,
    /// A row that could not be applied.
    QuarantinedRow,
    /// Totals computed by device and office differ.
    TotalsDiffer,
    /// A technician asks to give money back.
    RefundRequested,
    /// A customer has announced a transfer.
    TransferExpected,
    /// One read of a card was handed in for two payments.
    CardDataReused,
    /// The office was restored, and nobody knows whether the payment is at the processor.
    PaymentReconcile,
    /// The customer wanted the card kept, and it was not.
    CardNotKept,
    /// A payment of an agreement came to nothing.
    AgreementFailed,
    /// Nothing is charged for an agreement until somebody has looked at it.
    AgreementWaits,
    /// The processor gave a refund back more than once.
    RefundDoubled,
    /// A deposit has paid an invoice, and a payment of the deposit came to nothing afterwards.
    DepositShort,
}

impl ExceptionType {
    /// Every type.
    pub const ALL: [ExceptionType; 26] = [
        ExceptionType::LateDecline,
        ExceptionType::CardExpiring,
        ExceptionType::CardExpired,
        ExceptionType::PaymentUnknown,
        ExceptionType::ApprovedUnseen,
        ExceptionType::UnmatchedPayment,
        ExceptionType::HeldExcess,
        ExceptionType::VoidFailed,
        ExceptionType::Overpaid,
        ExceptionType::Disputed,
        ExceptionType::ReversalStuck,
        ExceptionType::CashVariance,
        ExceptionType::Conflict,
        ExceptionType::SequenceGap,
        ExceptionType::Fork,
        ExceptionType::QuarantinedRow,
        ExceptionType::TotalsDiffer,
        ExceptionType::RefundRequested,
        ExceptionType::TransferExpected,
        ExceptionType::CardDataReused,
        ExceptionType::PaymentReconcile,
        ExceptionType::CardNotKept,
        ExceptionType::AgreementFailed,
        ExceptionType::AgreementWaits,
        ExceptionType::RefundDoubled,
        ExceptionType::DepositShort,
    ];

    /// The name in JSON and in the databases.
    pub fn name(self) -> &'static str {
        match self {
            ExceptionType::LateDecline => "late_decline",
            ExceptionType::CardExpiring => "card_expiring",
            ExceptionType::CardExpired => "card_expired",
            ExceptionType::PaymentUnknown => "payment_unknown",
            ExceptionType::ApprovedUnseen => "approved_unseen",
            ExceptionType::UnmatchedPayment => "unmatched_payment",
            ExceptionType::HeldExcess => "held_excess",
            ExceptionType::VoidFailed => "void_failed",
            ExceptionType::Overpaid => "overpaid",
            ExceptionType::Disputed => "disputed",
            ExceptionType::ReversalStuck => "reversal_stuck",
            ExceptionType::CashVariance => "cash_variance",
            ExceptionType::Conflict => "conflict",
            ExceptionType::SequenceGap => "sequence_gap",
            ExceptionType::Fork => "fork",
            ExceptionType::QuarantinedRow => "quarantined_row",
            ExceptionType::TotalsDiffer => "totals_differ",
            ExceptionType::RefundRequested => "refund_requested",
            ExceptionType::TransferExpected => "transfer_expected",
            ExceptionType::CardDataReused => "card_data_reused",
            ExceptionType::PaymentReconcile => "payment_reconcile",
            ExceptionType::CardNotKept => "card_not_kept",
            ExceptionType::AgreementFailed => "agreement_failed",
            ExceptionType::AgreementWaits => "agreement_waits",
            ExceptionType::RefundDoubled => "refund_doubled",
            ExceptionType::DepositShort => "deposit_short",
        }
    }

    /// What it means and what to do, in one sentence.
    pub fn advice(self) -> &'static str {
        match self {
            ExceptionType::LateDecline => {
                "The bank declined a payment taken offline: ask the customer for another way to pay."
            }
            ExceptionType::CardExpiring => "A stored card payment must be forwarded soon: bring the handheld online.",
            ExceptionType::CardExpired => {
                "A stored card payment was not forwarded in time: ask the customer for another way to pay."
            }
            ExceptionType::PaymentUnknown => {
                "The processor has not said what became of this payment: wait for the look-up, or ask the processor."
            }
            ExceptionType::ApprovedUnseen => {
                "The bank agreed, but the handheld has not confirmed that it saw it: bring the handheld online."
            }
            ExceptionType::UnmatchedPayment => "Money came in without a bill: assign it or give it back.",
            ExceptionType::HeldExcess => {
                "The payment breaks a rule or exceeds what is owed: release it or void it before its deadline."
            }
            ExceptionType::VoidFailed => "The void came too late, and the money was taken: refund it to the card.",
            ExceptionType::Overpaid => {
                "More money came in than the invoice asks for: refund the card, or give it back another way and note how."
            }
            ExceptionType::Disputed => {
                "The cardholder disputes this payment: answer the processor in time, with the signed receipt, and note it."
            }
            ExceptionType::ReversalStuck => {
                "The processor does not answer a reversal: it is repeated; call the processor if it stays."
            }
            ExceptionType::CashVariance => {
                "Cash counted differs from cash expected: ask the technician and note the reason."
            }
            ExceptionType::Conflict => "Office and technician changed the same thing: choose one.",
            ExceptionType::SequenceGap => {
                "Rows of this handheld's journal are missing: fetch them by cable, or note why they are lost."
            }
            ExceptionType::Fork => {
                "Two histories of one handheld exist (a copied or restored card): find out which one is real."
            }
            ExceptionType::QuarantinedRow => {
                "A row from the handheld could not be applied: update the office or resolve by hand."
            }
            ExceptionType::TotalsDiffer => {
                "Handheld and office compute different totals: check the price book and the tax rules."
            }
            ExceptionType::RefundRequested => {
                "A technician asks to give money back: release it or refuse it, on the page of refunds."
            }
            ExceptionType::TransferExpected => {
                "A customer has announced a transfer: say when it came, on the page of refunds and transfers."
            }
            ExceptionType::CardDataReused => {
                "One read of a card came in for two payments, and the second was stopped: ask how that came about."
            }
            ExceptionType::PaymentReconcile => {
                "The office was restored: look at the processor's own records, and say whether it has this payment."
            }
            ExceptionType::CardNotKept => {
                "The customer agreed that the card is kept, and it was not: tell the customer, or ask again next time."
            }
            ExceptionType::AgreementFailed => {
                "A payment that a customer agreed to came to nothing: charge again, send a link, or bill it."
            }
            ExceptionType::AgreementWaits => {
                "Nothing is charged for this agreement until somebody has looked: see the page of agreements."
            }
            ExceptionType::RefundDoubled => {
                "The processor gave a refund back more than once: have it take back the excess, or agree on it with the customer."
            }
            ExceptionType::DepositShort => {
                "A deposit has paid an invoice, and the bank took its word on it back: collect the deposit again."
            }
        }
    }
}

/// One exception, as in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// Its id.
    pub id: ExceptionId,
    /// What kind.
    #[serde(rename = "type")]
    pub kind: ExceptionType,
    /// The id of what it is about.
    pub subject: String,
    /// Money at stake, minor units.
    pub amount_minor: i64,
    /// Its currency.
    pub currency: Currency,
    /// Since when, Unix milliseconds.
    pub opened_at: i64,
    /// Until when it can be dealt with, Unix milliseconds.
    pub deadline: Option<i64>,
    /// Who deals with it.
    pub owner: Option<String>,
    /// `open` or `resolved`.
    pub state: String,
}
