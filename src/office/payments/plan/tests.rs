//! The rules one by one, and a played office that must never charge twice.

use super::*;
use proptest::prelude::*;

const AMOUNT: i64 = 10_000;

fn known() -> Known {
    Known {
        now_ms: 1_000_000,
        caught_up: true,
        request_age_ms: Some(Some(1_000)),
        accepted_offline: false,
        deadline_ms: None,
        outcome_seen: false,
        void_requested: false,
        frozen: false,
        reused: false,
        question: Question::None,
        released: false,
        covers: true,
        beside: false,
        said: None,
        approved_at_ms: None,
        amount_minor: AMOUNT,
        can_look_up: true,
        last: None,
        agreed: None,
    }
}

fn attempt(state: AttemptState) -> Attempt {
    let approved_minor = if state == AttemptState::Approved { AMOUNT } else { 0 };
    Attempt { n: 1, state, deferred: false, approved_minor, response_code: None, lease_ms: 0 }
}

fn plan(known: &Known) -> Step {
    next(known, &Timing::STANDARD)
}

#[test]
fn nothing_is_forwarded_before_the_stated_head_is_applied_or_when_frozen() {
    for blocked in [Known { caught_up: false, ..known() }, Known { frozen: true, ..known() }] {
        assert!(matches!(plan(&blocked), Step::Wait(_)));
    }
    assert_eq!(plan(&known()), Step::Forward { n: 1, deferred: false });
}

#[test]
fn an_old_request_and_one_of_unknown_age_are_not_sent_but_can_be_revived() {
    for age in [Some(Some(60_001)), Some(None)] {
        let old = Known { request_age_ms: age, ..known() };
        assert!(matches!(plan(&old), Step::Say { state: OutcomeState::NotSent, over: false, .. }), "{age:?}");
        let revived =
            Known { accepted_offline: true, deadline_ms: Some(2_000_000), said: Some(OutcomeState::NotSent), ..old };
        assert_eq!(plan(&revived), Step::Forward { n: 1, deferred: true });
    }
}

#[test]
fn a_stored_payment_past_its_deadline_expires_and_one_beyond_the_balance_is_held() {
    let stored = Known { accepted_offline: true, request_age_ms: None, deadline_ms: Some(999_999), ..known() };
    assert!(matches!(plan(&stored), Step::Say { state: OutcomeState::Expired, over: true, .. }));
    let excess = Known { deadline_ms: Some(2_000_000), covers: false, ..stored };
    assert!(matches!(plan(&excess), Step::Say { state: OutcomeState::Held, over: false, .. }));
    assert_eq!(plan(&Known { released: true, ..excess }), Step::Forward { n: 1, deferred: true });
}

#[test]
fn what_another_payment_may_have_paid_already_waits_for_its_answer() {
    let second = Known { beside: true, ..known() };
    assert!(matches!(plan(&second), Step::Wait(_)));
    assert!(matches!(plan(&Known { covers: false, ..second.clone() }), Step::Say { state: OutcomeState::Held, .. }));
    let late = Known { request_age_ms: Some(Some(60_001)), ..second.clone() };
    assert!(matches!(plan(&late), Step::Say { state: OutcomeState::NotSent, .. }), "it does not wait for ever");
    assert_eq!(plan(&Known { released: true, ..second }), Step::Forward { n: 1, deferred: false });
}

#[test]
fn card_data_of_another_payment_is_never_sent() {
    let reused = Known { reused: true, released: true, ..known() };
    assert!(matches!(plan(&reused), Step::Say { state: OutcomeState::Declined, over: false, .. }));
    let stored = Known { accepted_offline: true, deadline_ms: Some(2_000_000), ..reused.clone() };
    assert!(matches!(plan(&stored), Step::Say { state: OutcomeState::LateDeclined, over: true, .. }));
    let void = Known { void_requested: true, ..stored };
    assert!(matches!(plan(&void), Step::Say { state: OutcomeState::Voided, over: true, .. }));
    assert!(matches!(plan(&Known { request_age_ms: None, ..reused }), Step::Wait(_)), "nothing was asked yet");
}

#[test]
fn no_answer_is_looked_up_and_only_a_dead_attempt_is_followed_by_another() {
    for state in [AttemptState::Prepared, AttemptState::InDoubt] {
        assert_eq!(plan(&Known { last: Some(attempt(state)), ..known() }), Step::LookUp(1));
    }
    let silent = Known { can_look_up: false, last: Some(attempt(AttemptState::InDoubt)), ..known() };
    assert_eq!(plan(&silent), Step::Reverse(1));
    let dead = Known { last: Some(attempt(AttemptState::Dead)), ..known() };
    assert_eq!(plan(&dead), Step::Forward { n: 2, deferred: false });
    let leased = Attempt { lease_ms: 1_000_500, ..attempt(AttemptState::Prepared) };
    assert_eq!(plan(&Known { last: Some(leased), ..known() }), Step::Wait(1_000_500));
}

#[test]
fn what_is_only_announced_is_sent_in_time_and_taken_back_otherwise() {
    let announced = Known { last: Some(attempt(AttemptState::Announced)), ..known() };
    assert_eq!(plan(&announced), Step::Send(1));
    for late in [
        Known { void_requested: true, ..announced.clone() },
        Known { request_age_ms: Some(Some(60_001)), ..announced.clone() },
        Known { covers: false, ..announced.clone() },
        Known { caught_up: false, ..announced },
    ] {
        assert_eq!(plan(&late), Step::Reverse(1), "{late:?}");
    }
}

#[test]
fn an_approval_is_captured_only_after_it_was_seen_or_accepted_offline() {
    let approved = Known { last: Some(attempt(AttemptState::Approved)), said: Some(OutcomeState::Approved), ..known() };
    assert!(matches!(plan(&approved), Step::Wait(_)));
    assert_eq!(plan(&Known { outcome_seen: true, ..approved.clone() }), Step::Capture(1));
    assert_eq!(plan(&Known { accepted_offline: true, ..approved.clone() }), Step::Capture(1));
    assert_eq!(plan(&Known { void_requested: true, ..approved.clone() }), Step::Reverse(1));
    let late = Known { approved_at_ms: Some(1_000_000 - 24 * 3_600_000 - 1), ..approved };
    assert_eq!(plan(&late), Step::Reverse(1));
}

#[test]
fn a_void_is_answered_whatever_the_payment_came_to() {
    for (state, said, word) in [
        (AttemptState::Captured, OutcomeState::Captured, OutcomeState::VoidFailed),
        (AttemptState::Declined, OutcomeState::LateDeclined, OutcomeState::Voided),
        (AttemptState::Dead, OutcomeState::Expired, OutcomeState::Voided),
    ] {
        let asked = Known { void_requested: true, said: Some(said), last: Some(attempt(state)), ..known() };
        assert!(matches!(plan(&asked), Step::Say { state, over: true, .. } if state == word), "{said:?}");
        assert_eq!(plan(&Known { said: Some(word), ..asked }), Step::Over);
    }
}

#[test]
fn a_soft_decline_is_tried_again_for_stored_payments_in_time_only() {
    let soft = Attempt { response_code: Some("51".into()), deferred: true, ..attempt(AttemptState::Declined) };
    let stored = Known { accepted_offline: true, deadline_ms: Some(2_000_000), last: Some(soft.clone()), ..known() };
    assert_eq!(plan(&stored), Step::Forward { n: 2, deferred: true });
    let late = Known { deadline_ms: Some(999_999), ..stored.clone() };
    assert!(matches!(plan(&late), Step::Say { state: OutcomeState::LateDeclined, .. }));
    let hard = Attempt { response_code: Some("05".into()), ..soft.clone() };
    let refused = Known { last: Some(hard), ..stored };
    assert!(matches!(plan(&refused), Step::Say { state: OutcomeState::LateDeclined, over: true, .. }));
    let online = Known { last: Some(Attempt { deferred: false, ..soft }), ..known() };
    assert!(matches!(plan(&online), Step::Say { state: OutcomeState::Declined, .. }));
}

#[test]
fn what_a_lost_office_may_have_sent_is_looked_up_or_asked_and_never_sent() {
    for last in [None, Some(AttemptState::InDoubt), Some(AttemptState::Approved), Some(AttemptState::Dead)] {
        let lost = Known {
            question: Question::LookUp,
            accepted_offline: true,
            outcome_seen: true,
            deadline_ms: Some(2_000_000),
            last: last.map(attempt),
            ..known()
        };
        assert_eq!(plan(&lost), Step::LookAround, "{last:?}");
        assert_eq!(plan(&Known { can_look_up: false, ..lost.clone() }), Step::AskPerson);
        assert_eq!(plan(&Known { question: Question::Person, void_requested: true, ..lost.clone() }), Step::AskPerson);
        assert_eq!(plan(&Known { question: Question::Person, deadline_ms: Some(1), ..lost.clone() }), Step::AskPerson);
        assert!(matches!(plan(&Known { caught_up: false, ..lost }), Step::Wait(_)));
    }
}

/// What the processor really holds of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    Absent,
    /// On its way: it may still arrive, and be approved.
    Flying,
    Approved,
    Declined,
    Reversed,
    Captured,
}

/// An office and a processor with a line between them that may lose requests and answers.
struct Played {
    known: Known,
    truth: Vec<Truth>,
    backup: Option<Known>,
}

impl Played {
    /// One step of the plan, with the luck of `dice`.
    fn step(&mut self, dice: u8) {
        let (arrives, answered, agrees) = (dice & 1 == 0, dice & 2 == 0, dice & 4 == 0);
        if dice & 8 != 0 {
            self.land();
        }
        match plan(&self.known) {
            Step::Wait(_) | Step::Over => {}
            Step::Say { state, .. } => self.known.said = Some(state),
            Step::Forward { n, deferred } => {
                let alive = |t: &&Truth| matches!(t, Truth::Approved | Truth::Captured);
                assert_eq!(self.truth.iter().filter(alive).count(), 0, "a second live attempt");
                let truth = match (arrives, agrees) {
                    (false, true) => Truth::Flying,
                    (false, false) => Truth::Absent,
                    (true, true) => Truth::Approved,
                    (true, false) => Truth::Declined,
                };
                self.truth.push(truth);
                let state = if arrives && answered { answer(truth) } else { AttemptState::InDoubt };
                self.known.last = Some(Attempt { n, deferred, ..attempt(state) });
            }
            Step::Send(_) => {
                assert_eq!(self.truth.last(), Some(&Truth::Absent), "what has an effect is not sent again");
                if arrives {
                    self.turn_absent(if agrees { Truth::Approved } else { Truth::Declined });
                }
                let state = self.truth.last().map_or(AttemptState::Dead, |t| answer(*t));
                self.set(if arrives && answered { state } else { AttemptState::InDoubt });
            }
            // The announcement arrived, and nothing after it.
            Step::LookUp(_) if answered && agrees && self.truth.last() == Some(&Truth::Absent) => {
                self.set(AttemptState::Announced);
            }
            Step::LookUp(_) if answered => {
                let state = self.truth.last().map_or(AttemptState::Reversing, |t| answer(*t));
                self.set(state);
            }
            Step::LookUp(_) => {}
            Step::Reverse(_) => {
                self.set(AttemptState::Reversing);
                if arrives {
                    self.turn(Truth::Reversed);
                    // The processor remembers the reversal of what it has not seen.
                    if let Some(last) = self.truth.last_mut().filter(|t| **t == Truth::Flying) {
                        *last = Truth::Reversed;
                    }
                }
                if arrives && answered {
                    self.set(AttemptState::Dead);
                }
            }
            Step::LookAround if !answered => {}
            Step::LookAround => match self.newest_live() {
                Some((n, truth)) => self.adopt(n, truth),
                None => self.known.question = Question::Person,
            },
            // An honest person, who looks at the processor's own pages; an approval is left to run out.
            Step::AskPerson => match self.newest_live() {
                Some((n, Truth::Captured)) => self.adopt(n, Truth::Captured),
                Some(_) if agrees => self.turn(Truth::Reversed),
                Some(_) => {}
                // Whatever was on its way has long arrived when a person looks.
                None if self.truth.contains(&Truth::Flying) => {}
                None => {
                    self.known.question = Question::None;
                    if let Some(last) = &mut self.known.last {
                        last.state = AttemptState::Dead;
                    }
                }
            },
            Step::Capture(_) => {
                assert!(self.known.outcome_seen || self.known.accepted_offline);
                if arrives {
                    self.turn(Truth::Captured);
                }
                if arrives && answered {
                    self.set(AttemptState::Captured);
                }
            }
        }
        self.known.now_ms += 100;
    }

    fn newest_live(&self) -> Option<(u32, Truth)> {
        let live = |t: &Truth| matches!(t, Truth::Approved | Truth::Captured);
        let at = self.truth.iter().rposition(live)?;
        Some((u32::try_from(at).unwrap() + 1, self.truth[at]))
    }

    fn adopt(&mut self, n: u32, truth: Truth) {
        self.known.question = Question::None;
        self.known.last = Some(Attempt { n, ..attempt(answer(truth)) });
        self.set(answer(truth));
    }

    /// The office's machine is lost, and another begins from the backup; the handheld sends its rows again.
    fn restore(&mut self) {
        let Some(backup) = self.backup.clone() else { return };
        self.known = Known {
            now_ms: self.known.now_ms,
            accepted_offline: self.known.accepted_offline,
            deadline_ms: self.known.deadline_ms,
            outcome_seen: self.known.outcome_seen,
            void_requested: self.known.void_requested,
            question: Question::LookUp,
            ..backup
        };
    }

    fn turn_absent(&mut self, to: Truth) {
        if let Some(last) = self.truth.last_mut() {
            *last = to;
        }
    }

    /// What is on its way arrives.
    fn land(&mut self) {
        self.truth.iter_mut().filter(|t| **t == Truth::Flying).for_each(|t| *t = Truth::Approved);
    }

    /// The one that is approved is taken back or captured.
    fn turn(&mut self, to: Truth) {
        if let Some(live) = self.truth.iter_mut().find(|t| **t == Truth::Approved) {
            *live = to;
        }
    }

    fn set(&mut self, state: AttemptState) {
        if let Some(last) = &mut self.known.last {
            last.state = state;
            last.approved_minor =
                if matches!(state, AttemptState::Approved | AttemptState::Captured) { AMOUNT } else { 0 };
            if state == AttemptState::Approved {
                self.known.approved_at_ms.get_or_insert(self.known.now_ms);
            }
        }
    }

    /// The handheld does something.
    fn handheld(&mut self, dice: u8) {
        match dice % 8 {
            0 => self.known.outcome_seen |= self.known.said == Some(OutcomeState::Approved),
            1 => {
                self.known.accepted_offline = true;
                self.known.deadline_ms = Some(2_000_000);
            }
            2 => self.known.void_requested = true,
            3 => self.known.caught_up = !self.known.caught_up,
            4 if dice > 127 => self.backup = Some(self.known.clone()),
            4 => self.restore(),
            _ => {}
        }
    }
}

fn answer(truth: Truth) -> AttemptState {
    match truth {
        Truth::Absent | Truth::Flying => AttemptState::Reversing,
        Truth::Reversed => AttemptState::Dead,
        Truth::Approved => AttemptState::Approved,
        Truth::Declined => AttemptState::Declined,
        Truth::Captured => AttemptState::Captured,
    }
}

proptest! {
    #[test]
    fn nobody_is_charged_twice_whatever_is_lost(
        dice in proptest::collection::vec(any::<(u8, u8)>(), 0..80), can_look_up in any::<bool>(),
    ) {
        let mut played = Played { known: Known { can_look_up, ..known() }, truth: Vec::new(), backup: None };
        for (line, hand) in dice {
            played.step(line);
            played.handheld(hand);
            let live = played.truth.iter().filter(|t| matches!(t, Truth::Approved | Truth::Captured)).count();
            prop_assert!(live <= 1, "{:?}", played.truth);
        }
    }
}
