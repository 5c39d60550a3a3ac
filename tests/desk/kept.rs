//! Cards that are kept with their holders' consent: when, with which words, and what ends it.

use crate::agreed::{keeping, kept_card, monthly, only, text, until};
use crate::rig::{How, payment};
use serde_json::json;
use tillroll::domain::consent::ConsentText;
use tillroll::domain::rules::Rules;
use tillroll::office::agreements::list::RunState;
use tillroll::office::agreements::runs;
use tillroll::office::decide::Refused;
use tillroll::office::kept;
use tillroll::office::processors::Answer;

#[tokio::test]
async fn a_wish_taken_offline_waits_and_is_followed_only_once_the_bank_approved() {
    for (card, state, kept) in [("visa-tap", "captured", 1), ("decline", "late_declined", 0)] {
        let mut rig = keeping().await;
        rig.pay(payment(1), card, 6_900, How::Offline);
        rig.push();
        assert_eq!(rig.count("SELECT count(*) FROM kept_card"), 0, "queued with the payment, and no more");
        rig.work();
        rig.until(payment(1), state).await;
        assert_eq!(rig.count("SELECT count(*) FROM kept_card"), kept, "{card}");
        assert!(!rig.open().contains(&"card_not_kept".to_owned()));
    }
    // Asked for at once, and approved at once.
    let mut rig = keeping().await;
    rig.pay(payment(1), "mc-chip", 6_900, How::Online);
    rig.push();
    rig.work();
    rig.until(payment(1), "approved").await;
    assert_eq!(rig.count("SELECT count(*) FROM kept_card"), 1);
    // Nobody agreed.
    let mut rig = keeping().await;
    rig.keep = None;
    rig.pay(payment(1), "mc-chip", 6_900, How::Online);
    rig.push();
    rig.work();
    rig.until(payment(1), "approved").await;
    assert_eq!(rig.count("SELECT count(*) FROM kept_card"), 0);
}

#[tokio::test]
async fn a_wish_that_comes_to_nothing_is_on_the_list() {
    // The handheld showed a text that this office never gave out.
    let mut rig = keeping().await;
    rig.keep = Some(text("2025-9").consent());
    rig.pay(payment(1), "visa-tap", 6_900, How::Online);
    rig.push();
    rig.work();
    rig.until(payment(1), "approved").await;
    assert_eq!((rig.open(), rig.count("SELECT count(*) FROM kept_card")), (vec!["card_not_kept".to_owned()], 0));

    // A processor that keeps no cards gives no token.
    let mut rig = keeping().await;
    rig.pay(payment(1), "visa-tap", 6_900, How::Online);
    rig.push();
    rig.work();
    rig.until(payment(1), "approved").await;
    rig.stop();
    rig.office.write(|tx| tx.execute("DELETE FROM kept_card", [])).unwrap();
    let now_ms = rig.office.now_ms();
    let loaded = rig.office.read(|db| tillroll::office::payments::facts::load(db, payment(1), now_ms, true));
    let answer = Answer {
        approved: true,
        amount_minor: 6_900,
        response_code: "00".into(),
        auth_code: None,
        token: None,
        network: None,
    };
    rig.office.write(|tx| kept::approved(tx, &loaded.unwrap().unwrap(), &answer, now_ms)).unwrap();
    assert_eq!(rig.open(), ["card_not_kept"]);
    assert!(rig.text("SELECT note FROM exception").contains("keeps no cards"));
}

#[tokio::test]
async fn a_consent_that_is_taken_back_takes_the_token_and_every_agreement_with_it() {
    let mut rig = keeping().await;
    let card = kept_card(&mut rig, "visa-tap").await;
    monthly(&rig, "a-1", &card, 3).unwrap();
    rig.office.changed();
    until(&rig, &[RunState::Paid]).await;
    let now_ms = rig.office.now_ms();
    assert!(rig.office.write(|tx| kept::end(tx, &card, "dina", "the customer wrote", now_ms)).unwrap());
    assert!(!rig.office.write(|tx| kept::end(tx, &card, "dina", "again", now_ms)).unwrap());
    assert_eq!((rig.text("SELECT token FROM kept_card"), only(&rig).state.as_str()), (String::new(), "stopped"));
    assert!(matches!(monthly(&rig, "a-2", &card, 3), Err(Refused::Conflict(_))));
    assert!(matches!(monthly(&rig, "a-3", "nobody", 3), Err(Refused::Missing(_))));
}

#[tokio::test]
async fn the_processor_is_asked_to_forget_the_card_until_it_has_answered() {
    let mut rig = keeping().await;
    let (card, good) = (kept_card(&mut rig, "visa-tap").await, rig.url.clone());
    let token = rig.text("SELECT token FROM kept_card");
    let tries = "SELECT coalesce((SELECT tries FROM card_to_forget), 0)";
    rig.elsewhere("http://127.0.0.1:9");
    rig.work();
    let now_ms = rig.office.now_ms();
    assert!(rig.office.write(|tx| kept::end(tx, &card, "dina", "the customer wrote", now_ms)).unwrap());
    assert_eq!(rig.text("SELECT token FROM kept_card"), "", "ours does not wait");
    rig.office.changed();
    rig.until_true(|rig| rig.count(tries) == 1, || "nobody was asked".into()).await;
    rig.until_true(|rig| rig.count("SELECT next_ms FROM card_to_forget") != now_ms, || "not again".into()).await;
    assert_eq!(rig.text("SELECT token FROM card_to_forget"), token, "it is asked again");
    rig.elsewhere(&good);
    rig.office.write(|tx| tx.execute("UPDATE card_to_forget SET next_ms = 0", [])).unwrap();
    rig.work();
    rig.until_true(|rig| rig.count("SELECT count(*) FROM card_to_forget") == 0, || "not forgotten".into()).await;
    let ask = reqwest::Client::new().post(format!("{good}/v1/forget")).json(&json!({ "key": token }));
    let said: serde_json::Value = ask.send().await.unwrap().json().await.unwrap();
    assert_eq!(said, json!({ "forgotten": false }), "the processor has forgotten it already");
}

#[tokio::test]
async fn the_command_line_lists_makes_and_stops_agreements() {
    let mut rig = keeping().await;
    let card = kept_card(&mut rig, "visa-tap").await;
    rig.stop();
    let first = runs::today(rig.office.now_ms()).checked_add(jiff::Span::new().days(2)).unwrap().to_string();
    let add = ["agreements", "add", "--card", &card, "--what", "Maintenance", "--amount", "49.00", "--first", &first];
    let (status, made) = rig.command(&add).await;
    assert_eq!((status, &made["state"], &made["next_due"]), (0, &json!("active"), &json!(first)), "{made}");
    for (more, code) in [(["--tries", "11"], 2), (["--tax", "trade"], 2), (["--every", "0"], 2)] {
        let (status, said) = rig.command(&[&add[..], &more[..]].concat()).await;
        assert_eq!(status, code, "{more:?}: {said}");
    }
    let (status, list) = rig.command(&["agreements", "list"]).await;
    let one = &list["agreements"][0];
    assert_eq!((status, list["agreements"].as_array().unwrap().len()), (0, 1), "{list}");
    let facts = (&one["amount_minor"], &one["every"], &one["customer"], &list["cards"][0]["last4"]);
    assert_eq!(facts, (&json!(4_900), &json!("every month"), &json!("Kestrel Bakery"), &json!("0010")), "{list}");
    assert!(!list.to_string().contains(&rig.text("SELECT token FROM kept_card")), "a token is not shown");
    let id = made["id"].as_str().unwrap();
    for (status, state) in [(0, "stopped"), (2, "stopped")] {
        let (said, _) = rig.command(&["agreements", "stop", id, "--reason", "the customer called"]).await;
        assert_eq!((said, only(&rig).state.as_str()), (status, state));
    }
}

#[tokio::test]
async fn a_version_stands_for_one_text_for_ever() {
    let rig = keeping().await;
    let other = ConsentText { text: "Something else.".into(), ..text("2026-1") };
    let refused = rig.office.set_rules(&Rules { card_consent: Some(other.clone()), ..Rules::NONE }).unwrap_err();
    assert!(refused.to_string().contains("stands for another text"), "{refused}");
    let newer = ConsentText { version: "2026-2".into(), ..other };
    rig.office.set_rules(&Rules { card_consent: Some(newer), ..Rules::NONE }).unwrap();
    assert_eq!(rig.count("SELECT count(*) FROM consent_text"), 2, "both are kept for those who agreed to them");
}
