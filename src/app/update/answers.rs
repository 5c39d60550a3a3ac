//! Answers of the runtime: stale ones are dropped, a failed commit is always told.
//!
//! Invariant: nothing that was typed is thrown away before its commit has succeeded.

use crate::app::effect::Effect;
use crate::app::model::{AfterSaving, ChainView, CheckoutView, DemoView, Model, ReceiptView, Screen};
use crate::app::msg::{OpId, ReaderView};
use crate::app::screens::{add_line, entry, job, receipt, shift};
use crate::domain::event::ReceiptState;
use crate::domain::read::JobDetail;
use crate::domain::receipt::{PrintedReceipt, ReceiptPreview};

/// The wanted job came. A receipt in front that it has overtaken is laid out anew.
pub fn job_came(model: &mut Model, mut detail: Box<JobDetail>, out: &mut Vec<Effect>) {
    if model.wanted == Some(detail.row.job) {
        detail.show(model.document);
        let paid = |job: &JobDetail| (job.payments.clone(), job.receipt_due);
        let other = model.job.as_ref().is_some_and(|before| paid(before) != paid(&detail));
        model.job = Some(detail);
        if other {
            receipt::update::overtaken(model, out);
        }
        model.line_selected = model.line_selected.min(job::stops(model).saturating_sub(1));
    }
}

/// A row is on the disk, or not.
pub fn committed(model: &mut Model, op: OpId, outcome: Result<(), String>, out: &mut Vec<Effect>) {
    let awaited = model.saving.take_if(|saving| saving.op == op);
    if let Err(why) = outcome {
        not_saved(model, &why);
        return;
    }
    reload(model, out);
    match awaited.map(|saving| saving.then) {
        Some(AfterSaving::LineAdded) if model.screen == Screen::AddLine => add_line::update::leave(model),
        Some(AfterSaving::CashTaken(row)) => {
            out.push(Effect::OpenDrawer(row));
            if model.screen == Screen::Cash {
                model.cash_digits.clear();
                model.checkout = CheckoutView::EMPTY;
                receipt::update::open(model, out);
            }
        }
        Some(AfterSaving::Entered) => entry::update::entered(model),
        Some(AfterSaving::ShiftWritten) => shift::update::written(model, out),
        Some(AfterSaving::ReceiptFound) => receipt::update::found(model),
        Some(AfterSaving::ReceiptMailed) => receipt::email::mailed(model),
        Some(AfterSaving::LineAdded | AfterSaving::Stay | AfterSaving::Invoiced | AfterSaving::DepositIssued(_))
        | None => {}
    }
}

/// The invoice was issued, or not.
pub fn invoiced(model: &mut Model, op: OpId, outcome: Result<Box<JobDetail>, String>, out: &mut Vec<Effect>) {
    let awaited = model.saving.take_if(|saving| saving.op == op);
    match outcome {
        Ok(detail) => {
            job_came(model, detail, out);
            out.extend([Effect::LoadToday, Effect::LoadSync]);
            match awaited.map(|saving| saving.then) {
                Some(AfterSaving::DepositIssued(id)) if model.screen == Screen::Entry => {
                    model.back();
                    job::update::collect_for(model, Some(id));
                }
                Some(_) if model.screen == Screen::Job => job::update::collect_for(model, None),
                Some(_) | None => {}
            }
        }
        Err(why) => not_saved(model, &why),
    }
}

/// The receipt was laid out, or not.
pub fn receipt(model: &mut Model, op: OpId, outcome: Result<ReceiptPreview, String>) {
    if let Some(view) = model.receipt.as_mut().filter(|view| view.op == op) {
        let rows = outcome.map(|preview| {
            (view.unfinished, view.signature) = (preview.unfinished, preview.signature);
            (view.replaces, view.number) = (preview.replaces, preview.number);
            preview.rows
        });
        view.rows = Some(rows);
    }
}

/// The printer was looked at.
pub fn printer_checked(model: &mut Model, op: OpId, trouble: Option<String>) {
    if let Some(view) = model.receipt.as_mut().filter(|view| view.op == op) {
        view.trouble = trouble;
    }
}

/// The receipt is so far.
pub fn printing(model: &mut Model, sent: u16, rows: u16, waits: Option<String>) {
    if let Some(printing) = model.receipt.as_mut().and_then(|view| view.printing.as_mut()).filter(|_| rows > 0) {
        (printing.sent, printing.rows, printing.waits) = (sent, rows, waits);
    }
}

/// The receipt was printed, or not.
pub fn printed(model: &mut Model, op: OpId, outcome: Result<PrintedReceipt, String>) {
    let awaited = |view: &&mut ReceiptView| view.printing.as_ref().is_some_and(|printing| printing.op == op);
    let Some(view) = model.receipt.as_mut().filter(awaited) else { return };
    view.printing = None;
    view.trouble = None;
    view.unfinished = None;
    match outcome {
        Ok(PrintedReceipt { sheet, state: ReceiptState::Confirmed, .. }) => view.printed = Some((sheet, true)),
        Ok(PrintedReceipt { sheet, state: ReceiptState::SentUnconfirmed, sentence }) => {
            view.printed = Some((sheet, false));
            model.tell("Look at the paper", &sentence, false);
        }
        Ok(PrintedReceipt { state: ReceiptState::Interrupted, sentence, .. }) => {
            model.tell("Not complete", &format!("{sentence} It will say COPY. The payment is not touched."), false);
        }
        Ok(PrintedReceipt { state: ReceiptState::Refused, sentence, .. }) => {
            model.tell("Not printed", &format!("{sentence} The payment is not touched."), false);
        }
        Err(why) => model.tell("Not printed", &format!("{why} The receipt is kept: print it again."), false),
    }
}

/// The journal was checked.
pub fn chain(model: &mut Model, op: OpId, ok: bool, rows: u64) {
    if model.chain == ChainView::Checking(op) {
        model.chain = if ok { ChainView::Good { rows } } else { ChainView::Bad { rows } };
    }
}

/// The reader changed; that it will be gone for a moment is told once.
pub fn reader(model: &mut Model, reader: ReaderView) {
    let before = model.reader.as_ref().and_then(|reader| reader.restart_in);
    if let Some(minutes) = reader.restart_in.filter(|_| before.is_none()) {
        let text =
            format!("The card reader restarts in {minutes} min for its daily self-test, and comes back by itself.");
        model.tell("Card reader", &text, true);
    }
    model.reader = Some(reader);
}

/// The demo's switches.
pub fn demo(model: &mut Model, link_cut: bool, card: String, cards: Vec<String>) {
    model.demo = Some(DemoView { link_cut, card, cards });
}

/// Reads again what a change may have touched.
pub fn reload(model: &Model, out: &mut Vec<Effect>) {
    out.extend(model.wanted.map(Effect::LoadJob));
    out.extend([Effect::LoadToday, Effect::LoadSync]);
}

fn not_saved(model: &mut Model, why: &str) {
    let mut letters = why.trim_end_matches('.').chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let why = format!("{first}{}.", letters.as_str());
    model.tell("Not saved", &format!("{why} Nothing you entered is lost: try again."), false);
}
