//! Transitions where money is at stake: what is written, in which order, and what Enter never does.
//!
//! Invariant: the reader is armed after the intent's commit, never before.

use super::paper::*;
use super::sample::*;
use crate::app::effect::Effect;
use crate::app::model::{Overlay, Question, Screen};
use crate::app::msg::{Msg, OpId};
use crate::domain::decision::CollectAgain;
use crate::domain::event::{Event as Row, ReceiptState};
use crate::domain::payment::{Payment, PaymentState, Tender};
use crate::domain::receipt::{ReceiptPreview, Sheet};
use crate::flow::payment::{Effect as Step, Event, Offline, Phase};

/// Presses keys and compares the rows asked for by the last one.
fn check(till: &mut Till, keys: &str, expect: &[&str]) {
    let effects = till.keys(keys);
    assert_eq!(kinds(&effects), expect, "after {keys:?}");
}

fn at_checkout() -> Till {
    let mut till = Till::on_job(40, 15, job(true, Vec::new()));
    till.keys("C");
    assert_eq!(till.model.screen, Screen::Checkout);
    till
}

fn steps(effects: &[Effect]) -> Vec<Step> {
    let step = |effect: &Effect| match effect {
        Effect::Payment { effect, .. } => Some(effect.clone()),
        _ => None,
    };
    effects.iter().filter_map(step).collect()
}

#[test]
fn paying_stores_the_intent_and_nothing_else() {
    let mut till = at_checkout();
    let effects = till.keys("C");
    let [Effect::StoreIntent { payment, effect: Step::Commit(Row::PaymentIntended(intent)) }] = effects.as_slice()
    else {
        panic!("{effects:?}");
    };
    assert_eq!((intent.payment, intent.amount, intent.linked_to), (*payment, eur(12_000), None));
    let effects = till.commit();
    assert_eq!(steps(&effects), [Step::Arm { timeout_ms: 60_000 }]);
}

#[test]
fn enter_never_takes_a_risk_or_gives_money_back() {
    let mut till = at_checkout().card_read().assessed(false);
    check(&mut till, "⏎", &[]);
    check(&mut till, "A", &["payment.accepted_offline"]);
    till.commit();
    check(&mut till, "V⏎", &[]);
    assert_eq!(till.model.overlay, Some(Overlay::Confirm(Question::Void)));
    check(&mut till, "Y", &["payment.void_requested"]);

    let mut till = at_checkout().card_read().assessed(true);
    till.commit();
    till.pay(Event::OutcomeOverdue);
    till.commit();
    assert_eq!(till.model.screen, Screen::Unknown);
    till.pay(Event::Assessed { online: false, offline: Offline::Refused("no".into()) });
    check(&mut till, "AY", &[]);
    till.pay(Event::Assessed { online: false, offline: allowed() });
    check(&mut till, "A⏎", &[]);
    check(&mut till, "Y", &["payment.accepted_offline"]);
    till.commit();
    assert_eq!(till.model.screen, Screen::Card);
}

#[test]
fn cancel_is_a_request_until_the_reader_has_answered() {
    let mut till = at_checkout();
    till.keys("C");
    till.commit();
    let effects = till.keys("⎋");
    assert_eq!(steps(&effects), [Step::CancelReader]);
    assert!(till.frame().contains("CANCELLING"));
    assert_eq!((till.keys("⎋"), till.model.screen), (Vec::new(), Screen::Card));
    let effects = till.pay(Event::ReaderEnded("cancelled".into()));
    assert_eq!(kinds(&effects), ["payment.abandoned"]);
    till.commit();
    assert!(till.frame().contains("ABANDONED"));
    till.keys("⏎");
    assert_eq!(till.model.screen, Screen::Checkout);
}

#[test]
fn stored_money_is_never_called_approved() {
    let mut till = at_checkout().card_read().assessed(false);
    till.keys("A");
    till.commit();
    let frame = till.frame();
    assert!(frame.contains("(~) PENDING") && !frame.to_lowercase().contains("approved"), "{frame}");
    assert!(!frame.contains("[x]"), "{frame}");
}

#[test]
fn a_second_tender_asks_and_is_linked() {
    let blocking = payment(2, 12_000, PaymentState::Unknown);
    for (key, tender) in [("C", Tender::Card), ("A", Tender::Cash)] {
        let mut till = Till::on_job(40, 15, job(true, vec![blocking.clone()]));
        till.keys("C");
        check(&mut till, key, &[]);
        let question = Question::SecondTender { blocking: blocking.id, tender };
        assert_eq!(till.model.overlay, Some(Overlay::Confirm(question)));
        check(&mut till, "⏎", &[]);
        let mut effects = till.keys("Y");
        if tender == Tender::Cash {
            effects = till.keys("Q⏎");
        }
        let linked = effects.iter().find_map(|effect| match effect {
            Effect::StoreIntent { effect: Step::Commit(Row::PaymentIntended(e)), .. } => e.linked_to,
            Effect::Commit { event: Row::CashRecorded(e), .. } => e.linked_to,
            _ => None,
        });
        assert_eq!(linked, Some(blocking.id));
    }
}

#[test]
fn what_the_office_asks_to_collect_again_is_linked_without_a_question() {
    let old = payment(2, 12_000, PaymentState::LateDeclined);
    for keys in ["C", "AQ⏎"] {
        let mut detail = job(true, vec![old.clone()]);
        detail.collect_again = Some(CollectAgain {
            payment: old.id,
            job: old.job,
            visit: old.visit,
            reason: "as agreed".into(),
            at_ms: NOW_MS,
        });
        let mut till = Till::on_job(40, 15, detail);
        assert!(till.frame().contains("COLLECT AGAIN"), "{}", till.frame());
        till.keys("C");
        let effects = till.keys(keys);
        let linked = effects.iter().find_map(|effect| match effect {
            Effect::StoreIntent { effect: Step::Commit(Row::PaymentIntended(e)), .. } => e.linked_to,
            Effect::Commit { event: Row::CashRecorded(e), .. } => e.linked_to,
            _ => None,
        });
        assert_eq!(linked, Some(old.id), "{keys}");
    }
}

#[test]
fn cash_gives_change_and_a_part_is_asked_for() {
    for (keys, expect) in [
        ("A12000⏎", Some((12_000, 12_000, 0))),
        ("A15000⏎", Some((12_000, 15_000, 3_000))),
        ("AQ⏎", Some((12_000, 12_000, 0))),
        ("AT⏎", Some((12_000, 15_000, 3_000))),
        ("A500⌫⏎Y", Some((50, 50, 0))),
        ("A5000⏎⏎", None),
        ("A5000⏎⎋", None),
        ("A⏎", None),
        ("A0⏎", None),
    ] {
        let mut till = at_checkout();
        let effects = till.keys(keys);
        let cash = effects.iter().find_map(|effect| match effect {
            Effect::Commit { event: Row::CashRecorded(e), .. } => {
                Some((e.amount.minor, e.tendered_minor, e.change_minor))
            }
            _ => None,
        });
        assert_eq!(cash, expect, "{keys}");
    }
}

#[test]
fn a_failed_commit_loses_nothing() {
    let mut till = at_checkout();
    till.keys("A15000⏎");
    let op = OpId(till.model.last_op);
    check(&mut till, "⏎", &[]);
    till.send(Msg::Committed { op, outcome: Err("The disk is full.".into()) });
    assert!(till.frame().contains("The disk is full."));
    check(&mut till, "⏎", &[]);
    assert_eq!((till.model.screen, till.model.cash_digits.as_str()), (Screen::Cash, "15000"));
    check(&mut till, "⏎", &["cash.recorded"]);
    let op = OpId(till.model.last_op);
    let effects = till.send(Msg::Committed { op, outcome: Ok(()) });
    assert!(effects.iter().any(|e| matches!(e, Effect::RenderReceipt { .. })));
    assert_eq!(effects.iter().filter(|e| matches!(e, Effect::OpenDrawer(_))).count(), 1, "{effects:?}");
    till.send(Msg::Receipt { op: OpId(till.model.last_op), outcome: Ok(ReceiptPreview::default()) });
    // Whatever becomes of the paper, the drawer is not opened again.
    for state in [ReceiptState::Refused, ReceiptState::Interrupted, ReceiptState::Confirmed] {
        let effects = till.keys("P");
        assert!(matches!(effects.as_slice(), [Effect::Print { .. }]), "{effects:?}");
        till.send(Msg::Printed { op: OpId(till.model.last_op), outcome: Ok(printed(1, state)) });
        if state != ReceiptState::Confirmed {
            till.keys("⏎");
        }
    }
    till.keys("⏎");
    assert_eq!(till.model.screen, Screen::Job);
}

#[test]
fn printing_can_be_stopped_and_a_crash_is_asked_about() {
    let mut till = Till::on_job(40, 15, job(true, vec![payment(1, 12_000, PaymentState::Stored)]));
    till.keys("R");
    let op = OpId(till.model.last_op);
    till.send(Msg::Receipt {
        op,
        outcome: Ok(ReceiptPreview {
            unfinished: Some(Sheet { copy: 3, ..Sheet::FIRST }),
            ..ReceiptPreview::default()
        }),
    });
    assert!(till.frame().contains("Did it come out?"), "{}", till.frame());
    check(&mut till, "Y", &["receipt.ended"]);
    till.send(Msg::Committed { op: OpId(till.model.last_op), outcome: Ok(()) });
    assert!(till.frame().contains("printed copy 3"), "{}", till.frame());
    till.keys("P");
    let op = OpId(till.model.last_op);
    till.send(Msg::Printing { sent: 2, rows: 9, waits: Some("cooling".into()) });
    assert!(till.frame().contains("waits: cooling"), "{}", till.frame());
    assert_eq!(till.keys("⎋"), [Effect::StopPrint]);
    assert!(till.frame().contains("stopping"), "{}", till.frame());
    assert!(till.keys("⎋").is_empty(), "asked once");
    till.send(Msg::Printed { op, outcome: Ok(printed(4, ReceiptState::Interrupted)) });
    till.keys("⏎⎋");
    assert_eq!(till.model.screen, Screen::Job);
}

#[test]
fn a_row_that_could_not_be_written_is_taken_up_again() {
    let mut till = at_checkout();
    till.keys("C");
    till.pay(Event::CommitFailed("The disk is full.".into()));
    assert!(till.frame().contains("NOT SAVED"));
    check(&mut till, "R", &["payment.intended"]);
    till.commit();
    till.pay(Event::CardRead(Box::new(crate::flow::payment::ReadFacts {
        card: card(),
        ksn: String::new(),
        ciphertext_sha256: String::new(),
    })));
    // The read cannot be kept, and its end cannot be written either.
    till.pay(Event::CommitFailed("The disk is full.".into()));
    till.pay(Event::CommitFailed("The disk is full.".into()));
    assert!(till.frame().contains("NOT SAVED"));
    check(&mut till, "⏎", &["payment.abandoned"]);
}

#[test]
fn what_a_stopped_program_left_is_taken_up_one_after_the_other() {
    let mut till = Till::new(40, 15);
    let left = vec![payment(1, 100, PaymentState::Presenting), payment(2, 200, PaymentState::Requested)];
    let effects = till.send(Msg::Resume(left));
    assert_eq!(kinds(&effects), ["payment.abandoned"]);
    till.commit();
    let effects = till.keys("⏎");
    assert_eq!(kinds(&effects), ["payment.unknown"]);
    till.commit();
    assert_eq!(till.model.screen, Screen::Unknown);
}

#[test]
fn the_offices_word_reaches_the_front_or_a_notice() {
    let mut till = at_checkout().card_read().assessed(true);
    till.commit();
    let mut answer = till.model.card.as_ref().unwrap().machine.payment().unwrap().clone();
    answer.state = PaymentState::Approved;
    answer.approved_minor = 12_000;
    answer.rev += 1;
    till.send(Msg::PaymentChanged { payment: Box::new(answer) });
    assert_eq!(till.model.card.as_ref().unwrap().machine.phase(), &Phase::Resting);
    assert!(till.frame().contains("[x] APPROVED") && till.model.notices.is_empty());

    let other = Payment { job: day()[5].job, ..payment(9, 8_400, PaymentState::LateDeclined) };
    till.send(Msg::PaymentChanged { payment: Box::new(other) });
    assert!(till.frame().contains("!1") && !till.frame().contains("LATE DECLINED"), "waits for a quiet screen");
    till.keys("⏎N");
    let frame = till.frame();
    assert!(frame.contains("LATE DECLINED") && frame.contains("Chapel Row Flats"), "{frame}");
}

#[test]
fn an_invoice_is_taken_back_only_while_no_money_moved() {
    let with = |payments| Till::on_job(40, 15, job(true, payments));
    check(&mut with(Vec::new()), "OY", &["invoice.cancelled"]);
    check(&mut with(vec![payment(1, 100, PaymentState::Declined)]), "OY", &["invoice.cancelled"]);
    for state in [PaymentState::Approved, PaymentState::Stored, PaymentState::Unknown, PaymentState::VoidPending] {
        check(&mut with(vec![payment(1, 100, state)]), "OY", &[]);
    }
}

#[test]
fn the_customer_chooses_an_application_once() {
    let mut till = at_checkout();
    till.keys("C");
    till.commit();
    till.pay(Event::Applications(vec!["VISA CREDIT".into(), "DEBIT".into()]));
    assert_eq!(steps(&till.keys("3")), []);
    assert_eq!(steps(&till.keys("2")), [Step::SelectApplication(1)]);
    assert_eq!(steps(&till.keys("1")), []);
}
