//! Refunds at the office: asked for by a handheld, released or refused by a person, carried out at the processor. Those that
//! the office begins itself (`give_back`) are released from the start.
//!
//! | state | becomes | when |
//! |---|---|---|
//! | waits | released · refused | a dispatcher decides |
//! | released | done · refused | the processor answers; a transfer or cheque is done as soon as it is released |
//!
//! Invariant: nothing goes to the processor before a person released it; a refund has one name there however often it is
//! sent; what goes back is never more than what was captured, which a constraint holds.
//!
//! Start at [`asked`], [`decide`] and [`step`].

use super::doubled;
use super::follow_up::{self, Kind, sent_of};
use super::{give_back, moved_by};
use crate::domain::event::RefundRequested;
use crate::domain::exception::ExceptionType;
use crate::domain::id::RefundId;
use crate::domain::money::Money;
use crate::domain::payment::Tender;
use crate::domain::refund::{Refund, RefundState, RefundWord};
use crate::facts;
use crate::office::agreements::{OFFICE_DEVICE, runs};
use crate::office::exceptions::{Trouble, raise, settle};
use crate::office::processors::{FollowUp, Processor, ProcessorError, Refunded};
use crate::office::{Office, OfficeError, ereceipts, feed, from_json, id_from, to_json};
use rusqlite::{Connection, OptionalExtension as _};

/// The first pause after a refund without an answer, milliseconds; doubles up to [`RETRY_MAX_MS`].
const RETRY_MS: i64 = 1_000;
/// The longest pause, milliseconds.
const RETRY_MAX_MS: i64 = 60_000;
/// After so many calls without an answer a dispatcher hears of it.
const TRIES_BEFORE_ALARM: u32 = 5;

/// A handheld asked for it.
pub fn asked(db: &Connection, device: &str, asked: &RefundRequested, now_ms: i64) -> Result<(), OfficeError> {
    let id = asked.refund.to_string();
    let refund = facts::refund(db, asked.refund)?.ok_or_else(|| OfficeError::Missing(format!("the refund {id}")))?;
    db.execute(
        "INSERT INTO refund_work (refund, payment, device, job, tender, currency, amount_minor, state, next_ms, record)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'waits', ?8, ?9)",
        (
            &id,
            asked.payment.map(|id| id.to_string()),
            device,
            asked.job.to_string(),
            facts::name(&asked.tender)?,
            asked.amount.currency.code(),
            asked.amount.minor,
            now_ms,
            to_json(&refund)?,
        ),
    )?;
    if let Some(payment) = asked.payment
        && give_back::leaves_too_little(db, payment, Money::zero(asked.amount.currency))?
    {
        // The technician did not know yet that the office gives this money back.
        let sql = "UPDATE refund_work SET state = 'refused', decided_by = 'office', decided_ms = ?2 WHERE refund = ?1";
        db.execute(sql, (&id, now_ms))?;
        let work = work(db, asked.refund)?.ok_or_else(|| OfficeError::Missing(format!("the refund {id}")))?;
        return ended(db, &work, RefundState::Refused, "the office gives this payment back already", now_ms);
    }
    let linked = match (asked.payment, asked.manager) {
        (Some(_), _) => "",
        (None, true) => "not linked to a payment, by a manager's PIN; ",
        (None, false) => "not linked to a payment, without a manager's PIN; ",
    };
    let note = format!("{linked}the technician asks: {}", asked.reason);
    trouble(db, device, &refund, &note, now_ms)
}

fn trouble(db: &Connection, device: &str, refund: &Refund, note: &str, now_ms: i64) -> Result<(), OfficeError> {
    let (subject, job) = (refund.id.to_string(), refund.job.to_string());
    let trouble = Trouble {
        kind: ExceptionType::RefundRequested,
        subject: &subject,
        device: Some(device),
        job: Some(&job),
        amount: refund.amount,
        note,
        deadline_ms: None,
    };
    raise(db, &trouble, now_ms)
}

/// A person's decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'a> {
    /// Give it back. What is not a card's was given back by hand.
    Release,
    /// Do not, because.
    Refuse(&'a str),
}

/// Releases or refuses a refund that waits; `false` when it does not wait any more.
pub fn decide(
    db: &Connection,
    id: RefundId,
    decision: Decision<'_>,
    who: &str,
    now_ms: i64,
) -> Result<bool, OfficeError> {
    let Some(work) = work(db, id)? else { return Err(OfficeError::Missing(format!("the refund {id}"))) };
    let sql = "UPDATE refund_work SET state = ?2, decided_by = ?3, decided_ms = ?4, next_ms = ?4
               WHERE refund = ?1 AND state = 'waits'";
    let state = match decision {
        Decision::Release => "released",
        Decision::Refuse(_) => "refused",
    };
    if db.execute(sql, (id.to_string(), state, who, now_ms))? == 0 {
        return Ok(false);
    }
    match decision {
        Decision::Refuse(why) => ended(db, &work, RefundState::Refused, why, now_ms)?,
        // The handheld's drawer gives it, once the handheld has heard of this.
        Decision::Release if work.refund.tender == Tender::Cash => {
            ended(db, &work, RefundState::Refunded, "released by the office: hand over the cash", now_ms)?;
        }
        Decision::Release if work.refund.tender == Tender::Deposit => {
            ended(db, &work, RefundState::Refunded, "put back to the deposit", now_ms)?;
        }
        // No processor gives back to a card that no payment names: the office does it by hand.
        Decision::Release if work.refund.tender != Tender::Card || work.refund.payment.is_none() => {
            ended(db, &work, RefundState::Refunded, "given back by the office", now_ms)?;
        }
        Decision::Release => {}
    }
    Ok(true)
}

/// A refund and where it came from.
#[derive(Debug, Clone)]
pub struct Work {
    /// The refund as it was asked for.
    pub refund: Refund,
    /// The handheld.
    pub device: String,
    /// `waits`, `released`, `done`, `refused`.
    pub state: String,
    /// Who released or refused it.
    pub decided_by: Option<String>,
    /// The processor's word, or why not.
    pub answer: Option<String>,
    /// The exception that the office deals with by it; none for one that a handheld asked for.
    pub exception: Option<String>,
}

/// One refund's work.
pub fn work(db: &Connection, id: RefundId) -> Result<Option<Work>, OfficeError> {
    let sql = "SELECT record, device, state, decided_by, answer, exception FROM refund_work WHERE refund = ?1";
    let found = db.prepare_cached(sql)?.query_row([id.to_string()], row).optional()?;
    found.map(of_row).transpose()
}

/// Every refund, those that wait first, then the newest.
pub fn all(db: &Connection, limit: usize) -> Result<Vec<Work>, OfficeError> {
    let sql = "SELECT record, device, state, decided_by, answer, exception FROM refund_work
               ORDER BY state <> 'waits', refund DESC LIMIT ?1";
    let mut statement = db.prepare_cached(sql)?;
    let found = statement.query_map([limit], row)?.collect::<rusqlite::Result<Vec<_>>>()?;
    found.into_iter().map(of_row).collect()
}

type Columns = (String, String, String, Option<String>, Option<String>, Option<String>);

fn row(r: &rusqlite::Row<'_>) -> rusqlite::Result<Columns> {
    Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?))
}

fn of_row((record, device, state, decided_by, answer, exception): Columns) -> Result<Work, OfficeError> {
    Ok(Work { refund: from_json(&record)?, device, state, decided_by, answer, exception })
}

/// Says what became of it, to the handheld and on the list.
fn ended(db: &Connection, work: &Work, state: RefundState, answer: &str, now_ms: i64) -> Result<(), OfficeError> {
    let id = work.refund.id.to_string();
    let word_n: u32 = db.query_row("SELECT word_n + 1 FROM refund_work WHERE refund = ?1", [&id], |r| r.get(0))?;
    let refund = Refund { state, answer: Some(answer.to_owned()), ..work.refund.clone() };
    let word = RefundWord { refund, n: word_n };
    let done = if state == RefundState::Refunded { "done" } else { "refused" };
    db.execute(
        "UPDATE refund_work SET state = ?2, answer = ?3, word_n = ?4, word = ?5 WHERE refund = ?1",
        (&id, done, answer, word_n, to_json(&word)?),
    )?;
    let known_there = work.exception.is_none() || state == RefundState::Refunded;
    if known_there && work.device == OFFICE_DEVICE {
        runs::given_back(db, &word, now_ms)?;
    } else if known_there {
        feed::note(db, &feed::channel_of(&work.device), "refund", &id, "put")?;
    }
    if let Some(exception) = &work.exception {
        let work = Work { state: done.to_owned(), ..work.clone() };
        give_back::ended(db, &work, exception, answer, now_ms)?;
    }
    match work.refund.payment {
        Some(payment) => moved_by(db, &payment.to_string(), now_ms)?,
        None => ereceipts::look_again_at(db, &work.refund.visit.to_string())?,
    }
    settle(db, ExceptionType::RefundRequested, &id, answer, now_ms)
}

/// Released refunds whose turn it is.
pub fn due(db: &Connection, now_ms: i64, limit: usize) -> Result<Vec<RefundId>, OfficeError> {
    let mut statement = db.prepare_cached(
        "SELECT refund FROM refund_work WHERE state = 'released' AND next_ms <= ?1 ORDER BY next_ms LIMIT ?2",
    )?;
    let ids = statement.query_map((now_ms, limit), |r| r.get::<_, String>(0))?;
    ids.map(|id| id_from(&id?)).collect()
}

/// One step of a released card refund.
pub async fn step(office: &Office, processor: &dyn Processor, id: RefundId) -> Result<(), OfficeError> {
    match office.write(|tx| prepare(tx, office, id))? {
        None => Ok(()),
        Some((work, call)) => {
            let answer = processor.refund(&call).await;
            office.write(|tx| record(tx, office, &work, answer))
        }
    }
}

/// The call to make, with its name and numbers committed; nothing if it must wait or has ended.
fn prepare(db: &Connection, office: &Office, id: RefundId) -> Result<Option<(Work, FollowUp)>, OfficeError> {
    let now = office.now_ms();
    let Some(work) = work(db, id)?.filter(|work| work.state == "released") else { return Ok(None) };
    let Some(payment) = work.refund.payment.map(|id| id.to_string()) else { return Ok(None) };
    let sql = "SELECT captured_minor - refunded_minor, over FROM card_payment WHERE payment = ?1";
    let found: Option<(i64, bool)> = db.query_row(sql, [&payment], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
    let amount = work.refund.amount.minor;
    let captured = match found {
        Some((left, _)) if left >= amount => newest_captured(db, &payment)?,
        Some((_, false)) => {
            // It may still be captured.
            pause(db, &work, now)?;
            return Ok(None);
        }
        Some((_, true)) | None => None,
    };
    let Some(n) = captured else {
        let why = "less than that was captured at the processor";
        db.execute("UPDATE refund_work SET state = 'refused' WHERE refund = ?1", [id.to_string()])?;
        ended(db, &work, RefundState::Refused, why, now)?;
        return Ok(None);
    };
    let Some(of) = sent_of(db, &payment, n)? else { return Ok(None) };
    let call = follow_up::keep(db, office, &payment, n, of, (Kind::Refund, &id.to_string()), amount)?;
    let until = now.saturating_add(office.settings().timing.lease_ms());
    db.execute("UPDATE refund_work SET next_ms = ?2 WHERE refund = ?1", (id.to_string(), until))?;
    Ok(Some((work, call)))
}

fn newest_captured(db: &Connection, payment: &str) -> Result<Option<u32>, OfficeError> {
    let sql = "SELECT n FROM attempt WHERE payment = ?1 AND state = 'captured' ORDER BY n DESC LIMIT 1";
    Ok(db.query_row(sql, [payment], |r| r.get(0)).optional()?)
}

fn pause(db: &Connection, work: &Work, now_ms: i64) -> Result<(), OfficeError> {
    let id = work.refund.id.to_string();
    let sql = "UPDATE refund_work SET tries = tries + 1 WHERE refund = ?1 RETURNING tries";
    let tries: u32 = db.query_row(sql, [&id], |r| r.get(0))?;
    let pause = RETRY_MS.saturating_mul(1 << tries.min(6)).min(RETRY_MAX_MS);
    db.execute("UPDATE refund_work SET next_ms = ?2 WHERE refund = ?1", (&id, now_ms + pause))?;
    let note = "released, but the processor does not answer yet";
    match &work.exception {
        _ if tries < TRIES_BEFORE_ALARM => Ok(()),
        None => trouble(db, &work.device, &work.refund, note, now_ms),
        // It is on the list until the processor answers.
        Some(exception) => {
            db.execute("UPDATE exception SET note = ?2 WHERE id = ?1", (exception, note))?;
            Ok(())
        }
    }
}

fn record(
    db: &Connection,
    office: &Office,
    work: &Work,
    answer: Result<Refunded, ProcessorError>,
) -> Result<(), OfficeError> {
    let now = office.now_ms();
    // Somebody else may have heard first.
    let sql = "SELECT state = 'released' FROM refund_work WHERE refund = ?1";
    if !db.query_row(sql, [work.refund.id.to_string()], |r| r.get::<_, bool>(0))? {
        return Ok(());
    }
    match answer {
        Ok(Refunded { done: true, .. }) => {
            let sql = "UPDATE card_payment SET refunded_minor = refunded_minor + ?2 WHERE payment = ?1";
            db.execute(sql, (work.refund.payment.map(|id| id.to_string()), work.refund.amount.minor))?;
            doubled::watch(db, work.refund.id, now)?;
            ended(db, work, RefundState::Refunded, "the money goes back to the card", now)
        }
        Ok(Refunded { done: false, response_code }) => {
            ended(db, work, RefundState::Refused, &format!("the processor refused it (answer {response_code})"), now)
        }
        Err(why @ (ProcessorError::Refused(_) | ProcessorError::Unable(_))) => {
            ended(db, work, RefundState::Refused, &why.to_string(), now)
        }
        Err(why @ (ProcessorError::InDoubt(_) | ProcessorError::Setting(_))) => {
            tracing::warn!(refund = %work.refund.id, error = %why, "no answer to a refund; it is sent again");
            pause(db, work, now)
        }
    }
}

/// Money that waits to go back or is on its way.
pub fn open_sum(db: &Connection, zero: Money) -> Result<Money, OfficeError> {
    let sql = "SELECT coalesce(sum(amount_minor), 0) FROM refund_work
               WHERE state IN ('waits', 'released') AND currency = ?1";
    let minor = db.query_row(sql, [zero.currency.code()], |r| r.get(0))?;
    Ok(Money::new(minor, zero.currency))
}
