//! What happens between a doorstep, an office and a processor when it does not go smoothly; each ends with the processor's
//! own ledger.
#![cfg(feature = "office")]
#![expect(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test fails by panicking")]

mod common;
#[path = "processor/rig.rs"]
#[expect(dead_code, reason = "shared with the processor's own tests")]
mod processor;
#[path = "stories/rig.rs"]
#[expect(dead_code, reason = "shared with the flows")]
mod rig;

use rig::World;
use tillroll::domain::decision::Action;
use tillroll::domain::event::{CashRecorded, Event, RefundRequested};
use tillroll::domain::id::{PaymentId, RefundId};
use tillroll::domain::job::MoneyState;
use tillroll::domain::payment::{Extras, PaymentState, Tender};
use tillroll::domain::policy::HOUR_MS;
use tillroll::domain::refund::RefundKind;
use tillroll::office::decide::{self, Decided};
use tillroll::office::payments::refunds::{self, Decision};
use tillroll::sync::wire::RowResult;

#[tokio::test]
async fn asked_in_one_batch_and_accepted_offline_in_the_next_is_one_charge() {
    let world = World::new().await;
    let mut till = world.device("D01");
    let invoice = till.work();
    let payment = till.read(&invoice, "lost-answer");
    till.request(payment);
    till.push(&world);
    // The technician gives up before the office has an answer, and takes the risk.
    till.unknown(payment);
    till.accept(payment);
    till.exchange(&world).await;
    assert_eq!(till.state(payment), PaymentState::Approved);
    assert_eq!(world.charged().await, (1, 3_450));
    world.sound(&[&till]).await;
}

#[tokio::test]
async fn asked_in_one_batch_and_voided_in_the_next_is_no_charge() {
    for card in ["visa-tap", "lost-answer", "slow"] {
        let world = World::new().await;
        let mut till = world.device("D01");
        let invoice = till.work();
        let payment = till.read(&invoice, card);
        till.request(payment);
        till.push(&world);
        till.unknown(payment);
        till.void(payment);
        till.exchange(&world).await;
        assert_eq!(till.state(payment), PaymentState::Voided, "{card}");
        assert_eq!(world.charged().await.1, 0, "{card}");
        world.sound(&[&till]).await;
    }
}

#[tokio::test]
async fn the_head_that_was_stated_is_waited_for_before_anything_is_sent() {
    let world = World::new().await;
    let mut till = world.device("D01");
    let invoice = till.work();
    let payment = till.read(&invoice, "visa-tap");
    till.request(payment);
    till.unknown(payment);
    till.void(payment);
    // The batch with the void is cut off: only the request arrives, but the head is stated.
    let cut = till.batch(6);
    assert!(cut.envelope.last < cut.envelope.head);
    till.hand(&world, &cut);
    world.work().await;
    assert_eq!(world.count("SELECT count(*) FROM attempt"), 0, "nothing is sent");
    till.exchange(&world).await;
    assert_eq!(till.state(payment), PaymentState::Voided);
    assert_eq!(world.count("SELECT count(*) FROM attempt"), 0);
    world.sound(&[&till]).await;
}

#[tokio::test]
async fn declined_at_the_door_and_paid_in_cash_is_never_charged_later() {
    let world = World::new().await;
    let mut till = world.device("D01");
    let invoice = till.work();
    let payment = till.read(&invoice, "decline");
    till.request(payment);
    till.exchange(&world).await;
    assert_eq!(till.state(payment), PaymentState::Declined);
    till.cash(&invoice);
    till.exchange(&world).await;
    world.pass(48 * HOUR_MS);
    till.exchange(&world).await;
    assert_eq!(world.charged().await, (0, 0));
    assert_eq!(till.store.job_detail(invoice.job).unwrap().row.money, MoneyState::Paid);
    world.sound(&[&till]).await;
}

#[tokio::test]
async fn stored_and_then_paid_in_cash_is_held_for_a_person() {
    let world = World::new().await;
    let mut till = world.device("D01");
    let invoice = till.work();
    let payment = till.read(&invoice, "visa-tap");
    till.accept(payment);
    let (beside, amount) = (PaymentId(till.fresh()), invoice.totals.total());
    till.commit(&Event::CashRecorded(CashRecorded {
        payment: beside,
        invoice: invoice.id,
        document: invoice.document.clone(),
        job: invoice.job,
        visit: invoice.visit,
        amount,
        extras: Extras::NONE,
        tendered_minor: amount.minor,
        change_minor: 0,
        linked_to: Some(payment),
    }));
    till.exchange(&world).await;
    assert_eq!(till.state(payment), PaymentState::Held);
    assert_eq!(world.exceptions(), ["held_excess"]);
    assert_eq!(world.charged().await, (0, 0));
    till.void(payment);
    till.exchange(&world).await;
    assert_eq!(till.state(payment), PaymentState::Voided);
    world.sound(&[&till]).await;
}

#[tokio::test]
async fn approved_and_never_seen_is_told_after_an_hour_and_given_back_after_a_day() {
    let world = World::new().await;
    let mut till = world.device("D01");
    let invoice = till.work();
    let payment = till.read(&invoice, "visa-tap");
    till.request(payment);
    till.push(&world);
    world.work().await;
    assert_eq!(world.charged().await, (0, 0), "not captured before it was seen");
    world.pass(HOUR_MS + 60_001);
    world.work().await;
    assert_eq!(world.exceptions(), ["approved_unseen"]);
    world.pass(24 * HOUR_MS);
    world.work().await;
    let ledger = world.processor.ledger().await;
    assert_eq!(ledger["authorisations"][0]["reversed"], true);
    till.exchange(&world).await;
    assert_eq!(till.state(payment), PaymentState::Expired, "the handheld does not wait for ever");
    assert_eq!(world.charged().await, (0, 0));
    world.sound(&[&till]).await;
}

#[tokio::test]
async fn two_handhelds_at_one_visit_take_its_money_once() {
    let world = World::new().await;
    let (mut first, mut second) = (world.device("D01"), world.device("D02"));
    let (mine, theirs) = (first.work(), second.work());
    let (a, b) = (first.read(&mine, "visa-tap"), second.read(&theirs, "mc-chip"));
    first.accept(a);
    second.accept(b);
    first.exchange(&world).await;
    let results = second.push(&world);
    assert!(results.contains(&RowResult::Quarantined) && results.contains(&RowResult::Held), "{results:?}");
    world.work().await;
    assert_eq!(world.charged().await, (1, 3_450));
    assert_eq!(world.exceptions(), ["quarantined_row"]);
    world.sound(&[&first]).await;
}

#[tokio::test]
async fn a_part_that_is_not_taken_goes_back_and_cash_pays_all() {
    let world = World::new().await;
    let mut till = world.device("D01");
    let invoice = till.work();
    let payment = till.read(&invoice, "half");
    till.request(payment);
    till.exchange(&world).await;
    assert_eq!(till.state(payment), PaymentState::PartlyApproved);
    assert_eq!(world.charged().await, (0, 0), "what is not taken is not captured");
    till.void(payment);
    till.exchange(&world).await;
    assert_eq!(till.state(payment), PaymentState::Voided);
    till.cash(&invoice);
    till.exchange(&world).await;
    assert_eq!(world.charged().await, (0, 0));
    world.sound(&[&till]).await;
}

#[tokio::test]
async fn a_refund_needs_no_card_data() {
    let world = World::new().await;
    let mut till = world.device("D01");
    let invoice = till.work();
    let payment = till.read(&invoice, "visa-tap");
    till.request(payment);
    till.exchange(&world).await;
    assert_eq!(world.charged().await, (1, 3_450));
    assert_eq!(world.count("SELECT count(*) FROM blob"), 0, "the office holds no card data");
    let refund = RefundId(till.fresh());
    till.commit(&Event::RefundRequested(RefundRequested {
        refund,
        payment: Some(payment),
        job: invoice.job,
        visit: invoice.visit,
        tender: Tender::Card,
        amount: tillroll::domain::money::Money::new(1_450, invoice.totals.currency),
        what: RefundKind::Credit,
        reason: "faulty".into(),
        manager: false,
    }));
    till.exchange(&world).await;
    assert_eq!(world.charged().await, (1, 3_450), "nobody has released it");
    assert_eq!(world.exceptions(), ["refund_requested"]);
    let now = world.now();
    let release = |tx: &mut rusqlite::Transaction<'_>| refunds::decide(tx, refund, Decision::Release, "dina", now);
    assert!(world.office.write(release).unwrap());
    assert!(!world.office.write(release).unwrap(), "decided once");
    till.exchange(&world).await;
    assert_eq!(world.charged().await, (1, 2_000));
    assert_eq!((till.payment(payment).refunded_minor, till.payment(payment).refund_open_minor), (1_450, 0));
    assert_eq!(world.exceptions(), Vec::<String>::new());
    world.sound(&[&till]).await;
}

#[tokio::test]
async fn cash_taken_beside_a_card_that_is_agreed_to_after_all_goes_back_to_the_card() {
    let world = World::new().await;
    let mut till = world.device("D01");
    let invoice = till.work();
    let payment = till.read(&invoice, "visa-tap");
    till.request(payment);
    till.push(&world);
    world.work().await;
    // The answer does not come through, and the customer pays in cash.
    till.unknown(payment);
    till.cash(&invoice);
    till.exchange(&world).await;
    assert_eq!(till.state(payment), PaymentState::Approved);
    assert_eq!((world.charged().await, world.exceptions()), ((1, 3_450), vec!["overpaid".to_owned()]));
    let sql = "SELECT id FROM exception WHERE state = 'open'";
    let exception: String = world.office.read(|db| db.query_row(sql, [], |r| r.get(0))).unwrap();
    let (action, reason, now) = (Action::Refund, "paid twice", world.now());
    let decided = Decided { exception: &exception, action, by: "dina", reason, sure: true, amount: None, link: None };
    world.office.write(|tx| decide::decide(tx, &decided, now)).unwrap();
    till.exchange(&world).await;
    assert_eq!((world.charged().await, world.exceptions()), ((1, 0), Vec::new()));
    assert_eq!(till.payment(payment).refunded_minor, 3_450);
    assert_eq!(till.open(&invoice).minor, 0);
    assert_eq!(till.store.job_detail(invoice.job).unwrap().row.money, MoneyState::Paid);
    world.sound(&[&till]).await;
}

#[tokio::test]
async fn cash_that_no_payment_names_leaves_the_drawer_when_the_office_has_released_it() {
    let world = World::new().await;
    let mut till = world.device("D01");
    let invoice = till.work();
    till.cash(&invoice);
    let drawer = till.store.drawer().unwrap().minor;
    let refund = RefundId(till.fresh());
    let amount = tillroll::domain::money::Money::new(1_450, invoice.totals.currency);
    till.commit(&Event::RefundRequested(RefundRequested {
        refund,
        payment: None,
        job: invoice.job,
        visit: invoice.visit,
        tender: Tender::Cash,
        amount,
        what: RefundKind::Credit,
        reason: "faulty".into(),
        manager: true,
    }));
    till.exchange(&world).await;
    assert_eq!(till.store.drawer().unwrap().minor, drawer, "asked is not given");
    let sql = "SELECT note FROM exception";
    let note: String = world.office.read(|db| db.query_row(sql, [], |r| r.get(0))).unwrap();
    assert!(note.starts_with("not linked to a payment, by a manager's PIN; "), "{note}");
    let now = world.now();
    let release = |tx: &mut rusqlite::Transaction<'_>| refunds::decide(tx, refund, Decision::Release, "dina", now);
    assert!(world.office.write(release).unwrap());
    till.exchange(&world).await;
    assert_eq!(till.store.drawer().unwrap().minor, drawer - amount.minor);
    till.exchange(&world).await;
    world.sound(&[&till]).await;
}
