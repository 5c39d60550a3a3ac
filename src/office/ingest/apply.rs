//! One row applied: the fold's changes, and what a payment's row means for the office's side of it.

use super::card;
use super::shift;
use crate::domain::event::{DecodeError, Event};
use crate::domain::exception::ExceptionType;
use crate::domain::fold::{FoldError, RowRef, fold};
use crate::domain::journal::Row;
use crate::domain::outcome::OutcomeState;
use crate::domain::payment::{Payment, PaymentState, Tender};
use crate::domain::totals::{Extras, Totals, totals};
use crate::facts::{FactsError, Origin, known, write};
use crate::office::exceptions::{Trouble, raise};
use crate::office::payments::publish::end;
use crate::office::payments::{moved, refunds, transfers};
use crate::office::{OfficeError, deposits, ereceipts};
use crate::sync::wire::batch::Envelope;
use rusqlite::Connection;

/// Why a row goes to quarantine.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApplyError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Fold(#[from] FoldError),
    #[error(transparent)]
    Facts(#[from] FactsError),
    #[error(transparent)]
    Office(#[from] OfficeError),
    #[error("the row breaks a rule of the books: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the row's subjects are not those of its body")]
    Subjects,
    #[error("the deposit that it takes from does not exist here")]
    NoDeposit,
}

/// Applies one row inside a savepoint.
pub(super) fn apply(db: &Connection, e: &Envelope, row: &Row, now_ms: i64) -> Result<(), ApplyError> {
    let event = Event::decode(&row.kind, row.v, &row.body)?;
    if event.subjects() != row.subjects {
        return Err(ApplyError::Subjects);
    }
    let before = known(db, &event)?;
    // The office has every deposit; a handheld has only those that it took.
    if event.about().deposit.is_some() && before.deposit.is_none() {
        return Err(ApplyError::NoDeposit);
    }
    let changes = fold(&event, &before, RowRef { id: row.id, at_ms: row.at_ms })?;
    let (device, epoch) = (e.device.to_string(), e.epoch.to_string());
    write(db, &changes, Origin { device: &device, epoch: &epoch, seq: row.seq, at_ms: row.at_ms })?;
    if let Event::InvoiceIssued(issued) = &event {
        check_totals(db, &device, &issued.invoice, now_ms)?;
    }
    if let Event::ShiftClosed(closed) = &event {
        shift::closed(db, &device, closed, now_ms)?;
    }
    if let Event::ReceiptEmailRequested(asked) = &event {
        ereceipts::request(db, &device, row.id, asked, now_ms)?;
    }
    deposits::changed(db, &changes, now_ms)?;
    card_row(db, e, row, &event, now_ms)?;
    if let Some(deposit) = &changes.deposit {
        moved(db, &deposit.id.to_string(), now_ms)?;
    }
    match (&changes.payment, &changes.refund, &before.invoice) {
        (Some(payment), ..) if money_of(before.payment.as_ref()) != money_of(Some(payment)) => {
            Ok(moved(db, &payment.invoice.to_string(), now_ms)?)
        }
        (Some(payment), ..) => Ok(ereceipts::look_again(db, &payment.invoice.to_string())?),
        (None, Some(_), Some(invoice)) => Ok(ereceipts::look_again(db, &invoice.id.to_string())?),
        (None, Some(_), None) | (None, None, _) => Ok(()),
    }
}

/// What of a payment decides whether its invoice has more than it asks for.
fn money_of(payment: Option<&Payment>) -> (i64, i64, bool) {
    let of = |p: &Payment| (p.approved_minor, p.refunded_minor, p.state == PaymentState::VoidPending);
    payment.map_or((0, 0, false), of)
}

/// Device and office compute the same totals, or a dispatcher hears of it.
fn check_totals(
    db: &Connection,
    device: &str,
    invoice: &crate::domain::invoice::Invoice,
    now_ms: i64,
) -> Result<(), ApplyError> {
    let ours = match invoice.is_deposit() {
        true => Ok(Totals::of_deposit(invoice.totals.total())),
        false => totals(&invoice.lines, invoice.totals.currency, Extras::NONE),
    };
    if ours.as_ref() == Ok(&invoice.totals) {
        return Ok(());
    }
    let (subject, job) = (invoice.id.to_string(), invoice.job.to_string());
    let trouble = Trouble {
        kind: ExceptionType::TotalsDiffer,
        subject: &subject,
        device: Some(device),
        job: Some(&job),
        amount: invoice.totals.total(),
        note: "the office computes another total",
        deadline_ms: None,
    };
    Ok(raise(db, &trouble, now_ms)?)
}

/// The office's side of a card payment.
fn card_row(db: &Connection, e: &Envelope, row: &Row, event: &Event, now_ms: i64) -> Result<(), ApplyError> {
    let update = |payment: String, set: &str| -> Result<(), ApplyError> {
        let sql = format!("UPDATE card_payment SET {set}, next_ms = ?2 WHERE payment = ?1 AND over = 0");
        db.execute(&sql, (payment, now_ms))?;
        Ok(())
    };
    if let Event::PaymentOutcomeSeen(seen) = event {
        let sql = "UPDATE card_payment SET seen_n = max(seen_n, ?2) WHERE payment = ?1";
        db.execute(sql, (seen.payment.to_string(), seen.outcome.n))?;
        card::regain(db, &seen.outcome, now_ms)?;
    }
    match event {
        Event::PaymentCardRead(read) => card::read(db, e, read, now_ms),
        Event::PaymentRefused(step) => Ok(end(db, step.payment)?),
        Event::PaymentRequested(request) => {
            let set = format!("requested_seq = {}, request_heard_ms = {now_ms}", row.seq);
            update(request.payment.to_string(), &set)?;
            card::question(db, e, row, request.payment)
        }
        Event::PaymentAcceptedOffline(accepted) => {
            let deadline_ms = accepted.deadline_ms.saturating_add(row.offset_ms.unwrap_or(0));
            let set = format!("accepted_offline = 1, deadline_ms = {deadline_ms}");
            update(accepted.payment.to_string(), &set)?;
            card::question(db, e, row, accepted.payment)
        }
        // Even of a payment that had ended here: the handheld waits for a word, if only that it is too late.
        Event::PaymentVoidRequested(step) => {
            let sql = "UPDATE card_payment SET void_requested = 1, over = 0, next_ms = ?2 WHERE payment = ?1";
            db.execute(sql, (step.payment.to_string(), now_ms))?;
            Ok(())
        }
        Event::PaymentPartTaken(step) => update(step.payment.to_string(), "outcome_seen = 1"),
        Event::PaymentOutcomeSeen(seen) if seen.outcome.state == OutcomeState::Approved => {
            update(seen.payment.to_string(), "outcome_seen = 1")
        }
        Event::PaymentOutcomeSeen(seen) if card::is_end(seen.outcome.state) => Ok(end(db, seen.payment)?),
        Event::RefundRequested(asked) => Ok(refunds::asked(db, &e.device.to_string(), asked, now_ms)?),
        Event::TenderRecorded(taken) if taken.tender == Tender::Transfer => {
            Ok(transfers::expected(db, &e.device.to_string(), taken, now_ms)?)
        }
        Event::TenderRecorded(_)
        | Event::DepositUsed(_)
        | Event::JournalOpened(_)
        | Event::ManagerApproved(_)
        | Event::VisitMoved(_)
        | Event::LineAdded(_)
        | Event::LineRemoved(_)
        | Event::InvoiceIssued(_)
        | Event::InvoiceCancelled(_)
        | Event::PaymentIntended(_)
        | Event::PaymentAbandoned(_)
        | Event::PaymentCardDeclined(_)
        | Event::PaymentUnknown(_)
        | Event::PaymentOutcomeSeen(_)
        | Event::PaymentCorrected(_)
        | Event::RefundOutcomeSeen(_)
        | Event::CashRefunded(_)
        | Event::CashRecorded(_)
        | Event::ReceiptQueued(_)
        | Event::ReceiptEnded(_)
        | Event::DrawerOpened(_)
        | Event::ShiftOpened(_)
        | Event::CashMoved(_)
        | Event::ShiftClosed(_)
        | Event::ReceiptEmailRequested(_) => Ok(()),
    }
}
