//! What the keys of the receipt do.
//!
//! Invariant: one print at a time, never begun by itself; the receipt stays until it is left.

use crate::app::effect::Effect;
use crate::app::model::{AfterSaving, Model, Overlay, Printing, ReceiptView, Screen};
use crate::app::msg::Key;
use crate::app::screens::{job, today};
use crate::app::update::{pay, step};
use crate::domain::event::{Event, ReceiptEnded, ReceiptState};
use crate::domain::id::{InvoiceId, JobId};
use crate::domain::receipt::{Dots, Party, ReceiptOf, ReceiptRow, Sheet};

/// Asks for the layout and how the printer is, and shows the customer's receipt.
pub fn open(model: &mut Model, out: &mut Vec<Effect>) {
    let paid = match (&model.card, model.screen) {
        (Some(card), Screen::Card) => Some((card.machine.intent().job, Some(card.machine.intent().invoice))),
        _ => model.wanted.map(|job| (job, model.document)),
    };
    if let Some((job, document)) = paid {
        show(model, job, document, out);
    }
}

/// The same for what was paid ahead for the job in front.
pub fn open_deposit(model: &mut Model, out: &mut Vec<Effect>) {
    if let (Some(job), Some(deposit)) = (model.wanted, job::paid_deposit(model)) {
        show(model, job, Some(deposit), out);
    }
}

fn show(model: &mut Model, job: JobId, document: Option<InvoiceId>, out: &mut Vec<Effect>) {
    let op = model.next_op();
    model.wanted = Some(job);
    model.front(document);
    let of = ReceiptOf { job, document, party: Party::Customer };
    out.extend([Effect::RenderReceipt { op, of, columns: model.columns }, Effect::CheckPrinter { op }]);
    model.receipt = Some(ReceiptView {
        op,
        rows: None,
        email: None,
        emailed: None,
        party: Party::Customer,
        replaces: None,
        signature: false,
        number: None,
        unfinished: None,
        scroll: 0,
        trouble: None,
        printing: None,
        printed: None,
    });
    model.go(Screen::Receipt);
}

/// Another party's copy.
pub fn choose(model: &mut Model, party: Party, out: &mut Vec<Effect>) {
    let (columns, document, Some(job)) = (model.columns, model.document, model.wanted) else { return };
    let op = model.next_op();
    if let Some(view) = &mut model.receipt {
        (view.op, view.party, view.rows, view.printed, view.scroll) = (op, party, None, None, 0);
        out.extend([
            Effect::RenderReceipt { op, of: ReceiptOf { job, document, party }, columns },
            Effect::CheckPrinter { op },
        ]);
    }
}

/// What the receipt in front says of the payments is not so any more: it is laid out anew, unless it is being printed.
pub fn overtaken(model: &mut Model, out: &mut Vec<Effect>) {
    let (columns, document, Some(job)) = (model.columns, model.document, model.wanted) else { return };
    if model.receipt.as_ref().is_none_or(|view| view.printing.is_some()) {
        return;
    }
    let op = model.next_op();
    if let Some(view) = &mut model.receipt {
        (view.op, view.printed) = (op, None);
        out.push(Effect::RenderReceipt { op, of: ReceiptOf { job, document, party: view.party }, columns });
    }
}

/// Prints it.
pub fn print(model: &mut Model, out: &mut Vec<Effect>) {
    let (document, Some(job)) = (model.document, model.wanted) else { return };
    let op = model.next_op();
    if let Some(view) = &mut model.receipt {
        view.printing = Some(Printing { op, sent: 0, rows: 0, waits: None, stopping: false });
        out.push(Effect::Print { op, of: ReceiptOf { job, document, party: view.party } });
    }
}

/// Asks the printer to stop; the screen says so until it has answered.
pub fn stop(model: &mut Model, out: &mut Vec<Effect>) {
    if let Some(printing) = model.receipt.as_mut().and_then(|view| view.printing.as_mut()) {
        printing.stopping = true;
        out.push(Effect::StopPrint);
    }
}

/// The copy that a stopped program left came out, says the technician.
pub fn came_out(model: &mut Model, out: &mut Vec<Effect>) {
    let (Some(sheet), Some(invoice)) = (unfinished(model), job::invoice(model)) else { return };
    let event = Event::ReceiptEnded(ReceiptEnded {
        invoice: invoice.id,
        job: invoice.job,
        visit: invoice.visit,
        sheet,
        state: ReceiptState::Confirmed,
        by: Some("technician".to_owned()),
        why: None,
    });
    job::update::commit(model, event, AfterSaving::ReceiptFound, out);
}

/// That is on the disk.
pub fn found(model: &mut Model) {
    if let Some(view) = &mut model.receipt {
        view.printed = view.unfinished.take().map(|sheet| (sheet, true));
    }
}

/// Shows its code over everything; where the screen is too small for what the device states, the number alone.
pub fn show_code(model: &mut Model) {
    let (columns, lines) = (usize::from(model.columns), usize::from(model.rows));
    let number = model.receipt.as_ref().and_then(|view| view.number.clone());
    let rows = model.receipt.as_ref().and_then(|view| view.rows.as_ref()?.as_ref().ok());
    let code = rows.into_iter().flatten().find_map(|row| match row {
        ReceiptRow::Qr(dots) => Some(dots.clone()),
        ReceiptRow::Text { .. } | ReceiptRow::Logo => None,
    });
    let code: Option<Dots> = code;
    model.overlay = code.filter(|code| code.fits(columns, lines)).or(number).map(Overlay::Code);
}

/// The sheet of which nobody knows whether it came out.
pub fn unfinished(model: &Model) -> Option<Sheet> {
    model.receipt.as_ref().and_then(|view| view.unfinished)
}

/// Back to the job: what was collected is over.
pub fn leave(model: &mut Model, out: &mut Vec<Effect>) {
    model.receipt = None;
    let home = if model.below.contains(&Screen::Job) { Screen::Job } else { Screen::Today };
    model.back_to(home);
    today::update::preview(model, out);
    pay::take_up(model, out);
}

/// Scrolls.
pub fn moved(model: &mut Model, key: Key) {
    if let Some(view) = &mut model.receipt {
        let count = view.rows.as_ref().and_then(|rows| rows.as_ref().ok()).map_or(0, Vec::len);
        let shown = usize::from(model.rows).saturating_sub(6);
        view.scroll = step(view.scroll, key, count.saturating_sub(shown) + 1);
    }
}
