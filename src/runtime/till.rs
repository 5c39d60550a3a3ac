//! Does what a payment machine asks for. The screen program and the played day use the same one.
//!
//! Invariant: an effect is done in the order in which it was asked for, and answers with at most one event.

use super::PaymentEvents;
use super::actors::devices::DevicesHandle;
use super::actors::printer::PrinterHandle;
use super::actors::reader::ReaderHandle;
use super::actors::store::{Step, StoreHandle};
use super::actors::sync::SyncHandle;
use crate::domain::id::PaymentId;
use crate::flow::payment::{Effect, Event};
use std::time::Duration;

/// All that a handheld works with; cheap to clone.
#[derive(Clone)]
pub struct Till {
    /// The database.
    pub store: StoreHandle,
    /// The card reader.
    pub reader: ReaderHandle,
    /// Which reader is used.
    pub devices: DevicesHandle,
    /// The printer.
    pub printer: PrinterHandle,
    /// The exchange with the office.
    pub sync: SyncHandle,
    /// Where events of payments go.
    pub events: PaymentEvents,
}

impl Till {
    /// Does `effects` of one payment, one after the other, beside everything else.
    pub fn spawn(&self, payment: PaymentId, effects: Vec<Effect>) {
        let till = self.clone();
        tokio::spawn(async move {
            for effect in effects {
                till.perform(payment, effect).await;
            }
        });
    }

    async fn perform(&self, payment: PaymentId, effect: Effect) {
        let event = match effect {
            Effect::Commit(row) => match self.store.step(payment, row).await {
                Ok(Step::Written(now)) => Event::Committed(Box::new(now)),
                Ok(Step::Moved(now)) => Event::Settled(Box::new(now)),
                Err(why) => Event::CommitFailed(why),
            },
            Effect::CommitRead(facts) => match self.reader.commit_read(payment, *facts).await {
                Ok(now) => Event::Committed(Box::new(now)),
                Err(why) => Event::CommitFailed(why),
            },
            Effect::Arm { timeout_ms } => match self.store.run(move |store| store.payment(payment)).await {
                Ok(of) => return self.reader.arm(payment, of.amount, timeout_ms).await,
                Err(why) => Event::ReaderEnded(why),
            },
            Effect::SelectApplication(index) => return self.reader.select(payment, index).await,
            Effect::CancelReader => return self.reader.cancel(payment).await,
            Effect::DropRead => return self.reader.forget(payment).await,
            Effect::Assess => self.sync.assess(payment).await,
            Effect::Push => return self.sync.nudge(),
            Effect::StartTimer { ms } => {
                let till = self.clone();
                tokio::spawn(async move { till.outcome_timer(payment, ms).await });
                return;
            }
        };
        let _ = self.events.send((payment, event)).await;
    }

    /// The wait for the bank ends with its time, or as soon as the link is lost.
    async fn outcome_timer(&self, payment: PaymentId, ms: u64) {
        let mut link = self.sync.link();
        let event = tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(ms)) => Event::OutcomeOverdue,
            lost = link.wait_for(|link| !link.online) => match lost {
                Ok(_) => Event::LinkLost,
                Err(_) => return,
            },
        };
        let _ = self.events.send((payment, event)).await;
    }
}
