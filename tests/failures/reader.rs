//! Failure 12: the wrong payment at the reader, and at the bank.

use crate::handheld::Handheld;
use crate::rig::World;
use std::time::Duration;
use tillroll::domain::id::PaymentId;
use tillroll::domain::money::{Currency, Money};
use tillroll::domain::payment::PaymentState;
use uuid::Uuid;

/// Whoever cancels at once may be ahead of the reader's arming: the reader does not wait for that card any more.
#[tokio::test]
async fn a_cancel_ahead_of_its_arming_ends_the_wait() {
    let world = World::today().await;
    let mut till = Handheld::new(&world).await;
    let payment = PaymentId(Uuid::now_v7());
    let reader = till.rig.till.reader.clone();
    reader.cancel(payment).await;
    reader.arm(payment, Money::new(3_450, Currency::EUR), 60_000).await;
    assert_eq!(till.ended_at_the_reader().await, payment);
    till.stop().await;
}

/// Elsewhere, a status poll had overwritten the id that a cancel was to name, and the cancel stopped another customer's
/// payment at the terminal. Here a cancel and a void name their payment: one that comes late, or twice, touches no other.
#[tokio::test]
async fn failure_12_cancel_aborts_the_wrong_payment() {
    let world = World::today().await;
    let mut till = Handheld::new(&world).await;
    till.collect().await;
    till.keys("c").await;
    till.until("TAP OR INSERT").await;
    let first = till.payment().await.id;
    till.keys("⎋").await;
    till.until("Nothing was sent, nothing charged").await;
    assert_eq!(till.payment().await.state, PaymentState::Abandoned);
    till.keys("⎋").await;
    till.until("card").await;
    till.keys("c").await;
    till.until("TAP OR INSERT").await;
    let second = till.payment().await.id;
    assert_ne!(first, second);
    // What was meant for the first comes once more, late.
    till.rig.till.reader.cancel(first).await;
    till.rig.till.reader.forget(first).await;
    till.for_a_while(Duration::from_millis(100)).await;
    assert!(till.screen.words().contains("TAP OR INSERT"), "{}", till.screen.words());
    till.customer.present(Some("visa-tap"));
    till.until("ASKING THE BANK").await;
    let read = till.payment().await;
    assert_eq!((read.id, read.card.map(|card| card.last4)), (second, Some("1111".to_owned())));
    till.stop().await;

    // At the bank: one of two approved payments is voided.
    let world = World::new().await;
    let mut till = world.device("D01");
    let [one, other] = [0, 1].map(|n| {
        let invoice = till.work_at(n);
        let payment = till.read(&invoice, "visa-tap");
        till.request(payment);
        payment
    });
    till.push(&world);
    world.work().await;
    till.pull(&world);
    till.void(other);
    till.exchange(&world).await;
    assert_eq!((till.state(one), till.state(other)), (PaymentState::Approved, PaymentState::Voided));
    let ledger = world.processor.ledger().await;
    for (payment, reversed) in [(one, false), (other, true)] {
        let of = |entry: &&serde_json::Value| entry["key"].as_str().unwrap().contains(&payment.to_string());
        let entry = ledger["authorisations"].as_array().unwrap().iter().find(of).unwrap();
        assert_eq!(entry["reversed"], reversed, "{entry}");
    }
    assert_eq!(world.charged().await, (1, 3_450));
    world.sound(&[&till]).await;
}
