//! ISO 8583 by other hands: the codec against another one, and the adapter against a third party's host that keeps a
//! ledger, so that a doubled effect shows.
//!
//! Both are Python: `tests/run` installs them and names them in TILLROLL_PYTHON. Without that these tests say so and
//! pass, except in CI.
#![cfg(feature = "office")]
#![cfg(test)]

#[path = "iso8583/codec.rs"]
mod codec;
#[path = "iso8583/faults.rs"]
mod faults;
#[path = "iso8583/rig.rs"]
mod rig;

use rig::{Host, again, follow, request};
use serde_json::json;
use std::time::{Duration, Instant};
use tillroll::office::processors::{ProcessorError, Totals};

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_authorised_captured_refunded_and_reconciled() {
    let Some(host) = Host::start("ascii-binary") else { return };
    let (adapter, _lates) = host.adapter("ascii", 5_000);
    let asked = request(1_235);
    let answer = adapter.authorise(&asked).await.unwrap();
    assert_eq!((answer.approved, answer.amount_minor, answer.response_code.as_str()), (true, 1_235, "00"));
    let code = answer.auth_code.unwrap();

    let mut capture = follow(&asked, 1_235);
    capture.of.auth_code = Some(code.clone());
    assert_eq!(adapter.capture(&capture).await, Ok(1_235));
    assert_eq!(adapter.capture(&again(&capture)).await, Ok(1_235));
    let refund = follow(&asked, 235);
    assert!(adapter.refund(&refund).await.unwrap().done);
    assert!(adapter.refund(&again(&refund)).await.unwrap().done);
    let beyond = adapter.refund(&follow(&asked, 1_001)).await.unwrap();
    assert_eq!((beyond.done, beyond.response_code.as_str()), (false, "61"));
    assert_eq!(host.effects(&asked.rrn), [1, 1, 0, 1]);

    let totals = Totals { captures: 1, captured_minor: 1_235, refunds: 1, refunded_minor: 235 };
    assert_eq!(adapter.reconcile(&totals).await, Ok(true));
    assert_eq!(adapter.reconcile(&Totals { refunds: 2, ..totals }).await, Ok(false));

    let seen = &host.ledger()["seen"];
    for mti in ["0220", "0221", "0200", "0201", "0500", "0800"] {
        assert!(seen[mti].as_i64().unwrap() >= 1, "{mti}: {seen}");
    }
    let sent = &host.payment(&asked.rrn)["follow"][0];
    assert_eq!(sent["38"], json!(code));
    // Type, STAN and time of the original, acquirer, no forwarder.
    assert_eq!(sent["90"], json!(format!("0100{:06}11241200000000000000100000000000", asked.stan)));
    assert_eq!((&sent["7"], &sent["13"]), (&json!("1124120101"), &json!("1124")));
}

#[tokio::test(flavor = "multi_thread")]
async fn card_data_arrives_as_the_reader_encrypted_it_and_only_allowed_tags_go_along() {
    let Some(host) = Host::start("ascii-binary") else { return };
    let (adapter, _lates) = host.adapter("ascii", 5_000);
    let mut asked = request(1_235);
    asked.deferred = true;
    asked.allow_partial = false;
    adapter.authorise(&asked).await.unwrap();
    let sent = &host.payment(&asked.rrn)["request"];
    let expect = [
        ("62", "q83vEjRWeJCrze8SNFZ4kA=="),
        ("59", "FFFF9876543210E00001"),
        ("58", "ansi-test"),
        ("57", "02"),
        ("60", "D"),
        ("22", "051"),
        ("49", "978"),
        ("41", "D07     "),
    ];
    for (field, value) in expect {
        assert_eq!(sent[field], json!(value), "{field}");
    }
    assert_eq!(sent.get("61"), None, "a deferred payment forbids a part");
    assert_eq!(sent["55"], json!({ "9F26": "5A5A5A5A5A5A5A5A", "9F27": "80", "9F02": "000000001235" }));
    host.ledger();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decline_is_a_decline_and_a_part_is_a_part() {
    let Some(host) = Host::start("ascii-binary") else { return };
    let (adapter, _lates) = host.adapter("ascii", 5_000);
    for (amount, approved, minor, code) in
        [(505, false, 0, "05"), (551, false, 0, "51"), (591, false, 0, "91"), (1_010, true, 505, "10")]
    {
        let asked = request(amount);
        let answer = adapter.authorise(&asked).await.unwrap();
        assert_eq!((answer.approved, answer.amount_minor, answer.response_code.as_str()), (approved, minor, code));
        assert_eq!(host.effects(&asked.rrn), [usize::from(approved), 0, 0, 0]);
    }
    let mut other = request(1_010);
    other.source = tillroll::office::processors::Source::OnFile("token".to_owned());
    assert!(matches!(adapter.authorise(&other).await, Err(ProcessorError::Unable(_))));
    assert_eq!(host.payment(&other.rrn), json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reversal_is_request_or_advice_as_the_profile_says_and_counts_once() {
    for (format, profile, kinds) in
        [("ascii-binary", "ascii", ["0420", "0421"]), ("ascii-hex", "ascii-hex", ["0400", "0401"])]
    {
        let Some(host) = Host::start(format) else { return };
        let (adapter, _lates) = host.adapter(profile, 5_000);
        let asked = request(1_235);
        adapter.authorise(&asked).await.unwrap();
        let reversal = follow(&asked, 1_235);
        assert_eq!(adapter.reverse(&reversal).await, Ok(()));
        assert_eq!(adapter.reverse(&again(&reversal)).await, Ok(()));
        assert_eq!(host.effects(&asked.rrn), [1, 0, 1, 0]);
        assert_eq!(host.payment(&asked.rrn)["reversed"][0]["found"], json!(true));
        let ledger = host.ledger();
        for kind in kinds {
            assert_eq!(ledger["seen"][kind], json!(1), "{}", ledger["seen"]);
        }
        // What never arrived is reversed too, and cannot arrive any more.
        let lost = request(1_235);
        assert_eq!(adapter.reverse(&follow(&lost, 1_235)).await, Ok(()));
        assert!(!adapter.authorise(&lost).await.unwrap().approved);
        assert_eq!(host.effects(&lost.rrn), [0, 0, 1, 0]);
        // What was reversed is not captured.
        assert!(matches!(adapter.capture(&follow(&asked, 1_235)).await, Err(ProcessorError::Refused(_))));
        assert_eq!(host.effects(&asked.rrn), [1, 0, 1, 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_signs_on_once_a_connection_and_answers_the_hosts_echo() {
    let Some(host) = Host::start("ascii-binary") else { return };
    let (adapter, _lates) = host.adapter("ascii", 5_000);
    let said = adapter.hello().await.unwrap();
    assert!(said.contains("signed on, echo answered") && said.contains("profile ascii"), "{said}");
    adapter.hello().await.unwrap();
    host.ask(&json!({ "do": "echo" }));
    adapter.hello().await.unwrap();
    let ledger = host.ledger();
    assert_eq!((&ledger["connections"], &ledger["sign_ons"], &ledger["echoes"]), (&json!(1), &json!(1), &json!(3)));
    let echoed = &ledger["echoed"][0];
    assert_eq!((&echoed["11"], &echoed["39"], &echoed["70"]), (&json!("000777"), &json!("00"), &json!("301")));

    // The next connection signs on again.
    host.ask(&json!({ "do": "fault", "mti": "080", "action": "close" }));
    assert!(matches!(adapter.hello().await, Err(ProcessorError::InDoubt(_))));
    adapter.hello().await.unwrap();
    let ledger = host.ledger();
    assert_eq!((&ledger["connections"], &ledger["sign_ons"]), (&json!(2), &json!(2)));

    // Nobody needs it any more: the connection ends.
    drop(adapter);
    let began = Instant::now();
    while host.ask(&json!({ "do": "connections" })) != json!(0) {
        assert!(began.elapsed() < Duration::from_secs(10), "the connection stays");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_sign_on_is_told_and_nothing_is_sent() {
    let Some(host) = Host::start("ascii-binary") else { return };
    let (adapter, _lates) = host.adapter("ascii", 5_000);
    host.ask(&json!({ "do": "fault", "mti": "080", "action": "code", "code": "58", "times": 2 }));
    let why = adapter.hello().await.unwrap_err();
    assert!(why.is_permanent() && why.to_string().contains("sign-on was answered 58"), "{why}");
    let asked = request(1_235);
    assert!(matches!(adapter.authorise(&asked).await, Err(ProcessorError::InDoubt(_))));
    assert_eq!(host.payment(&asked.rrn), json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_listens_the_call_ends_with_the_address() {
    let (late, _lates) = tokio::sync::mpsc::channel(1);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let adapter = tillroll::office::processors::open(&format!("iso8583://{free}"), 2_000, late).unwrap();
    let why = adapter.authorise(&request(1_235)).await.unwrap_err();
    assert!(matches!(&why, ProcessorError::InDoubt(text) if text.contains(&free.to_string())), "{why}");
}
