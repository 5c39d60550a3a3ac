//! Failures 1 to 3: the customer pays more than once, or cannot pay at all.

use crate::rig::World;
use crate::screen::Screen;
use serde_json::Value;
use std::collections::BTreeSet;
use tillroll::app::effect::Effect;
use tillroll::domain::event::Event;
use tillroll::domain::payment::{Extras, PaymentState};
use tillroll::flow::payment::Effect as Step;

/// The authorisations in the processor's own ledger.
async fn authorisations(world: &World) -> Vec<Value> {
    world.processor.ledger().await["authorisations"].as_array().unwrap().clone()
}

/// Elsewhere, payments stored without a link went out two to four times when the link came back and another one was stored
/// during that: each try had a new key. Here a payment has one attempt at a time whose name is on the disk before it is
/// sent, and an answer that was lost is looked up, however many workers drain and whatever comes in meanwhile.
#[tokio::test]
async fn failure_01_stored_payments_are_forwarded_several_times_on_reconnect() {
    let world = World::new().await;
    let mut till = world.device("D01");
    let mut stored = Vec::new();
    let mut store = |till: &mut crate::rig::Device, n: u128, card: &str| {
        let invoice = till.work_at(n);
        let payment = till.read(&invoice, card);
        till.accept(payment);
        stored.push(payment);
    };
    for (n, card) in ["visa-tap", "lost-answer", "slow", "mc-chip", "lost-answer"].into_iter().enumerate() {
        store(&mut till, n as u128, card);
    }
    // The link is back: two workers drain over ways that are not equally fast, and new payments are stored and sent while they do. Half the answers to what
    // is sent are lost, so that it is sent again.
    world.gate.uneven(30);
    let (first, second) = (world.working(), world.working());
    for n in 5..10 {
        let batch = till.batch(500);
        let answer = till.hand(&world, &batch);
        if n % 2 == 0 {
            till.heard(&answer);
        }
        store(&mut till, n, if n == 7 { "lost-answer" } else { "visa-tap" });
        tokio::time::sleep(std::time::Duration::from_millis(7)).await;
    }
    till.push(&world);
    world.quiet().await;
    first.stop().await;
    second.stop().await;
    // What was given up under the load is tried again.
    for _ in 0..3 {
        world.pass(70_000);
        till.exchange(&world).await;
    }
    for payment in &stored {
        assert_eq!(till.state(*payment), PaymentState::Approved);
    }
    assert_eq!(world.charged().await, (10, 10 * 3_450));
    assert_eq!(authorisations(&world).await.len(), 10, "none was asked for twice");
    world.sound(&[&till]).await;
}

/// Elsewhere, the bank was slow, the technician tried again, and both went through: the second try had another key, or was
/// sent without one. Here the screen says that nothing is known yet and asks before it takes another one; the two are
/// linked, and the office charges what the invoice owes, once.
#[tokio::test]
async fn failure_02_a_slow_success_and_a_second_try_charge_twice() {
    for card in ["slow", "lost-answer"] {
        let world = World::new().await;
        let mut till = world.device("D01");
        let invoice = till.work();
        let first = till.read(&invoice, card);
        till.request(first);
        till.push(&world);
        till.unknown(first);

        let mut screen = Screen::on(till.store.job_detail(invoice.job).unwrap());
        assert!(screen.words().contains("NOT KNOWN"), "{}", screen.words());
        assert_eq!(screen.keys("cc"), [], "it asks");
        assert!(screen.words().contains("the customer pays twice"), "{}", screen.words());
        assert_eq!(screen.keys("⏎"), [], "Enter is no answer");
        assert_eq!(screen.keys("nca⎋"), [], "cash asks too");
        let effects = screen.keys("cy");
        let [Effect::StoreIntent { effect: Step::Commit(Event::PaymentIntended(again)), .. }] = effects.as_slice()
        else {
            unreachable!("{effects:?}")
        };
        assert_eq!(again.linked_to, Some(first), "both are linked for the office");

        let second = till.intend(&invoice, Extras::NONE, Some(first));
        till.tap(second, "visa-tap");
        till.request(second);
        till.exchange(&world).await;
        assert_eq!(world.charged().await, (1, 3_450), "{card}");
        let states = (till.state(first), till.state(second));
        assert_eq!(states, (PaymentState::Approved, PaymentState::Held), "{card}");
        assert_eq!(world.exceptions(), ["held_excess"], "{card}");
        world.sound(&[&till]).await;
    }
}

/// Elsewhere, the key was made of what did not change between two honest tries, such as the order and its amount: after a
/// decline the customer's other card was answered with the decline of the first. Here every payment and every attempt of
/// it has a name of its own.
#[tokio::test]
async fn failure_03_a_second_card_is_blocked_by_the_key_of_the_first() {
    let world = World::new().await;
    let mut till = world.device("D01");
    let invoice = till.work();
    // Declined, then offered a part that is not taken, then approved and voided, at last paid: the same amount each time.
    let take = async |till: &mut crate::rig::Device, card: &str| {
        let payment = till.read(&invoice, card);
        till.request(payment);
        till.exchange(&world).await;
        payment
    };
    let declined = take(&mut till, "decline").await;
    assert_eq!(till.state(declined), PaymentState::Declined);
    let part = take(&mut till, "half").await;
    assert_eq!(till.state(part), PaymentState::PartlyApproved);
    till.void(part);
    till.exchange(&world).await;
    assert_eq!(till.state(part), PaymentState::Voided);
    let other = take(&mut till, "mc-chip").await;
    assert_eq!(till.state(other), PaymentState::Approved);
    assert_eq!(world.charged().await, (1, 3_450));
    let booked = authorisations(&world).await;
    let names: BTreeSet<String> = booked.iter().map(|one| one["key"].to_string()).collect();
    let numbers: BTreeSet<String> = booked.iter().map(|one| one["rrn"].to_string()).collect();
    assert_eq!((booked.len(), names.len(), numbers.len()), (3, 3, 3));
    world.sound(&[&till]).await;
}
