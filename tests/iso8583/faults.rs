//! Every fault at every message: in doubt and never an approval, and after the repeat or the reversal one effect.

use crate::rig::{Host, again, follow, request};
use serde_json::{Value, json};
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tillroll::office::processors::{Authorisation, ProcessorError};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How long a call may take in these tests, milliseconds.
const ANSWER_MS: u64 = 700;
/// Payments played at the same time.
const AT_ONCE: usize = 12;
/// What it may take beside, on a busy machine.
const SLACK: Duration = Duration::from_secs(5);

/// What a host or a line may do to one answer. All of them leave the call in doubt.
fn faults() -> Vec<Value> {
    vec![
        json!({ "action": "lose" }),
        json!({ "action": "drop" }),
        json!({ "action": "close" }),
        json!({ "action": "delay", "ms": ANSWER_MS + 300 }),
        json!({ "action": "garbage" }),
        json!({ "action": "oversize" }),
        json!({ "action": "cut", "bytes": 1 }),
        json!({ "action": "cut", "bytes": 30 }),
        json!({ "action": "set", "fields": { "11": "999999" } }),
        json!({ "action": "set", "fields": { "37": "000000000000" } }),
        json!({ "action": "set", "fields": { "37": null, "7": "0101000000" } }),
        json!({ "action": "set", "fields": { "4": "000000999999" } }),
        json!({ "action": "set", "fields": { "4": "000000000001" } }),
        json!({ "action": "set", "fields": { "49": "840" } }),
        json!({ "action": "set", "fields": { "41": "D08" } }),
        json!({ "action": "set", "fields": { "39": null } }),
        json!({ "action": "set", "fields": { "39": "09" } }),
        json!({ "action": "code", "code": "68" }),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Authorise,
    Capture,
    Reverse,
    Refund,
}

/// How often a reversal is repeated at the most.
const TRIES_MAX: u32 = 3;

/// One payment with a fault at one message, on a connection of its own; what its ledger shows in the end.
async fn play(host: Arc<Host>, what: What, fault: Value) {
    let told = format!("{what:?} {fault}");
    let (adapter, _lates) = host.adapter("ascii", ANSWER_MS);
    let patient = host.adapter("ascii", 20_000).0;
    let asked = request(1_235);
    let (first, then) = (follow(&asked, 1_235), follow(&asked, 235));
    if what != What::Authorise {
        assert!(patient.authorise(&asked).await.unwrap().approved);
    }
    if what == What::Refund {
        assert_eq!(patient.capture(&first).await, Ok(1_235));
    }
    let kind = match what {
        What::Authorise => "010",
        What::Capture => "022",
        What::Reverse => "042",
        What::Refund => "020",
    };
    // The connection stands, so that the time-out is the answer's own.
    while adapter.hello().await.is_err() {}
    host.fault(kind, &asked.rrn, &fault);
    let began = Instant::now();
    let failed = match what {
        What::Authorise => adapter.authorise(&asked).await.map(|answer| format!("{answer:?}")),
        What::Capture => adapter.capture(&first).await.map(|minor| minor.to_string()),
        What::Reverse => adapter.reverse(&first).await.map(|()| String::new()),
        What::Refund => adapter.refund(&then).await.map(|said| format!("{said:?}")),
    };
    assert!(matches!(failed, Err(ProcessorError::InDoubt(_))), "{told}: {failed:?}");
    assert!(began.elapsed() < Duration::from_millis(ANSWER_MS) + SLACK, "{told}: {:?}", began.elapsed());
    let expect = match what {
        What::Authorise => {
            // The same connection may be ending because of the fault: then it is repeated, as the office does.
            let mut reversed = adapter.reverse(&first).await;
            for _ in 0..TRIES_MAX {
                if matches!(reversed, Err(ProcessorError::InDoubt(_))) {
                    reversed = adapter.reverse(&again(&first)).await;
                }
            }
            assert_eq!(reversed, Ok(()), "{told}");
            [usize::from(!nothing_happened(&fault)), 0, 1, 0]
        }
        What::Capture => {
            assert_eq!(patient.capture(&again(&first)).await, Ok(1_235), "{told}");
            [1, 1, 0, 0]
        }
        What::Reverse => {
            assert_eq!(patient.reverse(&again(&first)).await, Ok(()), "{told}");
            [1, 0, 1, 0]
        }
        What::Refund => {
            assert!(patient.refund(&again(&then)).await.unwrap().done, "{told}");
            [1, 1, 0, 1]
        }
    };
    assert_eq!(host.effects(&asked.rrn), expect, "{told}");
}

fn nothing_happened(fault: &Value) -> bool {
    fault["action"] == "lose" || fault["action"] == "code"
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_every_fault_at_every_message_ends_in_doubt_and_then_in_one_effect() {
    let Some(host) = Host::start("ascii-binary").map(Arc::new) else { return };
    let (mut tasks, at_once) = (JoinSet::new(), Arc::new(Semaphore::new(AT_ONCE)));
    for what in [What::Authorise, What::Capture, What::Reverse, What::Refund] {
        for fault in faults() {
            let (host, turn) = (host.clone(), at_once.clone());
            tasks.spawn(async move {
                let _turn = turn.acquire_owned().await.unwrap();
                play(host, what, fault).await;
            });
        }
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    host.ledger();
}

/// Waits for an answer that comes after its time-out.
async fn late(host: &Host, asked: &Authorisation) -> (Arc<dyn tillroll::office::processors::Processor>, Value) {
    let (adapter, mut lates) = host.adapter("ascii", ANSWER_MS);
    host.fault("010", &asked.rrn, &json!({ "action": "delay", "ms": ANSWER_MS * 2 }));
    assert!(matches!(adapter.authorise(asked).await, Err(ProcessorError::InDoubt(_))));
    let heard = tokio::time::timeout(SLACK, lates.recv()).await.unwrap().unwrap();
    let told = json!([heard.rrn, heard.answer.approved, heard.answer.amount_minor, heard.answer.response_code]);
    (adapter, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_an_approval_that_comes_late_is_handed_on_and_reversed() {
    let Some(host) = Host::start("ascii-binary") else { return };
    let asked = request(1_235);
    let (adapter, told) = late(&host, &asked).await;
    assert_eq!(told, json!([asked.rrn, true, 1_235, "00"]));
    assert_eq!(adapter.reverse(&follow(&asked, 1_235)).await, Ok(()));
    assert_eq!(host.effects(&asked.rrn), [1, 0, 1, 0]);
    let declined = request(505);
    assert_eq!(late(&host, &declined).await.1, json!([declined.rrn, false, 0, "05"]));
    // The same connection all the while: a lost answer is no reason to give it up.
    assert_eq!(host.ledger()["connections"], json!(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn late_answers_that_nobody_takes_hold_up_nothing() {
    let Some(host) = Host::start("ascii-binary") else { return };
    // Room for one, and nobody reads it.
    let (adapter, _lates) = host.adapter("ascii", 5_000);
    for _ in 0..4 {
        let asked = request(1_235);
        host.fault("010", &asked.rrn, &json!({ "action": "twice" }));
        assert!(adapter.authorise(&asked).await.unwrap().approved);
        assert_eq!(host.effects(&asked.rrn), [1, 0, 0, 0]);
    }
    assert_eq!(host.ledger()["connections"], json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_on_one_connection_each_get_their_own_answer() {
    let Some(host) = Host::start("ascii-binary") else { return };
    let (adapter, _lates) = host.adapter("ascii", 10_000);
    let mut tasks = JoinSet::new();
    for n in 1..=40 {
        let (adapter, asked) = (adapter.clone(), request(1_000 + n));
        // Answered in the opposite order.
        host.fault("010", &asked.rrn, &json!({ "action": "delay", "ms": (41 - n) * 5 }));
        tasks.spawn(async move {
            let answer = adapter.authorise(&asked).await.unwrap();
            (asked, answer)
        });
    }
    while let Some(done) = tasks.join_next().await {
        let (asked, answer) = done.unwrap();
        // 10.10 is approved in part.
        let expect = if asked.amount_minor == 1_010 { 505 } else { asked.amount_minor };
        assert_eq!(answer.amount_minor, expect);
        assert!(answer.auth_code.unwrap().ends_with(&format!("{:05}", asked.stan)));
    }
    assert_eq!(host.ledger()["connections"], json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_a_host_that_asks_for_patience_gets_the_whole_time_and_no_more() {
    let Some(host) = Host::start("ascii-binary") else { return };
    let mut profile = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    writeln!(profile, "[times]\nanswer_ms = 400").unwrap();
    let name = profile.path().to_str().unwrap();
    let (adapter, _lates) = host.adapter(name, 4_000);
    let asked = request(1_235);
    host.fault("010", &asked.rrn, &json!({ "action": "wait", "ms": 1_500 }));
    assert!(adapter.authorise(&asked).await.unwrap().approved);
    // Without the word, the profile's own time counts.
    let asked = request(1_235);
    host.fault("010", &asked.rrn, &json!({ "action": "delay", "ms": 1_500 }));
    let began = Instant::now();
    let why = adapter.authorise(&asked).await.unwrap_err();
    assert!(began.elapsed() < Duration::from_millis(1_400), "{why}");
    // And with it, never more than the caller's.
    let (adapter, _lates) = host.adapter(name, 800);
    let asked = request(1_235);
    host.fault("010", &asked.rrn, &json!({ "action": "wait", "ms": 60_000 }));
    let began = Instant::now();
    assert!(matches!(adapter.authorise(&asked).await, Err(ProcessorError::InDoubt(_))));
    assert!(began.elapsed() < Duration::from_millis(800) + SLACK);
}
