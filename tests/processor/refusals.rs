//! What the processor refuses, and what it keeps to itself.

use serde_json::{Value, json};
use tillroll_hardware::reader::cards::TEST_CARDS;

use super::rig::{Running, card_data, order};

#[tokio::test]
async fn rubbish_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let processor = Running::start(folder.path()).await;
    let changed = |pointer: &str, value: Value| {
        let mut body = order("k", "visa-tap", 1);
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    for body in [
        json!([]),
        json!({}),
        changed("/key", json!("")),
        changed("/key", json!("two words")),
        changed("/key", json!("x".repeat(129))),
        changed("/amount_minor", json!(0)),
        changed("/amount_minor", json!(-1)),
        changed("/amount_minor", json!(1.5)),
        changed("/amount_minor", json!(1_000_000_000_000_i64)),
        changed("/currency", json!("eur")),
        changed("/currency", json!("EURO")),
        changed("/card/ciphertext", json!("")),
        changed("/card/ciphertext", json!("*")),
        changed("/card/ksn", json!("FF")),
        changed("/card/encryption_type", json!("8000")),
        changed("/emv", json!({ "9F02": "1235" })),
        changed("/emv", json!({ "5A": "4111111111111111" })),
        changed("/emv", json!({ "9f02": "000000001235", "9F02": "000000001235" })),
        changed("/emv", json!({ "": "" })),
    ] {
        assert_eq!(processor.problem("authorize", body.clone()).await, (400, "bad-request".to_owned()), "{body}");
    }
    let large = changed("/terminal", json!("x".repeat(70_000)));
    assert_eq!(processor.problem("authorize", large).await, (413, "body-too-large".to_owned()));
    assert_eq!(processor.problem("authorise", json!({})).await, (404, "no-such-route".to_owned()));
    assert_eq!(processor.problem("ledger", json!({})).await, (405, "wrong-method".to_owned()));
    let empty = json!({
        "authorisations": [], "truncated": false, "captured_net_minor": {},
        "captures": 0, "captured_minor": 0, "refunds": 0, "refunded_minor": 0,
    });
    assert_eq!(processor.ledger().await, empty);

    processor.post("authorize", order("k", "visa-tap", 1)).await;
    for (pointer, value) in [("/amount_minor", json!(1_236)), ("/stan", json!("2")), ("/deferred", json!(true))] {
        let reused = processor.problem("authorize", changed(pointer, value)).await;
        assert_eq!(reused, (409, "key-reused".to_owned()), "{pointer}");
    }
    processor.stop().await;
}

#[tokio::test]
async fn wrong_card_data_is_declined() {
    let folder = tempfile::tempdir().unwrap();
    let processor = Running::start(folder.path()).await;
    processor.post("authorize", order("first", "visa-tap", 1)).await;
    let mut other_amount = order("other-amount", "visa-tap", 2);
    other_amount["card"] = card_data("visa-tap", 2, 1);
    let mut clear_amount = order("clear-amount", "visa-tap", 3);
    clear_amount["emv"]["9F02"] = json!("000000000001");
    let mut unreadable = order("unreadable", "visa-tap", 4);
    unreadable["card"]["ksn"] = json!("FFFF9876543210E00008");
    let other_ciphertext = order("other-ciphertext", "mc-chip", 1);
    for (request, code) in [(other_amount, "13"), (clear_amount, "13"), (unreadable, "30"), (other_ciphertext, "63")] {
        let answer = processor.post("authorize", request.clone()).await;
        assert_eq!((&answer["response_code"], &answer["amount_minor"]), (&json!(code), &json!(0)), "{request}");
    }
    processor.stop().await;
}

#[tokio::test]
async fn no_card_number_reaches_the_ledger_or_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let processor = Running::start(folder.path()).await;
    for (counter, card) in (1..).zip(TEST_CARDS.iter()) {
        let _ = processor.send("authorize", &order(card.name, card.name, counter)).await;
    }
    let mut haystacks = vec![processor.ledger().await.to_string().into_bytes()];
    for file in std::fs::read_dir(folder.path()).unwrap() {
        haystacks.push(std::fs::read(file.unwrap().path()).unwrap());
    }
    assert!(haystacks.len() >= 3, "the answer, the file and its WAL");
    let holds = |haystack: &[u8], pan: &str| {
        let mut even = pan.to_owned();
        if !even.len().is_multiple_of(2) {
            even.push('F');
        }
        let packed = hex::decode(&even).unwrap();
        [pan.as_bytes(), &packed].into_iter().any(|needle| haystack.windows(needle.len()).any(|at| at == needle))
    };
    for card in TEST_CARDS.iter() {
        assert!(haystacks.iter().all(|haystack| !holds(haystack, card.pan)), "{}", card.name);
        // The search finds one that is there.
        assert!(holds(format!("x{}x", card.pan).as_bytes(), card.pan));
    }
    processor.stop().await;
}
