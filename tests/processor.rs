//! The simulated processor from outside: real sockets, a real ledger file, the cards as a reader encrypts them.
#![cfg(feature = "office")]
#![cfg(test)]

#[path = "processor/kept.rs"]
mod kept;
#[path = "processor/refusals.rs"]
mod refusals;
#[path = "processor/rig.rs"]
mod rig;

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tillroll::processor::{Processor, ProcessorConfig};
use tokio::net::TcpStream;

use rig::{AMOUNT_MINOR, Running, SLOW_MS, order, raw};

#[tokio::test]
async fn every_card_answers_by_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let processor = Running::start(folder.path()).await;
    let cases = [
        ("visa-tap", "approved", "00", AMOUNT_MINOR),
        ("mc-chip", "approved", "00", AMOUNT_MINOR),
        ("wallet", "approved", "00", AMOUNT_MINOR),
        ("decline", "declined", "05", 0),
        ("half", "partly_approved", "10", 617),
        ("poor", "declined", "51", 0),
        ("card-refuses", "declined", "57", 0),
    ];
    for (counter, (name, result, code, amount_minor)) in (1..).zip(cases) {
        let answer = processor.post("authorize", order(name, name, counter)).await;
        let got = (answer["result"].as_str(), answer["response_code"].as_str(), answer["amount_minor"].as_i64());
        assert_eq!(got, (Some(result), Some(code), Some(amount_minor)), "{name}");
        assert_eq!(answer["auth_code"].is_string(), amount_minor > 0, "{name}");
        assert_eq!(answer["rrn"], "000000000001");
    }
    let mut late = order("late-half", "half", 20);
    late["deferred"] = json!(true);
    assert_eq!(processor.post("authorize", late).await["response_code"], "05");

    for (key, code) in [("p1", "51"), ("p2", "51"), ("p3", "00")] {
        assert_eq!(processor.post("authorize", order(key, "poor", 21)).await["response_code"], code, "{key}");
    }
    processor.stop().await;
}

#[tokio::test]
async fn a_lost_answer_is_charged_and_ends_without_a_byte() {
    let folder = tempfile::tempdir().unwrap();
    let processor = Running::start(folder.path()).await;
    let request = order("k", "lost-answer", 1);
    assert_eq!(raw(processor.address, &request).await, b"");
    let standing = processor.post("lookup", json!({ "key": "k" })).await;
    assert_eq!(standing["result"], "approved");
    // The repeat replays the stored answer.
    assert!(raw(processor.address, &request).await.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert_eq!(processor.post("authorize", request).await["response_code"], "00");
    // A new key of the same card loses its answer again; a client sees an error and not a status.
    assert!(processor.send("authorize", &order("k2", "lost-answer", 1)).await.is_err());
    assert_eq!(processor.ledger().await["authorisations"].as_array().unwrap().len(), 2);
    processor.stop().await;
}

#[tokio::test]
async fn a_slow_answer_is_committed_first_and_replayed_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let processor = Running::start(folder.path()).await;
    let began = Instant::now();
    let answer = tokio::spawn(processor.send("authorize", &order("k", "slow", 1)));
    while processor.post("lookup", json!({ "key": "k" })).await["found"] == false {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!answer.is_finished());
    assert_eq!(processor.post("authorize", order("k", "slow", 1)).await["response_code"], "00");
    assert!(!answer.is_finished());
    assert_eq!(answer.await.unwrap().unwrap().status(), StatusCode::OK);
    assert!(began.elapsed() >= Duration::from_millis(SLOW_MS));
    processor.stop().await;
}

fn capture(key: &str, amount_minor: i64) -> Value {
    json!({ "key": key, "amount_minor": amount_minor })
}

/// Captures `a` in full and `b` in part, then reverses `b`, `c` and the yet unknown `d`; everything is asked twice.
async fn play(processor: &Running) {
    for (counter, key) in (1..).zip(["a", "b", "c"]) {
        processor.post("authorize", order(key, "visa-tap", counter)).await;
    }
    for _ in 0..2 {
        assert_eq!(processor.post("capture", capture("a", 1_235)).await, json!({ "captured_minor": 1_235 }));
        assert_eq!(processor.post("capture", capture("b", 1_000)).await, json!({ "captured_minor": 1_000 }));
    }
    assert_eq!(processor.ledger().await["captured_net_minor"], json!({ "EUR": 2_235 }));
    for (key, expect) in [
        ("c", json!({ "found": true, "reversed": true })),
        ("b", json!({ "found": true, "reversed": true, "refunded_minor": 1_000 })),
        ("d", json!({ "found": false, "reversed": true })),
    ] {
        for _ in 0..2 {
            assert_eq!(processor.post("reverse", json!({ "key": key })).await, expect);
        }
    }
}

#[tokio::test]
async fn money_moves_once_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let processor = Running::start(folder.path()).await;
    play(&processor).await;
    let before = processor.ledger().await;
    processor.stop().await;

    let processor = Running::start(folder.path()).await;
    assert_eq!(processor.ledger().await, before);
    assert_eq!(before["captured_net_minor"], json!({ "EUR": 1_235 }));
    assert_eq!(processor.post("authorize", order("d", "visa-tap", 9)).await["response_code"], "12");
    let refunded = processor.post("lookup", json!({ "key": "b" })).await;
    assert_eq!((&refunded["captured_minor"], &refunded["refunded_minor"]), (&json!(1_000), &json!(1_000)));
    processor.stop().await;

    let config = ProcessorConfig { ledger: folder.path().join("processor.sqlite"), slow_ms: 0 };
    let reopened = Processor::open(config).unwrap();
    assert_eq!(reopened.captured_net_minor("EUR").unwrap(), 1_235);
    assert_eq!(reopened.captured_net_minor("USD").unwrap(), 0);
}

#[tokio::test]
async fn a_capture_that_cannot_be_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let processor = Running::start(folder.path()).await;
    play(&processor).await;
    processor.post("authorize", order("open", "visa-tap", 4)).await;
    processor.post("authorize", order("no", "decline", 5)).await;
    for (key, amount_minor, status, kind) in [
        ("a", 1_234, 409, "captured-otherwise"),
        ("b", 1_000, 409, "reversed"),
        ("c", 1, 409, "reversed"),
        ("d", 1, 409, "reversed"),
        ("no", 1, 409, "declined"),
        ("open", 1_236, 409, "above-authorisation"),
        ("nobody", 1, 404, "unknown-key"),
        ("open", 0, 400, "bad-request"),
    ] {
        let problem = processor.problem("capture", capture(key, amount_minor)).await;
        assert_eq!(problem, (status, kind.to_owned()), "{key}");
    }
    processor.stop().await;
}

#[tokio::test]
async fn many_at_once_with_one_key_are_one_authorisation() {
    let folder = tempfile::tempdir().unwrap();
    let processor = Running::start(folder.path()).await;
    let same: Vec<_> = (0..16).map(|_| tokio::spawn(processor.send("authorize", &order("k", "visa-tap", 1)))).collect();
    let mut answers = Vec::new();
    for answer in same {
        answers.push(answer.await.unwrap().unwrap().json::<Value>().await.unwrap());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(processor.ledger().await["authorisations"].as_array().unwrap().len(), 1);
    processor.stop().await;
}

#[tokio::test]
async fn shutdown_drops_what_takes_too_long_and_takes_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let processor = Running::start(folder.path()).await;
    let address = processor.address;
    let idle = TcpStream::connect(address).await.unwrap();
    let slow = tokio::spawn(processor.send("authorize", &order("k", "slow", 1)));
    while processor.post("lookup", json!({ "key": "k" })).await["found"] == false {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let began = Instant::now();
    processor.stop().await;
    assert!(began.elapsed() < Duration::from_secs(4), "an idle connection does not hold up the end");
    assert_eq!(slow.await.unwrap().unwrap().status(), StatusCode::OK, "the answer under way is given");
    assert!(TcpStream::connect(address).await.is_err());
    drop(idle);
}
