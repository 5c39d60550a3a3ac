//! The exchange with the office: two tasks, one that pushes the journal and one that waits for the feed.
//!
//! Invariants: one batch in flight; what the office acknowledges under its signature is noted, nothing else; a page of
//! the feed and its cursor are applied together; the office's word on a payment is journalled before it is marked as
//! seen. Retries have their own timer and also fire on a nudge. Start at [`SyncHandle`].

mod feed;
pub mod practice;
mod push;

use super::store::StoreHandle;
use crate::domain::id::PaymentId;
use crate::domain::policy::{OfflinePolicy, PolicyRefusal};
use crate::domain::rules::Rules;
use crate::flow::payment::{Event, Offline};
use crate::runtime::PaymentEvents;
use crate::runtime::link::LinkState;
use crate::store::StoreError;
use crate::sync::client::{Client, ClientError};
use crate::sync::plan::{Ended, Plan};
use crate::sync::wire::{BATCH_MAX_ROWS, SignedPolicy};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// How long things take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// First pause after a failure, milliseconds.
    pub retry_min_ms: u64,
    /// How long a request for the feed waits for news, milliseconds.
    pub feed_wait_ms: u64,
}

impl Pace {
    /// One second, and 25 seconds.
    pub const STANDARD: Pace = Pace { retry_min_ms: 1_000, feed_wait_ms: 25_000 };
}

/// A way to the exchange; cheap to clone.
#[derive(Clone)]
pub struct SyncHandle {
    store: StoreHandle,
    link: watch::Receiver<LinkState>,
    applied: watch::Receiver<u64>,
    nudges: Arc<[Notify; 2]>,
    /// Nothing is ever sent, so no backlog stands in the way of a request.
    practice: bool,
}

/// What both tasks share.
struct Shared {
    client: Client,
    store: StoreHandle,
    link: watch::Sender<LinkState>,
    applied: watch::Sender<u64>,
    events: PaymentEvents,
    office_key: String,
    pace: Pace,
    nudges: Arc<[Notify; 2]>,
    /// How often an exchange has failed, of either task.
    failures: AtomicU64,
}

const PUSH: usize = 0;
const FEED: usize = 1;

/// The two ends of what the exchange says of the link; made before the actors that listen to it.
pub fn link_channel() -> (watch::Sender<LinkState>, watch::Receiver<LinkState>) {
    watch::channel(LinkState::default())
}

/// Starts both tasks. They end when the store has stopped.
pub fn spawn(
    client: Client,
    store: StoreHandle,
    link: watch::Sender<LinkState>,
    events: PaymentEvents,
    office_key: String,
    pace: Pace,
) -> SyncHandle {
    let nudges = Arc::new([Notify::new(), Notify::new()]);
    let (applied_tx, applied) = watch::channel(0);
    let handle =
        SyncHandle { store: store.clone(), link: link.subscribe(), applied, nudges: nudges.clone(), practice: false };
    let failures = AtomicU64::new(0);
    let shared =
        Arc::new(Shared { client, store, link, applied: applied_tx, events, office_key, pace, nudges, failures });
    tokio::spawn(push::run(shared.clone()));
    tokio::spawn(feed::run(shared));
    handle
}

impl SyncHandle {
    /// Talk to the office now, whatever the timers say.
    pub fn nudge(&self) {
        self.nudges.iter().for_each(Notify::notify_one);
    }

    /// The connection, now and whenever it changes.
    pub fn link(&self) -> watch::Receiver<LinkState> {
        self.link.clone()
    }

    /// Counts pages of the feed and acknowledged batches: whoever shows data reads it again when this moves.
    pub fn applied(&self) -> watch::Receiver<u64> {
        self.applied.clone()
    }

    /// Whether the bank can be asked now, and whether the payment may be stored if not.
    pub async fn assess(&self, payment: PaymentId) -> Event {
        let online = self.link.borrow().online;
        let (now, practice) = (self.store.clock().now_ms(), self.practice);
        let assessed = self
            .store
            .run(move |store| {
                let payment = store.payment(payment)?;
                let office_key = store.identity()?.office_key;
                let signed = store.document::<SignedPolicy>("policy")?;
                let policy = signed.and_then(|signed| signed.verified(&office_key));
                let fits = practice || store.sync_status()?.unsent() <= BATCH_MAX_ROWS as u64;
                let card = payment.card.as_ref().ok_or(StoreError::Missing("the card's read"))?;
                let limits = store.offline_limits(policy.as_ref(), payment.amount, card, now)?;
                let manager = store.document::<Rules>("rules")?.is_some_and(|rules| rules.manager_pin.is_some());
                Ok((online && fits, offline(policy.as_ref(), &limits, manager, now)))
            })
            .await;
        match assessed {
            Ok((online, offline)) => Event::Assessed { online, offline },
            Err(why) => Event::Assessed { online: false, offline: Offline::Refused(why) },
        }
    }
}

/// What the limits that a payment breaks come to.
fn offline(policy: Option<&OfflinePolicy>, limits: &[PolicyRefusal], manager: bool, now_ms: i64) -> Offline {
    let deadline_ms = now_ms.saturating_add(policy.map_or(0, |policy| policy.forward_ms));
    let policy = policy.map_or(0, |policy| policy.version);
    match limits.first() {
        None => Offline::Allowed { deadline_ms, policy },
        // Hard ones come first: if this one is soft, all are.
        Some(limit) if limit.is_soft() && manager => {
            let all: Vec<String> = limits.iter().map(ToString::to_string).collect();
            Offline::NeedsManager { deadline_ms, policy, why: all.join("; ") }
        }
        Some(limit) => Offline::Refused(limit.to_string()),
    }
}

impl Shared {
    /// How often an exchange has failed so far; for [`Shared::up`].
    fn failures(&self) -> u64 {
        self.failures.load(Ordering::SeqCst)
    }

    /// An exchange went through that began when so many had `failed`. One that has failed since knows better: the answer
    /// may have come before the link went, and only now be written down.
    fn up(&self, failed: u64) {
        self.link.send_if_modified(|link| {
            if self.failures() != failed {
                return false;
            }
            let before = link.clone();
            *link = LinkState { online: true, next_try_ms: None, last_error: None };
            before != *link
        });
    }

    fn down(&self, why: &ClientError, pause_ms: u64) {
        let now = self.store.clock().now_ms();
        let next = now.saturating_add(i64::try_from(pause_ms).unwrap_or(i64::MAX));
        let last_error = Some(why.to_string());
        self.failures.fetch_add(1, Ordering::SeqCst);
        self.link.send_replace(LinkState { online: false, next_try_ms: Some(next), last_error });
    }

    /// Something may look different now.
    fn changed(&self) {
        self.applied.send_modify(|count| *count += 1);
    }

    /// A failed exchange: says so, and waits for the plan's pause or a nudge.
    async fn pause(&self, plan: &mut Plan, which: usize, why: &ClientError) {
        let ended = why.ended();
        let pause_ms = plan.ended(ended, rand::random::<u16>()).unwrap_or(0);
        tracing::info!(error = ?why, pause_ms, "the exchange failed");
        if ended != Ended::Answered {
            self.down(why, pause_ms);
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(pause_ms)) => {}
            () = self.nudges[which].notified() => plan.nudge(),
        }
    }
}
