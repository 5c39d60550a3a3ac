//! After the read: ask the bank, store, or refuse.
//!
//! Invariant: with a link the bank is asked, whatever the policy says; without one nothing is stored that neither the
//! policy nor, over a soft limit, a manager allows. Start at [`Machine::handle`].

use super::{Effect, Event, Machine, Offline, Phase, Row};
use crate::domain::event::PaymentRequested;

impl Machine {
    pub(super) fn deciding(&mut self, event: Event) -> Option<Vec<Effect>> {
        match (self.phase.clone(), event) {
            (Phase::Assessing, Event::Assessed { online: true, .. }) => {
                let row = PaymentRequested {
                    payment: self.intent.payment,
                    job: self.intent.job,
                    visit: self.intent.visit,
                    amount: self.intent.amount,
                    blob: self.blob(),
                };
                self.phase = Phase::Writing;
                Some(vec![Effect::Commit(Row::PaymentRequested(row))])
            }
            (Phase::Assessing, Event::Assessed { offline: Offline::Allowed { deadline_ms, policy }, .. }) => {
                self.phase = Phase::ConfirmOffline { deadline_ms, policy };
                Some(Vec::new())
            }
            (Phase::Assessing, Event::Assessed { offline: Offline::NeedsManager { deadline_ms, policy, why }, .. }) => {
                self.phase = Phase::NeedsManager { deadline_ms, policy, why };
                Some(Vec::new())
            }
            // The risk is the technician's to take all the same.
            (Phase::NeedsManager { deadline_ms, policy, .. }, Event::ManagerAllows) => {
                self.phase = Phase::ConfirmOffline { deadline_ms, policy };
                Some(Vec::new())
            }
            (Phase::NeedsManager { why, .. }, Event::Cancel) => Some(self.refuse(&why)),
            (Phase::Assessing, Event::Assessed { offline: Offline::Refused(why), .. }) => Some(self.refuse(&why)),
            (Phase::ConfirmOffline { deadline_ms, policy }, Event::AcceptOffline) => {
                Some(self.accept(deadline_ms, policy))
            }
            (Phase::ConfirmOffline { .. }, Event::Cancel) => {
                Some(self.refuse("the technician did not take the risk of an offline payment"))
            }
            (
                _,
                Event::OutcomeOverdue
                | Event::LinkLost
                | Event::Prompt(_)
                | Event::Applications(_)
                | Event::ReaderEnded(_),
            ) => Some(Vec::new()),
            _ => None,
        }
    }
}
