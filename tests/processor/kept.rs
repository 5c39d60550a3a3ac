//! Kept cards: with an approval and a wish, and charged again only as their holder agreed.

use crate::rig::{AMOUNT_MINOR, Running, order};
use serde_json::{Value, json};

fn keeping(key: &str, card: &str, counter: u8) -> Value {
    let mut order = order(key, card, counter);
    order["keep_card"] = json!(true);
    order
}

fn charge(key: &str, token: &Value, network_id: &Value) -> Value {
    json!({
        "key": key, "stan": "000002", "rrn": "000000000002", "terminal": "OFFICE", "amount_minor": 4_900,
        "currency": "EUR", "deferred": false, "allow_partial": false,
        "card": { "token": token, "initiated_by": "merchant", "network_id": network_id },
    })
}

#[tokio::test]
async fn a_card_is_kept_with_an_approval_that_asked_for_it_and_with_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let processor = Running::start(folder.path()).await;
    let cases = [
        (keeping("k1", "visa-tap", 1), true),
        (order("k2", "visa-tap", 2), false),
        (keeping("k3", "decline", 3), false),
        (keeping("k4", "half", 4), true),
    ];
    for (order, kept) in cases {
        let key = order["key"].clone();
        let answer = processor.post("authorize", order.clone()).await;
        assert_eq!(answer["token"].is_string(), kept, "{key}");
        assert_eq!(answer["network_id"].is_string(), answer["result"] != "declined", "{key}");
        assert_eq!(processor.post("authorize", order).await, answer, "the same again is the same card");
        let found = processor.post("lookup", json!({ "key": key })).await;
        assert_eq!((&found["token"], &found["network_id"]), (&answer["token"], &answer["network_id"]), "{key}");
    }
    let mut other = keeping("k2", "visa-tap", 2);
    other["keep_card"] = json!(true);
    assert_eq!(processor.problem("authorize", other).await.0, 409, "with the wish it is another request");
}

#[tokio::test]
async fn a_kept_card_is_charged_once_a_key_and_only_in_the_name_of_its_consent() {
    let folder = tempfile::tempdir().unwrap();
    let processor = Running::start(folder.path()).await;
    let first = processor.post("authorize", keeping("k1", "visa-tap", 1)).await;
    let (token, network) = (&first["token"], &first["network_id"]);
    for _ in 0..2 {
        let answer = processor.post("authorize", charge("m1", token, network)).await;
        assert_eq!(
            (&answer["response_code"], &answer["amount_minor"], &answer["token"]),
            (&json!("00"), &json!(4_900), &Value::Null)
        );
    }
    assert_eq!(processor.post("capture", json!({ "key": "m1", "amount_minor": 4_900 })).await["captured_minor"], 4_900);
    for (key, token, network, code) in [
        ("m2", token, &json!("000000000000000"), "57"),
        ("m3", token, &Value::Null, "57"),
        ("m4", &json!("kept_unknown"), network, "14"),
    ] {
        assert_eq!(processor.post("authorize", charge(key, token, network)).await["response_code"], code, "{key}");
    }
    let mut present = charge("c1", token, &Value::Null);
    present["card"]["initiated_by"] = json!("customer");
    assert_eq!(processor.post("authorize", present).await["response_code"], "00", "its holder is there");
    let mut more = charge("m1", token, network);
    more["amount_minor"] = json!(5_000);
    assert_eq!(processor.problem("authorize", more).await.0, 409);
    for (field, value) in
        [("deferred", json!(true)), ("keep_card", json!(true)), ("emv", json!({ "9F02": "000000004900" }))]
    {
        let mut wrong = charge("m5", token, network);
        wrong[field] = value;
        assert_eq!(processor.problem("authorize", wrong).await.0, 400, "{field}");
    }
    assert_eq!(processor.post("forget", json!({ "key": token })).await["forgotten"], true);
    assert_eq!(processor.post("forget", json!({ "key": token })).await["forgotten"], false);
    assert_eq!(processor.post("authorize", charge("m6", token, network)).await["response_code"], "14");

    let ledger = processor.ledger().await;
    let row = ledger["authorisations"].as_array().unwrap().iter().find(|row| row["key"] == "m1").unwrap();
    let told = [&row["initiated_by"], &row["follows"], &row["kept_token"], &row["last4"], &row["captured_minor"]];
    assert_eq!(told, [&json!("merchant"), network, token, &json!("1111"), &json!(4_900)]);
    assert_eq!(first["amount_minor"], AMOUNT_MINOR);
}

#[tokio::test]
async fn a_kept_card_without_funds_is_declined_twice_and_then_approved() {
    let folder = tempfile::tempdir().unwrap();
    let processor = Running::start(folder.path()).await;
    for (key, code) in [("k1", "51"), ("k2", "51"), ("k3", "00")] {
        assert_eq!(processor.post("authorize", keeping(key, "poor", 1)).await["response_code"], code, "{key}");
    }
    let kept = processor.post("lookup", json!({ "key": "k3" })).await;
    for (key, code) in [("m1", "51"), ("m2", "51"), ("m3", "00"), ("m4", "00")] {
        let answer = processor.post("authorize", charge(key, &kept["token"], &kept["network_id"])).await;
        assert_eq!(answer["response_code"], code, "{key}");
    }
}
