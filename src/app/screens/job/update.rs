//! What the keys of a job do.
//!
//! Invariant: a change is on its way to the disk before anything is shown as changed.

use crate::app::effect::Effect;
use crate::app::model::{AfterSaving, CheckoutView, Model, Overlay, Purpose, Question, Saving, Screen};
use crate::app::msg::Key;
use crate::app::screens::entry;
use crate::app::update::{pay, step as step_index};
use crate::domain::event::{Event, InvoiceCancelled, LineRemoved, VisitMoved};
use crate::domain::id::InvoiceId;
use crate::domain::line::Line;
use crate::domain::money::Money;

/// Another line, or further down.
pub fn moved(model: &mut Model, key: Key) {
    model.line_selected = step_index(model.line_selected, key, super::stops(model));
}

/// The next step of the visit, here or in the day's list.
pub fn step(model: &mut Model, out: &mut Vec<Effect>) {
    let row = if model.screen == Screen::Job { model.job.as_ref().map(|job| &job.row) } else { model.selected_today() };
    if let Some(row) = row
        && let Some(to) = row.state.next()
    {
        let event = Event::VisitMoved(VisitMoved { job: row.job, visit: row.visit, from: row.state, to });
        commit(model, event, AfterSaving::Stay, out);
    }
}

/// Asks whether to take the selected line off.
pub fn ask_delete(model: &mut Model) {
    if let Some(line) = super::selected_line(model) {
        model.overlay = Some(Overlay::Confirm(Question::DeleteLine(line.clone())));
    }
}

/// Takes a line off.
pub fn delete(model: &mut Model, line: Line, out: &mut Vec<Effect>) {
    let Some(job) = model.job.as_ref().filter(|job| job.lines.contains(&line)) else { return };
    if model.saving.is_none() && super::invoice(model).is_none() {
        let event = Event::LineRemoved(LineRemoved { job: job.row.job, visit: job.row.visit, line });
        commit(model, event, AfterSaving::Stay, out);
    }
}

/// Issues the invoice, or goes on with the one there is.
pub fn collect(model: &mut Model, out: &mut Vec<Effect>) {
    let Some(job) = &model.job else { return };
    if super::invoice(model).is_some() {
        collect_for(model, None);
    } else {
        let (job, visit) = (job.row.job, job.row.visit);
        let op = model.next_op();
        model.saving = Some(Saving { op, then: AfterSaving::Invoiced });
        out.push(Effect::IssueInvoice { op, job, visit });
    }
}

/// Shows the ways to pay for a document of the job; `None` for its invoice.
pub fn collect_for(model: &mut Model, document: Option<InvoiceId>) {
    model.checkout = CheckoutView::EMPTY;
    model.go(Screen::Checkout);
    model.front(document);
}

/// Goes on with the deposit that is not paid yet, or asks how much is to be paid ahead.
pub fn deposit(model: &mut Model) {
    match super::unpaid_deposit(model) {
        Some(id) => collect_for(model, Some(id)),
        None => entry::update::open(model, Purpose::Deposit, None),
    }
}

/// Gives a deposit its number.
pub fn issue_deposit(model: &mut Model, amount: Money, out: &mut Vec<Effect>) {
    if model.saving.is_some() {
        return;
    }
    let Some(id) = entry::update::new_id(model, out).map(InvoiceId) else { return };
    let Some((job, visit)) = model.job.as_ref().map(|job| (job.row.job, job.row.visit)) else { return };
    let op = model.next_op();
    model.saving = Some(Saving { op, then: AfterSaving::DepositIssued(id) });
    out.push(Effect::IssueDeposit { op, job, visit, id, amount });
}

/// Takes the invoice back, or the deposit that nobody has paid.
pub fn reopen(model: &mut Model, out: &mut Vec<Effect>) {
    if let Some(invoice) = super::invoice(model) {
        let event = Event::InvoiceCancelled(InvoiceCancelled {
            invoice: invoice.id,
            job: invoice.job,
            visit: invoice.visit,
            why: "reopened by the technician".to_owned(),
        });
        commit(model, event, AfterSaving::Stay, out);
        if model.screen != Screen::Job {
            model.back_to(Screen::Job);
        }
    }
}

/// Opens the payment that is not certain or may be voided.
pub fn open_payment(model: &mut Model, out: &mut Vec<Effect>) {
    if let Some(payment) = super::actionable_payment(model).cloned() {
        pay::open(model, payment, out);
    }
}

/// Writes a row and remembers what follows.
pub fn commit(model: &mut Model, event: Event, then: AfterSaving, out: &mut Vec<Effect>) {
    let op = model.next_op();
    model.saving = Some(Saving { op, then });
    out.push(Effect::Commit { op, event });
}
