//! What a person decides about an exception is done here: one transaction that acts, writes down who, when and why,
//! and takes the exception off the list.
//!
//! Invariant: an exception has one standing decision at the most (`decision_once`); nothing is decided about what has
//! changed meanwhile. What may be decided is `domain::decision`'s table. Start at [`decide`].

mod act;

use super::payments::moved_by;
use super::{OfficeError, feed};
use crate::domain::decision::{Action, actions};
use crate::domain::exception::ExceptionType;
use crate::domain::money::{Currency, Money};
use crate::facts::named;
use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

/// The shortest reason that is one, characters.
pub const REASON_MIN_CHARS: usize = 3;
/// The longest reason, characters.
pub const REASON_MAX_CHARS: usize = 500;

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided<'a> {
    /// About which exception, by its id.
    pub exception: &'a str,
    /// What to do.
    pub action: Action,
    /// Who.
    pub by: &'a str,
    /// Why.
    pub reason: &'a str,
    /// The person was asked twice, where money is given up.
    pub sure: bool,
    /// How much the processor has, in the words of the form; for [`Action::AtProcessor`].
    pub amount: Option<&'a str>,
    /// The link, for [`Action::PaymentLink`].
    pub link: Option<&'a str>,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// No such exception or decision.
    #[error("{0} is not known here")]
    Missing(&'static str),
    /// The form lacks something.
    #[error("{0}")]
    Form(&'static str),
    /// It does not fit how things stand.
    #[error("{0}")]
    Conflict(&'static str),
    /// The office itself failed.
    #[error(transparent)]
    Office(#[from] OfficeError),
}

impl Refused {
    /// Whether asking for the same again is useless.
    pub fn is_permanent(&self) -> bool {
        match self {
            Refused::Missing(_) | Refused::Form(_) | Refused::Conflict(_) => true,
            Refused::Office(why) => why.is_permanent(),
        }
    }
}

impl From<rusqlite::Error> for Refused {
    fn from(why: rusqlite::Error) -> Refused {
        Refused::Office(why.into())
    }
}

/// An open exception and the payment that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The exception.
    pub id: String,
    /// Its type.
    pub kind: ExceptionType,
    /// Its job, or that of its payment.
    pub job: Option<String>,
    /// The id of what it is about.
    pub subject: String,
    /// The payment, if it is about one.
    pub payment: Option<String>,
    /// The payment's invoice number; empty without one.
    pub document: String,
    /// Money at stake.
    pub amount: Money,
}

/// Reads an exception that is open.
///
/// # Errors
/// It is not there, or resolved.
pub fn open_case(db: &Connection, exception: &str) -> Result<Case, Refused> {
    let sql =
        "SELECT e.type, coalesce(e.job, p.job), p.id, coalesce(p.document, ''), e.amount_minor, e.currency, e.state,
                    EXISTS (SELECT 1 FROM decision d WHERE d.exception = e.id AND d.undone_ms IS NULL), e.subject
               FROM exception e LEFT JOIN payment p ON p.id = e.subject WHERE e.id = ?1";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([exception])?;
    let r = rows.next()?.ok_or(Refused::Missing("exception"))?;
    let (kind, currency, state): (String, String, String) = (r.get(0)?, r.get(5)?, r.get(6)?);
    let (job, payment, document, minor, subject) = (r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(8)?);
    if state != "open" {
        return Err(Refused::Conflict("Somebody else has resolved this already."));
    }
    if r.get(7)? {
        return Err(Refused::Conflict("Somebody has begun a refund already: wait for the processor's word."));
    }
    let currency: Currency = currency.parse().map_err(OfficeError::from)?;
    let kind = named(&kind).map_err(OfficeError::from)?;
    let amount = Money::new(minor, currency);
    Ok(Case { id: exception.to_owned(), kind, job, subject, payment, document, amount })
}

/// Whether this may be asked for at all; looked at before a link is made, and again when it is done.
///
/// # Errors
/// What is missing.
pub fn check(db: &Connection, case: &Case, decided: &Decided<'_>) -> Result<(), Refused> {
    if !actions(case.kind).contains(&decided.action) {
        return Err(Refused::Form("That is not one of the ways to deal with this: choose one that is offered."));
    }
    if !(REASON_MIN_CHARS..=REASON_MAX_CHARS).contains(&decided.reason.chars().count()) {
        return Err(Refused::Form("Say in a few words why; it stays with the decision."));
    }
    if decided.action.needs_confirmation() && !decided.sure {
        return Err(Refused::Form("Money may be given up or asked for twice: tick \"I am sure\" and try again."));
    }
    let asks_for_debt = matches!(decided.action, Action::Invoice | Action::PaymentLink | Action::WriteOff);
    match &case.payment {
        Some(payment) if asks_for_debt && act::is_deposit(db, payment)? => {
            Err(Refused::Conflict("This is a deposit, which nobody owes: collect it again, or resolve it with a note."))
        }
        Some(_) | None => Ok(()),
    }
}

/// Does what was decided, and writes it down.
///
/// # Errors
/// Nothing was changed, and why.
pub fn decide(db: &Connection, decided: &Decided<'_>, now_ms: i64) -> Result<(), Refused> {
    let case = open_case(db, decided.exception)?;
    check(db, &case, decided)?;
    let id = Uuid::now_v7().to_string();
    let done = act::act(db, &case, decided, &id, now_ms)?;
    db.execute(
        "INSERT INTO decision (id, exception, payment, job, action, amount_minor, currency, reason, detail, decided_by,
                               at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        (
            &id,
            &case.id,
            &case.payment,
            &case.job,
            decided.action.name(),
            done.amount_minor,
            case.amount.currency.code(),
            decided.reason,
            done.detail,
            decided.by,
            now_ms,
        ),
    )?;
    let resolution = match decided.action {
        Action::Note => decided.reason.to_owned(),
        other => format!("{}: {}", other.done(), decided.reason),
    };
    if decided.action.takes_time() {
        db.execute("UPDATE exception SET owner = ?2 WHERE id = ?1", (&case.id, decided.by))?;
        return Ok(());
    }
    db.execute(
        "UPDATE exception SET state = 'resolved', resolved_ms = ?2, resolution = ?3, owner = ?4 WHERE id = ?1",
        (&case.id, now_ms, resolution, decided.by),
    )?;
    if let (Action::Recollect, Some(payment)) = (decided.action, &case.payment) {
        collect_again(db, payment, "put")?;
    }
    if case.kind == ExceptionType::VoidFailed {
        // The money stays: from now on it counts for its invoice.
        moved_by(db, &case.subject, now_ms)?;
    }
    Ok(())
}

/// Takes a decision back; the exception is open again.
///
/// # Errors
/// It cannot be taken back, or something followed from it.
pub fn undo(db: &Connection, decision: &str, by: &str, now_ms: i64) -> Result<(), Refused> {
    let sql = format!(
        "SELECT d.exception, d.payment, d.action, d.undone_ms IS NOT NULL, {FOLLOWED} FROM decision d WHERE d.id = ?1"
    );
    let found: Option<(String, Option<String>, String, bool, bool)> = db
        .prepare_cached(&sql)?
        .query_row([decision], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?)))
        .optional()?;
    let (exception, payment, action, undone, followed) = found.ok_or(Refused::Missing("decision"))?;
    if undone {
        return Err(Refused::Conflict("Somebody else has taken this back already."));
    }
    let action = Action::from_name(&action).filter(|action| action.can_be_undone());
    let Some(action) = action else {
        return Err(Refused::Conflict("This cannot be taken back: it has had its effect."));
    };
    if followed {
        return Err(Refused::Conflict("Another payment has followed already: deal with that one."));
    }
    db.execute("UPDATE decision SET undone_by = ?2, undone_ms = ?3 WHERE id = ?1", (decision, by, now_ms))?;
    db.execute(
        "UPDATE exception SET state = 'open', resolved_ms = NULL, resolution = NULL, owner = NULL WHERE id = ?1",
        [&exception],
    )?;
    if let (Action::Recollect, Some(payment)) = (action, &payment) {
        collect_again(db, payment, "remove")?;
    }
    Ok(())
}

/// True where a payment of the same invoice came in after decision `d`.
pub const FOLLOWED: &str = "EXISTS (
    SELECT 1 FROM payment o JOIN payment n ON n.invoice = o.invoice AND n.id <> o.id
    JOIN journal_subject s ON s.subject = n.id
    JOIN journal j ON j.device = s.device AND j.epoch = s.epoch AND j.seq = s.seq
    WHERE o.id = d.payment AND j.received_ms >= d.at_ms AND j.kind IN ('payment.intended', 'cash.recorded'))";

fn collect_again(db: &Connection, payment: &str, op: &str) -> Result<(), Refused> {
    let device: String = db.query_row("SELECT device FROM payment WHERE id = ?1", [payment], |r| r.get(0))?;
    feed::note(db, &feed::channel_of(&device), "collect_again", payment, op)?;
    Ok(())
}

/// The exception of one type about a subject that is open.
pub fn open_about(db: &Connection, kind: ExceptionType, subject: &str) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT id FROM exception WHERE type = ?1 AND subject = ?2 AND state = 'open'";
    db.prepare_cached(sql)?.query_row((kind.name(), subject), |r| r.get(0)).optional()
}

/// Whether somebody said after `since_ms` that this payment is left for now.
pub fn waits(db: &Connection, payment: &str, since_ms: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM decision WHERE payment = ?1 AND action = 'wait' AND at_ms > ?2)";
    db.prepare_cached(sql)?.query_row((payment, since_ms), |r| r.get(0))
}
