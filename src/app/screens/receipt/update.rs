//! What the keys of the receipt do.
//!
//! Invariant: one print at a time; the receipt stays until it is left.

use crate::app::effect::Effect;
use crate::app::model::{Model, ReceiptView, Screen};
use crate::app::msg::Key;
use crate::app::screens::today;
use crate::app::update::{pay, step};

/// Asks for the layout and shows it; `drawer` opens the drawer with the first print.
pub fn open(model: &mut Model, drawer: bool, out: &mut Vec<Effect>) {
    let job = match (&model.card, model.screen) {
        (Some(card), Screen::Card) => Some(card.machine.intent().job),
        _ => model.wanted,
    };
    let Some(job) = job else { return };
    let op = model.next_op();
    out.push(Effect::RenderReceipt { op, job });
    model.wanted = Some(job);
    model.receipt = Some(ReceiptView { op, rows: None, scroll: 0, drawer, printing: None, printed: None });
    model.go(Screen::Receipt);
}

/// Prints it.
pub fn print(model: &mut Model, out: &mut Vec<Effect>) {
    let Some(job) = model.wanted else { return };
    let op = model.next_op();
    if let Some(view) = &mut model.receipt {
        view.printing = Some(op);
        out.push(Effect::Print { op, job, drawer: view.drawer });
    }
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
