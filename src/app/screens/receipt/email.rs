//! The receipt by e-mail: a field for the address, and a row in the journal for the office to act on.
//!
//! Invariant: what is no address is refused at the field with a sentence, and stays there to be mended.

use crate::app::effect::Effect;
use crate::app::model::{AfterSaving, EmailField, Model, Screen};
use crate::app::msg::Key;
use crate::app::screens::job;
use crate::domain::email::{ADDRESS_BYTES_MAX, EmailAddress};
use crate::domain::event::{Event, ReceiptEmailRequested};
use crate::domain::receipt::ReceiptStanding;

/// Whether keys go into the field.
pub fn is_open(model: &Model) -> bool {
    model.screen == Screen::Receipt && model.receipt.as_ref().is_some_and(|view| view.email.is_some())
}

/// Asks where to; what the office knows of the customer stands there already.
pub fn open(model: &mut Model) {
    let known = model.job.as_ref().map(|job| job.email.clone()).unwrap_or_default();
    if let Some(view) = &mut model.receipt {
        view.email = Some(EmailField { text: known, wrong: None });
    }
}

/// Takes a key while the field is open; false otherwise.
pub fn key(model: &mut Model, key: Key, out: &mut Vec<Effect>) -> bool {
    if !is_open(model) {
        return false;
    }
    let Some(field) = model.receipt.as_mut().and_then(|view| view.email.as_mut()) else { return false };
    field.wrong = None;
    match key {
        Key::Char(c) if !c.is_control() && field.text.len() + c.len_utf8() <= ADDRESS_BYTES_MAX => field.text.push(c),
        Key::Char(_) | Key::Up | Key::Down | Key::PageUp | Key::PageDown | Key::Interrupt => {}
        Key::Backspace => {
            field.text.pop();
        }
        Key::Esc => {
            if let Some(view) = &mut model.receipt {
                view.email = None;
            }
        }
        Key::Enter => send(model, out),
    }
    true
}

fn send(model: &mut Model, out: &mut Vec<Effect>) {
    let Some(field) = model.receipt.as_mut().and_then(|view| view.email.as_mut()) else { return };
    if model.saving.is_some() {
        return;
    }
    let to: EmailAddress = match field.text.parse() {
        Ok(to) => to,
        Err(why) => {
            field.wrong = Some(why.to_string());
            return;
        }
    };
    let Some(salt) = model.take_id(out) else {
        model.tell("One moment", "The program is still starting. Press the key again.", false);
        return;
    };
    let (Some(detail), Some(invoice)) = (&model.job, job::invoice(model)) else { return };
    let Some(standing) = ReceiptStanding::of_job(detail) else { return };
    let event = Event::ReceiptEmailRequested(ReceiptEmailRequested {
        invoice: invoice.id,
        job: invoice.job,
        visit: invoice.visit,
        to,
        standing,
        salt: salt.simple().to_string(),
    });
    job::update::commit(model, event, AfterSaving::ReceiptMailed, out);
}

/// That is on the disk.
pub fn mailed(model: &mut Model) {
    if let Some(view) = &mut model.receipt {
        view.emailed = view.email.take().map(|field| field.text.trim().to_owned());
    }
}
