//! What each action does to the payment, the ledger and the feed. Each checks that things still stand as the person
//! saw them.

use super::{Case, Decided, Refused};
use crate::domain::decision::Action;
use crate::domain::exception::ExceptionType;
use crate::domain::id::{CustomerId, EntryId};
use crate::domain::ledger::{Account, Entry};
use crate::domain::money::{Money, MoneyError};
use crate::facts::{Origin, write_entry};
use crate::office::agreements::runs;
use crate::office::payments::{give_back, overpaid, reconcile};
use crate::office::{OfficeError, id_from};
use rusqlite::{Connection, OptionalExtension as _};

/// What is written down with the decision.
pub(super) struct Done {
    /// The money that it is about, minor units.
    pub(super) amount_minor: i64,
    /// More, in a few words.
    pub(super) detail: String,
}

const NOTHING_LEFT: &str = "Nothing is left of this payment that could go back: see the page of refunds.";
const NO_CARD: &str = "No card payment of this invoice has it to give back: see the page of refunds, or give it back another way and note how.";

/// Does it.
pub(super) fn act(db: &Connection, case: &Case, decided: &Decided<'_>, id: &str, now_ms: i64) -> Result<Done, Refused> {
    let all = |detail: &str| Done { amount_minor: case.amount.minor.max(0), detail: detail.to_owned() };
    let payment = || case.payment.as_deref().ok_or(Refused::Missing("payment"));
    match decided.action {
        Action::Note | Action::Wait => Ok(all("")),
        Action::Recollect => owed(db, payment()?).map(|owed| Done { amount_minor: owed, ..all("") }),
        Action::Invoice => owed(db, payment()?).map(|owed| Done { amount_minor: owed, ..all("") }),
        Action::PaymentLink => {
            let link = decided.link.ok_or(Refused::Form("There is no link."))?;
            owed(db, payment()?).map(|owed| Done { amount_minor: owed, ..all(link) })
        }
        Action::WriteOff => {
            let payment = payment()?;
            let minor = owed(db, payment)?;
            write_off(db, payment, minor, id, now_ms)?;
            Ok(Done { amount_minor: minor, ..all("") })
        }
        Action::Release => {
            let sql =
                "UPDATE card_payment SET released_by = ?2, next_ms = ?3, unfit = 0 WHERE payment = ?1 AND over = 0
                       AND released_by IS NULL AND json_extract(outcome_record, '$.state') = 'held'";
            changed(db.execute(sql, (payment()?, decided.by, now_ms))?, "This payment is not held any more.")?;
            Ok(all(""))
        }
        Action::Void => void(db, case.kind, payment()?, decided.by, now_ms).map(|()| all("")),
        Action::RepeatNow if case.kind == ExceptionType::AgreementFailed => {
            runs::again(db, payment()?, now_ms).map(|()| all("charged again by the agreement"))
        }
        Action::RepeatNow => {
            let payment = payment()?;
            let sql = "UPDATE card_payment SET next_ms = ?2 WHERE payment = ?1 AND over = 0";
            changed(db.execute(sql, (payment, now_ms))?, "This payment has ended meanwhile.")?;
            db.execute("UPDATE attempt SET tries = 0 WHERE payment = ?1", [payment])?;
            db.execute("UPDATE card_payment SET in_question = 1 WHERE payment = ?1 AND in_question = 2", [payment])?;
            Ok(all(""))
        }
        Action::AtProcessor => {
            let minor = captured(case, decided)?;
            let done = reconcile::at_processor(db, payment()?, minor, now_ms)?;
            changed(done.into(), "This payment is not in question any more.")?;
            Ok(Done { amount_minor: minor, ..all("") })
        }
        Action::Refund => {
            let who = (decided.by, decided.reason);
            let (begun, otherwise) = if case.kind == ExceptionType::Overpaid {
                (overpaid::begin(db, &case.id, &case.subject, who, now_ms)?, NO_CARD)
            } else {
                (give_back::begin(db, &case.id, payment()?, i64::MAX, who, now_ms)?, NOTHING_LEFT)
            };
            let amount = begun.ok_or(Refused::Conflict(otherwise))?;
            Ok(Done { amount_minor: amount.minor, ..all("") })
        }
        Action::NotAtProcessor => {
            let done = reconcile::not_at_processor(db, payment()?, now_ms)?;
            changed(done.into(), "This payment is not in question any more.")?;
            Ok(all(""))
        }
    }
}

fn changed(rows: usize, otherwise: &'static str) -> Result<(), Refused> {
    if rows == 0 { Err(Refused::Conflict(otherwise)) } else { Ok(()) }
}

/// How much the person says that the processor captured: above zero, and no more than was asked for.
fn captured(case: &Case, decided: &Decided<'_>) -> Result<i64, Refused> {
    let money = decided.amount.and_then(|text| Money::parse(text, case.amount.currency).ok());
    money
        .map(|money| money.minor)
        .filter(|minor| (1..=case.amount.minor).contains(minor))
        .ok_or(Refused::Form("Say how much the processor captured: above zero, and no more than the payment's amount."))
}

/// Whether a payment pays a deposit.
pub(super) fn is_deposit(db: &Connection, payment: &str) -> Result<bool, Refused> {
    let sql = "SELECT EXISTS (SELECT 1 FROM payment p JOIN invoice i ON i.id = p.invoice
               WHERE p.id = ?1 AND i.kind = 'deposit')";
    Ok(db.prepare_cached(sql)?.query_row([payment], |r| r.get(0))?)
}

/// What the customer still owes of a payment that came to nothing: the payment's amount, or less where the invoice
/// was paid another way or written off. Minor units, above zero.
fn owed(db: &Connection, payment: &str) -> Result<i64, Refused> {
    let sql = "SELECT min(p.amount_minor, i.total_minor
                   - (SELECT coalesce(sum(o.approved_minor + o.pending_minor), 0) FROM payment o
                      WHERE o.invoice = p.invoice AND o.id <> p.id)
                   - (SELECT coalesce(sum(d.amount_minor), 0) FROM decision d JOIN payment w ON w.id = d.payment
                      WHERE w.invoice = p.invoice AND d.action = 'write_off'))
               FROM payment p JOIN invoice i ON i.id = p.invoice WHERE p.id = ?1 AND i.state <> 'cancelled'";
    let owed: Option<i64> = db.prepare_cached(sql)?.query_row([payment], |r| r.get(0)).optional()?;
    owed.filter(|minor| *minor > 0)
        .ok_or(Refused::Conflict("The invoice owes nothing of this any more: resolve it with a note."))
}

/// The debt goes to the account of what was given up.
fn write_off(db: &Connection, payment: &str, minor: i64, id: &str, now_ms: i64) -> Result<(), Refused> {
    let sql =
        "SELECT p.device, i.customer, p.currency FROM payment p JOIN invoice i ON i.id = p.invoice WHERE p.id = ?1";
    let (device, customer, currency): (String, String, String) =
        db.query_row(sql, [payment], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
    let entry: EntryId = id_from(id)?;
    let customer: CustomerId = id_from(&customer)?;
    let less = minor.checked_neg().ok_or(OfficeError::Money(MoneyError::Overflow))?;
    let sides = [(Account::WrittenOff, minor), (Account::Receivable, less)];
    let currency = currency.parse().map_err(OfficeError::from)?;
    let entry = Entry::balanced(entry, now_ms, customer, currency, &sides)
        .map_err(|why| OfficeError::Record(why.to_string()))?;
    if let Some(entry) = entry {
        let origin = Origin { device: &device, epoch: "", seq: 0, at_ms: now_ms };
        write_entry(db, &entry, origin).map_err(OfficeError::from)?;
    }
    Ok(())
}

/// Gives a payment up: the worker answers that it was never sent, or reverses it.
fn void(db: &Connection, kind: ExceptionType, payment: &str, by: &str, now_ms: i64) -> Result<(), Refused> {
    let unseen = if kind == ExceptionType::ApprovedUnseen { " AND outcome_seen = 0" } else { "" };
    let sql = format!(
        "UPDATE card_payment SET void_requested = 1, voided_by = ?2, next_ms = ?3
         WHERE payment = ?1 AND over = 0 AND captured_minor = 0{unseen}"
    );
    let done = db.execute(&sql, (payment, by, now_ms))?;
    changed(done, "The payment went on meanwhile: it is confirmed, captured or over.")
}
