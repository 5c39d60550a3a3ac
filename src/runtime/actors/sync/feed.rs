//! Waits for the office's news, applies it, and acts on its words about payments.

use super::{FEED, Shared};
use crate::domain::event::{Event as Row, PaymentOutcomeSeen, RefundOutcomeSeen};
use crate::domain::outcome::Outcome;
use crate::flow::payment::Event;
use crate::store::FeedApplied;
use crate::sync::client::ClientError;
use crate::sync::plan::{Ended, Plan};
use crate::sync::wire::{Cursor, FeedOp, FeedPage};
use std::sync::Arc;
use uuid::Uuid;

/// Until the store has stopped.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut plan = Plan::new(shared.pace.retry_min_ms);
    // Words that a stopped program had received and not acted on.
    if settle(&shared).await.is_err() {
        return;
    }
    let mut wait_ms = 0;
    loop {
        let Ok((epoch, cursor)) = shared.store.run(|store| store.feed_cursor()).await else { return };
        let failed = shared.failures();
        let asked = ask(&shared, epoch, &cursor, wait_ms).await;
        let Some(asked) = asked else {
            wait_ms = 0;
            continue;
        };
        match asked {
            Ok(page) => {
                plan.ended(Ended::Answered, 0);
                wait_ms = if page.more { 0 } else { shared.pace.feed_wait_ms };
                if apply(&shared, page).await.is_err() {
                    return;
                }
                shared.up(failed);
                shared.changed();
            }
            Err(why) if why.word() == Some("cursor-gone") => {
                if shared.store.run(|store| store.restart_feed()).await.is_err() {
                    return;
                }
            }
            Err(why) => {
                wait_ms = 0;
                fail(&shared, &mut plan, &why).await;
            }
        }
    }
}

/// One request. A nudge ends one that waits for news: on a dead connection the long wait would be spent for nothing.
/// One that is answered at once is let be, or whoever nudges more often than the link can answer never hears a word.
async fn ask(
    shared: &Shared,
    epoch: Option<Uuid>,
    cursor: &Cursor,
    wait_ms: u64,
) -> Option<Result<FeedPage, ClientError>> {
    let asked = shared.client.feed(epoch, cursor, wait_ms);
    if wait_ms == 0 {
        return Some(asked.await);
    }
    tokio::select! {
        asked = asked => Some(asked),
        () = shared.nudges[FEED].notified() => None,
    }
}

async fn fail(shared: &Shared, plan: &mut Plan, why: &ClientError) {
    shared.pause(plan, FEED, why).await;
}

async fn apply(shared: &Shared, page: FeedPage) -> Result<(), String> {
    let now = shared.store.clock().now_ms();
    let entries: Vec<FeedApplied> = page
        .entries
        .into_iter()
        .map(|entry| FeedApplied {
            kind: entry.kind,
            id: entry.id,
            body: entry.body.filter(|_| entry.op == FeedOp::Put),
        })
        .collect();
    shared
        .store
        .run(move |store| {
            store.apply_feed(&entries, &page.cursor, page.office_epoch, now)?;
            store.set_meta("clock_offset_ms", &(page.time_ms - now))?;
            store.set_meta("last_contact_ms", &now)
        })
        .await?;
    settle(shared).await
}

/// Journals every word of the office that changes a payment, tells whoever waits, then marks it as seen.
async fn settle(shared: &Shared) -> Result<(), String> {
    for outcome in shared.store.run(|store| store.unseen_outcomes()).await? {
        let id = outcome.payment;
        let payment = shared.store.run(move |store| store.payment(id)).await?;
        if payment.after_outcome(&outcome).is_some() {
            let seen =
                PaymentOutcomeSeen { payment: id, job: payment.job, visit: payment.visit, outcome: outcome.clone() };
            // The payment may have moved on between the two reads: then the word comes up again next time.
            match shared.store.commit(Row::PaymentOutcomeSeen(seen), None).await {
                Ok(committed) => mark(shared, outcome, committed.payment).await?,
                Err(why) => tracing::warn!(error = %why, "an outcome does not fit any more"),
            }
        } else {
            mark(shared, outcome, None).await?;
        }
    }
    settle_refunds(shared).await
}

/// Journals every word of the office on a refund.
async fn settle_refunds(shared: &Shared) -> Result<(), String> {
    for word in shared.store.run(|store| store.unseen_refunds()).await? {
        let refund = word.refund.clone();
        let id = refund.id;
        let known = shared.store.run(move |store| store.refund(id)).await?;
        // Journalled already, before the program was stopped.
        if known.is_some_and(|known| known.state == refund.state) {
            shared.store.run(move |store| store.refund_seen(&word)).await?;
            continue;
        }
        let seen = RefundOutcomeSeen::of(&refund);
        match shared.store.commit(Row::RefundOutcomeSeen(seen), None).await {
            Ok(_) => shared.store.run(move |store| store.refund_seen(&word)).await?,
            // It comes up again next time.
            Err(why) => tracing::warn!(refund = %id, error = %why, "a refund's outcome does not fit"),
        }
        shared.changed();
    }
    Ok(())
}

async fn mark(
    shared: &Shared,
    outcome: Outcome,
    payment: Option<crate::domain::payment::Payment>,
) -> Result<(), String> {
    let id = outcome.payment;
    shared.store.run(move |store| store.outcome_seen(&outcome)).await?;
    if let Some(payment) = payment {
        let _ = shared.events.send((id, Event::Settled(Box::new(payment)))).await;
    }
    Ok(())
}
