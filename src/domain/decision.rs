//! What people may decide about an exception: one table from its type to the actions, so that no exception is a dead
//! end. What an action does is `office::decide`'s matter.
//!
//! Start at [`actions`].

use super::exception::ExceptionType;
use super::id::{JobId, PaymentId, VisitId};
use serde::{Deserialize, Serialize};

/// What a person does about an exception. The names in JSON are these in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The technician collects again: a new payment, linked to the old one.
    Recollect,
    /// The customer is billed.
    Invoice,
    /// The customer gets a link to pay by.
    PaymentLink,
    /// The money is given up.
    WriteOff,
    /// A held payment goes to the bank.
    Release,
    /// The payment is given up: never sent, or reversed.
    Void,
    /// Nothing for now; it comes back when it goes on.
    Wait,
    /// The worker tries again at once.
    RepeatNow,
    /// The processor has the payment, captured.
    AtProcessor,
    /// The processor does not have it: it may be sent.
    NotAtProcessor,
    /// The office gives the captured money back to the card.
    Refund,
    /// Dealt with outside; the reason says how.
    Note,
}

impl Action {
    /// Every action.
    pub const ALL: [Action; 12] = [
        Action::Recollect,
        Action::Invoice,
        Action::PaymentLink,
        Action::WriteOff,
        Action::Release,
        Action::Void,
        Action::Wait,
        Action::RepeatNow,
        Action::AtProcessor,
        Action::NotAtProcessor,
        Action::Refund,
        Action::Note,
    ];

    /// The name in forms and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Action::Recollect => "recollect",
            Action::Invoice => "invoice",
            Action::PaymentLink => "payment_link",
            Action::WriteOff => "write_off",
            Action::Release => "release",
            Action::Void => "void",
            Action::Wait => "wait",
            Action::RepeatNow => "repeat_now",
            Action::AtProcessor => "at_processor",
            Action::NotAtProcessor => "not_at_processor",
            Action::Refund => "refund",
            Action::Note => "note",
        }
    }

    /// The action of a name.
    pub fn from_name(name: &str) -> Option<Action> {
        Action::ALL.into_iter().find(|action| action.name() == name)
    }

    /// What stands on the button.
    pub fn label(self) -> &'static str {
        match self {
            Action::Recollect => "Collect again",
            Action::Invoice => "Bill the customer",
            Action::PaymentLink => "Send a payment link",
            Action::WriteOff => "Write off",
            Action::Release => "Release to the bank",
            Action::Void => "Void it",
            Action::Wait => "Wait",
            Action::RepeatNow => "Try again now",
            Action::AtProcessor => "The processor has it",
            Action::NotAtProcessor => "The processor does not have it: send",
            Action::Refund => "Refund it",
            Action::Note => "Resolve with a note",
        }
    }

    /// What was done, for the job's timeline.
    pub fn done(self) -> &'static str {
        match self {
            Action::Recollect => "Collect again, asked of the technician",
            Action::Invoice => "Billed to the customer",
            Action::PaymentLink => "Payment link made",
            Action::WriteOff => "Written off",
            Action::Release => "Released to the bank",
            Action::Void => "Voided by the office",
            Action::Wait => "Left for now",
            Action::RepeatNow => "Tried again by hand",
            Action::AtProcessor => "Found at the processor",
            Action::NotAtProcessor => "Not at the processor, may be sent",
            Action::Refund => "Refund begun by the office",
            Action::Note => "Resolved with a note",
        }
    }

    /// Whether money is given up or may be asked for twice, so that a second word is needed.
    pub fn needs_confirmation(self) -> bool {
        match self {
            Action::WriteOff | Action::Void | Action::NotAtProcessor | Action::Refund => true,
            Action::Recollect
            | Action::Invoice
            | Action::PaymentLink
            | Action::Release
            | Action::Wait
            | Action::RepeatNow
            | Action::AtProcessor
            | Action::Note => false,
        }
    }

    /// Whether the exception stays on the list until what was begun has come to its end.
    pub fn takes_time(self) -> bool {
        self == Action::Refund
    }

    /// Whether it can be taken back while nothing has followed from it.
    pub fn can_be_undone(self) -> bool {
        matches!(self, Action::Recollect | Action::Invoice)
    }
}

/// What can be done about an exception of this type, the likeliest first. Never empty.
pub fn actions(kind: ExceptionType) -> &'static [Action] {
    match kind {
        ExceptionType::LateDecline | ExceptionType::CardExpired => {
            &[Action::Recollect, Action::Invoice, Action::PaymentLink, Action::WriteOff, Action::Note]
        }
        ExceptionType::HeldExcess => &[Action::Release, Action::Void],
        ExceptionType::ApprovedUnseen => &[Action::Wait, Action::Void],
        ExceptionType::PaymentUnknown => &[Action::RepeatNow, Action::Wait],
        ExceptionType::VoidFailed | ExceptionType::Overpaid => &[Action::Refund, Action::Note],
        ExceptionType::ReversalStuck => &[Action::RepeatNow, Action::Wait],
        ExceptionType::PaymentReconcile => &[Action::AtProcessor, Action::NotAtProcessor, Action::RepeatNow],
        ExceptionType::AgreementFailed => {
            &[Action::RepeatNow, Action::PaymentLink, Action::Invoice, Action::WriteOff, Action::Note]
        }
        ExceptionType::DepositShort => &[Action::Recollect, Action::Note],
        // These two are decided on the page of refunds, which takes them off the list.
        ExceptionType::RefundRequested
        | ExceptionType::TransferExpected
        | ExceptionType::CardExpiring
        | ExceptionType::UnmatchedPayment
        | ExceptionType::Disputed
        | ExceptionType::CashVariance
        | ExceptionType::Conflict
        | ExceptionType::SequenceGap
        | ExceptionType::Fork
        | ExceptionType::QuarantinedRow
        | ExceptionType::TotalsDiffer
        | ExceptionType::CardDataReused
        | ExceptionType::CardNotKept
        | ExceptionType::AgreementWaits
        | ExceptionType::RefundDoubled => &[Action::Note],
    }
}

/// The office asks the technician to collect again, as the feed brings it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectAgain {
    /// The payment that came to nothing: the new one is linked to it.
    pub payment: PaymentId,
    /// Its job.
    pub job: JobId,
    /// Its visit.
    pub visit: VisitId,
    /// Why, in the dispatcher's words.
    pub reason: String,
    /// Office time, Unix milliseconds.
    pub at_ms: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_exception_is_a_dead_end_and_every_action_is_for_some_exception() {
        for kind in ExceptionType::ALL {
            assert!(!actions(kind).is_empty(), "{kind:?}");
        }
        for action in Action::ALL {
            assert!(ExceptionType::ALL.iter().any(|kind| actions(*kind).contains(&action)), "{action:?}");
            assert_eq!(Action::from_name(action.name()), Some(action));
            assert_eq!(serde_json::to_value(action).unwrap(), action.name());
        }
    }

    #[test]
    fn what_waits_for_a_word_about_money_is_not_resolved_by_a_note() {
        for kind in [ExceptionType::HeldExcess, ExceptionType::ApprovedUnseen, ExceptionType::PaymentReconcile] {
            assert!(!actions(kind).contains(&Action::Note), "{kind:?}");
        }
    }
}
