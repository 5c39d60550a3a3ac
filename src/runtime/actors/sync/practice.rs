//! Training: what stands in for office and bank. Nothing leaves the handheld; there is no client here to send it with.
//!
//! Invariant: answers only payments of a store whose mode is training. A card answers as its last four digits say, the
//! test cards' (`tillroll processor cards`); every other one is approved. Refunds are released, as an office would.
//! Start at [`start`].

use super::SyncHandle;
use crate::domain::event::{Event as Row, PaymentOutcomeSeen, RefundOutcomeSeen};
use crate::domain::id::{PaymentId, RefundId};
use crate::domain::outcome::{Outcome, OutcomeState};
use crate::domain::payment::{Payment, PaymentState};
use crate::domain::refund::{Refund, RefundState};
use crate::flow::payment::Event;
use crate::runtime::PaymentEvents;
use crate::runtime::actors::store::StoreHandle;
use crate::runtime::link::LinkState;
use crate::store::FeedApplied;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use uuid::Uuid;

/// How long the bank thinks about it.
const ANSWER: Duration = Duration::from_millis(1_500);
/// How long it takes with the slow card: longer than anybody waits.
const SLOW: Duration = Duration::from_secs(12);

/// The network that is not there: to be cut and restored.
#[derive(Clone)]
pub struct PracticeLink(watch::Sender<LinkState>);

impl PracticeLink {
    /// Whether it is cut.
    pub fn is_cut(&self) -> bool {
        !self.0.borrow().online
    }

    /// Cuts it, or restores it.
    pub fn toggle(&self) {
        self.0.send_modify(|link| link.online = !link.online);
    }
}

/// Starts the bank. It ends when the store has stopped.
pub fn start(store: StoreHandle, link: watch::Sender<LinkState>, events: PaymentEvents) -> (SyncHandle, PracticeLink) {
    link.send_replace(LinkState { online: true, next_try_ms: None, last_error: None });
    let nudges = Arc::new([Notify::new(), Notify::new()]);
    let (changed, applied) = watch::channel(0);
    let handle =
        SyncHandle { store: store.clone(), link: link.subscribe(), applied, nudges: nudges.clone(), practice: true };
    let bank = Bank { store, link: link.subscribe(), events, changed, busy: HashSet::new(), released: HashSet::new() };
    tokio::spawn(bank.run(nudges));
    (handle, PracticeLink(link))
}

struct Bank {
    store: StoreHandle,
    link: watch::Receiver<LinkState>,
    events: PaymentEvents,
    changed: watch::Sender<u64>,
    /// Payments that are answered already, or will be.
    busy: HashSet<(PaymentId, PaymentState)>,
    /// Refunds likewise.
    released: HashSet<RefundId>,
}

impl Bank {
    async fn run(mut self, nudges: Arc<[Notify; 2]>) {
        let mut asked_again = false;
        loop {
            if self.look(asked_again).await.is_err() {
                return;
            }
            asked_again = tokio::select! {
                () = self.store.wrote() => false,
                () = nudges[super::FEED].notified() => true,
                changed = self.link.changed() => match changed {
                    Ok(()) => false,
                    Err(_) => return,
                },
            };
        }
    }

    /// Begins to answer what waits for an answer.
    async fn look(&mut self, asked_again: bool) -> Result<(), String> {
        if !self.link.borrow_and_update().online {
            return Ok(());
        }
        let now = self.store.clock().now_ms();
        let (waiting, refunds) = self
            .store
            .run(move |store| {
                // As after an exchange: taking cards offline needs a contact that is not long ago.
                store.set_meta("last_contact_ms", &now)?;
                Ok((store.payments()?, store.refunds_waiting()?))
            })
            .await?;
        for refund in refunds {
            if !self.released.insert(refund.id) {
                continue;
            }
            let (store, changed) = (self.store.clone(), self.changed.clone());
            tokio::spawn(async move {
                tokio::time::sleep(ANSWER).await;
                if let Err(why) = store.commit(release(&refund), None).await {
                    tracing::warn!(error = %why, "a practice refund was not answered");
                }
                changed.send_modify(|count| *count += 1);
            });
        }
        for view in waiting {
            let payment = view.payment;
            let Some((state, after)) = answer(&payment, asked_again) else { continue };
            if self.busy.insert((payment.id, payment.state)) {
                let (store, events, changed) = (self.store.clone(), self.events.clone(), self.changed.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    match say(&store, payment.id, state).await {
                        Ok(Some(now)) => {
                            // A screen that has gone wants no answer.
                            let _ = events.send((now.id, Event::Settled(Box::new(now)))).await;
                        }
                        Ok(None) => {}
                        Err(why) => tracing::warn!(error = %why, "a practice payment was not answered"),
                    }
                    changed.send_modify(|count| *count += 1);
                });
            }
        }
        Ok(())
    }
}

/// What the bank says of a payment and after how long; nothing while it is not asked, or the answer is lost.
fn answer(payment: &Payment, asked_again: bool) -> Option<(OutcomeState, Duration)> {
    let last4 = payment.card.as_ref().map_or("", |card| card.last4.as_str());
    let declines = matches!(last4, "0002" | "9995");
    let state = match payment.state {
        PaymentState::Requested if last4 == "4242" => return None,
        PaymentState::Unknown if last4 == "4242" && !asked_again => return None,
        PaymentState::Unknown if last4 == "0004" => return None,
        PaymentState::Requested | PaymentState::Unknown if declines => OutcomeState::Declined,
        PaymentState::Requested | PaymentState::Unknown if last4 == "5100" => OutcomeState::PartlyApproved,
        PaymentState::Requested | PaymentState::Unknown => OutcomeState::Approved,
        PaymentState::Stored if declines || last4 == "5100" => OutcomeState::LateDeclined,
        PaymentState::Stored => OutcomeState::Approved,
        PaymentState::VoidPending => OutcomeState::Voided,
        PaymentState::Draft
        | PaymentState::Presenting
        | PaymentState::Abandoned
        | PaymentState::Declined
        | PaymentState::CardRead
        | PaymentState::Refused
        | PaymentState::Approved
        | PaymentState::PartlyApproved
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
        | PaymentState::Corrected => return None,
    };
    Some((state, if last4 == "0004" { SLOW } else { ANSWER }))
}

/// The office's word on a refund: the money goes back.
fn release(refund: &Refund) -> Row {
    Row::RefundOutcomeSeen(RefundOutcomeSeen {
        state: RefundState::Refunded,
        answer: Some("released for practice".to_owned()),
        ..RefundOutcomeSeen::of(refund)
    })
}

/// Says it as the office would; the payment after it, if it changed.
async fn say(store: &StoreHandle, id: PaymentId, state: OutcomeState) -> Result<Option<Payment>, String> {
    let now = store.clock().now_ms();
    let payment = store.run(move |store| store.payment(id)).await?;
    let half = payment.amount.minor / 2;
    let declined = matches!(state, OutcomeState::Declined | OutcomeState::LateDeclined);
    let outcome = Outcome {
        payment: id,
        state,
        amount_minor: if state == OutcomeState::PartlyApproved { half } else { payment.amount.minor },
        auth_code: (!declined).then(|| "000000".to_owned()),
        response_code: Some(if declined { "05" } else { "00" }.to_owned()),
        reason: declined.then(|| "declined by the training bank".to_owned()),
        at_ms: now,
        n: payment.rev,
    };
    if payment.after_outcome(&outcome).is_none() {
        return Ok(None);
    }
    let body = serde_json::to_value(&outcome).map_err(|why| why.to_string())?;
    let (job, visit, seen) = (payment.job, payment.visit, outcome.clone());
    store
        .run(move |store| {
            let entry = FeedApplied { kind: "outcome".to_owned(), id: id.to_string(), body: Some(body) };
            store.apply_feed(&[entry], &BTreeMap::new(), Uuid::nil(), now)?;
            store.outcome_seen(&seen)
        })
        .await?;
    let row = Row::PaymentOutcomeSeen(PaymentOutcomeSeen { payment: id, job, visit, outcome });
    Ok(store.commit(row, None).await?.payment)
}
