//! A payment: its states, what the handheld may know of a card, and what a committed event makes of it.
//!
//! [`Payment::after`] is the meaning of a journal row, the same on the device and in the office. What *leads* to a
//! row (readers, timers, the technician) is the machine in `flow::payment`.
//!
//! Every transition there is; `outcome` stands for `payment.outcome_seen` with that word of the office. A test compares
//! this table with the code.
//!
//! | from | event | to |
//! |---|---|---|
//! | absent | payment.intended | presenting |
//! | absent | cash.recorded · tender.recorded cheque · deposit.used | recorded |
//! | absent | tender.recorded transfer | tendered |
//! | presenting | payment.abandoned | abandoned |
//! | presenting | payment.card_declined | declined |
//! | presenting | payment.card_read | card_read |
//! | presenting · card_read | payment.refused | refused |
//! | card_read | payment.authorize_requested | requested |
//! | card_read · unknown | payment.accepted_offline | stored |
//! | requested | payment.unknown | unknown |
//! | requested · unknown · stored · held | outcome approved · outcome captured · outcome settled · outcome disputed | approved |
//! | requested · unknown · held | outcome partly_approved | partly_approved |
//! | requested · unknown · held | outcome declined | declined |
//! | requested · unknown · stored | outcome held | held |
//! | stored · held | outcome late_declined | late_declined |
//! | requested · unknown · stored · held · approved | outcome expired | expired |
//! | partly_approved | payment.part_taken | approved |
//! | unknown · stored · approved · partly_approved · held | payment.void_requested | void_pending |
//! | requested · unknown · stored · held · approved · partly_approved · void_pending | outcome voided | voided |
//! | void_pending | outcome void_failed | void_failed |
//! | tendered | outcome approved | recorded |
//! | tendered | outcome expired | corrected |
//! | recorded · tendered | payment.corrected | corrected |

mod card;
mod extras;
mod marks;
mod refunds;
mod state;
#[cfg(test)]
mod tests;

pub use card::{CardEntry, CardSummary};
pub use extras::{Extras, Split, share};
pub use marks::CardMarks;
pub use state::{PaymentState, Standing};

use super::consent::Consent;
use super::document::DocumentNumber;
use super::event::Event;
use super::id::{InvoiceId, JobId, PaymentId, VisitId};
use super::money::Money;
use super::outcome::{Outcome, OutcomeState};
use serde::{Deserialize, Serialize};

/// How it is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tender {
    /// By card.
    Card,
    /// In cash.
    Cash,
    /// By cheque.
    Cheque,
    /// By bank transfer, which the customer has announced.
    Transfer,
    /// With what the customer has paid ahead.
    Deposit,
}

impl Tender {
    /// As people call it.
    pub fn word(self) -> &'static str {
        match self {
            Tender::Card => "Card",
            Tender::Cash => "Cash",
            Tender::Cheque => "Cheque",
            Tender::Transfer => "Transfer",
            Tender::Deposit => "Deposit",
        }
    }
}

/// One payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Its id; a new try is a new id.
    pub id: PaymentId,
    /// What it pays.
    pub invoice: InvoiceId,
    /// The invoice's number.
    pub document: DocumentNumber,
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// Card or cash.
    pub tender: Tender,
    /// What was asked for, extras and all.
    pub amount: Money,
    /// What of it is not for the invoice.
    #[serde(default = "none", skip_serializing_if = "Extras::is_none")]
    pub extras: Extras,
    /// Where it stands.
    pub state: PaymentState,
    /// Authoritative money, minor units.
    pub approved_minor: i64,
    /// Money that is stored or held, minor units.
    pub pending_minor: i64,
    /// Given back, minor units.
    #[serde(default)]
    pub refunded_minor: i64,
    /// Given back so that the customer owes it again, minor units; part of the above.
    #[serde(default)]
    pub returned_minor: i64,
    /// Refunds that are asked for and not answered, minor units.
    #[serde(default)]
    pub refund_open_minor: i64,
    /// What the bank offered when it agreed to a part.
    pub offered_minor: i64,
    /// Taken offline at any time of its life.
    pub offline: bool,
    /// The card, once read.
    pub card: Option<CardSummary>,
    /// SHA-256 of the sealed blob, hex, once read.
    pub blob: Option<String>,
    /// When it must have been forwarded, Unix milliseconds.
    pub deadline_ms: Option<i64>,
    /// The bank's code.
    pub auth_code: Option<String>,
    /// Why it failed, in a sentence.
    pub reason: Option<String>,
    /// Another tender of the same balance that was open when this one began.
    pub linked_to: Option<PaymentId>,
    /// The customer agreed that the card is kept, once the bank has approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Consent>,
    /// Cash handed over, minor units.
    pub tendered_minor: i64,
    /// Cash handed back, minor units.
    pub change_minor: i64,
    /// Number of a cheque or a deposit, or what a transfer says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The deposit that it takes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit: Option<InvoiceId>,
    /// When it began, Unix milliseconds by the device's clock.
    pub at_ms: i64,
    /// How many rows have made it what it is: tells a newer picture of it from an older one.
    pub rev: u32,
}

fn none() -> Extras {
    Extras::NONE
}

/// An event that does not fit a payment's state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event} does not fit what is {state}")]
pub struct IllegalTransition {
    /// The event's kind.
    pub event: &'static str,
    /// The state's name, `absent` for none.
    pub state: &'static str,
}

impl IllegalTransition {
    /// The same event never fits the same state.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

impl Payment {
    /// The payment after `event`; `before` is `None` for the event that begins it.
    pub fn after(before: Option<&Payment>, event: &Event, at_ms: i64) -> Result<Payment, IllegalTransition> {
        match before {
            None => Payment::begin(event, at_ms),
            Some(payment) => payment.next(event),
        }
    }

    fn begin(event: &Event, at_ms: i64) -> Result<Payment, IllegalTransition> {
        macro_rules! fresh {
            ($e:ident, $tender:expr, $state:expr) => {
                fresh!($e, $tender, $state, $e.extras)
            };
            ($e:ident, $tender:expr, $state:expr, $extras:expr) => {
                Payment {
                    id: $e.payment,
                    invoice: $e.invoice,
                    document: $e.document.clone(),
                    job: $e.job,
                    visit: $e.visit,
                    tender: $tender,
                    amount: $e.amount,
                    extras: $extras,
                    state: $state,
                    approved_minor: 0,
                    pending_minor: 0,
                    refunded_minor: 0,
                    returned_minor: 0,
                    refund_open_minor: 0,
                    offered_minor: 0,
                    offline: false,
                    card: None,
                    blob: None,
                    deadline_ms: None,
                    auth_code: None,
                    reason: None,
                    linked_to: $e.linked_to,
                    keep: None,
                    tendered_minor: 0,
                    change_minor: 0,
                    reference: None,
                    deposit: None,
                    at_ms,
                    rev: 1,
                }
            };
        }
        match event {
            Event::PaymentIntended(e) => {
                Ok(Payment { keep: e.keep.clone(), ..fresh!(e, Tender::Card, PaymentState::Presenting) })
            }
            Event::CashRecorded(e) => Ok(Payment {
                approved_minor: e.amount.minor,
                tendered_minor: e.tendered_minor,
                change_minor: e.change_minor,
                ..fresh!(e, Tender::Cash, PaymentState::Recorded)
            }),
            // A transfer is a promise until the office has seen it.
            Event::TenderRecorded(e) if e.tender == Tender::Transfer => Ok(Payment {
                pending_minor: e.amount.minor,
                reference: Some(e.reference.clone()),
                ..fresh!(e, Tender::Transfer, PaymentState::Tendered)
            }),
            Event::TenderRecorded(e) if e.tender == Tender::Cheque => Ok(Payment {
                approved_minor: e.amount.minor,
                reference: Some(e.reference.clone()),
                ..fresh!(e, Tender::Cheque, PaymentState::Recorded)
            }),
            Event::DepositUsed(e) => Ok(Payment {
                approved_minor: e.amount.minor,
                reference: Some(e.deposit_document.to_string()),
                deposit: Some(e.deposit),
                ..fresh!(e, Tender::Deposit, PaymentState::Recorded, Extras::NONE)
            }),
            other => Err(IllegalTransition { event: other.kind(), state: "absent" }),
        }
    }

    fn next(&self, event: &Event) -> Result<Payment, IllegalTransition> {
        let illegal = || Err(IllegalTransition { event: event.kind(), state: self.state.name() });
        let mut next = self.clone();
        match (self.state, event) {
            (PaymentState::Presenting, Event::PaymentAbandoned(e)) => {
                next.state = PaymentState::Abandoned;
                next.reason = Some(e.why.clone());
            }
            (PaymentState::Presenting, Event::PaymentCardDeclined(_)) => {
                next.state = PaymentState::Declined;
                next.reason = Some("declined by the card".to_owned());
            }
            (PaymentState::Presenting, Event::PaymentCardRead(e)) => {
                next.state = PaymentState::CardRead;
                next.card = Some(e.card.clone());
                next.blob = Some(e.blob.clone());
            }
            (PaymentState::Presenting | PaymentState::CardRead, Event::PaymentRefused(e)) => {
                next.state = PaymentState::Refused;
                next.reason = Some(e.why.clone());
            }
            (PaymentState::CardRead, Event::PaymentRequested(_)) => next.state = PaymentState::Requested,
            (PaymentState::CardRead | PaymentState::Unknown, Event::PaymentAcceptedOffline(e)) => {
                next.state = PaymentState::Stored;
                next.offline = true;
                next.deadline_ms = Some(e.deadline_ms);
                next.pending_minor = self.amount.minor;
            }
            (PaymentState::Requested, Event::PaymentUnknown(_)) => next.state = PaymentState::Unknown,
            (
                PaymentState::Unknown
                | PaymentState::Stored
                | PaymentState::Approved
                | PaymentState::PartlyApproved
                | PaymentState::Held,
                Event::PaymentVoidRequested(_),
            ) if !self.has_refunds() => {
                next.state = PaymentState::VoidPending;
                // What was only promised covers nothing any more; what the bank agreed to counts until it is reversed.
                next.pending_minor = 0;
            }
            (PaymentState::PartlyApproved, Event::PaymentPartTaken(_)) => {
                next.state = PaymentState::Approved;
                next.approved_minor = self.offered_minor;
            }
            (PaymentState::Recorded | PaymentState::Tendered, Event::PaymentCorrected(e)) if !self.has_refunds() => {
                next.state = PaymentState::Corrected;
                next.approved_minor = 0;
                next.pending_minor = 0;
                next.reason = Some(e.why.clone());
            }
            (_, Event::PaymentOutcomeSeen(e)) => match self.after_outcome(&e.outcome) {
                Some(after) => next = after,
                None => return illegal(),
            },
            _ => return illegal(),
        }
        next.rev = self.rev.saturating_add(1);
        Ok(next)
    }

    /// The payment after the office's word, or `None` when it changes nothing here.
    pub fn after_outcome(&self, outcome: &Outcome) -> Option<Payment> {
        let waits = matches!(self.state, PaymentState::Requested | PaymentState::Unknown);
        let stored = matches!(self.state, PaymentState::Stored | PaymentState::Held);
        let held_online = self.state == PaymentState::Held && !self.offline;
        let voiding = self.state == PaymentState::VoidPending;
        let (state, approved, pending) = match outcome.state {
            // What came after the approval is also news to a device that never heard of it.
            OutcomeState::Approved | OutcomeState::Captured | OutcomeState::Settled | OutcomeState::Disputed
                if waits || stored =>
            {
                (PaymentState::Approved, outcome.amount_minor, 0)
            }
            OutcomeState::PartlyApproved if waits || held_online => (PaymentState::PartlyApproved, 0, 0),
            OutcomeState::Declined if waits || held_online => (PaymentState::Declined, 0, 0),
            OutcomeState::LateDeclined if stored => (PaymentState::LateDeclined, 0, 0),
            // A handheld that was away hears of the end alone.
            OutcomeState::Expired if waits || stored || self.state == PaymentState::Approved => {
                (PaymentState::Expired, 0, 0)
            }
            // An online request may be held too: the invoice was covered another way meanwhile.
            OutcomeState::Held if waits || self.state == PaymentState::Stored => {
                (PaymentState::Held, 0, self.pending_minor)
            }
            // The office has seen the transfer.
            OutcomeState::Approved if self.state == PaymentState::Tendered => {
                (PaymentState::Recorded, self.amount.minor, 0)
            }
            OutcomeState::Expired if self.state == PaymentState::Tendered => (PaymentState::Corrected, 0, 0),
            // The office voids too: what it held, and an approval that nobody confirmed in time.
            OutcomeState::Voided
                if voiding
                    || waits
                    || stored
                    || matches!(self.state, PaymentState::Approved | PaymentState::PartlyApproved) =>
            {
                (PaymentState::Voided, 0, 0)
            }
            OutcomeState::VoidFailed if voiding => (PaymentState::VoidFailed, outcome.amount_minor, 0),
            OutcomeState::Approved
            | OutcomeState::PartlyApproved
            | OutcomeState::Declined
            | OutcomeState::LateDeclined
            | OutcomeState::Expired
            | OutcomeState::Held
            | OutcomeState::NotSent
            | OutcomeState::Voided
            | OutcomeState::VoidFailed
            | OutcomeState::Captured
            | OutcomeState::Settled
            | OutcomeState::Disputed => return None,
        };
        let mut next = self.clone();
        next.state = state;
        next.approved_minor = approved;
        next.pending_minor = pending;
        next.offered_minor = if state == PaymentState::PartlyApproved { outcome.amount_minor } else { 0 };
        next.auth_code = outcome.auth_code.clone().or(next.auth_code);
        next.reason = outcome.reason.clone();
        if approved == 0 {
            // Nothing is left that could be given back; the office refuses what was asked for.
            next.refund_open_minor = 0;
        }
        Some(next)
    }

    /// Whether another tender of the same balance needs a confirmation that links the two.
    pub fn blocks_other_tender(&self) -> bool {
        matches!(
            self.state,
            PaymentState::Requested | PaymentState::Unknown | PaymentState::VoidPending | PaymentState::PartlyApproved
        )
    }
}
