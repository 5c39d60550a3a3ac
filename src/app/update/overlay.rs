//! Keys while the command list or a question is on top.
//!
//! Invariant: Enter answers no question. The letter Y does; every other key but Ctrl-C keeps things as they are.

use super::{keys, pay, pin};
use crate::app::command::{self, CommandId};
use crate::app::effect::{DemoCommand, Effect};
use crate::app::model::{Model, Overlay, PaletteItem, Question};
use crate::app::msg::Key;
use crate::app::screens::checkout::surcharge;
use crate::app::screens::{cash, checkout, devices, job, shift};
use crate::flow::payment::Event;

/// Takes one key.
pub fn key(model: &mut Model, key: Key, out: &mut Vec<Effect>) {
    match model.overlay.take() {
        Some(Overlay::Palette(mut palette)) => {
            let items = command::palette(model, &palette.query);
            match key {
                Key::Esc => {}
                Key::Enter => {
                    if let Some(item) = items.get(palette.selected) {
                        run(model, item, out);
                    }
                }
                Key::Up | Key::Down | Key::PageUp | Key::PageDown => {
                    palette.selected = keys::step(palette.selected, key, items.len());
                    model.overlay = Some(Overlay::Palette(palette));
                }
                Key::Char(_) | Key::Backspace | Key::Interrupt => {
                    if keys::edit(&mut palette.query, key) {
                        palette.selected = 0;
                    }
                    model.overlay = Some(Overlay::Palette(palette));
                }
            }
        }
        Some(Overlay::Confirm(question)) => match key {
            Key::Char('y' | 'Y') => yes(model, question, out),
            Key::Esc | Key::Char('n' | 'N') => {}
            Key::Char(_)
            | Key::Enter
            | Key::Backspace
            | Key::Up
            | Key::Down
            | Key::PageUp
            | Key::PageDown
            | Key::Interrupt => model.overlay = Some(Overlay::Confirm(question)),
        },
        Some(Overlay::Pin(view)) => pin::key(model, view, key, out),
        Some(Overlay::Code(_)) | None => {}
    }
}

fn run(model: &mut Model, item: &PaletteItem, out: &mut Vec<Effect>) {
    match item {
        PaletteItem::Command(id) => keys::run(model, *id, out),
        PaletteItem::PresentCard(name) => out.push(Effect::Demo(DemoCommand::PresentCard(name.clone()))),
    }
}

fn yes(model: &mut Model, question: Question, out: &mut Vec<Effect>) {
    let front = model.card.as_ref().map(|card| card.id);
    match question {
        Question::DeleteLine(line) => job::update::delete(model, line, out),
        Question::Reopen if command::available(model, CommandId::Reopen) => job::update::reopen(model, out),
        Question::Void if command::available(model, CommandId::Void) => {
            if let Some(id) = front {
                pay::event(model, id, Event::Void("voided by the technician".to_owned()), out);
            }
        }
        Question::AcceptUnknown if command::available(model, CommandId::AcceptPending) => {
            if let Some(id) = front {
                pay::event(model, id, Event::AcceptOffline, out);
            }
        }
        Question::Forget(row) => devices::update::forget(row, out),
        Question::PartCash { received } => cash::update::record(model, received, out),
        Question::SecondTender { blocking, tender } => checkout::update::second(model, blocking, tender, out),
        Question::Surcharge { linked_to, .. } => surcharge::agreed(model, question, linked_to, out),
        Question::CashOut { kind, amount, reason } => shift::update::write_move(model, kind, amount, reason, out),
        Question::CloseShift { counted } => shift::update::close(model, counted, out),
        Question::Quit => out.push(Effect::Quit),
        Question::Reopen | Question::Void | Question::AcceptUnknown => {
            model.tell("Too late", "Things changed while you were asked. Look again.", false);
        }
    }
}
