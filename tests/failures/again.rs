//! Failures 16 and 17: beginning without a link, and trying again.

use crate::handheld::Handheld;
use crate::rig::World;
use std::time::Duration;
use tillroll::domain::payment::PaymentState;
use tillroll::domain::policy::HOUR_MS;

/// Elsewhere, the reader could not be set up when the app was started without a link, just when offline payments were
/// wanted. Here nothing between the program and its reader needs the office: what was heard of it before is on the disk.
#[tokio::test]
async fn failure_16_the_reader_cannot_start_without_a_link() {
    let world = World::today().await;
    let working = world.working();
    let till = Handheld::new(&world).await;
    let mut till = till.restart(false).await;
    till.until_true("a reader without a link", |till| {
        till.screen.model.reader.as_ref().is_some_and(|reader| reader.connected)
    })
    .await;
    till.customer.present(Some("mc-chip"));
    till.collect().await;
    till.keys("c").await;
    till.until("NO LINK: TAKE THE RISK?").await;
    till.keys("a").await;
    till.until("It is not paid yet").await;
    assert_eq!(till.payment().await.state, PaymentState::Stored);
    assert!(!till.screen.model.link.online);
    till.gate.open();
    till.until("The bank agreed").await;
    while world.charged().await != (1, 3_450) {
        till.for_a_while(Duration::from_millis(10)).await;
    }
    working.stop().await;
    till.stop().await;
}

/// Elsewhere, an offline payment that failed was never tried again, and nobody could. Here a soft decline is tried again by
/// itself until the payment's deadline; a hard one is not, and stands on the list of somebody who can act.
#[tokio::test]
async fn failure_17_a_failed_stored_payment_is_never_tried_again() {
    let world = World::new().await;
    let mut till = world.device("D01");
    let [soft, hard] = [(0, "poor"), (1, "decline")].map(|(n, card)| {
        let invoice = till.work_at(n);
        let payment = till.read(&invoice, card);
        till.accept(payment);
        payment
    });
    let working = world.working();
    till.push(&world);
    // Nobody does anything; time passes.
    for _ in 0..6 {
        world.quiet().await;
        world.pass(1_000);
    }
    till.pull(&world);
    till.push(&world);
    world.quiet().await;
    assert_eq!((till.state(soft), till.state(hard)), (PaymentState::Approved, PaymentState::LateDeclined));
    assert_eq!(world.charged().await, (1, 3_450));
    let ledger = world.processor.ledger().await;
    let answers = |card: &str| -> Vec<String> {
        let of = ledger["authorisations"].as_array().unwrap().iter().filter(|one| one["card"] == card);
        of.map(|one| one["response_code"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        (answers("poor"), answers("decline")),
        (["51", "51", "00"].map(str::to_owned).into(), ["05".to_owned()].into())
    );
    assert_eq!(world.exceptions(), ["late_decline"]);

    // The deadline ends the tries: nothing is charged after it.
    let invoice = till.work_at(2);
    let late = till.read(&invoice, "poor");
    till.accept(late);
    world.pass(25 * HOUR_MS);
    till.push(&world);
    world.quiet().await;
    till.pull(&world);
    assert_eq!(till.state(late), PaymentState::Expired);
    working.stop().await;
    assert_eq!(world.charged().await, (1, 3_450));
    world.sound(&[&till]).await;
}
