//! What the keys of the add-line screen do.
//!
//! Invariant: an answer to an older search is dropped; what was typed stays until the line is on the disk.

use crate::app::effect::Effect;
use crate::app::model::{AddLineView, AfterSaving, Model, Screen};
use crate::app::msg::{Key, OpId};
use crate::app::screens::job;
use crate::app::update::{edit, step};
use crate::domain::event::{Event, LineAdded};
use crate::domain::id::LineId;
use crate::domain::line::{Line, Quantity};
use crate::domain::price::PriceItem;

/// Opens it with the entries used most.
pub fn open(model: &mut Model, out: &mut Vec<Effect>) {
    model.add_line = AddLineView::empty();
    model.go(Screen::AddLine);
    search(model, out);
}

/// The search was answered.
pub fn found(model: &mut Model, op: OpId, query: &str, items: Vec<PriceItem>) {
    let view = &mut model.add_line;
    if view.op == Some(op) && view.query == query {
        view.selected = 0;
        view.items = Some(items);
    }
}

/// The line is on the disk.
pub fn leave(model: &mut Model) {
    model.add_line = AddLineView::empty();
    model.back_to(Screen::Job);
}

/// Every key but Ctrl-C goes into the field or moves the selection.
pub fn key(model: &mut Model, key: Key, out: &mut Vec<Effect>) -> bool {
    if model.add_line.picked.is_some() {
        quantity_key(model, key, out)
    } else {
        search_key(model, key, out)
    }
    true
}

/// The line that would be added.
pub fn draft(model: &Model) -> Option<Line> {
    let item = model.add_line.picked.as_ref()?;
    let quantity = match model.add_line.quantity.as_str() {
        "" => Quantity::ONE,
        typed => Quantity::parse(typed).ok().filter(|q| q.0 > 0 && *q <= Quantity::MAX)?,
    };
    let line = Line::from_item(LineId(uuid::Uuid::nil()), item, quantity);
    line.amount().is_ok().then_some(line)
}

fn search_key(model: &mut Model, key: Key, out: &mut Vec<Effect>) {
    let view = &mut model.add_line;
    match key {
        Key::Esc => model.back(),
        Key::Enter => {
            view.picked = view.items.as_ref().and_then(|items| items.get(view.selected)).cloned();
            view.quantity.clear();
        }
        Key::Char(_) | Key::Backspace => {
            let before = view.query.clone();
            edit(&mut view.query, key);
            if view.query != before {
                search(model, out);
            }
        }
        Key::Up | Key::Down | Key::PageUp | Key::PageDown | Key::Interrupt => {
            view.selected = step(view.selected, key, view.items.as_ref().map_or(0, Vec::len));
        }
    }
}

fn quantity_key(model: &mut Model, key: Key, out: &mut Vec<Effect>) {
    match key {
        Key::Esc => model.add_line.picked = None,
        Key::Enter => add(model, out),
        Key::Backspace => {
            model.add_line.quantity.pop();
        }
        Key::Char(c @ ('0'..='9' | '.' | ',')) if model.add_line.quantity.len() < 12 => {
            model.add_line.quantity.push(if c == ',' { '.' } else { c });
        }
        Key::Char(_) | Key::Up | Key::Down | Key::PageUp | Key::PageDown | Key::Interrupt => {}
    }
}

fn add(model: &mut Model, out: &mut Vec<Effect>) {
    if model.saving.is_some() || !job::is_open(model) {
        return;
    }
    let Some(line) = draft(model) else { return };
    let Some(id) = model.take_id(out) else {
        model.tell("One moment", "The program is still starting. Press Enter again.", false);
        return;
    };
    if let Some((job, visit)) = model.job.as_ref().map(|job| (job.row.job, job.row.visit)) {
        let line = Line { id: LineId(id), ..line };
        job::update::commit(model, Event::LineAdded(LineAdded { job, visit, line }), AfterSaving::LineAdded, out);
    }
}

fn search(model: &mut Model, out: &mut Vec<Effect>) {
    let op = model.next_op();
    model.add_line.op = Some(op);
    out.push(Effect::SearchPrices { op, query: model.add_line.query.clone() });
}
