//! Pushes the journal: what is not acknowledged goes out, batch by batch, until nothing is left.

use super::{PUSH, Shared};
use crate::domain::id::PaymentId;
use crate::store::{Identity, Outgoing};
use crate::sync::client::{ClientError, sign_batch};
use crate::sync::plan::{Ended, Plan};
use crate::sync::wire::batch::{Batch, Blob, Envelope};
use crate::sync::wire::{PushAnswer, RequestAge, ack_bytes, verify};
use std::sync::Arc;

/// Until the store has stopped.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut plan = Plan::new(shared.pace.retry_min_ms);
    loop {
        let most = plan.max_rows();
        let Ok((identity, outgoing)) = shared.store.run(move |s| Ok((s.identity()?, s.outgoing(most)?))).await else {
            return;
        };
        if outgoing.rows.is_empty() {
            tokio::select! {
                () = shared.store.wrote() => {}
                () = shared.nudges[PUSH].notified() => plan.nudge(),
            }
            continue;
        }
        let mut batch = batch(&shared, &identity, outgoing);
        sign_batch(&shared.client, &mut batch);
        let failed = shared.failures();
        match shared.client.push(&batch).await {
            Ok(answer) => {
                if take(&shared, &identity, answer).await {
                    plan.ended(Ended::Answered, 0);
                    shared.up(failed);
                    shared.changed();
                } else {
                    let why = ClientError::BadAnswer("its signature is not the office's".to_owned());
                    shared.pause(&mut plan, PUSH, &why).await;
                }
            }
            Err(why) => {
                gap(&shared, &why).await;
                shared.pause(&mut plan, PUSH, &why).await;
            }
        }
    }
}

fn batch(shared: &Shared, identity: &Identity, outgoing: Outgoing) -> Batch {
    let clock = shared.store.clock();
    let (boot, now) = (clock.boot(), clock.mono_ms());
    let age = |(payment, of_boot, mono_ms): &(String, uuid::Uuid, u64)| {
        let payment: PaymentId = payment.parse().ok()?;
        Some(RequestAge { payment, age_ms: (*of_boot == boot).then(|| now.saturating_sub(*mono_ms)) })
    };
    let first = outgoing.rows.first().map_or(0, |row| row.seq);
    let last = outgoing.rows.last().map_or(0, |row| row.seq);
    Batch {
        envelope: Envelope {
            device: identity.device,
            epoch: identity.epoch,
            first,
            last,
            head: outgoing.head,
            head_hash: outgoing.last_hash,
            signature: String::new(),
            requests: outgoing.requests.iter().filter_map(age).collect(),
        },
        rows: outgoing.rows,
        blobs: outgoing.blobs.into_iter().map(|(sha256, bytes)| Blob { sha256, bytes }).collect(),
    }
}

/// Notes what the office holds, if it signed for it.
async fn take(shared: &Shared, identity: &Identity, answer: PushAnswer) -> bool {
    for row in answer.results.iter().filter(|row| row.reason.is_some()) {
        tracing::warn!(seq = row.seq, result = row.result.name(), reason = row.reason, "the office on a row");
    }
    let (device, epoch, key) = (identity.device, identity.epoch, shared.office_key.clone());
    let now = shared.store.clock().now_ms();
    let noted = shared.store.run(move |store| {
        let hash = store.hash_of(answer.acked_through)?;
        let bytes = ack_bytes(device, epoch, answer.acked_through, &hash.to_string());
        if !verify(&key, &bytes, &answer.signature) {
            return Ok(false);
        }
        store.note_ack(answer.acked_through, answer.durable_through, answer.office_epoch, now)?;
        store.set_meta("clock_offset_ms", &(answer.time_ms - now))?;
        Ok(true)
    });
    noted.await.unwrap_or(false)
}

/// The office misses rows that it once acknowledged: they go out again. The rows are what counts, so this needs no
/// signature.
async fn gap(shared: &Shared, why: &ClientError) {
    let ClientError::Refused(problem) = why else { return };
    let Some(acked) = problem.acked_through.filter(|_| why.word() == Some("gap")) else { return };
    let done = shared.store.run(move |store| {
        let acked = acked.min(store.acked()?);
        store.set_meta("acked_seq", &acked)
    });
    if let Err(why) = done.await {
        tracing::warn!(error = %why, "what the office holds was not noted");
    }
}
