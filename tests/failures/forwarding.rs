//! Failures 4 to 7: what becomes of a payment between the card and the bank.

use crate::handheld::Handheld;
use crate::processor::card_data;
use crate::rig::World;
use crate::screen::Screen;
use serde_json::json;
use tillroll::app::msg::Msg;
use tillroll::domain::job::MoneyState;
use tillroll::domain::payment::{PaymentState, Tender};
use tillroll::domain::policy::HOUR_MS;
use tillroll::sync::wire::RowResult;

/// Elsewhere, the link went between reading the card and asking the bank; the payment was confirmed offline without a word,
/// the app showed success, and the bank declined later. Here somebody takes the risk with a key or nothing is stored, and
/// no screen says approved before the bank did.
#[tokio::test]
async fn failure_04_a_lost_link_confirms_offline_and_the_app_shows_success() {
    let world = World::today().await;
    let working = world.working();
    let mut till = Handheld::new(&world).await;
    // The link goes while the reader waits for the card.
    till.collect().await;
    till.keys("c").await;
    till.until("TAP OR INSERT").await;
    till.gate.shut();
    till.until_true("no link", |till| !till.screen.model.link.online).await;
    till.customer.present(Some("decline"));
    till.until("NO LINK: TAKE THE RISK?").await;
    assert_eq!(till.payment().await.state, PaymentState::CardRead);
    till.keys("⏎").await;
    assert_eq!((till.rows("payment.accepted_offline").await, till.payment().await.pending_minor), (0, 0));
    till.keys("a").await;
    till.until("It is not paid yet").await;
    assert!(!till.screen.words().contains("APPROVED"), "{}", till.screen.words());
    assert_eq!(till.rows("payment.accepted_offline").await, 1);
    till.gate.open();
    till.until("LATE DECLINED").await;
    assert!(till.screen.words().contains("Not paid, nothing charged"), "{}", till.screen.words());

    // The link goes while the bank is asked.
    till.keys("⎋").await;
    till.until("card").await;
    till.customer.present(Some("slow"));
    till.keys("c").await;
    till.until("ASKING THE BANK").await;
    till.gate.shut();
    till.until("NOT KNOWN").await;
    assert_eq!(till.payment().await.state, PaymentState::Unknown);
    assert!(!till.screen.words().contains("APPROVED"), "{}", till.screen.words());
    till.gate.open();
    till.until("The bank agreed").await;
    assert_eq!(till.rows("payment.accepted_offline").await, 1, "nobody took a risk this time");
    working.stop().await;
    till.stop().await;
}

/// Elsewhere, the news of a late decline never came, or one platform said failed and the other one still to be captured.
/// Here the office's word reaches the handheld as a row of its journal, survives a crash before it was acted on, and says
/// the same on the handheld, in the office, on the dispatcher's list and on the screen.
#[tokio::test]
async fn failure_05_the_late_decline_is_missing_or_says_something_else() {
    let unreadable = json!({ "ciphertext": "AAAAAAAAAAA=", "ksn": "FFFF9876543210E00077" });
    for (card, data) in [("decline", None), ("half", None), ("unreadable", Some(unreadable))] {
        let world = World::new().await;
        let mut till = world.device("D01");
        let invoice = till.work();
        let payment = match &data {
            Some(data) => till.read_as(&invoice, data),
            None => till.read(&invoice, card),
        };
        till.accept(payment);
        assert_eq!(till.store.job_detail(invoice.job).unwrap().row.money, MoneyState::Pending);
        till.push(&world);
        world.work().await;
        // The word is here, and the program is killed before anything is done about it.
        till.receive(&world);
        assert_eq!(till.state(payment), PaymentState::Stored, "{card}");
        till.crash(&world);
        let mut screen = Screen::on(till.store.job_detail(invoice.job).unwrap());
        till.exchange(&world).await;

        let now = till.payment(payment);
        assert_eq!((now.state, now.pending_minor, now.approved_minor), (PaymentState::LateDeclined, 0, 0), "{card}");
        let office = format!("SELECT count(*) FROM payment WHERE id = '{payment}' AND state = 'late_declined'");
        assert_eq!(world.count(&office), 1, "{card}");
        assert_eq!(world.exceptions(), ["late_decline"], "{card}");
        let detail = till.store.job_detail(invoice.job).unwrap();
        assert_eq!((detail.row.money, detail.open().unwrap().minor), (MoneyState::Due, 3_450), "{card}");
        screen.send(Msg::PaymentChanged { payment: Box::new(now) });
        let words = screen.words();
        assert!(words.contains("LATE DECLINED") && words.contains("not paid"), "{card}: {words}");
        assert_eq!(world.charged().await, (0, 0), "{card}");
        world.sound(&[&till]).await;
    }
}

/// Elsewhere, a payment was fine on the device and nobody found it at the processor; or it hung until the app was started
/// again. Here one that cannot be forwarded stays on the handheld as not paid and comes onto the dispatcher's list; the
/// same worker goes on when the processor is back; and every approval on a handheld is in the processor's ledger.
#[tokio::test]
async fn failure_06_offline_success_is_never_found_at_the_processor() {
    let world = World::new().await;
    let mut till = world.device("D01");
    let mut stored = Vec::new();
    for n in 0..3 {
        let invoice = till.work_at(n);
        let payment = till.read(&invoice, "visa-tap");
        till.accept(payment);
        stored.push(payment);
    }
    world.gate.shut();
    let working = world.working();
    for _ in 0..8 {
        till.push(&world);
        world.quiet().await;
        till.pull(&world);
        world.pass(70_000);
    }
    assert_eq!(world.exceptions(), ["payment_unknown"; 3], "a dispatcher hears of it");
    assert!(stored.iter().all(|payment| till.state(*payment) == PaymentState::Stored), "not paid yet");
    // The processor is back; nobody touches anything.
    world.gate.open();
    for _ in 0..2 {
        world.pass(70_000);
        world.quiet().await;
    }
    assert_eq!(world.charged().await, (3, 3 * 3_450));
    working.stop().await;
    till.exchange(&world).await;
    assert_eq!(world.exceptions(), Vec::<String>::new());
    let ledger = world.processor.ledger().await;
    for payment in till.store.payments().unwrap() {
        let payment = payment.payment;
        assert_eq!((payment.state, payment.tender), (PaymentState::Approved, Tender::Card));
        let code = json!(payment.auth_code.unwrap());
        let found = ledger["authorisations"].as_array().unwrap().iter().filter(|one| one["auth_code"] == code);
        let captured: Vec<i64> = found.map(|one| one["captured_minor"].as_i64().unwrap()).collect();
        assert_eq!(captured, [payment.approved_minor]);
    }
    assert_eq!(world.charged().await, (3, 3 * 3_450));
    world.sound(&[&till]).await;
}

/// Elsewhere, one document that the server would not take stopped all that came behind it. Here a row that cannot be applied
/// is put aside with whatever hangs on it, a card that cannot be read is an end of its own payment, and all else goes on.
#[tokio::test]
async fn failure_07_one_poisoned_invoice_blocks_the_queue() {
    let world = World::new().await;
    let (mut first, mut second) = (world.device("D01"), world.device("D02"));
    let invoice = first.work();
    first.cash(&invoice);
    first.push(&world);
    // The office holds an invoice of this visit already: the second handheld's cannot be applied.
    let poisoned = second.work();
    let stuck = second.read(&poisoned, "visa-tap");
    second.accept(stuck);
    // Cards that no processor can read, more than are worked on at once.
    let mut spoilt = Vec::new();
    for n in 0..9 {
        let invoice = second.work_at(n);
        let mut data = card_data("visa-tap", 100 + n as u8, 3_450);
        data["ksn"] = json!(format!("FFFF9876543210E001{n:02}"));
        let payment = second.read_as(&invoice, &data);
        second.accept(payment);
        spoilt.push(payment);
    }
    let good = second.work_at(50);
    let behind = second.read(&good, "mc-chip");
    second.accept(behind);
    let results = second.push(&world);
    let put_aside = |result: &&RowResult| matches!(result, RowResult::Quarantined | RowResult::Held);
    // The line and the invoice; the payment's intent, card and acceptance.
    assert_eq!(results.iter().filter(put_aside).count(), 5, "{results:?}");
    second.exchange(&world).await;
    assert_eq!(second.state(behind), PaymentState::Approved);
    assert_eq!(world.charged().await, (1, 3_450));
    assert!(spoilt.iter().all(|payment| second.state(*payment) == PaymentState::LateDeclined));
    assert_eq!(second.state(stuck), PaymentState::Stored, "kept, and not paid");
    assert_eq!(world.exceptions().iter().filter(|kind| *kind == "quarantined_row").count(), 1);
    assert_eq!(second.store.sync_status().unwrap().unsent(), 0, "the queue is empty");
    world.pass(HOUR_MS);
    second.exchange(&world).await;
    assert_eq!(world.charged().await, (1, 3_450));
}
