//! The worker: takes what is due, does one step of [`super::plan`] for it, and records the answer.
//!
//! Invariant: number, STAN, RRN and key of an attempt are committed before a byte is sent; an answer counts only while
//! its fencing number is still the newest. A payment that hangs holds up nobody else.

use super::facts::{CardPayment, due, load, next_due};
use super::follow_up::{self, follow_up};
use super::plan::{Step, next};
use super::publish::{end, say, trouble};
use super::reconcile::{self, Name};
use super::record::{RETRY_MAX_MS, failed, record_answer, record_found, record_reversed, settle_attempt};
use super::{doubled, refunds, source};
use crate::domain::exception::ExceptionType;
use crate::domain::id::{PaymentId, RefundId};
use crate::office::agreements::runs;
use crate::office::kept::forgetting;
use crate::office::processors::{
    self, Authorisation, FollowUp, LATE_MAX, Late, Processor, ProcessorError, Sent, Source,
};
use crate::office::{Office, OfficeError};
use rusqlite::Connection;
use std::collections::HashSet;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Payments worked on at the same time at the most.
const AT_ONCE: usize = 8;
/// The longest the worker sleeps, milliseconds.
const SLEEP_MS: i64 = 1_000;

/// Runs until `stop` resolves.
pub async fn run(office: Office, stop: impl Future<Output = ()>) -> Result<(), ProcessorError> {
    let (late, mut lates) = mpsc::channel(LATE_MAX);
    let processor = processors::open(&office.settings().processor_url, office.settings().timing.answer_ms, late)?;
    let busy: Arc<Mutex<HashSet<PaymentId>>> = Arc::default();
    let refunding: Arc<Mutex<HashSet<RefundId>>> = Arc::default();
    let mut tasks = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let now = office.now_ms();
        if let Err(why) = runs::begin_due(&office) {
            tracing::error!(error = %why, "the runs of agreements that are due were not begun; they are tried again");
        }
        let found = office.read(|db| due(db, now, AT_ONCE * 4)).unwrap_or_default();
        let mut begun = false;
        for payment in found {
            if tasks.len() >= AT_ONCE || !busy.lock().unwrap_or_else(PoisonError::into_inner).insert(payment) {
                continue;
            }
            begun = true;
            let (office, processor, busy) = (office.clone(), processor.clone(), busy.clone());
            tasks.spawn(async move {
                if let Err(why) = step(&office, &*processor, payment).await {
                    tracing::error!(%payment, error = %why, "a card payment's step failed and is tried again");
                    let later = office.now_ms() + SLEEP_MS;
                    let _ = office.write(|tx| postpone(tx, payment, later));
                }
                busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&payment);
            });
        }
        follow_up::again(&office, &processor, &mut tasks, AT_ONCE);
        refund(&office, &processor, &mut tasks, &refunding);
        forgetting::due(&office, &processor, &mut tasks, AT_ONCE);
        doubled::begin(&office, &processor, &mut tasks, AT_ONCE);
        let sleep = if begun { 0 } else { pause(&office) };
        tokio::select! {
            () = &mut stop => return Ok(()),
            _ = tasks.join_next(), if !tasks.is_empty() => {}
            () = office.work.notified() => {}
            Some(late) = lates.recv() => heard_late(&office, &late),
            () = tokio::time::sleep(Duration::from_millis(sleep)) => tokio::task::yield_now().await,
        }
    }
}

/// Begins a step of each refund that is due.
fn refund(
    office: &Office,
    processor: &Arc<dyn Processor>,
    tasks: &mut JoinSet<()>,
    busy: &Arc<Mutex<HashSet<RefundId>>>,
) {
    let now = office.now_ms();
    for id in office.read(|db| refunds::due(db, now, AT_ONCE)).unwrap_or_default() {
        if tasks.len() >= AT_ONCE || !busy.lock().unwrap_or_else(PoisonError::into_inner).insert(id) {
            continue;
        }
        let (office, processor, busy) = (office.clone(), processor.clone(), busy.clone());
        tasks.spawn(async move {
            if let Err(why) = refunds::step(&office, &*processor, id).await {
                tracing::error!(refund = %id, error = %why, "a refund's step failed and is tried again");
            }
            busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        });
    }
}

fn pause(office: &Office) -> u64 {
    let due = office.read(next_due).ok().flatten().unwrap_or(i64::MAX);
    u64::try_from(due.saturating_sub(office.now_ms()).clamp(20, SLEEP_MS)).unwrap_or(20)
}

/// Not before this time, unless something changes.
pub(super) fn postpone(db: &Connection, payment: PaymentId, until_ms: i64) -> Result<(), OfficeError> {
    db.execute("UPDATE card_payment SET next_ms = ?2 WHERE payment = ?1", (payment.to_string(), until_ms))?;
    Ok(())
}

/// An answer that came after its attempt was given up. An approval of what was reversed is reversed once more.
fn heard_late(office: &Office, late: &Late) {
    let done: Result<(), OfficeError> = office.write(|tx| {
        tracing::warn!(rrn = late.rrn, approved = late.answer.approved, "an answer came late");
        if late.answer.approved {
            follow_up::reverse_again(tx, &late.rrn, office.now_ms())?;
        }
        Ok(())
    });
    if let Err(why) = done {
        tracing::error!(error = %why, "a late answer was not written down; the reversal was already sent");
    }
}

/// What a step asks of the processor, prepared and committed.
enum Call {
    Nothing,
    Authorise(CardPayment, Box<Authorisation>),
    LookUp(CardPayment),
    Reverse(CardPayment, Box<FollowUp>),
    Capture(CardPayment, Box<FollowUp>),
    LookAround(CardPayment, Vec<Name>),
}

async fn step(office: &Office, processor: &dyn Processor, id: PaymentId) -> Result<(), OfficeError> {
    let lease_ms = office.settings().timing.lease_ms();
    match office.write(|tx| prepare(tx, office, processor, id, lease_ms))? {
        Call::Nothing => Ok(()),
        Call::Authorise(payment, request) => authorise(office, processor, payment, *request).await,
        Call::LookUp(payment) => {
            let Some(sent) = &payment.sent else { return Ok(()) };
            let found = processor.look_up(sent).await;
            office.write(|tx| record_found(tx, office, &payment, found))
        }
        Call::LookAround(payment, names) => {
            let found = reconcile::look_around(processor, &names).await;
            office.write(|tx| reconcile::record(tx, office, &payment, found))
        }
        Call::Reverse(payment, call) => {
            let done = processor.reverse(&call).await;
            office.write(|tx| match done {
                Ok(()) => record_reversed(tx, office, &payment),
                Err(why) => failed(tx, office, &payment, ExceptionType::ReversalStuck, &why),
            })
        }
        Call::Capture(payment, call) => {
            let done = processor.capture(&call).await;
            office.write(|tx| match done {
                Ok(minor) => {
                    let sql = "UPDATE card_payment SET captured_minor = ?2 WHERE payment = ?1";
                    tx.execute(sql, (payment.id.to_string(), minor))?;
                    settle_attempt(tx, office, &payment, "captured", None)
                }
                Err(why) => failed(tx, office, &payment, ExceptionType::PaymentUnknown, &why),
            })
        }
    }
}

/// Announces it where the processor works in two steps, keeps the name that it gave, and only then asks.
async fn authorise(
    office: &Office,
    processor: &dyn Processor,
    payment: CardPayment,
    mut request: Authorisation,
) -> Result<(), OfficeError> {
    if request.reference.is_none() {
        match processor.prepare(&request).await {
            Ok(None) => {}
            Ok(Some(reference)) => {
                let sql = "UPDATE attempt SET reference = ?3 WHERE payment = ?1 AND key = ?2 AND fence = ?4";
                let of = (payment.id.to_string(), &request.key, &reference, payment.fence);
                if office.write(|tx| tx.execute(sql, of))? == 0 {
                    return Ok(());
                }
                request.reference = Some(reference);
            }
            Err(why) => return office.write(|tx| record_answer(tx, office, &payment, Err(why))),
        }
    }
    let answer = processor.authorise(&request).await;
    office.write(|tx| record_answer(tx, office, &payment, answer))
}

/// Plans, and commits what must be on the disk before anything is sent.
fn prepare(
    db: &Connection,
    office: &Office,
    processor: &dyn Processor,
    id: PaymentId,
    lease_ms: i64,
) -> Result<Call, OfficeError> {
    let now = office.now_ms();
    let can = processor.abilities();
    let Some(mut payment) = load(db, id, now, can.look_up)? else { return Ok(Call::Nothing) };
    payment.known.unfit |= !source::fits(&payment, can);
    let timing = office.settings().timing;
    let step = next(&payment.known, &timing);
    tracing::debug!(payment = %id, ?step, "planned");
    match step {
        Step::Wait(until) => {
            unseen(db, office, &payment)?;
            postpone(db, id, until.max(now + 1))?;
            Ok(Call::Nothing)
        }
        Step::Over => {
            end(db, id)?;
            Ok(Call::Nothing)
        }
        Step::Say { state, over, why } => {
            say(db, &payment, state, over, why, now)?;
            Ok(Call::Nothing)
        }
        Step::LookAround => {
            let names = reconcile::names(db, &payment)?;
            postpone(db, id, now + lease_ms)?;
            Ok(Call::LookAround(payment, names))
        }
        Step::AskPerson => {
            reconcile::ask(db, &payment, now)?;
            Ok(Call::Nothing)
        }
        Step::Forward { n, deferred } => match source::of(db, office, &payment)? {
            Some(card) => {
                let card = (card, source::keeps(db, &payment, can)?);
                let request = new_attempt(db, office, &payment, (n, deferred), card, now + lease_ms)?;
                payment.sent = Some(follow_up::sent(&request));
                payment.fence = 1;
                payment.tries = 0;
                Ok(Call::Authorise(payment, Box::new(request)))
            }
            None => no_card_data(db, &payment, now),
        },
        Step::Send(n) => match source::of(db, office, &payment)? {
            Some(card) => {
                lease(db, &mut payment, n, Some("in_doubt"), now + lease_ms)?;
                let keep_card = source::keeps(db, &payment, can)?;
                let request = payment.sent.clone().map(|sent| again(sent, card, keep_card));
                Ok(request.map_or(Call::Nothing, |request| Call::Authorise(payment, Box::new(request))))
            }
            None => no_card_data(db, &payment, now),
        },
        Step::LookUp(n) => lease(db, &mut payment, n, None, now + lease_ms).map(|()| Call::LookUp(payment)),
        Step::Reverse(n) => {
            let minor = payment.amount.minor;
            lease(db, &mut payment, n, Some("reversing"), now + lease_ms)?;
            let call = follow_up(db, office, &payment, n, follow_up::Kind::Reversal, minor)?;
            Ok(call.map_or(Call::Nothing, |call| Call::Reverse(payment, Box::new(call))))
        }
        Step::Capture(n) => {
            let minor = payment.known.last.as_ref().map_or(0, |a| a.approved_minor);
            lease(db, &mut payment, n, None, now + lease_ms)?;
            let call = follow_up(db, office, &payment, n, follow_up::Kind::Capture, minor)?;
            Ok(call.map_or(Call::Nothing, |call| Call::Capture(payment, Box::new(call))))
        }
    }
}

fn no_card_data(db: &Connection, payment: &CardPayment, now: i64) -> Result<Call, OfficeError> {
    trouble(db, payment, ExceptionType::PaymentUnknown, "its card data has not arrived", now)?;
    postpone(db, payment.id, now + RETRY_MAX_MS)?;
    Ok(Call::Nothing)
}

/// The same request once more, for an attempt that the processor knows of without effect.
fn again(sent: Sent, source: Source, keep_card: bool) -> Authorisation {
    Authorisation {
        key: sent.key,
        stan: sent.stan,
        rrn: sent.rrn,
        at_ms: sent.at_ms,
        terminal: sent.terminal,
        amount_minor: sent.amount_minor,
        currency: sent.currency,
        deferred: sent.deferred,
        allow_partial: !sent.deferred && matches!(source, Source::Card(_)),
        keep_card,
        reference: sent.reference,
        source,
    }
}

/// An approval that no handheld has seen for long goes onto the dispatcher's list.
fn unseen(db: &Connection, office: &Office, payment: &CardPayment) -> Result<(), OfficeError> {
    let (known, timing) = (&payment.known, office.settings().timing);
    let old = known.approved_at_ms.is_some_and(|at| known.now_ms - at > timing.unseen_ms);
    if old && !known.outcome_seen && !known.accepted_offline {
        trouble(db, payment, ExceptionType::ApprovedUnseen, "approved, and not seen by the handheld", known.now_ms)?;
    }
    Ok(())
}

/// Commits the numbers of a new attempt. STAN and RRN are never used again, and carry the office's epoch.
fn new_attempt(
    db: &Connection,
    office: &Office,
    payment: &CardPayment,
    (n, deferred): (u32, bool),
    (source, keep_card): (Source, bool),
    lease_ms: i64,
) -> Result<Authorisation, OfficeError> {
    let (count, stan) = follow_up::next_stan(db)?;
    let epoch = office.epoch.simple().to_string();
    let rrn = format!("{}{count:08}", epoch.get(..4).unwrap_or("0000"));
    let key = format!("{}-{}-{n}", epoch.get(..8).unwrap_or(""), payment.id);
    db.execute(
        "INSERT INTO attempt (payment, n, key, stan, rrn, deferred, state, amount_minor, lease_ms, fence, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'prepared', ?7, ?8, 1, ?9)",
        (payment.id.to_string(), n, &key, stan, &rrn, deferred, payment.amount.minor, lease_ms, payment.known.now_ms),
    )?;
    let terminal = db.query_row("SELECT name FROM device WHERE id = ?1", [&payment.device], |r| r.get(0))?;
    Ok(Authorisation {
        key,
        stan,
        rrn,
        at_ms: payment.known.now_ms,
        terminal,
        amount_minor: payment.amount.minor,
        currency: payment.amount.currency.code().to_owned(),
        deferred,
        allow_partial: !deferred && matches!(source, Source::Card(_)),
        keep_card,
        reference: None,
        source,
    })
}

/// Takes an attempt for one call: whoever had it before is fenced off.
fn lease(
    db: &Connection,
    payment: &mut CardPayment,
    n: u32,
    state: Option<&str>,
    until_ms: i64,
) -> Result<(), OfficeError> {
    let sql = "UPDATE attempt SET lease_ms = ?3, fence = fence + 1, state = coalesce(?4, state)
               WHERE payment = ?1 AND n = ?2 RETURNING fence";
    payment.fence = db.query_row(sql, (payment.id.to_string(), n, until_ms, state), |r| r.get(0))?;
    Ok(())
}
