//! Payments that a lost office may have sent: after a restore each is asked for by every name that the lost office may
//! have given it, and where that finds nothing a person or the settlement file says. None is ever sent by itself.
//!
//! The names are known although the lost office is not: an attempt is called by the office's epoch, the payment and
//! the attempt's number. Start at [`names`].

use super::facts::CardPayment;
use super::follow_up::{next_stan, sent_of};
use super::plan::SOFT_DECLINES;
use super::publish::trouble;
use super::record::wake_others;
use super::worker::postpone;
use crate::domain::exception::ExceptionType;
use crate::office::exceptions::settle;
use crate::office::kept;
use crate::office::processors::{Answer, Found, Processor, ProcessorError, Sent};
use crate::office::{Office, OfficeError, meta};
use rusqlite::Connection;

/// Attempts of a lost office that are looked for beyond those that the backup knows.
const BEYOND: u32 = 8;
/// Former epochs that are looked under, the newest first.
const EPOCHS_MAX: u32 = 4;
/// Pause before the processor is asked again after it did not answer, or a person is reminded, milliseconds.
const AGAIN_MS: i64 = 60_000;

/// One attempt that may be at the processor.
#[derive(Debug, Clone)]
pub struct Name {
    /// Its number.
    n: u32,
    /// As it would have been sent. STAN and RRN are empty where the backup does not know the attempt: processors
    /// that can look up find it by its key.
    sent: Sent,
}

/// Every attempt that the lost office may have sent.
pub fn names(db: &Connection, payment: &CardPayment) -> Result<Vec<Name>, OfficeError> {
    let id = payment.id.to_string();
    let terminal: String = db.query_row("SELECT name FROM device WHERE id = ?1", [&payment.device], |r| r.get(0))?;
    let mut statement =
        db.prepare_cached("SELECT substr(epoch, 1, 8) FROM former_epoch ORDER BY ended_ms DESC LIMIT ?1")?;
    let epochs: Vec<String> = statement.query_map([EPOCHS_MAX], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
    let last = payment.known.last.as_ref().map_or(0, |attempt| attempt.n);
    let mut names = Vec::new();
    for n in 1..=last + BEYOND {
        let known = sent_of(db, &id, n)?;
        for epoch in &epochs {
            let key = format!("{epoch}-{id}-{n}");
            if known.as_ref().is_some_and(|sent| sent.key == key) {
                continue;
            }
            let sent = Sent {
                key,
                stan: 0,
                rrn: String::new(),
                at_ms: payment.known.now_ms,
                terminal: terminal.clone(),
                amount_minor: payment.amount.minor,
                currency: payment.amount.currency.code().to_owned(),
                deferred: payment.known.accepted_offline,
                auth_code: None,
                reference: None,
            };
            names.push(Name { n, sent });
        }
        names.extend(known.map(|sent| Name { n, sent }));
    }
    Ok(names)
}

/// What the processor has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    n: u32,
    key: String,
    answer: Answer,
    captured_minor: i64,
}

/// Asks for each; those that were answered. An error leaves everything open.
pub async fn look_around(processor: &dyn Processor, names: &[Name]) -> Result<Vec<Standing>, ProcessorError> {
    let mut standing = Vec::new();
    for Name { n, sent } in names {
        match processor.look_up(sent).await? {
            // Announced only: it has no effect, and nothing goes on from it.
            Found::Nothing | Found::Reversed | Found::Unfinished { .. } => {}
            Found::Answered { answer, captured_minor } => {
                standing.push(Standing { n: *n, key: sent.key.clone(), answer, captured_minor });
            }
        }
    }
    Ok(standing)
}

/// The attempt that counts: captured before approved before declined. A soft decline of a stored payment ends nothing.
fn counts(standing: &[Standing], offline: bool) -> Option<&Standing> {
    let captured = standing.iter().find(|one| one.captured_minor > 0);
    let approved = || standing.iter().find(|one| one.answer.approved);
    let soft = |one: &Standing| SOFT_DECLINES.contains(&one.answer.response_code.as_str());
    let declined = || standing.iter().rev().find(|one| !(offline && soft(one)));
    captured.or_else(approved).or_else(declined)
}

/// Writes down what the look-up found.
pub fn record(
    db: &Connection,
    office: &Office,
    payment: &CardPayment,
    found: Result<Vec<Standing>, ProcessorError>,
) -> Result<(), OfficeError> {
    let (id, now) = (payment.id.to_string(), office.now_ms());
    let open: i64 = db.query_row("SELECT in_question FROM card_payment WHERE payment = ?1", [&id], |r| r.get(0))?;
    if open != 1 {
        return Ok(());
    }
    let standing = match found {
        Ok(standing) => standing,
        Err(why) => {
            let note = format!("the look-up after the restore failed: {why}");
            trouble(db, payment, ExceptionType::PaymentReconcile, &note, now)?;
            return postpone(db, payment.id, now + AGAIN_MS);
        }
    };
    forget_alive(db, &id)?;
    let Some(one) = counts(&standing, payment.known.accepted_offline) else {
        db.execute("UPDATE card_payment SET in_question = 2, next_ms = ?2 WHERE payment = ?1", (&id, now))?;
        return Ok(());
    };
    let state = match (one.captured_minor > 0, one.answer.approved) {
        (true, _) => "captured",
        (false, true) => "approved",
        (false, false) => "declined",
    };
    adopt(db, &id, one.n, &one.key, state, Some(&one.answer), now)?;
    if one.answer.approved {
        kept::approved(db, payment, &one.answer, now)?;
    }
    if one.captured_minor > 0 {
        let sql = "UPDATE card_payment SET captured_minor = min(amount_minor, ?2) WHERE payment = ?1";
        db.execute(sql, (&id, one.captured_minor))?;
    }
    settle(db, ExceptionType::PaymentReconcile, &id, "the processor's look-up found it", now)
}

/// Nobody knows: onto the list, once.
pub fn ask(db: &Connection, payment: &CardPayment, now_ms: i64) -> Result<(), OfficeError> {
    let note = if payment.known.can_look_up {
        "a look-up at the processor by every name that the lost office used found nothing"
    } else {
        "this processor cannot be asked what it has"
    };
    trouble(db, payment, ExceptionType::PaymentReconcile, note, now_ms)?;
    postpone(db, payment.id, now_ms + AGAIN_MS)
}

/// What the backup thought alive is not what counts: the look-up or a person has said so.
fn forget_alive(db: &Connection, payment: &str) -> Result<(), OfficeError> {
    let sql = "UPDATE attempt SET state = 'dead', lease_ms = 0, fence = fence + 1
               WHERE payment = ?1 AND state NOT IN ('dead', 'declined')";
    db.execute(sql, [payment])?;
    Ok(())
}

/// Takes an attempt of the lost office as one of ours; the payment is not in question any more.
fn adopt(
    db: &Connection,
    payment: &str,
    n: u32,
    key: &str,
    state: &str,
    answer: Option<&Answer>,
    now_ms: i64,
) -> Result<(), OfficeError> {
    let (count, stan) = next_stan(db)?;
    let epoch = meta(db, "epoch")?.unwrap_or_default();
    let rrn = format!("{}{count:08}", epoch.get(..4).unwrap_or("0000"));
    let approved = answer.filter(|a| a.approved).map_or(0, |a| a.amount_minor);
    let (code, auth) = (answer.map(|a| &a.response_code), answer.and_then(|a| a.auth_code.as_ref()));
    db.execute(
        "INSERT INTO attempt (payment, n, key, stan, rrn, deferred, state, amount_minor, approved_minor, response_code,
                              auth_code, created_ms)
         SELECT payment, ?2, ?3, ?4, ?5, accepted_offline, ?6, amount_minor, min(amount_minor, ?7), ?8, ?9, ?10
         FROM card_payment WHERE payment = ?1
         ON CONFLICT (payment, n) DO UPDATE SET key = excluded.key, state = excluded.state,
             approved_minor = excluded.approved_minor, response_code = excluded.response_code,
             auth_code = excluded.auth_code, lease_ms = 0, fence = fence + 1",
        (payment, n, key, stan, rrn, state, approved, code, auth, now_ms),
    )?;
    db.execute(
        "UPDATE card_payment SET in_question = 0, next_ms = ?2, approved_minor = min(amount_minor, ?3),
             approved_ms = CASE WHEN ?3 > 0 THEN coalesce(approved_ms, ?2) ELSE approved_ms END
         WHERE payment = ?1",
        (payment, now_ms, approved),
    )?;
    wake_others(db, payment, now_ms)
}

/// The processor has it, captured so much: a person or the settlement file says so. False when it is not in question.
pub fn at_processor(db: &Connection, payment: &str, captured_minor: i64, now_ms: i64) -> Result<bool, OfficeError> {
    if !in_question(db, payment)? {
        return Ok(false);
    }
    forget_alive(db, payment)?;
    let last: Option<u32> = db.query_row("SELECT max(n) FROM attempt WHERE payment = ?1", [payment], |r| r.get(0))?;
    let n = last.unwrap_or(0) + 1;
    let answer = Answer {
        approved: true,
        amount_minor: captured_minor,
        response_code: "00".to_owned(),
        auth_code: None,
        token: None,
        network: None,
    };
    adopt(db, payment, n, &format!("found-{payment}-{n}"), "captured", Some(&answer), now_ms)?;
    let sql = "UPDATE card_payment SET captured_minor = min(amount_minor, ?2) WHERE payment = ?1";
    db.execute(sql, (payment, captured_minor))?;
    Ok(true)
}

/// The processor does not have it: the plan goes on as if nothing had been sent. False when it is not in question.
pub fn not_at_processor(db: &Connection, payment: &str, now_ms: i64) -> Result<bool, OfficeError> {
    if !in_question(db, payment)? {
        return Ok(false);
    }
    forget_alive(db, payment)?;
    db.execute("UPDATE card_payment SET in_question = 0, next_ms = ?2 WHERE payment = ?1", (payment, now_ms))?;
    wake_others(db, payment, now_ms)?;
    Ok(true)
}

fn in_question(db: &Connection, payment: &str) -> Result<bool, OfficeError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM card_payment WHERE payment = ?1 AND over = 0 AND in_question > 0)";
    Ok(db.query_row(sql, [payment], |r| r.get(0))?)
}
