//! What the office shows of agreements: each with its next date, its newest run and what became of it.

use super::schedule::Every;
use crate::domain::money::Money;
use crate::office::OfficeError;
use crate::office::payments::agreed::Force;
use crate::office::payments::plan::SOFT_DECLINES;
use rusqlite::{Connection, Row};
use serde::Serialize;

/// Agreements shown at the most.
pub const SHOWN_MAX: usize = 500;
/// Runs of an agreement shown at the most, the newest first.
pub const RUNS_MAX: usize = 6;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// At the processor, or about to be.
    UnderWay,
    /// Declined, and tried again.
    Retrying,
    /// Charged.
    Paid,
    /// Every try came to nothing.
    Failed,
    /// The customer stopped it before anything was charged.
    Stopped,
    /// The date passed without a charge.
    Missed,
    /// Nobody knows whether a lost office charged it.
    InQuestion,
    /// A person must decide.
    Held,
}

impl RunState {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            RunState::UnderWay => "UNDER WAY",
            RunState::Retrying => "DECLINED, TRIED AGAIN",
            RunState::Paid => "PAID",
            RunState::Failed => "FAILED",
            RunState::Stopped => "STOPPED",
            RunState::Missed => "NOT CHARGED",
            RunState::InQuestion => "IN QUESTION",
            RunState::Held => "HELD",
        }
    }
}

/// One due date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Run {
    /// When it was due.
    pub due: String,
    /// Where it stands.
    pub state: RunState,
    /// Its payment.
    pub payment: Option<String>,
    /// Its bill's number.
    pub document: Option<String>,
    /// Tries that the bank declined.
    pub declines: u32,
    /// Not tried again before this, Unix milliseconds.
    pub next_try_ms: Option<i64>,
}

/// One agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// Its id.
    pub id: String,
    /// Whose.
    pub customer: String,
    /// What for.
    pub what: String,
    /// Minor units.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// `VISA ....0010`
    pub card: String,
    /// `every month`
    pub every: String,
    /// When it is due next.
    pub next_due: String,
    /// Days after which a soft decline is tried again.
    pub retry_days: u32,
    /// Tries in all.
    pub tries: u32,
    /// `active`, `suspended` or `stopped`.
    pub state: String,
    /// Who changed it last.
    pub changed_by: String,
    /// Why.
    pub why: String,
    /// The newest due dates, the newest first.
    pub runs: Vec<Run>,
}

impl Agreement {
    /// How much each time.
    ///
    /// # Errors
    /// A currency that is none.
    pub fn amount(&self) -> Result<Money, OfficeError> {
        Ok(Money::new(self.amount_minor, self.currency.parse()?))
    }
}

/// Every agreement, those in force first, by their next date.
///
/// # Errors
/// The database.
pub fn all(db: &Connection) -> Result<Vec<Agreement>, OfficeError> {
    let mut statement = db.prepare_cached(
        "SELECT a.id, c.name, a.what, a.amount_minor, a.currency, k.brand || ' ....' || k.last4, a.every, a.unit,
                a.next_due, a.retry_days, a.tries, a.state, a.changed_by, a.why
         FROM agreement a JOIN customer c ON c.id = a.customer JOIN kept_card k ON k.id = a.kept_card
         ORDER BY a.state = 'stopped', a.next_due, a.id LIMIT ?1",
    )?;
    let found = statement.query_map([SHOWN_MAX], agreement)?;
    let mut all = found.collect::<rusqlite::Result<Vec<_>>>()?;
    for one in &mut all {
        one.runs = runs(db, &one.id)?;
    }
    Ok(all)
}

fn agreement(r: &Row<'_>) -> rusqlite::Result<Agreement> {
    let (count, unit): (u16, String) = (r.get(6)?, r.get(7)?);
    let every = unit.parse().ok().and_then(|unit| Every::new(count, unit)).map(|every| every.to_string());
    Ok(Agreement {
        id: r.get(0)?,
        customer: r.get(1)?,
        what: r.get(2)?,
        amount_minor: r.get(3)?,
        currency: r.get(4)?,
        card: r.get(5)?,
        every: every.unwrap_or_default(),
        next_due: r.get(8)?,
        retry_days: r.get(9)?,
        tries: r.get(10)?,
        state: r.get(11)?,
        changed_by: r.get(12)?,
        why: r.get(13)?,
        runs: Vec::new(),
    })
}

fn runs(db: &Connection, agreement: &str) -> Result<Vec<Run>, OfficeError> {
    let sql = "SELECT r.due, r.payment, p.document, c.outcome, c.in_question, c.over FROM agreement_run r
               LEFT JOIN payment p ON p.id = r.payment LEFT JOIN card_payment c ON c.payment = r.payment
               WHERE r.agreement = ?1 ORDER BY r.due DESC LIMIT ?2";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query((agreement, RUNS_MAX))?;
    let mut runs = Vec::new();
    while let Some(r) = rows.next()? {
        let payment: Option<String> = r.get(1)?;
        let (outcome, over): (Option<String>, bool) = (r.get(3)?, r.get::<_, Option<bool>>(5)?.unwrap_or(true));
        let in_question = r.get::<_, Option<u8>>(4)?.unwrap_or(0) > 0;
        let id = payment.as_deref().map(crate::office::id_from).transpose()?;
        let agreed = id.map(|id| super::runs::agreed(db, id)).transpose()?.flatten();
        let declines = agreed.map_or(0, |agreed| agreed.declines);
        let waits = !over && !in_question && declines > 0 && newest_is_soft(db, payment.as_deref())?;
        let state = match (outcome.as_deref(), &payment) {
            (_, None) => RunState::Missed,
            _ if in_question && !over => RunState::InQuestion,
            (Some("captured"), _) => RunState::Paid,
            (Some("declined"), _) => RunState::Failed,
            (Some("voided"), _) => RunState::Stopped,
            (Some("held"), _) => RunState::Held,
            _ if waits => RunState::Retrying,
            _ => RunState::UnderWay,
        };
        let next = agreed.filter(|agreed| waits && agreed.force == Force::Active);
        runs.push(Run {
            due: r.get(0)?,
            state,
            payment,
            document: r.get(2)?,
            declines,
            next_try_ms: next.map(|agreed| agreed.not_before_ms),
        });
    }
    Ok(runs)
}

fn newest_is_soft(db: &Connection, payment: Option<&str>) -> Result<bool, OfficeError> {
    let sql = "SELECT state, coalesce(response_code, '') FROM attempt WHERE payment = ?1 ORDER BY n DESC LIMIT 1";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([payment.unwrap_or_default()])?;
    let Some(r) = rows.next()? else { return Ok(false) };
    let (state, code): (String, String) = (r.get(0)?, r.get(1)?);
    Ok(state == "declined" && SOFT_DECLINES.contains(&code.as_str()))
}
