//! What the keys of the entry screen do.
//!
//! Invariant: an amount over its limit is refused at the field with a sentence; Enter never sends money out.

use super::{MAX_DIGITS, chosen, is_text, most, presets, typed};
use crate::app::effect::Effect;
use crate::app::model::{AfterSaving, EntryStep, EntryView, Model, Purpose, Screen};
use crate::app::msg::Key;
use crate::app::screens::{checkout, job};
use crate::app::update::edit;
use crate::domain::event::{CashRefunded, Event, PaymentStep, RefundRequested, TenderRecorded};
use crate::domain::id::{PaymentId, RefundId};
use crate::domain::money::Money;
use crate::domain::payment::{Extras, Tender};
use crate::domain::refund::RefundKind;

/// The shortest reference or reason.
const TEXT_MIN_CHARS: usize = 3;

/// Opens it.
pub fn open(model: &mut Model, purpose: Purpose, linked_to: Option<PaymentId>) {
    let step = if matches!(purpose, Purpose::Correct { .. }) { EntryStep::Text } else { EntryStep::Amount };
    model.entry = EntryView { purpose, linked_to, step, ..EntryView::EMPTY };
    model.go(Screen::Entry);
}

/// Opens it for the newest payment that can be given back.
pub fn open_refund(model: &mut Model) {
    let newest = super::refundable(model).first().map(|view| view.payment.id);
    if let Some(payment) = newest {
        open(model, Purpose::Refund { payment }, None);
    }
}

/// Opens it for the newest entry that may have been wrong.
pub fn open_correction(model: &mut Model) {
    if let Some(payment) = job::correctable(model).map(|payment| payment.id) {
        open(model, Purpose::Correct { payment }, None);
    }
}

/// Digits, letters of the text, and Backspace.
pub fn key(model: &mut Model, key: Key) -> bool {
    if is_text(model) {
        let taken = edit(&mut model.entry.text, key);
        model.entry.problem = None;
        return taken;
    }
    let entry = &mut model.entry;
    match key {
        Key::Char(c) if c.is_ascii_digit() && entry.step == EntryStep::Amount => {
            if entry.digits.len() < MAX_DIGITS && !(c == '0' && entry.digits.is_empty()) {
                entry.digits.push(c);
            }
            entry.problem = None;
            true
        }
        Key::Backspace if entry.step == EntryStep::Amount => {
            entry.digits.pop();
            entry.problem = None;
            true
        }
        // Another payment to give back.
        Key::Up | Key::Down if matches!(entry.purpose, Purpose::Refund { .. }) && entry.step == EntryStep::Amount => {
            other_payment(model);
            true
        }
        Key::Char(_)
        | Key::Enter
        | Key::Esc
        | Key::Backspace
        | Key::Up
        | Key::Down
        | Key::PageUp
        | Key::PageDown
        | Key::Interrupt => false,
    }
}

fn other_payment(model: &mut Model) {
    let ids: Vec<PaymentId> = super::refundable(model).iter().map(|view| view.payment.id).collect();
    if let Purpose::Refund { payment } = &mut model.entry.purpose
        && let Some(at) = ids.iter().position(|id| id == payment)
        && let Some(next) = ids.get((at + 1) % ids.len())
    {
        *payment = *next;
        model.entry.digits.clear();
    }
}

/// One of the amounts offered.
pub fn preset(model: &mut Model, n: u8) {
    if let Some((_, amount)) = presets(model).get(usize::from(n)) {
        model.entry.digits = amount.minor.to_string();
        model.entry.problem = None;
    }
}

/// No tip, or the whole balance again.
pub fn none(model: &mut Model) {
    match model.entry.purpose {
        Purpose::Tip => model.checkout.tip_minor = 0,
        Purpose::Part => model.checkout.part_minor = None,
        Purpose::Cheque
        | Purpose::Transfer
        | Purpose::Deposit
        | Purpose::Refund { .. }
        | Purpose::Unlinked
        | Purpose::Correct { .. } => {
            return;
        }
    }
    model.back();
}

/// Takes what was typed and goes on.
pub fn take(model: &mut Model, out: &mut Vec<Effect>) {
    let Some((amount, most)) = typed(model).zip(most(model)) else { return };
    match model.entry.step {
        EntryStep::Amount => take_amount(model, amount, most, out),
        EntryStep::Text if model.entry.text.trim().chars().count() < TEXT_MIN_CHARS => {
            model.entry.problem = Some("Type a few letters: the office reads it.".to_owned());
        }
        EntryStep::Text => match model.entry.purpose {
            Purpose::Cheque => record(model, Tender::Cheque, amount, out),
            Purpose::Transfer => record(model, Tender::Transfer, amount, out),
            Purpose::Refund { .. } | Purpose::Unlinked | Purpose::Correct { .. } => {
                model.entry.step = EntryStep::Decide;
            }
            Purpose::Tip | Purpose::Part | Purpose::Deposit => {}
        },
        // A letter answers, Enter never does.
        EntryStep::Decide => {}
    }
}

fn take_amount(model: &mut Model, amount: Money, most: Money, out: &mut Vec<Effect>) {
    let rules = model.job.as_ref().map(|job| job.rules.clone());
    let problem = match model.entry.purpose {
        Purpose::Tip => {
            let base = checkout::base(model).unwrap_or(most);
            rules.and_then(|rules| rules.check_tip(base, amount.minor).err()).map(|why| sentence(&why.to_string()))
        }
        Purpose::Unlinked if amount.minor > most.minor => {
            Some(format!("At most {most} goes back this way: type less, or call the office."))
        }
        Purpose::Deposit if amount.minor > most.minor => {
            Some(format!("A deposit is at most {most}: type less, or take two."))
        }
        Purpose::Part
        | Purpose::Deposit
        | Purpose::Cheque
        | Purpose::Transfer
        | Purpose::Refund { .. }
        | Purpose::Unlinked
        | Purpose::Correct { .. } => {
            let over = amount.minor > most.minor;
            let refund = matches!(model.entry.purpose, Purpose::Refund { .. });
            let left = match (refund, super::of_deposit(model)) {
                (true, true) => "of this deposit is left",
                (true, false) => "of this payment is left",
                (false, _) => "is open",
            };
            match amount.minor {
                0 => Some("Type an amount.".to_owned()),
                _ if over => Some(format!("Only {most} {left}: type less.")),
                _ => None,
            }
        }
    };
    if problem.is_some() {
        model.entry.problem = problem;
        return;
    }
    match model.entry.purpose {
        Purpose::Tip => {
            model.checkout.tip_minor = amount.minor;
            model.back();
        }
        Purpose::Part => {
            model.checkout.part_minor = (amount.minor < most.minor).then_some(amount.minor);
            model.back();
        }
        Purpose::Deposit => job::update::issue_deposit(model, amount, out),
        Purpose::Cheque | Purpose::Transfer | Purpose::Refund { .. } | Purpose::Unlinked | Purpose::Correct { .. } => {
            model.entry.step = EntryStep::Text;
        }
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// Writes a cheque or a transfer.
fn record(model: &mut Model, tender: Tender, amount: Money, out: &mut Vec<Effect>) {
    if model.saving.is_some() {
        return;
    }
    let Some(id) = new_id(model, out) else { return };
    let Some(invoice) = job::invoice(model) else { return };
    let event = Event::TenderRecorded(TenderRecorded {
        payment: PaymentId(id),
        tender,
        invoice: invoice.id,
        document: invoice.document.clone(),
        job: invoice.job,
        visit: invoice.visit,
        amount,
        extras: Extras::NONE,
        reference: model.entry.text.trim().to_owned(),
        linked_to: model.entry.linked_to,
    });
    job::update::commit(model, event, AfterSaving::Entered, out);
}

/// Gives money back, or asks the office to, in one of the two ways.
pub fn refund(model: &mut Model, what: RefundKind, out: &mut Vec<Effect>) {
    let Some(amount) = typed(model).filter(|amount| amount.minor > 0 && model.saving.is_none()) else { return };
    let Some(id) = new_id(model, out) else { return };
    let Some(view) = chosen(model) else { return };
    let payment = view.payment.clone();
    let (refund, reason) = (RefundId(id), model.entry.text.trim().to_owned());
    let (job, visit, id) = (payment.job, payment.visit, payment.id);
    let event = if payment.tender == Tender::Cash {
        let manager = false;
        Event::CashRefunded(CashRefunded { refund, payment: id, job, visit, amount, what, reason, manager })
    } else {
        Event::RefundRequested(RefundRequested {
            refund,
            payment: Some(id),
            job,
            visit,
            tender: payment.tender,
            amount,
            what,
            reason,
            manager: false,
        })
    };
    job::update::commit(model, event, AfterSaving::Entered, out);
}

/// The entry was wrong: a counter-entry takes it back.
pub fn correct(model: &mut Model, out: &mut Vec<Effect>) {
    let Some(payment) = chosen(model).map(|view| view.payment.clone()).filter(|_| model.saving.is_none()) else {
        return;
    };
    let why = model.entry.text.trim().to_owned();
    let step = PaymentStep { payment: payment.id, job: payment.job, visit: payment.visit, why };
    job::update::commit(model, Event::PaymentCorrected(step), AfterSaving::Entered, out);
}

/// An id that was not used yet; told if there is none.
pub fn new_id(model: &mut Model, out: &mut Vec<Effect>) -> Option<uuid::Uuid> {
    let id = model.take_id(out);
    if id.is_none() {
        model.tell("One moment", "The program is still starting. Press the key again.", false);
    }
    id
}

/// One step back, or out of it.
pub fn back(model: &mut Model) {
    model.entry.problem = None;
    match (model.entry.step, model.entry.purpose) {
        (EntryStep::Decide, _) => model.entry.step = EntryStep::Text,
        (EntryStep::Text, Purpose::Correct { .. }) | (EntryStep::Amount, _) => model.back(),
        (EntryStep::Text, _) => model.entry.step = EntryStep::Amount,
    }
}

/// It is on the disk.
pub fn entered(model: &mut Model) {
    let back_to = match model.entry.purpose {
        Purpose::Cheque | Purpose::Transfer | Purpose::Tip | Purpose::Part => {
            model.checkout = crate::app::model::CheckoutView::EMPTY;
            Screen::Checkout
        }
        Purpose::Deposit | Purpose::Refund { .. } | Purpose::Unlinked | Purpose::Correct { .. } => Screen::Job,
    };
    model.entry = EntryView::EMPTY;
    model.back_to(back_to);
}
