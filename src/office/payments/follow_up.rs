//! What follows an attempt at the processor: reversals, captures, refunds. Each has a name and a STAN of its own, committed
//! before the first byte is sent and the same however often it is sent.
//!
//! Start at [`follow_up()`].

use super::facts::CardPayment;
use crate::office::processors::{Authorisation, FollowUp, Processor, Sent};
use crate::office::{Office, OfficeError, meta, set_meta};
use rusqlite::{Connection, OptionalExtension as _};
use std::sync::Arc;
use tokio::task::JoinSet;

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The attempt is taken back.
    Reversal,
    /// The money is taken.
    Capture,
    /// Money goes back.
    Refund,
}

impl Kind {
    /// The name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Reversal => "reversal",
            Kind::Capture => "capture",
            Kind::Refund => "refund",
        }
    }
}

/// The next system trace audit number, and how many were given before. None is given twice before all were.
pub fn next_stan(db: &Connection) -> Result<(u64, u32), OfficeError> {
    let count: u64 = meta(db, "attempts")?.and_then(|text| text.parse().ok()).unwrap_or(0) + 1;
    set_meta(db, "attempts", &count.to_string())?;
    Ok((count, u32::try_from((count - 1) % 999_999 + 1).unwrap_or(1)))
}

/// A new request as those that follow it will name it.
pub fn sent(request: &Authorisation) -> Sent {
    Sent {
        key: request.key.clone(),
        stan: request.stan,
        rrn: request.rrn.clone(),
        at_ms: request.at_ms,
        terminal: request.terminal.clone(),
        amount_minor: request.amount_minor,
        currency: request.currency.clone(),
        deferred: request.deferred,
        auth_code: None,
        reference: request.reference.clone(),
    }
}

/// The reversal or capture of a payment's attempt `n`; made when it is first asked for.
pub fn follow_up(
    db: &Connection,
    office: &Office,
    payment: &CardPayment,
    n: u32,
    kind: Kind,
    amount_minor: i64,
) -> Result<Option<FollowUp>, OfficeError> {
    let Some(of) = payment.sent.clone() else { return Ok(None) };
    keep(db, office, &payment.id.to_string(), n, of, (kind, ""), amount_minor).map(Some)
}

/// The follow-up of an attempt; made when it is first asked for. `subject`: the refund that it carries out.
pub fn keep(
    db: &Connection,
    office: &Office,
    payment: &str,
    n: u32,
    of: Sent,
    (kind, subject): (Kind, &str),
    amount_minor: i64,
) -> Result<FollowUp, OfficeError> {
    let sql = "SELECT key, stan, at_ms, sent, amount_minor FROM follow_up
               WHERE payment = ?1 AND n = ?2 AND kind = ?3 AND subject = ?4";
    let place = (payment, n, kind.name(), subject);
    let kept = db
        .prepare_cached(sql)?
        .query_row(place, |r| {
            let of = of.clone();
            Ok(FollowUp {
                of,
                key: r.get(0)?,
                stan: r.get(1)?,
                at_ms: r.get(2)?,
                repeat: r.get(3)?,
                amount_minor: r.get(4)?,
            })
        })
        .optional()?;
    if let Some(call) = kept {
        db.execute("UPDATE follow_up SET sent = 1 WHERE key = ?1", [&call.key])?;
        return Ok(call);
    }
    let (_, stan) = next_stan(db)?;
    let tail = if subject.is_empty() { kind.name() } else { subject };
    let call =
        FollowUp { key: format!("{}-{tail}", of.key), of, stan, at_ms: office.now_ms(), repeat: false, amount_minor };
    db.execute(
        "INSERT INTO follow_up (key, payment, n, kind, subject, stan, amount_minor, at_ms, sent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1)",
        (&call.key, payment, n, kind.name(), subject, stan, amount_minor, call.at_ms),
    )?;
    Ok(call)
}

/// The attempt of this RRN was approved after it was given up: its reversal is sent again, or for the first time.
pub fn reverse_again(db: &Connection, rrn: &str, now_ms: i64) -> Result<(), OfficeError> {
    db.execute(
        "UPDATE follow_up SET again = 1 WHERE kind = 'reversal' AND (payment, n) IN
             (SELECT payment, n FROM attempt WHERE rrn = ?1 AND state IN ('reversing', 'dead'))",
        [rrn],
    )?;
    // One that is still in doubt is looked at again at once.
    db.execute(
        "UPDATE card_payment SET next_ms = ?2 WHERE over = 0 AND payment = (SELECT payment FROM attempt WHERE rrn = ?1)",
        (rrn, now_ms),
    )?;
    Ok(())
}

/// An attempt as it was sent.
pub fn sent_of(db: &Connection, payment: &str, n: u32) -> Result<Option<Sent>, OfficeError> {
    let sql = "SELECT a.key, a.stan, a.rrn, a.created_ms, d.name, a.amount_minor, c.currency, a.deferred, a.auth_code,
                      a.reference
               FROM attempt a JOIN card_payment c ON c.payment = a.payment JOIN device d ON d.id = c.device
               WHERE a.payment = ?1 AND a.n = ?2";
    let found = db.prepare_cached(sql)?.query_row((payment, n), |r| {
        Ok(Sent {
            key: r.get(0)?,
            stan: r.get(1)?,
            rrn: r.get(2)?,
            at_ms: r.get(3)?,
            terminal: r.get(4)?,
            amount_minor: r.get(5)?,
            currency: r.get(6)?,
            deferred: r.get(7)?,
            auth_code: r.get(8)?,
            reference: r.get(9)?,
        })
    });
    Ok(found.optional()?)
}

/// Sends reversals again whose attempt was approved late. Each is tried until it is answered.
pub fn again(office: &Office, processor: &Arc<dyn Processor>, tasks: &mut JoinSet<()>, at_once: usize) {
    let due = office.read(due_again).unwrap_or_default();
    for call in due.into_iter().take(at_once.saturating_sub(tasks.len())) {
        let (office, processor) = (office.clone(), processor.clone());
        tasks.spawn(async move {
            if let Err(why) = processor.reverse(&call).await {
                tracing::warn!(key = call.key, error = %why, "a reversal is sent again");
                return;
            }
            let done = office.write(|tx| tx.execute("UPDATE follow_up SET again = 0 WHERE key = ?1", [&call.key]));
            if let Err(why) = done {
                tracing::error!(key = call.key, error = %why, "a repeated reversal was not written down");
            }
        });
    }
}

fn due_again(db: &Connection) -> Result<Vec<FollowUp>, OfficeError> {
    let mut statement = db.prepare_cached(
        "SELECT payment, n, key, stan, at_ms, amount_minor FROM follow_up WHERE again = 1 ORDER BY at_ms",
    )?;
    let mut rows = statement.query([])?;
    let mut due = Vec::new();
    while let Some(r) = rows.next()? {
        let payment: String = r.get(0)?;
        if let Some(of) = sent_of(db, &payment, r.get(1)?)? {
            let (key, stan, at_ms, amount_minor) = (r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?);
            due.push(FollowUp { of, key, stan, at_ms, repeat: true, amount_minor });
        }
    }
    Ok(due)
}
