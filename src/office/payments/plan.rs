//! What the office does next for one card payment: a pure function of what is known. The rules that it keeps:
//!
//! 1. Numbered attempts, at most one not provably dead; the next goes out only after a confirmed reversal of the one
//!    before. A look-up that finds nothing proves nothing: the request may still be on its way.
//! 2. Nothing is forwarded, expired or captured before every row up to the head that the handheld stated is applied.
//!    A request that is old, or of unknown age, with nothing behind it, is not sent; that is not an end.
//! 3. A decline of an online attempt is final; soft declines are tried again only for stored payments, until their
//!    deadline.
//! 4. No answer means in doubt: look up, and only then go on; where that finds nothing, or the processor cannot tell,
//!    reverse. A reversal is repeated until it is answered.
//! 5. Captured only after the handheld saw the approval or had accepted the payment offline.
//! 6. What the invoice no longer owes is held for a dispatcher, with the deadline shown. What came with the card data
//!    of another payment is never sent. What the processor cannot carry is declined online; what was stored is held, and
//!    declined when a dispatcher releases it and it is still so.
//! 7. After a restore of the office, what a lost office may have sent is in question: it is looked up, and where that
//!    finds nothing a person decides. It is never sent by itself.

use super::Timing;
use super::agreed::{self, Agreed};
use crate::domain::outcome::OutcomeState;

/// Where an attempt is. The names in the database are these in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// Number, STAN, RRN and key are committed; it may or may not have been sent.
    Prepared,
    /// The processor knows of it, and it has no effect yet.
    Announced,
    /// Sent, and no answer came.
    InDoubt,
    /// The processor agreed.
    Approved,
    /// The processor declined.
    Declined,
    /// A reversal is under way.
    Reversing,
    /// Reversed, whether it had arrived or not: provably without effect.
    Dead,
    /// The money is taken.
    Captured,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// 1, 2, 3…
    pub n: u32,
    /// Where it is.
    pub state: AttemptState,
    /// Sent with the deferred indicator.
    pub deferred: bool,
    /// What the processor agreed to, minor units.
    pub approved_minor: i64,
    /// The processor's answer, e.g. `51`.
    pub response_code: Option<String>,
    /// Until when somebody else works on it, Unix milliseconds.
    pub lease_ms: i64,
}

/// Whether a lost office may have sent the payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// No.
    None,
    /// Perhaps; the processor was not asked yet.
    LookUp,
    /// Perhaps; the processor's look-up tells nothing, so a person decides.
    Person,
}

/// What is known of one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Office time, Unix milliseconds.
    pub now_ms: i64,
    /// Every row up to the head that the handheld stated is applied.
    pub caught_up: bool,
    /// An online request came; `Some(None)` when its age is unknown, else milliseconds.
    pub request_age_ms: Option<Option<i64>>,
    /// The technician took it without the bank.
    pub accepted_offline: bool,
    /// Until when a stored payment may be forwarded, Unix milliseconds.
    pub deadline_ms: Option<i64>,
    /// The handheld saw the approval.
    pub outcome_seen: bool,
    /// The technician wants it back.
    pub void_requested: bool,
    /// A row of this payment is in quarantine.
    pub frozen: bool,
    /// Its card data belongs to another payment.
    pub reused: bool,
    /// The processor cannot charge this kind of card; nothing was sent.
    pub unfit: bool,
    /// Whether a lost office may have sent it.
    pub question: Question,
    /// A dispatcher released it although it was held.
    pub released: bool,
    /// The invoice still owes this much, without this payment.
    pub covers: bool,
    /// It will not owe this much if another payment that is at the processor without an answer, or may be there since a
    /// lost office's day, is agreed to.
    pub beside: bool,
    /// The office's last word.
    pub said: Option<OutcomeState>,
    /// When the processor agreed, Unix milliseconds.
    pub approved_at_ms: Option<i64>,
    /// What the handheld asked for, minor units.
    pub amount_minor: i64,
    /// The processor tells what became of an attempt.
    pub can_look_up: bool,
    /// The newest attempt.
    pub last: Option<Attempt>,
    /// The office began it by an agreement.
    pub agreed: Option<Agreed>,
}

impl Known {
    /// A payment of this much at this time, of which nothing is known but what the handheld has sent.
    pub fn new(now_ms: i64, amount_minor: i64) -> Known {
        Known {
            now_ms,
            caught_up: true,
            request_age_ms: None,
            accepted_offline: false,
            deadline_ms: None,
            outcome_seen: false,
            void_requested: false,
            frozen: false,
            reused: false,
            unfit: false,
            question: Question::None,
            released: false,
            covers: true,
            beside: false,
            said: None,
            approved_at_ms: None,
            amount_minor,
            can_look_up: true,
            last: None,
            agreed: None,
        }
    }
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing; look again at this time, or when something changes.
    Wait(i64),
    /// Nothing any more.
    Over,
    /// Prepare attempt `n` and send it.
    Forward {
        /// Its number.
        n: u32,
        /// With the deferred indicator.
        deferred: bool,
    },
    /// Send attempt `n`, which the processor knows of without effect.
    Send(u32),
    /// Ask the processor what became of attempt `n`.
    LookUp(u32),
    /// Reverse attempt `n`.
    Reverse(u32),
    /// Capture attempt `n`.
    Capture(u32),
    /// Ask the processor for it by every name that a lost office may have used.
    LookAround,
    /// Ask a person whether the processor has it.
    AskPerson,
    /// Tell the handheld.
    Say {
        /// What.
        state: OutcomeState,
        /// Whether the payment has ended with it.
        over: bool,
        /// Why, in a sentence.
        why: Option<&'static str>,
    },
}

/// How long a payment that waits for others is left alone, milliseconds.
pub(super) const IDLE_MS: i64 = 60_000;

/// Response codes after which another try may go through: 51 insufficient funds, 61 and 65 limits, 91 and 96
/// issuer or system not available (ISO 8583:1987 field 39).
pub const SOFT_DECLINES: [&str; 5] = ["51", "61", "65", "91", "96"];

/// Why nothing is sent of what the processor cannot carry.
pub(super) const UNFIT: &str = "the processor cannot charge this kind of card; nothing was sent";

/// What to do next.
pub fn next(known: &Known, timing: &Timing) -> Step {
    if known.frozen {
        return Step::Wait(known.now_ms + IDLE_MS);
    }
    match &known.last {
        Some(attempt) if attempt.lease_ms > known.now_ms => Step::Wait(attempt.lease_ms),
        _ if known.question != Question::None => in_question(known),
        _ if known.agreed.is_some() => known.agreed.map_or(Step::Over, |agreed| agreed::next(known, &agreed, timing)),
        Some(attempt) => after_attempt(known, attempt, timing),
        None => without_attempt(known, 1, timing),
    }
}

/// Nothing is sent, expired or captured before it is known what a lost office did.
fn in_question(known: &Known) -> Step {
    match known.question {
        _ if !known.caught_up => Step::Wait(known.now_ms + IDLE_MS),
        Question::LookUp if known.can_look_up => Step::LookAround,
        Question::None | Question::LookUp | Question::Person => Step::AskPerson,
    }
}

pub(super) fn say(known: &Known, state: OutcomeState, over: bool, why: Option<&'static str>) -> Step {
    if known.said != Some(state) {
        Step::Say { state, over, why }
    } else if over {
        Step::Over
    } else {
        Step::Wait(known.now_ms + IDLE_MS)
    }
}

fn after_attempt(known: &Known, attempt: &Attempt, timing: &Timing) -> Step {
    match attempt.state {
        AttemptState::Prepared | AttemptState::InDoubt if known.can_look_up => Step::LookUp(attempt.n),
        AttemptState::Prepared | AttemptState::InDoubt => Step::Reverse(attempt.n),
        AttemptState::Announced if may_send(known, timing) => Step::Send(attempt.n),
        AttemptState::Announced => Step::Reverse(attempt.n),
        AttemptState::Reversing => Step::Reverse(attempt.n),
        AttemptState::Captured if known.void_requested => {
            say(known, OutcomeState::VoidFailed, true, Some("it was captured before the void arrived"))
        }
        AttemptState::Captured => captured(known),
        AttemptState::Dead => without_attempt(known, attempt.n + 1, timing),
        AttemptState::Approved => approved(known, attempt, timing),
        AttemptState::Declined => declined(known, attempt),
    }
}

/// Nothing is left to do; what was said of it since stays said.
pub(super) fn captured(known: &Known) -> Step {
    match known.said {
        Some(OutcomeState::Settled | OutcomeState::Disputed) => Step::Over,
        Some(_) | None => say(known, OutcomeState::Captured, true, None),
    }
}

fn approved(known: &Known, attempt: &Attempt, timing: &Timing) -> Step {
    let age = known.approved_at_ms.map_or(0, |at| known.now_ms - at);
    let partly = attempt.approved_minor < known.amount_minor;
    let word = if partly { OutcomeState::PartlyApproved } else { OutcomeState::Approved };
    if known.void_requested || age > timing.authorisation_ms {
        return Step::Reverse(attempt.n);
    }
    if known.said != Some(word) {
        return Step::Say { state: word, over: false, why: None };
    }
    if known.outcome_seen || (known.accepted_offline && !partly) {
        return if known.caught_up { Step::Capture(attempt.n) } else { Step::Wait(known.now_ms + IDLE_MS) };
    }
    Step::Wait(known.now_ms + IDLE_MS)
}

fn declined(known: &Known, attempt: &Attempt) -> Step {
    if known.void_requested {
        return say(known, OutcomeState::Voided, true, Some("the bank had declined it"));
    }
    let soft = attempt.response_code.as_deref().is_some_and(|code| SOFT_DECLINES.contains(&code));
    let in_time = known.deadline_ms.is_some_and(|deadline| known.now_ms <= deadline);
    if known.accepted_offline && attempt.deferred && soft && in_time {
        return if known.caught_up {
            Step::Forward { n: attempt.n + 1, deferred: true }
        } else {
            Step::Wait(known.now_ms + IDLE_MS)
        };
    }
    if known.accepted_offline {
        say(known, OutcomeState::LateDeclined, true, Some("the bank declined it after it was taken offline"))
    } else {
        // The handheld may still accept it offline before it hears: then it is told once more, as a late decline.
        say(known, OutcomeState::Declined, false, Some("the bank declined it"))
    }
}

/// Whether it may still be sent, looked at immediately before it is.
fn may_send(known: &Known, timing: &Timing) -> bool {
    let fresh = matches!(known.request_age_ms, Some(Some(age)) if age <= timing.request_fresh_ms);
    let in_time = known.accepted_offline && known.deadline_ms.is_some_and(|deadline| known.now_ms <= deadline);
    known.caught_up && !known.void_requested && (known.covers || known.released) && (fresh || in_time)
}

/// Nothing is at the processor: forward, hold, expire or leave it.
fn without_attempt(known: &Known, n: u32, timing: &Timing) -> Step {
    if !known.caught_up {
        return Step::Wait(known.now_ms + IDLE_MS);
    }
    if known.void_requested {
        return say(known, OutcomeState::Voided, true, None);
    }
    if matches!(known.said, Some(OutcomeState::Approved | OutcomeState::PartlyApproved)) {
        // Given back at the authorisation's end.
        return say(
            known,
            OutcomeState::Expired,
            true,
            Some("nobody confirmed the approval in time; it was given back"),
        );
    }
    let fresh = matches!(known.request_age_ms, Some(Some(age)) if age <= timing.request_fresh_ms);
    let deferred = known.accepted_offline;
    if !deferred && known.request_age_ms.is_none() {
        return Step::Wait(known.now_ms + IDLE_MS);
    }
    if known.reused {
        let why = Some("its card data belongs to another payment; nothing was charged");
        return match deferred {
            true => say(known, OutcomeState::LateDeclined, true, why),
            false => say(known, OutcomeState::Declined, false, why),
        };
    }
    if !deferred && known.unfit {
        return say(known, OutcomeState::Declined, false, Some(UNFIT));
    }
    if !deferred && !fresh {
        return say(known, OutcomeState::NotSent, false, Some("the request came too late to be sent"));
    }
    if deferred && known.deadline_ms.is_none_or(|deadline| known.now_ms > deadline) {
        return say(known, OutcomeState::Expired, true, Some("it was not forwarded in time"));
    }
    if known.unfit && known.released {
        return say(known, OutcomeState::LateDeclined, true, Some(UNFIT));
    }
    if known.unfit {
        return say(known, OutcomeState::Held, false, Some(UNFIT));
    }
    if !known.covers && !known.released {
        return say(known, OutcomeState::Held, false, Some("the invoice no longer owes this much"));
    }
    if known.beside && !known.released {
        // It may be the same money once more: the other one's answer comes first.
        return Step::Wait(known.now_ms + IDLE_MS);
    }
    Step::Forward { n, deferred }
}

#[cfg(test)]
mod tests;
