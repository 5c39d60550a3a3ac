//! Agreements by which a customer pays the same amount again and again with a kept card, the seed of maintenance
//! contracts. The office runs them: no handheld takes part.
//!
//! Invariants: one due date is one run and one payment (`agreement_run`), whatever crashes; nothing is begun for an
//! agreement that is not active; a stop reaches the payments that are under way. After a restore of the office every
//! agreement is suspended until a person has looked, since a stop may have been lost with the lost office.
//! What is done when a date is due is [`runs`]; dates are [`schedule`]. Start at [`add`].

pub mod list;
pub mod runs;
pub mod schedule;

use super::OfficeError;
use super::decide::{REASON_MAX_CHARS, REASON_MIN_CHARS, Refused};
use super::exceptions::{Trouble, raise, settle};
use crate::domain::exception::ExceptionType;
use crate::domain::money::Money;
use crate::domain::tax::{TaxRule, default_rules};
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension as _};
use schedule::Every;

/// The office itself, where a payment names its handheld. No handheld can have this id, and none may have its name.
pub const OFFICE_DEVICE: &str = "00000000-0000-8000-8000-0000000f1ce0";
/// What the office is called among the handhelds.
pub const OFFICE_NAME: &str = "OFFICE";
/// Letters that say what is paid for.
pub const WHAT_CHARS: std::ops::RangeInclusive<usize> = 3..=100;
/// Days after which a soft decline is tried again.
pub const RETRY_DAYS: std::ops::RangeInclusive<u32> = 1..=30;
/// Tries in all.
pub const TRIES: std::ops::RangeInclusive<u32> = 1..=10;

/// A new agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAgreement<'a> {
    /// Its id: the same again is refused, so that a form sent twice makes one.
    pub id: &'a str,
    /// The kept card, by its id.
    pub card: &'a str,
    /// What for, as it stands on the bill.
    pub what: &'a str,
    /// How much each time, tax included.
    pub amount: Money,
    /// The code of a tax that prices contain.
    pub tax: &'a str,
    /// How often.
    pub every: Every,
    /// The first time.
    pub first: Date,
    /// Days after which a soft decline is tried again.
    pub retry_days: u32,
    /// Tries in all for one due date.
    pub tries: u32,
    /// Who makes it.
    pub by: &'a str,
}

/// The tax of a code, if prices contain it.
pub fn tax(code: &str) -> Option<TaxRule> {
    default_rules().into_iter().find(|rule| rule.code == code && rule.inclusive)
}

/// Makes an agreement. `today` is the office's date.
///
/// # Errors
/// What does not fit, in a sentence.
pub fn add(db: &Connection, new: &NewAgreement<'_>, today: Date, now_ms: i64) -> Result<(), Refused> {
    let sql = "SELECT customer, ended_ms IS NOT NULL FROM kept_card WHERE id = ?1";
    let card: Option<(String, bool)> =
        db.prepare_cached(sql)?.query_row([new.card], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
    let (customer, ended) = card.ok_or(Refused::Missing("kept card"))?;
    if ended {
        return Err(Refused::Conflict("The customer has taken the consent for this card back: ask for a new one."));
    }
    if !WHAT_CHARS.contains(&new.what.chars().count()) || new.what.chars().any(char::is_control) {
        return Err(Refused::Form("Say in 3 to 100 letters what is paid for; it stands on the bill."));
    }
    if new.amount.minor <= 0 {
        return Err(Refused::Form("The amount is more than nothing."));
    }
    if tax(new.tax).is_none() {
        return Err(Refused::Form("The tax is one that prices contain: standard, reduced or zero."));
    }
    if new.first < today {
        return Err(Refused::Form("The first day is today or later."));
    }
    if !RETRY_DAYS.contains(&new.retry_days) || !TRIES.contains(&new.tries) {
        return Err(Refused::Form("A decline is tried again after 1 to 30 days, 1 to 10 times in all."));
    }
    let done = db.execute(
        "INSERT INTO agreement (id, customer, kept_card, what, currency, amount_minor, tax, every, unit, first_due,
                                next_due, retry_days, tries, state, changed_by, changed_ms, why, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11, ?12, 'active', ?13, ?14, 'agreed', ?14)
         ON CONFLICT (id) DO NOTHING",
        rusqlite::params![
            new.id,
            customer,
            new.card,
            new.what,
            new.amount.currency.code(),
            new.amount.minor,
            new.tax,
            new.every.count,
            new.every.unit.name(),
            new.first.to_string(),
            new.retry_days,
            new.tries,
            new.by,
            now_ms,
        ],
    )?;
    changed(done, "This agreement was made already.")
}

/// The customer ends it, or the office does: nothing is charged from now on. A payment that is under way is finished
/// honestly: what the processor already captured stays and is said, what it only approved is given back.
///
/// # Errors
/// It is not there, or has ended.
pub fn stop(db: &Connection, agreement: &str, by: &str, why: &str, now_ms: i64) -> Result<(), OfficeError> {
    let sql = "UPDATE agreement SET state = 'stopped', changed_by = ?2, why = ?3, changed_ms = ?4
               WHERE id = ?1 AND state <> 'stopped'";
    if db.execute(sql, (agreement, by, why, now_ms))? == 0 {
        return Err(OfficeError::Missing(format!("an agreement {agreement} that is not stopped")));
    }
    db.execute(
        "UPDATE card_payment SET void_requested = 1, voided_by = ?2, next_ms = ?3
         WHERE over = 0 AND captured_minor = 0 AND payment IN (SELECT payment FROM agreement_run WHERE agreement = ?1)",
        (agreement, by, now_ms),
    )?;
    settle(db, ExceptionType::AgreementWaits, agreement, "the agreement was stopped", now_ms)
}

/// The same for a person at the page or the command line, who says why.
///
/// # Errors
/// The reason is none, or it has ended.
pub fn stop_by(db: &Connection, agreement: &str, by: &str, why: &str, now_ms: i64) -> Result<(), Refused> {
    reason(why)?;
    match stop(db, agreement, by, why, now_ms) {
        Err(OfficeError::Missing(_)) => Err(Refused::Conflict("This agreement is not known, or was stopped before.")),
        done => Ok(done?),
    }
}

/// A suspended agreement goes on.
///
/// # Errors
/// It is not suspended, or the consent was taken back.
pub fn resume(db: &Connection, agreement: &str, by: &str, now_ms: i64) -> Result<(), Refused> {
    let sql = "UPDATE agreement SET state = 'active', changed_by = ?2, why = 'looked at, goes on', changed_ms = ?3
               WHERE id = ?1 AND state = 'suspended'
                 AND kept_card IN (SELECT id FROM kept_card WHERE ended_ms IS NULL)";
    changed(
        db.execute(sql, (agreement, by, now_ms))?,
        "This agreement does not wait, or its card is not kept any more.",
    )?;
    db.execute(
        "UPDATE card_payment SET next_ms = ?2
         WHERE over = 0 AND payment IN (SELECT payment FROM agreement_run WHERE agreement = ?1)",
        (agreement, now_ms),
    )?;
    Ok(settle(db, ExceptionType::AgreementWaits, agreement, "looked at, goes on", now_ms)?)
}

/// The office was put back from a backup: nothing is charged before somebody has looked at each agreement.
pub fn restored(db: &Connection, now_ms: i64) -> Result<(), OfficeError> {
    let note =
        "the office was put back from a backup: a stop by the customer may be lost; look, and let it go on or stop it";
    suspend(db, None, note, now_ms)
}

/// Suspends one agreement or all that are active, and has a person look.
pub(super) fn suspend(db: &Connection, one: Option<&str>, why: &str, now_ms: i64) -> Result<(), OfficeError> {
    let mut statement = db.prepare_cached(
        "UPDATE agreement SET state = 'suspended', changed_by = 'office', why = ?2, changed_ms = ?3
         WHERE state = 'active' AND (?1 IS NULL OR id = ?1) RETURNING id, amount_minor, currency",
    )?;
    let of = statement
        .query_map((one, why, now_ms), |r| Ok((r.get::<_, String>(0)?, r.get::<_, i64>(1)?, r.get::<_, String>(2)?)))?;
    for (agreement, minor, currency) in of.collect::<rusqlite::Result<Vec<_>>>()? {
        waits(db, &agreement, Money::new(minor, currency.parse()?), why, now_ms)?;
    }
    Ok(())
}

/// Puts an agreement onto the dispatcher's list.
pub(super) fn waits(
    db: &Connection,
    agreement: &str,
    amount: Money,
    note: &str,
    now_ms: i64,
) -> Result<(), OfficeError> {
    let trouble = Trouble {
        kind: ExceptionType::AgreementWaits,
        subject: agreement,
        device: None,
        job: None,
        amount,
        note,
        deadline_ms: None,
    };
    raise(db, &trouble, now_ms)
}

/// A reason that is one.
///
/// # Errors
/// It is too short or too long.
pub fn reason(why: &str) -> Result<(), Refused> {
    if (REASON_MIN_CHARS..=REASON_MAX_CHARS).contains(&why.chars().count()) {
        return Ok(());
    }
    Err(Refused::Form("Say in a few words why; it stays with the agreement."))
}

fn changed(rows: usize, otherwise: &'static str) -> Result<(), Refused> {
    if rows == 0 { Err(Refused::Conflict(otherwise)) } else { Ok(()) }
}
