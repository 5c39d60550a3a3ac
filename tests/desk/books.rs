//! The settlement file and the day's books, by the command line and the real database.

use crate::back::cash_beside_a_card;
use crate::read_feed;
use crate::rig::{HOUR_MS, How, Rig, START_MS, card_data, payment};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use tillroll::domain::payment::PaymentState;
use tillroll::domain::receipt::ReceiptStanding;
use tillroll::office::payments::give_back;

const HEAD: &str = "line,reference,type,amount,currency,fee,settled_on,batch,payout\n";

async fn import(rig: &Rig, lines: &str, more: &[&str]) -> (i32, Value) {
    let file = rig.file("settlement.csv", &format!("{HEAD}{lines}"));
    rig.command(&[&["settlement", "import", &file], more].concat()).await
}

#[tokio::test]
async fn a_settlement_file_is_matched_once_however_often_it_comes() {
    let mut rig = Rig::new().await;
    rig.work();
    let (first, second) = (rig.captured(1, 3_000).await, rig.captured(2, 3_900).await);
    let rrn = rig.text(&format!("SELECT rrn FROM attempt WHERE key = '{second}'"));
    let lines = format!(
        "L1,{first},sale,30.00,EUR,0.30,2025-11-25,B1,\nL2,{rrn},sale,39.00,EUR,0.39,2025-11-25,B1,\n\
         L3,,payout,68.31,EUR,0,2025-11-27,B1,P1\n"
    );
    let (status, dry) = import(&rig, &lines, &["--dry-run"]).await;
    assert_eq!((status, rig.count("SELECT count(*) FROM settlement_line")), (0, 0), "{dry}");
    for (added, unchanged) in [(3, 0), (0, 3)] {
        let (status, answer) = import(&rig, &lines, &[]).await;
        let s = &answer["settlement"];
        assert_eq!((status, &s["added"], &s["unchanged"]), (0, &json!(added), &json!(unchanged)), "{answer}");
        assert_eq!((&s["matched"], &s["unmatched"], &s["unsettled"]), (&json!(2), &json!([]), &json!([])));
        let batch =
            json!({ "batch": "B1", "currency": "EUR", "net_minor": 6831, "paid_out_minor": 6831, "agrees": true });
        assert_eq!(s["batches"], json!([batch]));
    }
    assert_eq!(rig.open(), Vec::<String>::new());
}

#[tokio::test]
async fn what_does_not_fit_is_listed_and_leaves_the_list_when_it_does() {
    let mut rig = Rig::new().await;
    rig.work();
    let key = rig.captured(1, 3_000).await;
    let stranger = "L2,nobody,sale,12.00,EUR,0,2025-11-25,B1,\n";
    let lines = format!("L1,{key},sale,29.00,EUR,0,2025-11-25,B1,\n{stranger}");
    let (status, answer) = import(&rig, &lines, &["--payout", "B1=40.00"]).await;
    assert_eq!(status, 1, "{answer}");
    let notes = answer["settlement"]["unmatched"].to_string();
    assert!(notes.contains("settled 29.00, given back 0.00, captured here 30.00 EUR"), "{notes}");
    assert!(notes.contains("as nobody, unknown here"), "{notes}");
    assert_eq!(answer["settlement"]["batches"][0]["agrees"], false);
    assert_eq!(rig.open(), ["unmatched_payment", "unmatched_payment"]);

    let more = format!("L9,{key},sale,1.00,EUR,0,2025-11-26,B2,\n");
    let (status, answer) = import(&rig, &more, &[]).await;
    assert_eq!((status, rig.open().len()), (1, 1), "the sum fits now: {answer}");
    // Captured long ago, and in no file.
    rig.captured(2, 3_900).await;
    rig.ahead_ms.fetch_add(5 * 24 * HOUR_MS, Ordering::AcqRel);
    let (_, answer) = import(&rig, &more, &["--days=-1"]).await;
    assert_eq!(answer["settlement"]["unsettled"][0]["payment"], payment(2).to_string(), "{answer}");
}

#[tokio::test]
async fn a_wrong_settlement_file_is_refused_whole_by_row() {
    let mut rig = Rig::new().await;
    rig.work();
    let key = rig.captured(1, 3_000).await;
    let good = format!("L1,{key},sale,30.00,EUR,0,2025-11-25,B1,\n");
    assert_eq!(import(&rig, &good, &[]).await.0, 0);
    for (lines, row, column) in [
        (format!("L1,{key},sale,31.00,EUR,0,2025-11-25,B1,\n"), 2, "line"),
        ("L2,x,sale,1.00,EUR,0,2025-11-25,B1,\nL2,y,sale,1.00,EUR,0,2025-11-25,B1,\n".to_owned(), 3, "line"),
        ("L2,,sale,1.00,EUR,0,2025-11-25,B1,\n".to_owned(), 2, "reference"),
        ("L2,x,gift,1.00,EUR,0,2025-11-25,B1,\n".to_owned(), 2, "type"),
        ("L2,x,sale,0,EUR,0,2025-11-25,B1,\n".to_owned(), 2, "amount"),
        ("L2,x,sale,-1.00,EUR,0,2025-11-25,B1,\n".to_owned(), 2, "amount"),
        ("L2,x,sale,1.001,EUR,0,2025-11-25,B1,\n".to_owned(), 2, "amount"),
        ("L2,x,sale,99999999999999999999.00,EUR,0,2025-11-25,B1,\n".to_owned(), 2, "amount"),
        ("L2,x,sale,1.00,EUX,0,2025-11-25,B1,\n".to_owned(), 2, "currency"),
        ("L2,x,sale,1.00,EUR,0,,B1,\n".to_owned(), 2, "settled_on"),
        ("L2,x,sale,1.00,EUR,0,2025-11-31,B1,\n".to_owned(), 2, "settled_on"),
        ("L2,x,sale,1.00,EUR,0,2025-11-25,,\n".to_owned(), 2, "batch"),
        ("L2,x,sale,1.00\n".to_owned(), 2, ""),
    ] {
        let (status, answer) = import(&rig, &lines, &[]).await;
        let fault = &answer["error"]["rows"]["listed"][0];
        assert_eq!((status, &fault["row"], &fault["column"]), (2, &json!(row), &json!(column)), "{lines}: {answer}");
        assert_eq!(rig.count("SELECT count(*) FROM settlement_line"), 1, "{lines}");
    }
    for payout in ["B7=1.00", "B1=x", "B1=0", "B1=1.001"] {
        let (status, answer) = import(&rig, &good, &["--payout", payout]).await;
        assert_eq!((status, &answer["error"]["code"]), (2, &json!("bad_payout")), "{payout}: {answer}");
    }
}

#[tokio::test]
async fn a_payment_in_question_is_answered_by_the_settlement_file() {
    let mut rig = Rig::new().await;
    rig.push();
    let backup = rig.backup("backup.sqlite");
    let lost = rig.office.epoch();
    rig.pay(payment(1), "visa-tap", 6_900, How::Offline);
    rig.restore(&backup);
    rig.push();
    rig.work();
    rig.until_true(|rig| rig.open() == ["payment_reconcile"], || "not listed".into()).await;
    let key = format!("{}-{}-1", lost.simple().to_string().get(..8).unwrap(), payment(1));
    let (status, answer) = import(&rig, &format!("L1,{key},sale,69.00,EUR,0,2025-11-25,B1,\n"), &[]).await;
    assert_eq!(status, 0, "{answer}");
    rig.office.changed();
    rig.until(payment(1), "settled").await;
    assert_eq!(rig.open(), Vec::<String>::new());
    assert_eq!(rig.ledger().await, (0, 0), "it was not sent");
}

/// Where a payment stands on the handheld's screens, after it has read its feed; nothing of it is journalled.
fn shown(rig: &mut Rig, n: u128) -> PaymentState {
    let head = rig.store.sync_status().unwrap().head_seq;
    read_feed(rig);
    for outcome in rig.store.unseen_outcomes().unwrap() {
        let known = rig.store.payment(outcome.payment).unwrap();
        assert_eq!(known.after_outcome(&outcome), None, "{:?} asks nothing of the handheld", outcome.state);
        rig.store.outcome_seen(&outcome).unwrap();
    }
    assert_eq!(rig.store.sync_status().unwrap().head_seq, head);
    let views = rig.store.payments().unwrap();
    views.iter().find(|view| view.payment.id == payment(n)).unwrap().state()
}

#[tokio::test]
async fn the_handheld_hears_how_far_settlement_is_and_no_line_lies_for_ever() {
    let mut rig = Rig::new().await;
    rig.work();
    let key = rig.captured(1, 3_000).await;
    assert_eq!(shown(&mut rig, 1), PaymentState::Captured);
    let line = |n: u8, kind: &str, amount: &str| format!("L{n},{key},{kind},{amount},EUR,0,2025-11-25,B{n},\n");
    let none = Vec::<String>::new();
    for (lines, dry, state, open, status) in [
        (line(1, "sale", "30.00"), true, PaymentState::Captured, none.clone(), 0),
        (line(1, "sale", "30.00"), false, PaymentState::Settled, none.clone(), 0),
        // A second sale: not what was captured, so that nobody says that it is settled.
        (line(2, "sale", "5.00"), false, PaymentState::Captured, vec!["unmatched_payment".to_owned()], 1),
    ] {
        let (said, answer) = import(&rig, &lines, if dry { &["--dry-run"] } else { &[] }).await;
        assert_eq!((said, shown(&mut rig, 1), rig.open()), (status, state, open), "{answer}");
    }
    // The cardholder disputes another one; then the bank gives it back.
    let key = rig.captured(2, 3_900).await;
    let line = |n: u8, kind: &str, fee: &str| format!("M{n},{key},{kind},39.00,EUR,{fee},2025-11-26,C,\n");
    import(&rig, &line(1, "sale", "0"), &[]).await;
    assert_eq!(shown(&mut rig, 2), PaymentState::Settled);
    let (_, answer) = import(&rig, &line(2, "chargeback", "15.00"), &[]).await;
    assert_eq!(shown(&mut rig, 2), PaymentState::Disputed);
    assert_eq!(answer["settlement"]["batches"][0]["net_minor"], -1_500, "{answer}");
    assert_eq!(answer["settlement"]["disputed"][0]["note"], "EUR 39.00 was charged back", "{answer}");
    assert_eq!(rig.open(), ["disputed", "unmatched_payment"]);
    let page = rig.store.job_detail(crate::common::ids().job).unwrap();
    assert_eq!(ReceiptStanding::of_job(&page), Some(ReceiptStanding::Unknown), "nobody says that it is paid");
    import(&rig, &line(3, "chargeback_reversed", "0"), &[]).await;
    assert_eq!(shown(&mut rig, 2), PaymentState::Settled);
    assert_eq!(rig.open(), ["unmatched_payment"]);
    assert_eq!(rig.office.verify().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_handheld_that_was_away_hears_of_the_settlement_alone() {
    let mut rig = Rig::new().await;
    rig.work();
    rig.pay(payment(1), "visa-tap", 6_900, How::Offline);
    rig.push();
    rig.until(payment(1), "captured").await;
    let key = rig.text("SELECT key FROM attempt");
    import(&rig, &format!("L1,{key},sale,69.00,EUR,0,2025-11-25,B1,\n"), &[]).await;
    rig.hear(payment(1));
    assert!(rig.push().iter().all(|result| result == "applied"));
    assert_eq!(shown(&mut rig, 1), PaymentState::Settled);
    assert_eq!(rig.text("SELECT state FROM payment"), "approved");
    assert_eq!(rig.open(), Vec::<String>::new());
}

#[tokio::test]
async fn what_the_bank_took_back_is_not_given_back_once_more() {
    let mut rig = cash_beside_a_card(6_900).await;
    let key = rig.text("SELECT key FROM attempt");
    let line = |n: u8, kind: &str| format!("L{n},{key},{kind},69.00,EUR,0,2025-11-25,B1,\n");
    import(&rig, &(line(1, "sale") + &line(2, "chargeback")), &[]).await;
    assert_eq!(rig.open(), ["disputed"], "no more is here than the invoice asks for");
    let begun = |rig: &Rig| {
        let id = payment(1).to_string();
        rig.office.write(|tx| give_back::begin(tx, "x", &id, i64::MAX, ("dina", "twice"), 1)).unwrap()
    };
    assert_eq!(begun(&rig), None);
    import(&rig, &line(3, "chargeback_reversed"), &[]).await;
    assert_eq!(rig.open(), ["overpaid"]);
    rig.push();
}

async fn reconcile(rig: &Rig, processor: &str) -> (i32, Value) {
    let date = jiff::Timestamp::from_millisecond(*START_MS).unwrap().to_string();
    rig.command(&["reconcile", "--date", &date[..10], "--processor", processor]).await
}

#[tokio::test]
async fn a_day_agrees_three_ways_or_says_what_does_not() {
    let mut rig = Rig::new().await;
    rig.work();
    let key = rig.captured(1, 3_000).await;
    let (status, answer) = reconcile(&rig, &rig.url).await;
    let books = &answer["books"];
    assert_eq!((status, &books["agree"], &answer["processor_can_tell"]), (0, &json!(true), &json!(true)), "{answer}");
    let sums = json!({ "handheld_minor": 3000, "office_minor": 3000, "processor_minor": 3000, "settled_minor": 0 });
    assert_eq!(books["totals"]["EUR"], sums);
    assert!(books["notes"][0].as_str().unwrap().contains("not settled yet"));

    import(&rig, &format!("L1,{key},sale,30.00,EUR,0,2025-11-25,B1,\n"), &[]).await;
    let (status, answer) = reconcile(&rig, &rig.url).await;
    assert_eq!((status, &answer["books"]["notes"]), (0, &json!([])), "{answer}");

    // The handheld has not heard of the second one.
    rig.pay(payment(2), "visa-tap", 3_900, How::Offline);
    rig.push();
    rig.until(payment(2), "captured").await;
    let (status, answer) = reconcile(&rig, &rig.url).await;
    let said = answer["books"]["differences"].to_string();
    assert_eq!(status, 1, "{answer}");
    assert!(said.contains("the handheld counts EUR 0.00, the processor captured EUR 39.00."), "{said}");

    // Somebody changed the office's book; the processor has one that nobody knows.
    rig.office
        .write(|tx| tx.execute("UPDATE card_payment SET captured_minor = 2900 WHERE captured_minor = 3000", []))
        .unwrap();
    let data = card_data("visa-tap", 90, 500);
    let card =
        json!({ "ciphertext": data.ciphertext, "ksn": data.ksn, "key_id": "ansi-test", "encryption_type": "80" });
    let body = json!({ "key": "stranger", "stan": "000001", "rrn": "000000000001", "terminal": "D99", "amount_minor": 500,
        "currency": "EUR", "deferred": false, "allow_partial": false, "card": card, "emv": data.emv });
    for (verb, body) in [("authorize", body), ("capture", json!({ "key": "stranger", "amount_minor": 500 }))] {
        let sent = reqwest::Client::new().post(format!("{}/v1/{verb}", rig.url)).json(&body).send().await.unwrap();
        assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());
    }
    // Walks through the processor give everything back, and are no difference.
    assert_eq!(rig.command(&["processor", "check", "--processor", &rig.url]).await.0, 0);
    let (status, checked) = rig.command(&["processor", "check", "--processor", &rig.url]).await;
    assert_eq!(status, 0, "{checked}");
    let (_, answer) = reconcile(&rig, &rig.url).await;
    assert!(answer["books"]["notes"].to_string().contains("and gave all of it back"), "{answer}");
    let said = answer["books"]["differences"].to_string();
    assert!(said.contains("the processor captured EUR 30.00, the office recorded EUR 29.00"), "{said}");
    assert!(said.contains("The processor captured EUR 5.00 as stranger, which nobody here knows."), "{said}");
    assert!(!said.contains("check-"), "{said}");

    let (status, answer) = reconcile(&rig, "http://127.0.0.1:1").await;
    assert_eq!((status, &answer["error"]["code"]), (3, &json!("processor")), "{answer}");
}
