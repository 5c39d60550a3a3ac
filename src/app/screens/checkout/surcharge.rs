//! The surcharge for credit cards: shown before the choice, asked for before the bank is.
//!
//! A reader is armed for one amount, and the card's cryptogram covers it: no protocol changes it afterwards. So the card
//! is read without a surcharge first. If it says that it is a credit card and the rules ask for a surcharge here and
//! today, that read is thrown away, nothing is sent, and the customer is asked; after a yes the reader is armed again for
//! the higher amount. A debit or prepaid card, and one that does not say, never get this far.
//!
//! Invariant: no payment carries a surcharge that its customer was not asked about; the payment's machine refuses one on
//! any other card. Start at [`question`].

use crate::app::effect::Effect;
use crate::app::model::{Active, Model, Overlay, Question};
use crate::app::update::pay;
use crate::domain::id::PaymentId;
use crate::domain::money::Money;
use crate::domain::payment::CardSummary;
use crate::domain::rules::Funding;
use crate::flow::payment::Phase;

/// On what `base` pays by credit card, here and today, minor units; 0 where nothing is known.
pub fn of(model: &Model, base: Money) -> i64 {
    let (Some(job), Some(now_ms)) = (&model.job, model.now_ms) else { return 0 };
    let local = now_ms.saturating_add(i64::from(model.offset_minutes).saturating_mul(60_000));
    let Ok(at) = jiff::Timestamp::from_millisecond(local) else { return 0 };
    let day = at.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    job.rules.surcharge(base, &job.place, day, Some(Funding::Credit)).unwrap_or(0).max(0)
}

/// The question to ask before this card may pay what the reader was armed for; `None` when the amount is right.
pub fn question(model: &Model, active: &Active, card: &CardSummary) -> Option<Question> {
    let intent = active.machine.intent();
    let here = model.job.as_ref().is_some_and(|job| job.row.job == intent.job);
    let waits = matches!(active.machine.phase(), Phase::Presenting { cancelling: false, .. });
    if !here || !waits || intent.extras.surcharge_minor != 0 || card.funding() != Some(Funding::Credit) {
        return None;
    }
    let extras = intent.extras.sum_minor().ok()?;
    let base = Money::new(intent.amount.minor.checked_sub(extras)?, intent.amount.currency);
    let surcharge = Money::new(of(model, base), base.currency);
    let total = intent.amount.checked_add(surcharge).ok()?;
    let linked_to = intent.linked_to;
    (surcharge.minor > 0).then_some(Question::Surcharge { surcharge, total, linked_to })
}

/// The customer has said yes: the card is asked for again, for the higher amount.
pub fn agreed(model: &mut Model, again: Question, linked_to: Option<PaymentId>, out: &mut Vec<Effect>) {
    if model.card.as_ref().is_some_and(Active::is_busy) {
        // The end of the first read is still being written.
        model.overlay = Some(Overlay::Confirm(again));
        return;
    }
    // What was said about keeping the card still stands.
    let keep = model.card.as_ref().and_then(|first| first.machine.intent().keep.clone());
    model.checkout.credit = true;
    pay::begin(model, linked_to, keep, out);
    model.checkout.credit = false;
}
