//! What the keys of the card screen do. The payment's machine decides what comes of it.
//!
//! Invariant: cancel is a request; the screen shows what the reader and the disk have answered.

use crate::app::effect::Effect;
use crate::app::model::{Model, PinThen, Screen};
use crate::app::update::{pay, pin};
use crate::domain::event::{Approved, ManagerApproved};
use crate::flow::payment::{Event, Offline, Phase};

/// Out: the reader is asked to cancel, the risk is not taken, the part is given back.
pub fn cancel(model: &mut Model, out: &mut Vec<Effect>) {
    hand(model, Event::Cancel, out);
}

/// The customer's choice of an application, from 0.
pub fn choose(model: &mut Model, index: u8, out: &mut Vec<Effect>) {
    hand(model, Event::Choose(index), out);
}

/// Takes the risk of an offline payment.
pub fn take_risk(model: &mut Model, out: &mut Vec<Effect>) {
    hand(model, Event::AcceptOffline, out);
}

/// Asks for the manager's PIN that lifts a soft limit.
pub fn ask_manager(model: &mut Model) {
    let Some(machine) = model.card.as_ref().map(|card| &card.machine) else { return };
    let (Phase::NeedsManager { why, .. } | Phase::Unknown { offline: Some(Offline::NeedsManager { why, .. }) }) =
        machine.phase()
    else {
        return;
    };
    let intent = machine.intent();
    let what = ManagerApproved {
        job: intent.job,
        visit: intent.visit,
        payment: Some(intent.payment),
        refund: None,
        what: Approved::OfflineLimit,
        amount: intent.amount,
        why: why.clone(),
        pin: String::new(),
        wrong_tries: 0,
    };
    pin::ask(model, what, PinThen::Store);
}

/// Takes the part that the bank agreed to.
pub fn take_part(model: &mut Model, out: &mut Vec<Effect>) {
    hand(model, Event::TakePart, out);
}

/// Leaves a payment that waits for nobody here: to the checkout while something is open, else to the job.
pub fn leave(model: &mut Model, out: &mut Vec<Effect>) {
    model.back();
    if matches!(model.screen, Screen::Card | Screen::Unknown) {
        model.back_to(Screen::Today);
    }
    pay::take_up(model, out);
}

fn hand(model: &mut Model, event: Event, out: &mut Vec<Effect>) {
    if let Some(id) = model.card.as_ref().map(|card| card.id) {
        pay::event(model, id, event, out);
    }
}
