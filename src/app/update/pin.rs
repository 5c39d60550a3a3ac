//! A manager's PIN: typed over the screen, checked by the runtime, then what it allows.
//!
//! Invariant: nothing is allowed before the runtime has said so; while it checks, no key changes what is checked.

use super::pay;
use crate::app::effect::Effect;
use crate::app::model::{AfterSaving, Model, Overlay, PinThen, PinView};
use crate::app::msg::{Key, OpId};
use crate::app::screens::job;
use crate::domain::event::{Event, ManagerApproved};
use crate::domain::pin::{PIN_DIGITS_MIN, Pin};
use crate::flow::payment::Event as Step;

/// Asks for it.
pub fn ask(model: &mut Model, what: ManagerApproved, then: PinThen) {
    model.overlay = Some(Overlay::Pin(PinView { pin: Pin::EMPTY, what, then, op: None, problem: None }));
}

/// Takes one key.
pub fn key(model: &mut Model, mut view: PinView, key: Key, out: &mut Vec<Effect>) {
    match key {
        Key::Esc if view.op.is_none() => return,
        Key::Char(digit) if view.op.is_none() => {
            view.pin.push(digit);
            view.problem = None;
        }
        Key::Backspace if view.op.is_none() => view.pin.pop(),
        Key::Enter if view.op.is_none() && view.pin.count() >= PIN_DIGITS_MIN => {
            let op = model.next_op();
            view.op = Some(op);
            view.problem = None;
            let pin = std::mem::replace(&mut view.pin, Pin::EMPTY);
            out.push(Effect::CheckPin { op, pin, what: view.what.clone() });
        }
        Key::Char(_)
        | Key::Enter
        | Key::Esc
        | Key::Backspace
        | Key::Up
        | Key::Down
        | Key::PageUp
        | Key::PageDown
        | Key::Interrupt => {}
    }
    model.overlay = Some(Overlay::Pin(view));
}

/// It was the manager's, or not.
pub fn checked(model: &mut Model, op: OpId, outcome: Result<(), String>, out: &mut Vec<Effect>) {
    let Some(Overlay::Pin(view)) = &mut model.overlay else { return };
    if view.op != Some(op) {
        return;
    }
    if let Err(why) = outcome {
        view.op = None;
        view.problem = Some(sentence(&why));
        return;
    }
    let then = view.then.clone();
    model.overlay = None;
    match then {
        PinThen::Refund(row) if model.saving.is_none() => {
            job::update::commit(model, Event::RefundRequested(row), AfterSaving::Entered, out);
        }
        PinThen::Refund(_) => {
            model.tell("One moment", "Another change is being written. Press the key again.", false);
        }
        PinThen::Store => {
            if let Some(id) = model.card.as_ref().map(|card| card.id) {
                pay::event(model, id, Step::ManagerAllows, out);
            }
        }
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
