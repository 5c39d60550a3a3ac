//! What the database knows of one card payment, for [`super::plan`].

use super::follow_up::sent_of;
use super::plan::{Attempt, AttemptState, Known, Question};
use crate::domain::id::PaymentId;
use crate::domain::money::{Currency, Money};
use crate::facts::named;
use crate::office::agreements::runs;
use crate::office::processors::Sent;
use crate::office::{OfficeError, id_from};
use rusqlite::{Connection, OptionalExtension as _};

/// One card payment as the office has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardPayment {
    /// Its id.
    pub id: PaymentId,
    /// Its handheld.
    pub device: String,
    /// Its job.
    pub job: String,
    /// The document that it pays.
    pub document: String,
    /// What was asked for.
    pub amount: Money,
    /// SHA-256 of the sealed blob, hex; empty for a card that the processor keeps.
    pub blob: String,
    /// The kept card that is charged, by its id.
    pub kept_card: Option<String>,
    /// The newest attempt as it was sent.
    pub sent: Option<Sent>,
    /// Calls that failed in a row.
    pub tries: u32,
    /// The newest attempt's fencing number.
    pub fence: i64,
    /// What the plan needs.
    pub known: Known,
}

impl CardPayment {
    /// Our name for the newest attempt.
    pub fn key(&self) -> &str {
        self.sent.as_ref().map_or("", |sent| &sent.key)
    }
}

/// Payments that are due at `now_ms`, the longest waiting first.
pub fn due(db: &Connection, now_ms: i64, limit: usize) -> Result<Vec<PaymentId>, OfficeError> {
    let mut statement = db.prepare_cached(
        "SELECT payment FROM card_payment WHERE over = 0 AND next_ms <= ?1 ORDER BY next_ms LIMIT ?2",
    )?;
    let ids = statement.query_map((now_ms, limit), |r| r.get::<_, String>(0))?;
    ids.map(|id| id_from(&id?)).collect()
}

/// When the next payment is due, Unix milliseconds.
pub fn next_due(db: &Connection) -> Result<Option<i64>, OfficeError> {
    Ok(db.query_row("SELECT min(next_ms) FROM card_payment WHERE over = 0", [], |r| r.get(0))?)
}

/// What is open on the invoice without this payment: less what the handhelds count, and less what the processor agreed to
/// or captured for another one, seen or not. `doubtful_minor` is at the processor for others, and not answered, or may be
/// there since a lost office's day; what is given back anyway counts in neither.
const SQL: &str = "
    SELECT c.device, p.job, p.document, c.currency, c.amount_minor, c.blob, c.kept_card, c.requested_seq, c.request_age_ms,
           c.request_heard_ms, c.accepted_offline, c.deadline_ms, c.outcome_seen, c.void_requested, c.frozen, c.unfit,
           c.released_by IS NOT NULL AS released, c.reused_from IS NOT NULL AS reused, c.in_question, c.outcome, c.approved_ms,
           e.acked_seq >= e.stated_seq
               AND NOT EXISTS (SELECT 1 FROM device_epoch o WHERE o.device = c.device AND o.acked_seq < o.stated_seq)
               AS caught_up,
           p.base_minor, i.total_minor - (SELECT coalesce(sum(max(o.covers_minor + o.promises_minor,
                                coalesce((SELECT min(o.base_minor, a.approved_minor - b.refunded_minor) FROM attempt a
                                          JOIN card_payment b ON b.payment = a.payment
                                          WHERE a.payment = o.id AND (a.state = 'approved' AND b.void_requested = 0
                                              OR a.state = 'captured' AND o.approved_minor = 0)), 0))), 0)
                            FROM payment o WHERE o.invoice = p.invoice AND o.id <> p.id)
           - (SELECT coalesce(sum(d.amount_minor), 0) FROM decision d JOIN payment w ON w.id = d.payment
              WHERE w.invoice = p.invoice AND d.action = 'write_off') AS open_minor,
           (SELECT coalesce(sum(o.base_minor), 0) FROM payment o JOIN card_payment b ON b.payment = o.id
            WHERE o.invoice = p.invoice AND o.id <> p.id AND b.void_requested = 0
              AND (b.in_question > 0 AND b.over = 0
                   OR EXISTS (SELECT 1 FROM attempt a WHERE a.payment = o.id
                              AND a.state IN ('prepared', 'announced', 'in_doubt')))) AS doubtful_minor,
           i.state <> 'cancelled' AS billed
    FROM card_payment c JOIN payment p ON p.id = c.payment JOIN invoice i ON i.id = p.invoice
    JOIN device_epoch e ON e.device = c.device AND e.epoch = c.epoch
    WHERE c.payment = ?1 AND c.over = 0";

/// One payment that is not over.
pub fn load(
    db: &Connection,
    id: PaymentId,
    now_ms: i64,
    can_look_up: bool,
) -> Result<Option<CardPayment>, OfficeError> {
    let newest = newest_attempt(db, id)?;
    let mut statement = db.prepare_cached(SQL)?;
    let mut rows = statement.query([id.to_string()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let currency: String = row.get("currency")?;
    let currency: Currency = currency.parse()?;
    let amount_minor: i64 = row.get("amount_minor")?;
    let requested: Option<i64> = row.get("requested_seq")?;
    let age: Option<i64> = row.get("request_age_ms")?;
    let heard: Option<i64> = row.get("request_heard_ms")?;
    let age_now = age.zip(heard).map(|(age, heard)| age.saturating_add(now_ms - heard));
    let said: String = row.get("outcome")?;
    let open_minor: i64 = row.get("open_minor")?;
    let base_minor: i64 = row.get("base_minor")?;
    let billed: bool = row.get("billed")?;
    let left_minor = open_minor.saturating_sub(row.get("doubtful_minor")?);
    let (last, sent, tries, fence) = match newest {
        Some(Newest { attempt, sent, tries, fence }) => (Some(attempt), Some(sent), tries, fence),
        None => (None, None, 0, 0),
    };
    let known = Known {
        now_ms,
        caught_up: row.get("caught_up")?,
        request_age_ms: requested.map(|_| age_now),
        accepted_offline: row.get("accepted_offline")?,
        deadline_ms: row.get("deadline_ms")?,
        outcome_seen: row.get("outcome_seen")?,
        void_requested: row.get("void_requested")?,
        frozen: row.get("frozen")?,
        reused: row.get("reused")?,
        unfit: row.get("unfit")?,
        question: match row.get("in_question")? {
            0_u8 => Question::None,
            1 => Question::LookUp,
            _ => Question::Person,
        },
        released: row.get("released")?,
        covers: billed && base_minor <= open_minor,
        beside: base_minor > left_minor,
        said: if said == "none" { None } else { Some(named(&said)?) },
        approved_at_ms: row.get("approved_ms")?,
        amount_minor,
        can_look_up,
        last,
        agreed: runs::agreed(db, id)?,
    };
    Ok(Some(CardPayment {
        id,
        device: row.get("device")?,
        job: row.get("job")?,
        document: row.get("document")?,
        amount: Money::new(amount_minor, currency),
        blob: row.get("blob")?,
        kept_card: row.get("kept_card")?,
        sent,
        tries,
        fence,
        known,
    }))
}

struct Newest {
    attempt: Attempt,
    sent: Sent,
    tries: u32,
    fence: i64,
}

fn newest_attempt(db: &Connection, id: PaymentId) -> Result<Option<Newest>, OfficeError> {
    let sql = "SELECT n, state, deferred, approved_minor, response_code, lease_ms, tries, fence
               FROM attempt WHERE payment = ?1 ORDER BY n DESC LIMIT 1";
    let id = id.to_string();
    let found = db
        .prepare_cached(sql)?
        .query_row([&id], |r| {
            let state: String = r.get(1)?;
            let attempt = Attempt {
                n: r.get(0)?,
                state: AttemptState::Prepared,
                deferred: r.get(2)?,
                approved_minor: r.get(3)?,
                response_code: r.get(4)?,
                lease_ms: r.get(5)?,
            };
            Ok((attempt, state, r.get(6)?, r.get(7)?))
        })
        .optional()?;
    let Some((attempt, state, tries, fence)) = found else { return Ok(None) };
    let attempt = Attempt { state: named(&state)?, ..attempt };
    let sent = sent_of(db, &id, attempt.n)?;
    Ok(sent.map(|sent| Newest { attempt, sent, tries, fence }))
}
