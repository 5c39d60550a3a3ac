//! A processor that made two refunds of one: the office looks, and tells.

use super::decide;
use crate::check::Failing;
use crate::common::ids;
use crate::rig::{HOUR_MS, Rig, payment};
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tillroll::domain::decision::Action;
use tillroll::domain::event::{Event, RefundRequested};
use tillroll::domain::id::RefundId;
use tillroll::domain::money::{Currency, Money};
use tillroll::domain::payment::Tender;
use tillroll::domain::refund::RefundKind;
use tillroll::office::payments::doubled;
use tillroll::office::payments::refunds::{self, Decision};
use uuid::Uuid;

/// A refund of 14.50 that is released, and that this processor carries out.
async fn refunded(rig: &mut Rig, by: &Failing) {
    rig.work();
    rig.captured(1, 3_450).await;
    rig.stop();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let refund = RefundId(Uuid::from_u128(77));
    rig.tell(
        &Event::RefundRequested(RefundRequested {
            refund,
            payment: Some(payment(1)),
            job: ids().job,
            visit: ids().visit,
            tender: Tender::Card,
            amount: Money::new(1_450, Currency::EUR),
            what: RefundKind::Credit,
            reason: "faulty".into(),
            manager: false,
        }),
        None,
    );
    rig.push();
    let now = rig.office.now_ms();
    assert!(rig.office.write(|tx| refunds::decide(tx, refund, Decision::Release, "dina", now)).unwrap());
    refunds::step(&rig.office, by, refund).await.unwrap();
}

/// One round; how often this processor was asked so far.
async fn look(rig: &Rig, processor: &Failing) -> usize {
    doubled::look(&rig.office, processor).await.unwrap();
    processor.asked.lock().unwrap().iter().filter(|name| **name == "refunded_beyond").count()
}

fn processor(at: &'static str, beyond_minor: i64) -> Failing {
    Failing { at, beyond_minor, asked: Mutex::default() }
}

#[tokio::test]
async fn a_refund_that_a_processor_made_twice_is_told_with_the_excess() {
    let mut rig = Rig::new().await;
    let (once, twice) = (processor("", 0), processor("", 1_450));
    refunded(&mut rig, &once).await;
    assert_eq!(look(&rig, &once).await, 1, "at once");
    assert_eq!(look(&rig, &once).await, 1, "not all the time");
    assert_eq!(rig.open(), Vec::<String>::new());
    // The network holds the other one back for a while.
    rig.ahead_ms.fetch_add(HOUR_MS, Ordering::AcqRel);
    assert_eq!(look(&rig, &twice).await, 1);
    assert_eq!(rig.open(), ["refund_doubled"]);
    let told = "SELECT amount_minor || ' ' || note FROM exception WHERE type = 'refund_doubled'";
    assert_eq!(rig.text(told), "1450 EUR 14.50 were to go back to the card, and EUR 14.50 more did");
    rig.ahead_ms.fetch_add(HOUR_MS, Ordering::AcqRel);
    assert_eq!(look(&rig, &twice).await, 1, "told once");
    decide(&rig, "refund_doubled", Action::Note, None).unwrap();
    assert_eq!(rig.open(), Vec::<String>::new());
    assert_eq!(rig.office.verify().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_refund_is_looked_at_twice_and_not_where_that_cannot_be() {
    for (at, looks) in [("", 2), ("refunded_beyond", 1)] {
        let mut rig = Rig::new().await;
        let processor = processor(at, 0);
        refunded(&mut rig, &processor).await;
        for _ in 0..4 {
            look(&rig, &processor).await;
            rig.ahead_ms.fetch_add(HOUR_MS, Ordering::AcqRel);
        }
        assert_eq!(look(&rig, &processor).await, looks, "{at}");
        assert_eq!(rig.open(), Vec::<String>::new());
    }
}
