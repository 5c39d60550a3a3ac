//! The office's machine is lost, and another begins from a backup: what the lost one may have sent is never sent again
//! by itself.

use crate::common::ids;
use crate::rig::{How, Rig, payment};
use crate::{decide, read_feed};
use std::time::Duration;
use tillroll::domain::decision::Action;
use tillroll::domain::event::{Event, PaymentStep};
use tillroll::office::decide::Refused;

/// A rig whose office has the handheld's first rows, and a backup of that.
async fn backed_up() -> (Rig, std::path::PathBuf) {
    let mut rig = Rig::new().await;
    rig.push();
    let backup = rig.backup("backup.sqlite");
    (rig, backup)
}

#[tokio::test]
async fn an_office_restored_between_sent_and_outcome_charges_once() {
    for card in ["visa-tap", "lost-answer"] {
        let (mut rig, backup) = backed_up().await;
        let id = payment(1);
        rig.pay(id, card, 6_900, How::Online);
        rig.push();
        rig.work();
        let sent = "SELECT count(*) FROM attempt";
        rig.until_true(|rig| rig.count(sent) == 1, || "nothing was sent".into()).await;
        while rig.ledger().await.0 == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        rig.restore(&backup);
        assert_eq!(rig.count(sent), 0, "the backup knows nothing of it");
        rig.work();
        rig.push();
        rig.until(id, "approved").await;
        read_feed(&mut rig);
        rig.hear(id);
        rig.push();
        rig.until(id, "captured").await;
        assert_eq!(rig.ledger().await, (1, 6_900), "{card}: one charge");
        assert_eq!(rig.open(), Vec::<String>::new());
        assert_eq!(rig.office.verify().unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_the_lost_office_captured_is_found_and_not_captured_again() {
    let (mut rig, backup) = backed_up().await;
    let (lost, later) = (payment(1), payment(2));
    rig.pay(lost, "visa-tap", 3_450, How::Offline);
    rig.push();
    rig.work();
    rig.until(lost, "captured").await;
    rig.restore(&backup);
    rig.work();
    rig.push();
    rig.until(lost, "captured").await;
    assert_eq!(rig.ledger().await, (1, 3_450));
    // What was taken after the handheld met this office is sent as ever.
    rig.hear(lost);
    rig.pay(later, "visa-tap", 3_450, How::Offline);
    rig.push();
    rig.until(later, "captured").await;
    assert_eq!(rig.ledger().await, (2, 6_900));
    assert_eq!(rig.office.verify().unwrap(), Vec::<String>::new());
}

/// A stored payment of which the processor knows nothing, on the list.
async fn in_question() -> Rig {
    let (mut rig, backup) = backed_up().await;
    rig.pay(payment(1), "visa-tap", 6_900, How::Offline);
    rig.restore(&backup);
    rig.push();
    rig.work();
    rig.until_true(|rig| rig.open() == ["payment_reconcile"], || "not listed".into()).await;
    assert_eq!(rig.ledger().await, (0, 0), "nothing is sent by itself");
    assert!(rig.text("SELECT note FROM exception").contains("found nothing"));
    rig
}

#[tokio::test]
async fn what_the_processor_does_not_have_is_sent_when_a_person_says_so() {
    let rig = in_question().await;
    decide(&rig, "payment_reconcile", Action::NotAtProcessor, None).unwrap();
    rig.until(payment(1), "captured").await;
    assert_eq!(rig.ledger().await, (1, 6_900));
    assert_eq!(rig.open(), Vec::<String>::new());
}

#[tokio::test]
async fn what_the_processor_has_by_a_persons_word_is_not_sent() {
    let rig = in_question().await;
    for bad in [None, Some("0"), Some("-1.00"), Some("69.01"), Some("69.001"), Some("lots")] {
        let refused = decide(&rig, "payment_reconcile", Action::AtProcessor, bad);
        assert!(matches!(refused, Err(Refused::Form(_))), "{bad:?}");
    }
    decide(&rig, "payment_reconcile", Action::AtProcessor, Some("68.00")).unwrap();
    rig.until(payment(1), "captured").await;
    assert_eq!(rig.outcome(payment(1)).unwrap().amount_minor, 6_800);
    assert_eq!(rig.ledger().await, (0, 0), "nothing was sent");
    assert_eq!(rig.office.verify().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn what_the_handheld_saw_of_the_lost_office_stands() {
    let (mut rig, backup) = backed_up().await;
    let id = payment(1);
    rig.pay(id, "decline", 6_900, How::Offline);
    rig.push();
    rig.work();
    rig.until(id, "late_declined").await;
    rig.hear(id);
    rig.restore(&backup);
    rig.work();
    rig.push();
    rig.until(id, "late_declined").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(rig.ledger().await, (1, 0));
    assert_eq!(rig.open(), Vec::<String>::new());
    assert_eq!(rig.count("SELECT over FROM card_payment"), 1);
    assert_eq!(rig.count("SELECT count(*) FROM blob"), 0, "the card data is gone");
}

#[tokio::test]
async fn payments_that_the_backup_knows_are_looked_up_too() {
    let mut rig = Rig::new().await;
    let id = payment(1);
    rig.pay(id, "visa-tap", 6_900, How::Online);
    rig.push();
    rig.work();
    rig.until(id, "approved").await;
    let backup = rig.backup("backup.sqlite");
    rig.hear(id);
    rig.push();
    rig.until(id, "captured").await;
    rig.restore(&backup);
    assert_eq!(rig.count("SELECT in_question FROM card_payment"), 1);
    rig.work();
    rig.push();
    rig.until(id, "captured").await;
    assert_eq!(rig.ledger().await, (1, 6_900));
    assert_eq!(rig.office.verify().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_in_question_holds_back_another_card_of_the_same_invoice() {
    let (mut rig, backup) = backed_up().await;
    let (first, second) = (payment(1), payment(2));
    rig.pay(first, "visa-tap", 6_900, How::Online);
    rig.restore(&backup);
    rig.push();
    rig.work();
    rig.until_true(|rig| rig.open() == ["payment_reconcile"], || "not listed".into()).await;
    // Nobody answers the technician, who takes another card.
    let step = PaymentStep { payment: first, job: ids().job, visit: ids().visit, why: "no answer".into() };
    rig.tell(&Event::PaymentUnknown(step), None);
    rig.pay_linked(second, "visa-tap", 6_900, How::Online, 40, Some(first));
    rig.push();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(rig.ledger().await, (0, 0), "it may be the same money once more");
    assert_eq!(rig.state(second), "");
    decide(&rig, "payment_reconcile", Action::AtProcessor, Some("69.00")).unwrap();
    rig.office.changed();
    rig.until(first, "captured").await;
    rig.until(second, "held").await;
    assert_eq!(rig.ledger().await, (0, 0));
}
