//! Card payments that the processor can never be sent, and how each comes to an end that a person can act on.

use crate::decide;
use crate::rig::{HOUR_MS, How, Rig, START_MS, payment};
use std::time::Duration;
use tillroll::domain::decision::Action;

/// An office at an API that takes no card from a reader, and one at a host that speaks ISO 8583; nobody listens at either.
fn processors(rig: &Rig) -> [String; 2] {
    let key = rig.file("key", "sk_test_never_sent");
    [format!("stripe+http://127.0.0.1:9?key_file={key}"), "iso8583://127.0.0.1:9".to_owned()]
}

#[tokio::test]
async fn a_card_that_the_processor_cannot_carry_is_declined_with_a_sentence() {
    for n in 0..2 {
        let mut rig = Rig::new().await;
        let url = processors(&rig)[n].clone();
        rig.elsewhere(&url);
        rig.garbled = true;
        let id = payment(1);
        rig.pay(id, "visa-tap", 6_900, How::Online);
        rig.push();
        rig.work();
        rig.until(id, "declined").await;
        let reason = rig.outcome(id).unwrap().reason.unwrap();
        assert_eq!(reason, "the processor cannot charge this kind of card; nothing was sent", "{url}");
        rig.hear(id);
        assert!(rig.push().iter().all(|result| result == "applied"));
        assert_eq!(rig.text("SELECT state FROM payment"), "declined");
        assert_eq!(rig.count("SELECT over FROM card_payment"), 1, "{url}");
        assert_eq!(rig.count("SELECT count(*) FROM blob"), 0, "the card data is gone");
        assert_eq!(rig.open(), Vec::<String>::new());
        assert_eq!(rig.office.verify().unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn one_that_was_stored_is_held_and_a_release_tries_once_more() {
    for n in 0..2 {
        let mut rig = Rig::new().await;
        let (good, url) = (rig.url.clone(), processors(&rig)[n].clone());
        rig.elsewhere(&url);
        rig.garbled = n == 1;
        let (lost, saved) = (payment(1), payment(2));
        rig.pay(lost, "visa-tap", 3_450, How::Offline);
        rig.pay(saved, "mc-chip", 3_450, How::Offline);
        rig.push();
        rig.work();
        for id in [lost, saved] {
            rig.until(id, "held").await;
            rig.hear(id);
        }
        rig.push();
        assert_eq!(rig.open(), ["held_excess", "held_excess"], "{url}");
        assert_eq!(rig.count("SELECT min(deadline_ms) FROM exception"), *START_MS + 24 * HOUR_MS);
        assert!(rig.text("SELECT note FROM exception").contains("cannot charge this kind of card"));
        let release = |rig: &Rig, id| {
            let other = format!("UPDATE exception SET state = 'resolved' WHERE subject <> '{id}' AND state = 'open'");
            rig.office.write(|tx| tx.execute(&other, [])).unwrap();
            decide(rig, "held_excess", Action::Release, None).unwrap();
            rig.office.changed();
        };
        // Released where it still cannot be carried: declined for good, and the customer is asked for another way to pay.
        release(&rig, lost);
        rig.until(lost, "late_declined").await;
        rig.hear(lost);
        rig.push();
        assert_eq!(rig.open(), ["late_decline"]);
        // The office is pointed at the right processor before the deadline.
        if n == 0 {
            rig.elsewhere(&good);
            rig.office.write(|tx| tx.execute("UPDATE card_payment SET next_ms = 0", [])).unwrap();
            rig.work();
            rig.until(saved, "captured").await;
            assert_eq!(rig.ledger().await, (1, 3_450));
        }
        assert_eq!(rig.office.verify().unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_processor_that_is_only_away_ends_nothing() {
    let mut rig = Rig::new().await;
    let good = rig.url.clone();
    rig.elsewhere("http://127.0.0.1:9");
    let id = payment(1);
    rig.pay(id, "visa-tap", 6_900, How::Offline);
    rig.push();
    rig.work();
    rig.until_true(|rig| rig.count("SELECT count(*) FROM attempt") == 1, || "nothing was tried".into()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((rig.state(id).as_str(), rig.count("SELECT unfit FROM card_payment")), ("", 0));
    rig.elsewhere(&good);
    rig.office.write(|tx| tx.execute("UPDATE attempt SET lease_ms = 0", [])).unwrap();
    rig.office.write(|tx| tx.execute("UPDATE card_payment SET next_ms = 0", [])).unwrap();
    rig.work();
    rig.until(id, "captured").await;
}
