//! The card payment in front: its machine lives in the model, its effects go out under its id.
//!
//! Invariant: beginning a payment returns `StoreIntent` and nothing else; the reader is armed by the machine, after
//! the intent is on the disk.

use super::answers::reload;
use crate::app::effect::Effect;
use crate::app::model::{Active, CheckoutView, Model, Overlay, PinThen, Question, Screen};
use crate::app::screens::checkout::surcharge;
use crate::app::screens::{checkout, job};
use crate::domain::consent::Consent;
use crate::domain::event::PaymentIntended;
use crate::domain::id::PaymentId;
use crate::domain::payment::{Payment, PaymentState, Standing, Tender};
use crate::flow::payment::{Event, Machine, Phase};

/// Begins a card payment of what is open on the job in front.
pub fn begin(model: &mut Model, linked_to: Option<PaymentId>, keep: Option<Consent>, out: &mut Vec<Effect>) {
    let Some(amount) = checkout::due(model, Tender::Card) else { return };
    let extras = checkout::extras(model, Tender::Card);
    if model.card.as_ref().is_some_and(Active::is_busy) {
        return;
    }
    let Some(id) = model.take_id(out) else {
        model.tell("One moment", "The program is still starting. Press the key again.", false);
        return;
    };
    let Some(invoice) = job::invoice(model) else { return };
    let intent = PaymentIntended {
        payment: PaymentId(id),
        invoice: invoice.id,
        document: invoice.document.clone(),
        job: invoice.job,
        visit: invoice.visit,
        amount,
        extras,
        linked_to,
        keep,
    };
    let (machine, effects) = Machine::begin(intent, model.settings.timing);
    let payment = PaymentId(id);
    out.extend(effects.into_iter().map(|effect| Effect::StoreIntent { payment, effect }));
    model.card = Some(Active { id: payment, machine, since_ms: None });
    model.go(Screen::Card);
}

/// Puts a payment that the disk holds in front.
pub fn open(model: &mut Model, payment: Payment, out: &mut Vec<Effect>) {
    let (id, job, payment_of) = (payment.id, payment.job, payment.invoice);
    if model.card.as_ref().is_none_or(|card| card.id != id || failed(card)) {
        if model.card.as_ref().is_some_and(Active::is_busy) {
            model.tell("One moment", "Another payment is under way. Finish it first.", false);
            return;
        }
        let (machine, effects) = Machine::resume(payment, model.settings.timing);
        out.extend(effects.into_iter().map(|effect| Effect::Payment { id, effect }));
        model.card = Some(Active { id, machine, since_ms: None });
    }
    if model.wanted != Some(job) {
        model.wanted = Some(job);
        model.job = None;
        out.push(Effect::LoadJob(job));
    }
    model.front(Some(payment_of));
    model.go(Screen::Card);
    in_front(model);
}

/// Takes up the next payment that a stopped program left, unless one is under way.
pub fn take_up(model: &mut Model, out: &mut Vec<Effect>) {
    let free = !model.card.as_ref().is_some_and(Active::is_busy) && matches!(model.screen, Screen::Today | Screen::Job);
    if free && let Some(payment) = model.unfinished.pop_front() {
        open(model, payment, out);
    }
}

/// Hands an event to the machine in front. An outcome of another payment is told; all else of it is stale.
pub fn event(model: &mut Model, id: PaymentId, event: Event, out: &mut Vec<Effect>) {
    let settled = if let Event::Settled(payment) = &event { Some((**payment).clone()) } else { None };
    let written = matches!(event, Event::Committed(_) | Event::Settled(_));
    let asks = match (&event, &model.card) {
        (Event::CardRead(facts), Some(card)) if card.id == id => surcharge::question(model, card, &facts.card),
        _ => None,
    };
    let event = if asks.is_some() { Event::OtherPrice } else { event };
    let Some(card) = model.card.as_mut().filter(|card| card.id == id) else {
        if let Some(payment) = settled {
            told(model, &payment);
            reload(model, out);
        }
        return;
    };
    let before = card.machine.phase().clone();
    match card.machine.handle(event) {
        Ok(effects) => out.extend(effects.into_iter().map(|effect| Effect::Payment { id, effect })),
        Err(illegal) => {
            model.tell("Not possible now", &format!("{illegal}."), false);
            return;
        }
    }
    if std::mem::discriminant(&before) != std::mem::discriminant(card.machine.phase()) {
        card.since_ms = None;
        let stale = match &model.overlay {
            Some(Overlay::Confirm(question)) => matches!(question, Question::Void | Question::AcceptUnknown),
            Some(Overlay::Pin(pin)) => pin.then == PinThen::Store,
            Some(Overlay::Palette(_) | Overlay::Code(_)) | None => false,
        };
        if stale {
            model.overlay = None;
        }
    }
    let money = model.card.as_ref().and_then(|card| card.machine.payment()).map(|payment| payment.state.standing());
    if matches!(money, Some(Standing::Paid | Standing::Pending)) {
        model.checkout = CheckoutView::EMPTY;
    }
    if let Some(question) = asks {
        model.overlay = Some(Overlay::Confirm(question));
    }
    in_front(model);
    if written {
        reload(model, out);
    }
    if let Some(payment) = settled.filter(|_| !matches!(model.screen, Screen::Card | Screen::Unknown)) {
        told(model, &payment);
    }
}

/// The office's word on a payment came while no machine waited for it.
pub fn changed(model: &mut Model, payment: Payment, out: &mut Vec<Effect>) {
    event(model, payment.id, Event::Settled(Box::new(payment)), out);
}

/// After a row could not be written: goes on from what is on the disk, or begins anew.
pub fn retry(model: &mut Model, out: &mut Vec<Effect>) {
    let Some(card) = model.card.take_if(|card| failed(card)) else { return };
    match card.machine.payment() {
        Some(payment) => open(model, payment.clone(), out),
        None => begin(model, card.machine.intent().linked_to, card.machine.intent().keep.clone(), out),
    }
    if model.card.is_none() {
        model.card = Some(card);
    }
}

fn failed(card: &Active) -> bool {
    matches!(card.machine.phase(), Phase::Failed { .. })
}

/// Card and Unknown are two faces of one payment: shows the one that fits its phase.
fn in_front(model: &mut Model) {
    let Some(card) = &model.card else { return };
    let unknown = matches!(card.machine.phase(), Phase::Unknown { .. });
    let (fits, other) = if unknown { (Screen::Unknown, Screen::Card) } else { (Screen::Card, Screen::Unknown) };
    for screen in model.below.iter_mut().chain([&mut model.screen]).filter(|screen| **screen == other) {
        *screen = fits;
    }
}

/// Says what the office decided, when somebody has to do something about it.
fn told(model: &mut Model, payment: &Payment) {
    let todo = match payment.state {
        PaymentState::LateDeclined => {
            "The bank declined this stored card payment. It is not paid: collect it another way, or call the customer."
        }
        PaymentState::Declined => "The bank declined. It is not paid: collect it another way, or call the customer.",
        PaymentState::Expired => {
            "This stored card payment was not sent in time. It is not paid: take the card again, or call the customer."
        }
        PaymentState::Held => "The office holds this stored card payment. Nothing to do: a dispatcher decides.",
        PaymentState::VoidFailed => "The void came too late: the card was charged. The office refunds it.",
        PaymentState::PartlyApproved => "The bank agreed to a part only. Open the job and take it or give it back.",
        PaymentState::Draft
        | PaymentState::Presenting
        | PaymentState::Abandoned
        | PaymentState::CardRead
        | PaymentState::Requested
        | PaymentState::Stored
        | PaymentState::Refused
        | PaymentState::Approved
        | PaymentState::Unknown
        | PaymentState::VoidPending
        | PaymentState::Voided
        | PaymentState::Captured
        | PaymentState::Settled
        | PaymentState::Disputed
        | PaymentState::Tendered
        | PaymentState::Recorded
        | PaymentState::Corrected => return,
    };
    let customer = job::customer_name(model, payment.job);
    let text = format!("{customer}, {}, {}. {todo}", payment.document, payment.amount);
    model.tell(payment.state.word(), &text, true);
}
