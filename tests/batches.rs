//! What the office does with batches: good ones, the same again, forged, broken, from the future, from a copied card.
#![cfg(feature = "office")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
#[path = "batches/rig.rs"]
mod rig;

use common::{ids, part};
use rig::Rig;
use serde_json::json;
use tillroll::domain::id::RowId;
use tillroll::domain::journal::Row;
use uuid::Uuid;

/// A row of a kind that only a newer program knows, about `subject`.
fn from_the_future(after: &Row, subject: &str) -> Row {
    Row {
        seq: after.seq + 1,
        id: RowId(Uuid::now_v7()),
        kind: "payment.sung".to_owned(),
        subjects: vec![subject.to_owned()],
        body: r#"{"song":"la"}"#.to_owned(),
        ..after.clone()
    }
}

#[tokio::test]
async fn a_batch_is_applied_once_however_often_it_comes() {
    let mut rig = Rig::new().await;
    rig.work();
    let batch = rig.batch();
    let (status, first) = rig.push(&batch.encode().unwrap()).await;
    assert_eq!(status, 200, "{first}");
    let results = |answer: &serde_json::Value| -> Vec<String> {
        answer["results"].as_array().unwrap().iter().map(|r| r["result"].as_str().unwrap().to_owned()).collect()
    };
    assert!(results(&first).iter().all(|result| result == "applied"), "{first}");
    assert_eq!(first["acked_through"], batch.rows.len());
    let before = rig.dump();
    for _ in 0..3 {
        let (status, again) = rig.push(&batch.encode().unwrap()).await;
        assert_eq!((status, &again["acked_through"]), (200, &json!(batch.rows.len())));
        assert!(results(&again).iter().all(|result| result == "duplicate"), "{again}");
    }
    assert_eq!(rig.dump(), before);
    assert_eq!(rig.office.verify().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_bad_batch_is_a_problem_and_stores_nothing() {
    let mut rig = Rig::new().await;
    rig.work();
    let before = rig.dump();
    let good = rig.batch();

    let mut forged = good.clone();
    forged.envelope.signature = "00".repeat(64);
    let mut changed = good.clone();
    changed.rows[1].body.push(' ');
    let mut late = good.clone();
    late.rows.remove(0);
    late.envelope.first = 2;
    let late = rig.signed(late);
    let mut stranger = good.clone();
    stranger.envelope.device = Uuid::from_u128(77).into();
    let stranger = rig.signed(stranger);
    let cut = {
        let bytes = good.encode().unwrap();
        bytes[..bytes.len() / 2].to_vec()
    };
    for (name, bytes, status, kind) in [
        ("forged", forged.encode().unwrap(), 403, "urn:tillroll:bad-signature"),
        ("changed", changed.encode().unwrap(), 422, "urn:tillroll:wrong-hash"),
        ("gap", late.encode().unwrap(), 409, "urn:tillroll:gap"),
        ("stranger", stranger.encode().unwrap(), 403, "urn:tillroll:other-device"),
        ("cut", cut, 400, "urn:tillroll:bad-batch"),
        ("rubbish", vec![0xA5; 999], 400, "urn:tillroll:bad-batch"),
        ("empty", Vec::new(), 400, "urn:tillroll:bad-batch"),
    ] {
        let (said, problem) = rig.push(&bytes).await;
        assert_eq!((said, problem["type"].as_str().unwrap()), (status, kind), "{name}: {problem}");
        assert_eq!(problem["status"], status, "{name}");
        assert!(!problem["detail"].as_str().unwrap().is_empty(), "{name}");
        assert_eq!(rig.dump(), before, "{name}");
    }
    let (status, problem) = rig.push_as("wrong token", &good.encode().unwrap()).await;
    assert_eq!((status, problem["type"].as_str().unwrap()), (401, "urn:tillroll:unauthorised"));
    let (status, problem) = rig.push(&rig.signed(rig.batch()).encode().unwrap()).await;
    assert_eq!(status, 200, "{problem}");
}

#[tokio::test]
async fn a_row_from_the_future_is_kept_its_payment_frozen_and_the_rest_applied() {
    let mut rig = Rig::new().await;
    rig.work();
    let payment = rig.card_payment();
    let mut batch = rig.batch();
    let last = batch.rows.last().unwrap().clone();
    batch.rows.push(from_the_future(&last, &payment));
    let sung = batch.rows.last().unwrap().clone();
    let mut behind = sung.clone();
    behind.seq += 1;
    behind.id = RowId(Uuid::now_v7());
    behind.kind = "payment.abandoned".to_owned();
    behind.v = 1;
    let (job, visit) = (ids().job, ids().visit);
    behind.subjects = vec![payment.clone()];
    behind.body = json!({ "payment": payment, "job": job, "visit": visit, "why": "later" }).to_string();
    batch.rows.push(behind);
    rig.line(&mut batch, part(99));
    let (status, answer) = rig.push(&rig.signed(batch).encode().unwrap()).await;
    assert_eq!(status, 200, "{answer}");
    let results: Vec<&str> =
        answer["results"].as_array().unwrap().iter().map(|r| r["result"].as_str().unwrap()).collect();
    let (tail, head) = (&results[results.len() - 3..], &results[..results.len() - 3]);
    assert!(head.iter().all(|result| *result == "applied"), "{answer}");
    assert_eq!(tail, ["quarantined", "held", "applied"], "{answer}");
    assert!(rig.count("SELECT count(*) FROM exception WHERE type = 'quarantined_row'") == 1);
    assert_eq!(rig.count("SELECT count(*) FROM payment WHERE state = 'presenting'"), 1, "the held row is not applied");
    assert_eq!(rig.office.verify().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_copied_card_is_seen_and_its_rows_are_set_aside() {
    let mut rig = Rig::new().await;
    rig.work();
    let batch = rig.batch();
    assert_eq!(rig.push(&batch.encode().unwrap()).await.0, 200);
    let before = rig.count("SELECT count(*) FROM journal");
    let mut other = batch.clone();
    other.rows.last_mut().unwrap().id = RowId(Uuid::now_v7());
    other.rows.last_mut().unwrap().actor = "the copy".to_owned();
    let (status, answer) = rig.push(&rig.signed(other).encode().unwrap()).await;
    assert_eq!(status, 200, "{answer}");
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.last().unwrap()["result"], "forked", "{answer}");
    assert_eq!(rig.count("SELECT count(*) FROM journal"), before);
    assert_eq!(rig.count("SELECT count(*) FROM journal_fork"), 1);
    assert_eq!(rig.count("SELECT count(*) FROM exception WHERE type = 'fork'"), 1);
}
