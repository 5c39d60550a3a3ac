//! The office's desk for payments: what becomes of the payments that a person must decide about.
#![cfg(feature = "office")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "desk/agreed.rs"]
mod agreed;
#[path = "desk/back.rs"]
mod back;
#[path = "desk/books.rs"]
mod books;
#[path = "common/card.rs"]
mod card;
#[path = "desk/check.rs"]
mod check;
mod common;
#[path = "desk/doubled.rs"]
mod doubled;
#[path = "desk/ends.rs"]
mod ends;
#[path = "desk/kept.rs"]
mod kept;
#[path = "common/reads.rs"]
mod reads;
#[path = "desk/restored.rs"]
mod restored;
#[path = "desk/rig.rs"]
mod rig;

use common::ids;
use rig::{HOUR_MS, How, Rig, START_MS, payment};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tillroll::domain::decision::Action;
use tillroll::office::decide::{self, Decided, Refused};
use tillroll::office::feed;
use tillroll::store::FeedApplied;

#[tokio::test]
async fn one_read_of_a_card_pays_once_and_the_second_payment_is_stopped() {
    for how in [How::Online, How::Offline] {
        let mut rig = Rig::new().await;
        let (first, second) = (payment(1), payment(2));
        rig.pay_with(first, "visa-tap", 3_450, How::Offline, 1);
        rig.pay_with(second, "visa-tap", 3_450, how, 1);
        assert!(rig.push().iter().all(|result| result == "applied"));
        rig.work();
        rig.until(first, "captured").await;
        rig.until(second, if how == How::Online { "declined" } else { "late_declined" }).await;
        assert_eq!(rig.ledger().await, (1, 3_450), "the processor saw one authorisation");
        assert!(rig.open().contains(&"card_data_reused".to_owned()), "{:?}", rig.open());
        assert!(rig.text("SELECT note FROM exception WHERE type = 'card_data_reused'").contains("of D07"));
        assert_eq!(rig.office.verify().unwrap(), Vec::<String>::new());
    }
}

/// Decides about the one open exception of this type.
fn decide(rig: &Rig, kind: &str, action: Action, amount: Option<&str>) -> Result<(), Refused> {
    let exception = rig.text(&format!("SELECT id FROM exception WHERE type = '{kind}' AND state = 'open'"));
    let decided =
        Decided { exception: &exception, action, by: "dina", reason: "as agreed", sure: true, amount, link: None };
    let now_ms = rig.office.now_ms();
    rig.office.write(|tx| decide::decide(tx, &decided, now_ms))
}

/// The handheld reads its feed.
fn read_feed(rig: &mut Rig) {
    let (_, cursor) = rig.store.feed_cursor().unwrap();
    let page = rig.office.read(|db| feed::page(db, rig.device, &cursor)).unwrap();
    let (entries, cursor, _) = page.unwrap();
    let entries: Vec<FeedApplied> =
        entries.into_iter().map(|e| FeedApplied { kind: e.kind, id: e.id, body: e.body }).collect();
    rig.store.apply_feed(&entries, &cursor, uuid::Uuid::nil(), 1).unwrap();
}

#[tokio::test]
async fn a_late_decline_is_collected_again_by_a_linked_payment() {
    let mut rig = Rig::new().await;
    let (old, new) = (payment(1), payment(2));
    rig.pay(old, "decline", 6_900, How::Offline);
    rig.push();
    rig.work();
    rig.until(old, "late_declined").await;
    decide(&rig, "late_decline", Action::Recollect, None).unwrap();
    assert!(decide_again_is_refused(&rig));
    rig.hear(old);
    read_feed(&mut rig);
    let asked = rig.store.job_detail(ids().job).unwrap().collect_again.unwrap();
    assert_eq!((asked.payment, asked.reason.as_str()), (old, "as agreed"));

    rig.pay_linked(new, "visa-tap", 6_900, How::Online, 40, Some(old));
    assert_eq!(rig.store.job_detail(ids().job).unwrap().collect_again, None, "it is being done");
    rig.push();
    rig.until(new, "approved").await;
    rig.hear(new);
    rig.push();
    rig.until(new, "captured").await;
    assert_eq!(rig.ledger().await.1, 6_900);
    let decision = rig.text("SELECT id FROM decision");
    let undone = rig.office.write(|tx| decide::undo(tx, &decision, "dina", *START_MS));
    assert!(matches!(undone, Err(Refused::Conflict(_))), "a payment has followed");
    assert_eq!(rig.office.verify().unwrap(), Vec::<String>::new());
}

fn decide_again_is_refused(rig: &Rig) -> bool {
    let exception = rig.text("SELECT exception FROM decision");
    let (action, sure) = (Action::WriteOff, true);
    let decided = Decided { exception: &exception, action, by: "emil", reason: "lost", sure, amount: None, link: None };
    matches!(rig.office.write(|tx| decide::decide(tx, &decided, *START_MS)), Err(Refused::Conflict(_)))
}

#[tokio::test]
async fn what_is_written_off_is_not_charged_later() {
    let mut rig = Rig::new().await;
    let (old, later) = (payment(1), payment(2));
    rig.pay(old, "decline", 6_900, How::Offline);
    rig.push();
    rig.work();
    rig.until(old, "late_declined").await;
    decide(&rig, "late_decline", Action::WriteOff, None).unwrap();
    rig.hear(old);
    rig.pay(later, "visa-tap", 6_900, How::Offline);
    rig.push();
    rig.until(later, "held").await;
    assert_eq!(rig.ledger().await.1, 0);
    assert_eq!(rig.count("SELECT sum(minor) FROM ledger_posting WHERE account = 'written_off'"), 6_900);
    assert_eq!(rig.office.verify().unwrap(), Vec::<String>::new());

    // A dispatcher gives it up; the handheld hears that it is voided.
    decide(&rig, "held_excess", Action::Void, None).unwrap();
    rig.until(later, "voided").await;
    rig.hear(later);
    rig.push();
    assert_eq!(rig.text(&format!("SELECT state FROM payment WHERE id = '{later}'")), "voided");
    assert_eq!(rig.open(), Vec::<String>::new());
}

#[tokio::test]
async fn an_approval_that_nobody_saw_waits_or_is_given_back() {
    let mut rig = Rig::new().await;
    let id = payment(1);
    rig.pay(id, "visa-tap", 6_900, How::Online);
    rig.push();
    rig.work();
    rig.until(id, "approved").await;
    let look_again = |rig: &Rig| {
        rig.ahead_ms.fetch_add(HOUR_MS + 120_000, Ordering::AcqRel);
        rig.office.changed();
    };
    let listed = |rig: &Rig| rig.open() == ["approved_unseen"];
    look_again(&rig);
    rig.until_true(listed, || "not listed".into()).await;
    decide(&rig, "approved_unseen", Action::Wait, None).unwrap();
    rig.ahead_ms.fetch_add(120_000, Ordering::AcqRel);
    rig.office.changed();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(rig.open(), Vec::<String>::new(), "it was left for now");
    look_again(&rig);
    rig.until_true(listed, || "not listed again".into()).await;

    decide(&rig, "approved_unseen", Action::Void, None).unwrap();
    rig.until(id, "voided").await;
    // Even if the approval was seen meanwhile, the handheld follows.
    rig.hear(id);
    rig.push();
    assert_eq!(rig.text(&format!("SELECT state FROM payment WHERE id = '{id}'")), "voided");
    assert_eq!(rig.ledger().await, (1, 0), "reversed");
    assert_eq!(rig.office.verify().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_payment_that_the_processor_does_not_answer_for_is_tried_again_at_once() {
    let mut rig = Rig::new().await;
    let id = payment(1);
    rig.pay(id, "visa-tap", 6_900, How::Offline);
    rig.push();
    rig.office
        .write(|tx| {
            let trouble = "INSERT INTO exception VALUES ('x', 'payment_unknown', ?1, NULL, NULL, 6900, 'EUR', '', 1,
                NULL, NULL, 'open', NULL, NULL)";
            tx.execute(trouble, [id.to_string()])?;
            tx.execute("UPDATE card_payment SET next_ms = ?1", [*START_MS + 24 * HOUR_MS])
        })
        .unwrap();
    rig.work();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(rig.state(id), "");
    decide(&rig, "payment_unknown", Action::RepeatNow, None).unwrap();
    rig.until(id, "captured").await;
}
