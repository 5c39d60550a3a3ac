//! What is believed, and what is not.

use super::super::message::Mti;
use super::super::requests::tests::{follow_up, request};
use super::*;
use proptest::prelude::*;
use std::sync::LazyLock;

static ASCII: LazyLock<Profile> = LazyLock::new(|| Profile::load("ascii").unwrap());

/// A good answer to [`request`], changed.
fn answer(changes: &[(u8, Option<&str>)]) -> Message {
    let mut message = Message::new(Mti(110));
    for (field, value) in
        [(4, "000000001235"), (37, "e5a100000042"), (38, "A00042"), (39, "00"), (41, "D07north"), (49, "978")]
    {
        message.set(field, value);
    }
    for (field, value) in changes {
        match value {
            Some(value) => message.set(*field, *value),
            None => drop(message.fields.remove(field)),
        }
    }
    message
}

/// `Ok(minor)` for an approval, `Err(Some(code))` for a decline, `Err(None)` for doubt.
fn check(changes: &[(u8, Option<&str>)], expect: Result<i64, Option<&str>>) {
    let got = match authorised(&ASCII, &request(), &answer(changes)) {
        Ok(answer) if answer.approved => Ok(answer.amount_minor),
        Ok(answer) => Err(Some(answer.response_code)),
        Err(ProcessorError::InDoubt(_)) => Err(None),
        Err(why) => panic!("{why}"),
    };
    assert_eq!(got, expect.map_err(|code| code.map(str::to_owned)), "{changes:?}");
}

#[test]
fn only_the_very_amount_currency_and_terminal_are_an_approval() {
    check(&[], Ok(1_235));
    check(&[(38, None), (41, None)], Ok(1_235));
    for doubtful in [
        (4, None),
        (4, Some("000000001236")),
        (4, Some("000000001234")),
        (4, Some("x")),
        (39, None),
        (39, Some("  ")),
        (39, Some("0")),
        (41, Some("D08")),
        (49, None),
        (49, Some("840")),
    ] {
        check(&[doubtful], Err(None));
    }
}

#[test]
fn codes_mean_what_the_profile_says() {
    for code in ["05", "14", "51", "61", "91", "96", "A1"] {
        check(&[(39, Some(code))], Err(Some(code)));
    }
    check(&[(39, Some("05")), (4, None), (49, None)], Err(Some("05")));
    check(&[(39, Some("05")), (49, Some("840"))], Err(None));
    for code in ["08", "09", "11", "16", "32", "68", "87", "94"] {
        check(&[(39, Some(code))], Err(None));
    }
}

#[test]
fn a_part_is_more_than_nothing_and_no_more_than_all() {
    check(&[(39, Some("10")), (4, Some("000000000500"))], Ok(500));
    check(&[(39, Some("10")), (4, Some("000000000000"))], Err(None));
    check(&[(39, Some("10")), (4, Some("000000001236"))], Err(None));
    check(&[(39, Some("10")), (4, None)], Err(None));
    let forbidden = Authorisation { allow_partial: false, ..request() };
    let part = answer(&[(39, Some("10")), (4, Some("000000000500"))]);
    assert!(matches!(authorised(&ASCII, &forbidden, &part), Err(ProcessorError::InDoubt(_))));
}

#[test]
fn the_part_may_stand_among_the_additional_amounts() {
    let mut profile = ASCII.clone();
    profile.partial.answer = Approved::Additional("57".to_owned());
    let said = |amounts: &str| {
        let answer = answer(&[(39, Some("10")), (54, Some(amounts))]);
        authorised(&profile, &request(), &answer).map(|answer| answer.amount_minor).ok()
    };
    assert_eq!(said("0057978C000000000500"), Some(500));
    assert_eq!(said("0001978C0000000099990057978C000000000500"), Some(500));
    for bad in ["", "0057840C000000000500", "0057978D000000000500", "0057978C00000000050", "0057978C00000000-500"] {
        assert_eq!(said(bad), None, "{bad}");
    }
}

/// `None` for doubt, `Some(false)` for a no.
fn followed_up(changes: &[(u8, Option<&str>)], repeat: bool, expect: [Option<bool>; 3]) {
    let call = FollowUp { repeat, ..follow_up(1_235) };
    let answer = answer(changes);
    let yes = |done: Result<(), ProcessorError>| match done {
        Ok(()) => Some(true),
        Err(ProcessorError::Refused(_)) => Some(false),
        Err(_) => None,
    };
    let refund = match refunded(&ASCII, &call, &answer) {
        Ok(said) => Some(said.done),
        Err(_) => None,
    };
    let got = [yes(captured(&ASCII, &call, &answer).map(|_| ())), yes(reversed(&ASCII, &call, &answer)), refund];
    assert_eq!(got, expect, "{changes:?} {repeat}");
}

#[test]
fn captures_reversals_and_refunds_are_done_refused_or_in_doubt() {
    let code = |code| [(39, Some(code))];
    let same = |what: Option<bool>| [what; 3];
    followed_up(&[], false, same(Some(true)));
    followed_up(&[(4, None), (49, None), (41, None)], false, same(Some(true)));
    followed_up(&code("12"), false, same(Some(false)));
    followed_up(&code("25"), false, [Some(false), Some(true), Some(false)]);
    for unsure in ["08", "09", "10", "68", "91", "96"] {
        followed_up(&code(unsure), false, same(None));
    }
    followed_up(&code("94"), false, same(None));
    followed_up(&code("94"), true, same(Some(true)));
    for other in [(4, Some("000000001236")), (49, Some("840")), (41, Some("D08")), (39, None)] {
        followed_up(&[other], false, same(None));
    }
}

#[test]
fn totals_agree_by_settlement_code_or_by_response_code() {
    for (code, settlement, expect) in [
        ("00", Some("1"), Some(true)),
        ("00", None, Some(true)),
        ("00", Some("2"), Some(false)),
        ("95", Some("2"), Some(false)),
        ("95", None, Some(false)),
        ("00", Some("3"), None),
        ("96", None, None),
        ("95", Some("1"), None),
    ] {
        let answer = answer(&[(39, Some(code)), (66, settlement)]);
        assert_eq!(agreed(&ASCII, &answer).ok(), expect, "{code} {settlement:?}");
    }
}

#[test]
fn a_late_answer_is_reversed_unless_it_is_a_clear_no() {
    for (changes, expect) in [
        (vec![], Some(true)),
        (vec![(4, Some("000000009999"))], Some(true)),
        (vec![(39, Some("08"))], Some(true)),
        (vec![(39, Some("51"))], Some(false)),
        (vec![(39, None)], None),
        (vec![(37, None)], None),
    ] {
        let late = late(&ASCII, &answer(&changes));
        assert_eq!(late.map(|late| late.answer.approved), expect, "{changes:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn whatever_fields_an_answer_has_no_more_than_was_asked_for_is_approved(
        fields in proptest::collection::btree_map(
            prop::sample::select(vec![4_u8, 38, 39, 41, 49, 54]), proptest::collection::vec(any::<u8>(), 0..24), 0..6,
        ),
        code in prop::sample::select(vec!["00", "10", "05", "08", "94"]),
    ) {
        let mut message = answer(&[(39, Some(code))]);
        message.fields.extend(fields);
        if let Ok(answer) = authorised(&ASCII, &request(), &message) {
            prop_assert!(!answer.approved || (1..=1_235).contains(&answer.amount_minor));
            prop_assert!(!answer.approved || message.text(49) == Some("978"));
        }
    }
}
