//! The rules one by one; in `played` an office that must never charge twice.

mod played;

use super::*;

const AMOUNT: i64 = 10_000;

fn known() -> Known {
    Known { request_age_ms: Some(Some(1_000)), ..Known::new(1_000_000, AMOUNT) }
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
fn what_was_said_since_a_capture_stays_said() {
    let captured = Known { last: Some(attempt(AttemptState::Captured)), ..known() };
    for state in [OutcomeState::Settled, OutcomeState::Disputed] {
        let known = Known { said: Some(state), ..captured.clone() };
        assert_eq!(plan(&known), Step::Over);
        let void = Known { void_requested: true, ..known };
        assert!(matches!(plan(&void), Step::Say { state: OutcomeState::VoidFailed, .. }));
    }
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

#[test]
fn what_the_processor_cannot_carry_comes_to_an_end_that_a_person_can_act_on() {
    let online = Known { unfit: true, ..known() };
    let stored = Known { request_age_ms: None, accepted_offline: true, deadline_ms: Some(2_000_000), ..online.clone() };
    let old = Known { request_age_ms: Some(None), ..online.clone() };
    let late = Known { now_ms: 2_000_001, ..stored.clone() };
    let cases = [
        (online, OutcomeState::Declined, false),
        (old, OutcomeState::Declined, false),
        (stored.clone(), OutcomeState::Held, false),
        (Known { released: true, ..stored.clone() }, OutcomeState::LateDeclined, true),
        (late, OutcomeState::Expired, true),
        (Known { void_requested: true, ..stored }, OutcomeState::Voided, true),
    ];
    for (known, expect, ends) in cases {
        assert!(
            matches!(plan(&known), Step::Say { state, over, .. } if state == expect && over == ends),
            "{expect:?}: {:?}",
            plan(&known)
        );
    }
}
