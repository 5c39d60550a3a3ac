//! Every card, online and deferred, and everything that speaks against a request before the card is asked.

use super::*;

const ONLINE: Question =
    Question { read: CardRead::Unreadable, amount_minor: 1_235, deferred: false, allow_partial: true };

fn card(behaviour: Behaviour) -> Question {
    Question { read: CardRead::Read { behaviour: Some(behaviour), amount_agrees: true }, ..ONLINE }
}

#[track_caller]
fn check(question: Question, history: History, digits: &str, approved_minor: i64, delivery: Delivery) {
    let answer = answer(&question, &history);
    assert_eq!((answer.code.digits(), answer.approved_minor, answer.delivery), (digits, approved_minor, delivery));
}

#[test]
fn cards_answer_by_the_table() {
    let none = History::default();
    for deferred in [false, true] {
        let ask = |behaviour| Question { deferred, ..card(behaviour) };
        check(ask(Behaviour::Approves), none, "00", 1_235, Delivery::AtOnce);
        check(ask(Behaviour::Declines), none, "05", 0, Delivery::AtOnce);
        check(ask(Behaviour::LosesTheAnswer), none, "00", 1_235, Delivery::Never);
        check(ask(Behaviour::AnswersLate), none, "00", 1_235, Delivery::Late);
        check(ask(Behaviour::StaysAway), none, "57", 0, Delivery::AtOnce);
    }
}

#[test]
fn poor_is_declined_twice_in_a_session() {
    for (soft_declines, digits, approved_minor) in [(0, "51", 0), (1, "51", 0), (2, "00", 1_235), (9, "00", 1_235)] {
        let history = History { soft_declines, ..History::default() };
        check(card(Behaviour::PoorTwice), history, digits, approved_minor, Delivery::AtOnce);
    }
}

#[test]
fn half_is_a_part_only_online_and_only_if_allowed() {
    let none = History::default();
    let half = card(Behaviour::Half);
    check(half, none, "10", 617, Delivery::AtOnce);
    check(Question { amount_minor: 2, ..half }, none, "10", 1, Delivery::AtOnce);
    check(Question { amount_minor: 1, ..half }, none, "51", 0, Delivery::AtOnce);
    check(Question { allow_partial: false, ..half }, none, "51", 0, Delivery::AtOnce);
    check(Question { deferred: true, ..half }, none, "05", 0, Delivery::AtOnce);
    check(Question { deferred: true, allow_partial: false, ..half }, none, "05", 0, Delivery::AtOnce);
}

#[test]
fn the_request_is_judged_before_the_card() {
    let none = History::default();
    let lost = card(Behaviour::LosesTheAnswer);
    check(lost, History { reversed_before: true, ..none }, "12", 0, Delivery::AtOnce);
    check(lost, History { other_ciphertext: true, ..none }, "63", 0, Delivery::AtOnce);
    check(ONLINE, History { other_ciphertext: true, ..none }, "63", 0, Delivery::AtOnce);
    check(ONLINE, none, "30", 0, Delivery::AtOnce);
    let other_amount = CardRead::Read { behaviour: Some(Behaviour::Approves), amount_agrees: false };
    check(Question { read: other_amount, ..ONLINE }, none, "13", 0, Delivery::AtOnce);
    let unknown = CardRead::Read { behaviour: None, amount_agrees: true };
    check(Question { read: unknown, ..ONLINE }, none, "14", 0, Delivery::AtOnce);
}

#[test]
fn codes_are_found_by_their_digits() {
    for code in ResponseCode::ALL {
        assert_eq!(ResponseCode::from_digits(code.digits()), Some(code));
        assert_eq!(code.digits().len(), 2);
    }
    assert_eq!(ResponseCode::from_digits("99"), None);
}
