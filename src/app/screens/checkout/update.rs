//! What the keys of the checkout do.
//!
//! Invariant: while a tender of this balance is not known, another one begins only after a confirmation, and is
//! linked to it.

use crate::app::effect::Effect;
use crate::app::model::{Active, AfterSaving, CheckoutView, Model, Overlay, Purpose, Question, Screen};
use crate::app::screens::{consent, entry, job};
use crate::domain::event::{DepositUsed, Event};
use crate::domain::id::PaymentId;
use crate::domain::money::Money;
use crate::domain::payment::Tender;

/// By card.
pub fn pay_card(model: &mut Model, out: &mut Vec<Effect>) {
    if !asked(model, Tender::Card) {
        let instead_of = collects_again(model);
        consent::update::ask_or_begin(model, instead_of, out);
    }
}

/// In cash.
pub fn pay_cash(model: &mut Model) {
    if !asked(model, Tender::Cash) {
        let instead_of = collects_again(model);
        count_cash(model, instead_of);
    }
}

/// By cheque or transfer.
pub fn other(model: &mut Model, tender: Tender) {
    if !asked(model, tender) {
        let purpose = if tender == Tender::Cheque { Purpose::Cheque } else { Purpose::Transfer };
        let instead_of = collects_again(model);
        entry::update::open(model, purpose, instead_of);
    }
}

/// With what was paid ahead, as far as it goes.
pub fn use_deposit(model: &mut Model, out: &mut Vec<Effect>) {
    if !asked(model, Tender::Deposit) {
        let instead_of = collects_again(model);
        take_deposit(model, instead_of, out);
    }
}

fn take_deposit(model: &mut Model, linked_to: Option<PaymentId>, out: &mut Vec<Effect>) {
    if model.saving.is_some() {
        return;
    }
    let Some(id) = entry::update::new_id(model, out).map(PaymentId) else { return };
    let (Some(job), Some(base)) = (&model.job, super::base(model)) else { return };
    let (Some((deposit, most)), Some(invoice)) = (job.usable_deposit(), &job.invoice) else { return };
    let amount = Money::new(most.minor.min(base.minor), most.currency);
    let row = DepositUsed { linked_to, ..DepositUsed::of(deposit, invoice, amount, id) };
    model.checkout = CheckoutView::EMPTY;
    job::update::commit(model, Event::DepositUsed(row), AfterSaving::Stay, out);
}

/// The payment that the office asks to collect again: the new one is linked to it.
fn collects_again(model: &Model) -> Option<PaymentId> {
    model.job.as_ref().and_then(|job| job.collects_again())
}

/// The technician knows of the other one and goes on.
pub fn second(model: &mut Model, blocking: PaymentId, tender: Tender, out: &mut Vec<Effect>) {
    match tender {
        Tender::Card if model.card.as_ref().is_some_and(Active::is_busy) => {}
        Tender::Card => consent::update::ask_or_begin(model, Some(blocking), out),
        Tender::Cash => count_cash(model, Some(blocking)),
        Tender::Cheque => entry::update::open(model, Purpose::Cheque, Some(blocking)),
        Tender::Transfer => entry::update::open(model, Purpose::Transfer, Some(blocking)),
        Tender::Deposit => take_deposit(model, Some(blocking), out),
    }
}

fn asked(model: &mut Model, tender: Tender) -> bool {
    let blocking = model.job.as_ref().and_then(|job| job.blocking_payment());
    if let Some(blocking) = blocking {
        model.overlay = Some(Overlay::Confirm(Question::SecondTender { blocking, tender }));
    }
    blocking.is_some()
}

fn count_cash(model: &mut Model, linked_to: Option<PaymentId>) {
    model.cash_digits.clear();
    model.cash_linked = linked_to;
    model.go(Screen::Cash);
}
