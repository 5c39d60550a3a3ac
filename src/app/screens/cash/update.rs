//! What the keys of the cash screen do.
//!
//! Invariant: the drawer gains what is recorded and nothing more: change is taken off first.

use super::{MAX_DIGITS, quick_amounts, received as received_so_far};
use crate::app::effect::Effect;
use crate::app::model::{AfterSaving, Model, Overlay, Question};
use crate::app::msg::Key;
use crate::app::screens::{checkout, job};
use crate::domain::event::{CashRecorded, DrawerOpened, Event};
use crate::domain::id::PaymentId;
use crate::domain::money::Money;
use crate::domain::payment::{Extras, Tender};

/// Digits count minor units: 1 2 0 0 0 is 120.00.
pub fn key(model: &mut Model, key: Key) -> bool {
    match key {
        Key::Char(c) if c.is_ascii_digit() => {
            if model.cash_digits.len() < MAX_DIGITS && !(c == '0' && model.cash_digits.is_empty()) {
                model.cash_digits.push(c);
            }
            true
        }
        Key::Backspace => {
            model.cash_digits.pop();
            true
        }
        Key::Char(_) | Key::Enter | Key::Esc | Key::Up | Key::Down | Key::PageUp | Key::PageDown | Key::Interrupt => {
            false
        }
    }
}

/// The exact amount.
pub fn exact(model: &mut Model) {
    if let Some(due) = checkout::due(model, Tender::Cash) {
        model.cash_digits = due.minor.to_string();
    }
}

/// A round amount.
pub fn quick(model: &mut Model, n: u8) {
    if let Some(Some(amount)) = quick_amounts(model).get(usize::from(n)) {
        model.cash_digits = amount.minor.to_string();
    }
}

/// Records what was received; asks first when it is less than what is open.
pub fn received(model: &mut Model, out: &mut Vec<Effect>) {
    let received = received_so_far(model);
    let Some(due) = checkout::due(model, Tender::Cash) else { return };
    if received.minor >= due.minor {
        record(model, received, out);
    } else if received.minor > 0 {
        model.overlay = Some(Overlay::Confirm(Question::PartCash { received }));
    }
}

/// Writes it.
pub fn record(model: &mut Model, received: Money, out: &mut Vec<Effect>) {
    let Some(due) = checkout::due(model, Tender::Cash).filter(|_| model.saving.is_none()) else { return };
    let Some(id) = model.take_id(out) else {
        model.tell("One moment", "The program is still starting. Press Enter again.", false);
        return;
    };
    let Some(invoice) = job::invoice(model) else { return };
    let whole = received.minor >= due.minor;
    let kept = received.minor.min(due.minor);
    // A part brings no tip, and coins pay it as it is.
    let extras = if whole { checkout::extras(model, Tender::Cash) } else { Extras::NONE };
    let left = checkout::open_amount(model).map_or(0, |open| open.minor);
    if !whole && kept > left {
        return;
    }
    let payment = PaymentId(id);
    let drawer = DrawerOpened { payment, job: invoice.job, visit: invoice.visit };
    let event = Event::CashRecorded(CashRecorded {
        payment,
        invoice: invoice.id,
        document: invoice.document.clone(),
        job: invoice.job,
        visit: invoice.visit,
        amount: Money::new(kept, due.currency),
        extras,
        tendered_minor: received.minor,
        change_minor: received.minor.saturating_sub(kept),
        linked_to: model.cash_linked,
    });
    job::update::commit(model, event, AfterSaving::CashTaken(drawer), out);
}
