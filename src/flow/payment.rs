//! How a card payment lives on the handheld, from the intent to its end.
//!
//! Invariant: every arrow that leaves the process (arming the reader, asking the bank) is preceded by a committed
//! row. What a row *means* is [`Payment::after`]; this machine decides *which* row comes next, and waits for its
//! commit before it goes on. A crash at any point is [`Machine::resume`] on what the disk holds.

mod deciding;
mod types;

pub use types::{Effect, Event, Offline, Phase, ReadFacts, Timing};

use crate::domain::event::{Event as Row, PaymentAcceptedOffline, PaymentIntended, PaymentStep};
use crate::domain::payment::{Payment, PaymentState};
use crate::domain::rules::Funding;

/// An event that does not fit where the machine is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event} does not fit a payment that is {phase}")]
pub struct Illegal {
    /// The event's name.
    pub event: &'static str,
    /// The phase's name.
    pub phase: &'static str,
}

impl Illegal {
    /// The same event never fits the same phase.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

/// One card payment under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    intent: PaymentIntended,
    payment: Option<Payment>,
    phase: Phase,
    timing: Timing,
}

impl Machine {
    /// A new payment. Nothing happens before its intent is on the disk.
    pub fn begin(intent: PaymentIntended, timing: Timing) -> (Machine, Vec<Effect>) {
        let effects = vec![Effect::Commit(Row::PaymentIntended(intent.clone()))];
        (Machine { intent, payment: None, phase: Phase::Intending, timing }, effects)
    }

    /// A payment that the disk holds, after a crash or when it is opened again.
    pub fn resume(payment: Payment, timing: Timing) -> (Machine, Vec<Effect>) {
        let intent = PaymentIntended {
            extras: payment.extras,
            payment: payment.id,
            invoice: payment.invoice,
            document: payment.document.clone(),
            job: payment.job,
            visit: payment.visit,
            amount: payment.amount,
            linked_to: payment.linked_to,
            keep: payment.keep.clone(),
        };
        let state = payment.state;
        let mut machine = Machine { intent, payment: Some(payment), phase: Phase::Resting, timing };
        let effects = match state {
            PaymentState::Presenting => machine.abandon("the program was stopped before the card was read"),
            PaymentState::CardRead => machine.assess(),
            PaymentState::Requested => {
                machine.phase = Phase::Writing;
                vec![Effect::Commit(Row::PaymentUnknown(machine.step("the program was stopped before an answer came")))]
            }
            PaymentState::Unknown => {
                machine.phase = Phase::Unknown { offline: None };
                vec![Effect::Assess, Effect::Push]
            }
            PaymentState::PartlyApproved => {
                machine.phase = Phase::PartOffered;
                Vec::new()
            }
            PaymentState::Draft
            | PaymentState::Abandoned
            | PaymentState::Declined
            | PaymentState::Stored
            | PaymentState::Refused
            | PaymentState::Approved
            | PaymentState::VoidPending
            | PaymentState::Voided
            | PaymentState::VoidFailed
            | PaymentState::LateDeclined
            | PaymentState::Expired
            | PaymentState::Held
            | PaymentState::Captured
            | PaymentState::Settled
            | PaymentState::Disputed
            | PaymentState::Tendered
            | PaymentState::Recorded
            | PaymentState::Corrected => Vec::new(),
        };
        (machine, effects)
    }

    /// Where it is.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// What was asked for.
    pub fn intent(&self) -> &PaymentIntended {
        &self.intent
    }

    /// The payment as committed; `None` until the intent is on the disk.
    pub fn payment(&self) -> Option<&Payment> {
        self.payment.as_ref()
    }

    /// Takes one event and says what to do.
    pub fn handle(&mut self, event: Event) -> Result<Vec<Effect>, Illegal> {
        let illegal = Illegal { event: event.name(), phase: self.phase.name() };
        match (&self.phase, event) {
            // Pictures of the payment come from two sides, and not always in the order of the disk: the newest counts.
            (_, Event::Settled(payment)) if self.is_news(&payment) => Ok(self.settled(*payment)),
            (_, Event::Committed(payment)) if self.is_news(&payment) => Ok(self.committed(*payment)),
            // The read could not be sealed and kept: it is thrown away, nothing was sent.
            (Phase::Sealing, Event::CommitFailed(why)) => Ok(self.abandon(&why)),
            (Phase::Intending | Phase::Writing, Event::CommitFailed(why)) => {
                self.phase = Phase::Failed { why };
                Ok(vec![Effect::DropRead])
            }
            (_, Event::Settled(_) | Event::Committed(_) | Event::CommitFailed(_)) => Ok(Vec::new()),
            (Phase::Presenting { .. }, event) => self.presenting(event).ok_or(illegal),
            (Phase::Assessing | Phase::NeedsManager { .. } | Phase::ConfirmOffline { .. }, event) => {
                self.deciding(event).ok_or(illegal)
            }
            (Phase::Waiting | Phase::Unknown { .. } | Phase::PartOffered | Phase::Resting, event) => {
                self.after_sending(event).ok_or(illegal)
            }
            (_, Event::OutcomeOverdue | Event::LinkLost | Event::Prompt(_) | Event::Applications(_)) => Ok(Vec::new()),
            (
                Phase::Intending | Phase::Sealing | Phase::Writing | Phase::Failed { .. },
                Event::CardRead(_)
                | Event::OtherPrice
                | Event::CardDeclined
                | Event::ReaderEnded(_)
                | Event::ClearCardData
                | Event::Assessed { .. }
                | Event::Cancel
                | Event::Choose(_)
                | Event::ManagerAllows
                | Event::AcceptOffline
                | Event::TakePart
                | Event::Void(_),
            ) => Err(illegal),
        }
    }

    fn presenting(&mut self, event: Event) -> Option<Vec<Effect>> {
        match event {
            Event::Prompt(text) => {
                if let Phase::Presenting { prompt, .. } = &mut self.phase {
                    *prompt = text;
                }
                Some(Vec::new())
            }
            Event::Applications(labels) => {
                if let Phase::Presenting { choices, .. } = &mut self.phase {
                    *choices = labels;
                }
                Some(Vec::new())
            }
            // A choice that is not offered, or not any more, changes nothing.
            Event::Choose(index) => {
                let Phase::Presenting { choices, cancelling: false, .. } = &mut self.phase else { return None };
                let offered = choices.len() > usize::from(index);
                choices.retain(|_| !offered);
                Some(offered.then_some(Effect::SelectApplication(index)).into_iter().collect())
            }
            Event::Cancel => {
                if let Phase::Presenting { cancelling, .. } = &mut self.phase {
                    if *cancelling {
                        return Some(Vec::new());
                    }
                    *cancelling = true;
                }
                Some(vec![Effect::CancelReader])
            }
            // The card was quicker than the cancel: nothing was sent, and nothing will be.
            Event::CardRead(_) if matches!(self.phase, Phase::Presenting { cancelling: true, .. }) => {
                Some(self.abandon("cancelled"))
            }
            // A surcharge is for credit cards alone: another card came than the customer was asked about.
            Event::CardRead(facts) if self.intent.extras.surcharge_minor > 0 && !is_credit(&facts) => {
                Some(self.abandon("this is not known to be a credit card: it is paid without a surcharge"))
            }
            Event::OtherPrice => Some(self.abandon("the card was read for its price alone; nothing was sent")),
            Event::CardRead(facts) => {
                self.phase = Phase::Sealing;
                Some(vec![Effect::CommitRead(facts)])
            }
            Event::CardDeclined => {
                self.phase = Phase::Writing;
                Some(vec![Effect::Commit(Row::PaymentCardDeclined(self.step("")))])
            }
            Event::ReaderEnded(why) => Some(self.abandon(&why)),
            Event::ClearCardData => {
                let why = "the reader sent card data in the clear: have its configuration repaired";
                Some(self.refuse(why))
            }
            Event::OutcomeOverdue | Event::LinkLost => Some(Vec::new()),
            Event::Committed(_)
            | Event::CommitFailed(_)
            | Event::Assessed { .. }
            | Event::ManagerAllows
            | Event::AcceptOffline
            | Event::TakePart
            | Event::Void(_)
            | Event::Settled(_) => None,
        }
    }

    fn after_sending(&mut self, event: Event) -> Option<Vec<Effect>> {
        match (self.phase.clone(), event) {
            (Phase::Waiting, Event::OutcomeOverdue | Event::LinkLost) => {
                self.phase = Phase::Writing;
                Some(vec![Effect::Commit(Row::PaymentUnknown(self.step("no answer came in time")))])
            }
            (Phase::Unknown { .. }, Event::Assessed { offline, .. }) => {
                self.phase = Phase::Unknown { offline: Some(offline) };
                Some(Vec::new())
            }
            (
                Phase::Unknown { offline: Some(Offline::NeedsManager { deadline_ms, policy, .. }) },
                Event::ManagerAllows,
            ) => {
                self.phase = Phase::Unknown { offline: Some(Offline::Allowed { deadline_ms, policy }) };
                Some(Vec::new())
            }
            (Phase::Unknown { offline: Some(Offline::Allowed { deadline_ms, policy }) }, Event::AcceptOffline) => {
                Some(self.accept(deadline_ms, policy))
            }
            (Phase::PartOffered, Event::TakePart) => {
                self.phase = Phase::Writing;
                Some(vec![Effect::Commit(Row::PaymentPartTaken(self.step("")))])
            }
            (Phase::PartOffered, Event::Cancel) => Some(self.void("the offered part was not taken")),
            (Phase::Unknown { .. } | Phase::PartOffered | Phase::Resting, Event::Void(why)) if self.may_void() => {
                Some(self.void(&why))
            }
            (
                _,
                Event::OutcomeOverdue
                | Event::LinkLost
                | Event::Prompt(_)
                | Event::Applications(_)
                | Event::ReaderEnded(_),
            ) => Some(Vec::new()),
            (_, Event::Assessed { .. }) => Some(Vec::new()),
            _ => None,
        }
    }

    fn is_news(&self, payment: &Payment) -> bool {
        self.payment.as_ref().is_none_or(|known| payment.rev > known.rev)
    }

    /// What comes after a row is on the disk.
    fn committed(&mut self, payment: Payment) -> Vec<Effect> {
        let state = payment.state;
        self.payment = Some(payment);
        match state {
            PaymentState::Presenting => {
                self.phase = Phase::Presenting { cancelling: false, prompt: String::new(), choices: Vec::new() };
                vec![Effect::Arm { timeout_ms: self.timing.present_ms }]
            }
            PaymentState::CardRead => self.assess(),
            PaymentState::Requested => {
                self.phase = Phase::Waiting;
                vec![Effect::Push, Effect::StartTimer { ms: self.timing.unknown_ms }]
            }
            PaymentState::Unknown => {
                self.phase = Phase::Unknown { offline: None };
                vec![Effect::Assess, Effect::Push]
            }
            PaymentState::PartlyApproved => {
                self.phase = Phase::PartOffered;
                Vec::new()
            }
            PaymentState::Stored | PaymentState::VoidPending | PaymentState::Approved => {
                self.phase = Phase::Resting;
                vec![Effect::Push]
            }
            PaymentState::Draft
            | PaymentState::Abandoned
            | PaymentState::Declined
            | PaymentState::Refused
            | PaymentState::Voided
            | PaymentState::VoidFailed
            | PaymentState::LateDeclined
            | PaymentState::Expired
            | PaymentState::Held
            | PaymentState::Captured
            | PaymentState::Settled
            | PaymentState::Disputed
            | PaymentState::Tendered
            | PaymentState::Recorded
            | PaymentState::Corrected => {
                self.phase = Phase::Resting;
                Vec::new()
            }
        }
    }

    /// The office's word was committed elsewhere while this machine waited.
    fn settled(&mut self, payment: Payment) -> Vec<Effect> {
        let offered = payment.state == PaymentState::PartlyApproved;
        self.payment = Some(payment);
        self.phase = if offered { Phase::PartOffered } else { Phase::Resting };
        Vec::new()
    }

    fn assess(&mut self) -> Vec<Effect> {
        self.phase = Phase::Assessing;
        vec![Effect::Assess]
    }

    fn accept(&mut self, deadline_ms: i64, policy: u32) -> Vec<Effect> {
        let row = PaymentAcceptedOffline {
            payment: self.intent.payment,
            job: self.intent.job,
            visit: self.intent.visit,
            amount: self.intent.amount,
            blob: self.blob(),
            deadline_ms,
            policy,
        };
        self.phase = Phase::Writing;
        vec![Effect::Commit(Row::PaymentAcceptedOffline(row))]
    }

    fn abandon(&mut self, why: &str) -> Vec<Effect> {
        self.phase = Phase::Writing;
        vec![Effect::DropRead, Effect::Commit(Row::PaymentAbandoned(self.step(why)))]
    }

    fn refuse(&mut self, why: &str) -> Vec<Effect> {
        self.phase = Phase::Writing;
        vec![Effect::DropRead, Effect::Commit(Row::PaymentRefused(self.step(why)))]
    }

    fn void(&mut self, why: &str) -> Vec<Effect> {
        self.phase = Phase::Writing;
        vec![Effect::Commit(Row::PaymentVoidRequested(self.step(why)))]
    }

    /// Whether the technician may void it now.
    pub fn may_void(&self) -> bool {
        self.payment.as_ref().is_some_and(|p| {
            matches!(
                p.state,
                PaymentState::Unknown
                    | PaymentState::Stored
                    | PaymentState::Approved
                    | PaymentState::PartlyApproved
                    | PaymentState::Held
            )
        })
    }

    fn blob(&self) -> String {
        self.payment.as_ref().and_then(|p| p.blob.clone()).unwrap_or_default()
    }

    fn step(&self, why: &str) -> PaymentStep {
        PaymentStep {
            payment: self.intent.payment,
            job: self.intent.job,
            visit: self.intent.visit,
            why: why.to_owned(),
        }
    }
}

fn is_credit(facts: &ReadFacts) -> bool {
    facts.card.funding() == Some(Funding::Credit)
}

#[cfg(test)]
mod tests;
