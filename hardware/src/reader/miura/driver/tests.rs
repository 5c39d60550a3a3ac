//! The races of an abort, answer by answer: the reader may have been faster than the host.

use super::super::apdu::GOOD;
use super::*;
use crate::bytes::unhex;

/// A driver that waits for a tap.
fn waiting() -> MiuraDriver {
    let (mut driver, _) = MiuraDriver::connected();
    driver.message(answer("E100", GOOD));
    driver.message(answer("E104DFA20A0164", GOOD));
    let out = driver.command(&ReaderCommand::Arm(ArmRequest::one_for_tests(1)));
    assert_eq!(sent(&out), ["D060"]);
    assert_eq!(sent(&driver.message(answer("", GOOD))), ["DEC1"]);
    driver
}

fn answer(body: &str, status: u16) -> Message {
    Message { nad: Nad::Mpi, unsolicited: false, data: Answer { body: unhex(body), status }.encode() }
}

/// Class and instruction of each command.
fn sent(out: &[Out]) -> Vec<String> {
    let command = |item: &Out| match item {
        Out::Send(message) => message.data.get(..2).map(crate::bytes::hex),
        Out::Tell(_) => None,
    };
    out.iter().filter_map(command).collect()
}

fn told(out: &[Out]) -> Vec<ReaderEvent> {
    let event = |item: &Out| match item {
        Out::Tell(event) => Some(event.clone()),
        Out::Send(_) => None,
    };
    out.iter().filter_map(event).collect()
}

fn cryptogram() -> Message {
    let inside = "DFAE0208 0011223344556677 DFAE030A FFFF9876543210E00001 DFAE5708 411111FFFFFF1111";
    answer(&format!("E426{inside}"), GOOD)
}

const CANCELLED: ReaderEvent = ReaderEvent::Ended { op: Op(1), why: EndReason::Cancelled };

#[test]
fn an_abort_is_answered_first_and_then_the_transaction() {
    let mut driver = waiting();
    assert_eq!(sent(&driver.command(&ReaderCommand::Cancel { op: Op(1) })), ["D0FF"]);
    assert_eq!(told(&driver.message(answer("", GOOD))), []);
    assert_eq!(told(&driver.message(answer("", 0x9F41))), [CANCELLED]);
}

#[test]
fn the_key_on_the_reader_was_faster_than_the_abort() {
    let mut driver = waiting();
    driver.command(&ReaderCommand::Cancel { op: Op(1) });
    assert_eq!(told(&driver.message(answer("", 0x9F41))), [CANCELLED]);
    let out = driver.message(answer("", GOOD));
    assert_eq!((told(&out), sent(&out)), (vec![], vec!["D060".to_owned()]));
}

/// The card was faster: its cryptogram is there when the abort arrives. Nothing was sent to anyone, and nothing will be.
#[test]
fn a_card_that_was_faster_than_the_abort_is_let_go() {
    let mut driver = waiting();
    driver.command(&ReaderCommand::Cancel { op: Op(1) });
    assert_eq!(told(&driver.message(cryptogram())), [CANCELLED]);
    assert_eq!(told(&driver.message(answer("", GOOD))), []);
}

#[test]
fn a_session_that_is_being_ended_is_read_whatever_is_asked() {
    let mut driver = waiting();
    assert_eq!(sent(&driver.message(cryptogram())), ["DED2"]);
    assert_eq!(driver.command(&ReaderCommand::Cancel { op: Op(1) }), []);
    let out = driver.message(answer("E5039F270100", GOOD));
    assert!(matches!(told(&out).as_slice(), [ReaderEvent::CardRead { op: Op(1), .. }]), "{out:?}");
}

#[test]
fn an_approval_by_the_card_alone_is_no_money_and_a_refusal_is_the_cards() {
    let mut driver = waiting();
    assert_eq!(sent(&driver.message(answer("E3039F270140", GOOD))), ["D0FF"]);
    let ended = ReaderEvent::Ended { op: Op(1), why: EndReason::ReadError };
    assert_eq!(told(&driver.message(answer("", GOOD))), [ended]);
    let mut driver = waiting();
    assert_eq!(told(&driver.message(answer("E5039F270100", GOOD))), [ReaderEvent::DeclinedByCard { op: Op(1) }]);
}

/// A late answer of an operation that is over belongs to no other.
#[test]
fn an_answer_that_comes_too_late_is_nobodys() {
    let mut driver = waiting();
    driver.overdue();
    assert_eq!(driver.running(), None);
    driver.command(&ReaderCommand::Arm(ArmRequest::one_for_tests(2)));
    assert_eq!(told(&driver.message(cryptogram())), []);
    assert_eq!(driver.running(), Some(Op(2)));
}
