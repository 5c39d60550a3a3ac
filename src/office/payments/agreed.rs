//! What the office does next for a payment of an agreement: it began it itself, and nobody stands at the counter.
//!
//! Rules beside those of [`super::plan`]: an approval is captured at once, since there is no handheld that must see
//! it; a soft decline is tried again after some days, as often as the agreement says, each time as an attempt of its
//! own; nothing is sent after the customer has stopped the agreement, and what the bank had only approved by then is
//! given back. Pure; start at [`next`].

use super::Timing;
use super::plan::{Attempt, AttemptState, IDLE_MS, Known, SOFT_DECLINES, Step, UNFIT, captured, say};
use crate::domain::outcome::OutcomeState;

/// Whether the agreement is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// Yes.
    Active,
    /// Nothing new is sent until a person has looked.
    Suspended,
    /// The customer has ended it.
    Stopped,
}

/// What is known of the run beside its payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    /// Whether the agreement is in force.
    pub force: Force,
    /// Attempts that the bank has declined.
    pub declines: u32,
    /// The most of them.
    pub tries: u32,
    /// Not sent before this, Unix milliseconds.
    pub not_before_ms: i64,
}

/// What to do next.
pub fn next(known: &Known, agreed: &Agreed, timing: &Timing) -> Step {
    let Some(attempt) = &known.last else { return without_attempt(known, agreed, 1) };
    match attempt.state {
        AttemptState::Prepared | AttemptState::InDoubt if known.can_look_up => Step::LookUp(attempt.n),
        AttemptState::Prepared | AttemptState::InDoubt => Step::Reverse(attempt.n),
        AttemptState::Announced if agreed.force == Force::Active => Step::Send(attempt.n),
        // Announced and without effect; taken back all the same, so that it never gets one.
        AttemptState::Announced => Step::Reverse(attempt.n),
        AttemptState::Reversing => Step::Reverse(attempt.n),
        AttemptState::Captured => captured(known),
        AttemptState::Dead => without_attempt(known, agreed, attempt.n + 1),
        AttemptState::Approved => {
            let age = known.approved_at_ms.map_or(0, |at| known.now_ms - at);
            if stopped(known, agreed) || age > timing.authorisation_ms {
                Step::Reverse(attempt.n)
            } else {
                Step::Capture(attempt.n)
            }
        }
        AttemptState::Declined => declined(known, agreed, attempt),
    }
}

fn stopped(known: &Known, agreed: &Agreed) -> bool {
    known.void_requested || agreed.force == Force::Stopped
}

fn declined(known: &Known, agreed: &Agreed, attempt: &Attempt) -> Step {
    if stopped(known, agreed) {
        return say(known, OutcomeState::Voided, true, Some("the bank had declined it, and the customer has stopped"));
    }
    if !attempt.response_code.as_deref().is_some_and(|code| SOFT_DECLINES.contains(&code)) {
        return say(known, OutcomeState::Declined, true, Some("the bank declined it for good"));
    }
    if agreed.declines >= agreed.tries {
        return say(known, OutcomeState::Declined, true, Some("the bank declined every try"));
    }
    forward(known, agreed, attempt.n + 1)
}

fn without_attempt(known: &Known, agreed: &Agreed, n: u32) -> Step {
    if stopped(known, agreed) {
        return say(known, OutcomeState::Voided, true, Some("the customer has stopped the agreement"));
    }
    if known.unfit {
        return say(known, OutcomeState::Declined, true, Some(UNFIT));
    }
    if !known.covers && !known.released {
        return say(known, OutcomeState::Held, false, Some("its bill no longer owes this much"));
    }
    forward(known, agreed, n)
}

fn forward(known: &Known, agreed: &Agreed, n: u32) -> Step {
    match agreed.force {
        Force::Active if known.now_ms >= agreed.not_before_ms => Step::Forward { n, deferred: false },
        Force::Active => Step::Wait(agreed.not_before_ms),
        Force::Suspended | Force::Stopped => Step::Wait(known.now_ms + IDLE_MS),
    }
}

#[cfg(test)]
mod tests;
