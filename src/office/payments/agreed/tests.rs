//! The rules one by one, as data.

use super::*;
use crate::office::payments::plan::{Question, next as plan};

const DAY_MS: i64 = 86_400_000;
const NOW_MS: i64 = 100 * DAY_MS;
const AGREED: Agreed = Agreed { force: Force::Active, declines: 0, tries: 3, not_before_ms: 0 };

type Last = Option<(AttemptState, &'static str)>;

fn known(last: Last) -> Known {
    let attempt = |(state, code): (AttemptState, &str)| Attempt {
        n: 1,
        state,
        deferred: false,
        approved_minor: if matches!(state, AttemptState::Approved | AttemptState::Captured) { 4_900 } else { 0 },
        response_code: Some(code.to_owned()),
        lease_ms: 0,
    };
    Known {
        outcome_seen: true,
        approved_at_ms: Some(NOW_MS),
        last: last.map(attempt),
        agreed: Some(AGREED),
        ..Known::new(NOW_MS, 4_900)
    }
}

fn word(step: &Step) -> String {
    match step {
        Step::Say { state, over, .. } => format!("{state:?} {over}"),
        Step::Wait(until) => format!("wait {}", (until - NOW_MS) / DAY_MS),
        other => format!("{other:?}"),
    }
}

#[test]
fn each_place_has_one_next_step_by_the_force_of_the_agreement() {
    use AttemptState as S;
    let cases = [
        (None, ["Forward { n: 1, deferred: false }", "wait 0", "Voided true"]),
        (Some((S::Prepared, "")), ["LookUp(1)", "LookUp(1)", "LookUp(1)"]),
        (Some((S::InDoubt, "")), ["LookUp(1)", "LookUp(1)", "LookUp(1)"]),
        (Some((S::Announced, "")), ["Send(1)", "Reverse(1)", "Reverse(1)"]),
        (Some((S::Approved, "00")), ["Capture(1)", "Capture(1)", "Reverse(1)"]),
        (Some((S::Reversing, "")), ["Reverse(1)", "Reverse(1)", "Reverse(1)"]),
        (Some((S::Captured, "00")), ["Captured true", "Captured true", "Captured true"]),
        (Some((S::Dead, "")), ["Forward { n: 2, deferred: false }", "wait 0", "Voided true"]),
        (Some((S::Declined, "51")), ["Forward { n: 2, deferred: false }", "wait 0", "Voided true"]),
        (Some((S::Declined, "05")), ["Declined true", "Declined true", "Voided true"]),
    ];
    for (last, expect) in cases {
        for (force, expect) in [Force::Active, Force::Suspended, Force::Stopped].into_iter().zip(expect) {
            let known = Known { agreed: Some(Agreed { force, ..AGREED }), ..known(last) };
            assert_eq!(word(&plan(&known, &Timing::STANDARD)), expect, "{last:?} {force:?}");
        }
    }
}

#[test]
fn a_soft_decline_waits_for_its_day_and_ends_when_the_tries_are_used_up() {
    let soft = |declines, not_before_ms| Known {
        agreed: Some(Agreed { declines, not_before_ms, ..AGREED }),
        ..known(Some((AttemptState::Declined, "51")))
    };
    for (declines, not_before_ms, expect) in [
        (1, NOW_MS + 3 * DAY_MS, "wait 3"),
        (1, NOW_MS, "Forward { n: 2, deferred: false }"),
        (2, NOW_MS, "Forward { n: 2, deferred: false }"),
        (3, NOW_MS, "Declined true"),
    ] {
        assert_eq!(word(&plan(&soft(declines, not_before_ms), &Timing::STANDARD)), expect, "{declines}");
    }
}

#[test]
fn what_a_lost_office_may_have_sent_is_looked_up_before_anything_else() {
    for question in [Question::LookUp, Question::Person] {
        let known = Known { question, ..known(None) };
        let step = plan(&known, &Timing::STANDARD);
        assert!(matches!(step, Step::LookAround | Step::AskPerson), "{step:?}");
    }
    let leased = Known {
        last: Some(Attempt { lease_ms: NOW_MS + 1, ..known(Some((AttemptState::Prepared, ""))).last.unwrap() }),
        ..known(None)
    };
    assert_eq!(plan(&leased, &Timing::STANDARD), Step::Wait(NOW_MS + 1), "somebody else is at it");
    let paid_otherwise = Known { covers: false, ..known(None) };
    assert_eq!(word(&plan(&paid_otherwise, &Timing::STANDARD)), "Held false");
}
