//! What the keys of the consent do.
//!
//! Invariant: yes is a letter of its own; Enter and Esc never agree to anything.

use super::text;
use crate::app::effect::Effect;
use crate::app::model::{Model, Screen};
use crate::app::msg::Key;
use crate::app::update::{pay, step};
use crate::domain::consent::{ConsentText, TEXT_MAX_CHARS};
use crate::domain::id::PaymentId;

/// Asks before the card is read where the office keeps cards; begins the payment at once where it does not.
pub fn ask_or_begin(model: &mut Model, linked_to: Option<PaymentId>, out: &mut Vec<Effect>) {
    if text(model).is_none() {
        pay::begin(model, linked_to, None, out);
        return;
    }
    model.consent_linked = linked_to;
    model.consent_scroll = 0;
    model.go(Screen::Consent);
}

/// The customer has said yes or no.
pub fn said(model: &mut Model, yes: bool, out: &mut Vec<Effect>) {
    let keep = text(model).filter(|_| yes).map(ConsentText::consent);
    let linked_to = model.consent_linked;
    // The card's screen leads back to the checkout.
    model.back();
    pay::begin(model, linked_to, keep, out);
}

/// Scrolls through a long text.
pub fn moved(model: &mut Model, key: Key) {
    let cells = usize::from(model.columns).saturating_sub(4).max(8);
    // A row may end early, at most by half.
    model.consent_scroll = step(model.consent_scroll, key, TEXT_MAX_CHARS.div_ceil(cells / 2) + 1);
}
