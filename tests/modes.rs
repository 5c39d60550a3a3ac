//! Live, test and training are kept apart: an office for its whole life, a handheld from its office, training from all.
#![cfg(feature = "office")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/office.rs"]
mod the_office;

use std::path::Path;
use std::process::Command;
use std::time::Duration;
use the_office::office;
use tillroll::cli::training;
use tillroll::domain::event::{Event as Row, LineAdded, PaymentIntended, RefundRequested, ShiftOpened};
use tillroll::domain::id::{LineId, PaymentId, RefundId, ShiftId};
use tillroll::domain::line::{Line, Quantity};
use tillroll::domain::mode::Mode;
use tillroll::domain::money::Money;
use tillroll::domain::payment::{Extras, PaymentState, Tender};
use tillroll::domain::receipt::ReceiptOf;
use tillroll::domain::refund::{RefundKind, RefundState};
use tillroll::flow::payment::{Machine, Phase, Timing as Wait};
use tillroll::office::{Office, api};
use tillroll::sync::client::{Client, ClientError, enrol};
use tillroll_hardware::printer::sim::Pace;
use uuid::Uuid;

#[test]
fn an_office_has_one_mode_for_its_whole_life() {
    for (first, second) in [(true, false), (false, true)] {
        let dir = tempfile::tempdir().unwrap();
        let mode = office(dir.path()).settle_mode(first).unwrap();
        assert_eq!(mode, if first { Mode::Test } else { Mode::Live });
        let again = office(dir.path());
        assert_eq!(again.settle_mode(first).unwrap(), mode);
        let told = again.settle_mode(second).unwrap_err().to_string();
        assert!(told.contains("whole life") && told.contains("--db"), "{told}");
        // And in the table itself.
        let second = again.write(|tx| tx.execute("INSERT INTO office_mode VALUES (2, 'live')", []));
        assert!(
            second.is_err() && again.write(|tx| tx.execute("INSERT INTO office_mode VALUES (1, 'live')", [])).is_err()
        );
    }
}

/// Serves an office on a port of its own.
async fn served(office: &Office) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = api::router(office.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn a_handheld_of_one_mode_sends_nothing_to_an_office_of_another() {
    for test in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let office = office(dir.path());
        let own = office.settle_mode(test).unwrap();
        let code = office.add_device("D07", None).unwrap();
        let url = served(&office).await;
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        let answer = enrol(&url, &code, &key, 5_000).await.unwrap();
        assert_eq!(answer.mode, own, "the office says so when a handheld is enrolled");
        for mode in [Mode::Live, Mode::Test] {
            let client = Client::new(&url, answer.device, key.clone(), 5_000).unwrap().of_mode(mode);
            match client.feed(None, &[].into(), 0).await {
                Ok(_) => assert_eq!(mode, own),
                Err(why) => {
                    assert!(matches!(why, ClientError::OtherMode { .. }) && mode != own, "{why:?}");
                    assert!(why.to_string().contains("nothing was sent"), "{why}");
                }
            }
        }
    }
}

/// Gives half back, if there is anything, and counts a shift; both end without an office.
async fn refund_and_shift(training: &mut training::Training, id: PaymentId) {
    let till = training.rig.till.clone();
    let payment = till.store.run(move |store| store.payment(id)).await.unwrap();
    if payment.may_refund() {
        let refund = RefundId(Uuid::now_v7());
        let asked = RefundRequested {
            refund,
            payment: Some(id),
            job: payment.job,
            visit: payment.visit,
            tender: Tender::Card,
            amount: Money::new(payment.amount.minor / 2, payment.amount.currency),
            what: RefundKind::Credit,
            reason: "practice".into(),
            manager: false,
        };
        till.store.commit(Row::RefundRequested(asked), None).await.unwrap();
        let state = async || till.store.run(move |store| store.refund(refund)).await.unwrap().unwrap().state;
        for _ in 0..100 {
            if state().await == RefundState::Refunded {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(state().await, RefundState::Refunded);
    }
    let zero = Money::zero(payment.amount.currency);
    let shift = ShiftId(Uuid::now_v7());
    till.store.commit(Row::ShiftOpened(ShiftOpened { shift, float: zero, carried_minor: 0 }), None).await.unwrap();
    till.printer.print_shift(shift).await.unwrap();
}

/// Takes a card for the first job of the day until its machine rests; the payment's state.
async fn take_card(training: &mut training::Training, card: &str) -> PaymentState {
    training.customer.present(Some(card));
    let till = training.rig.till.clone();
    let day = till.store.run(|store| store.today(0, i64::MAX)).await.unwrap();
    let row = day.into_iter().find(|row| row.total.is_none()).unwrap();
    let item = till.store.run(|store| store.search_prices("valve")).await.unwrap().remove(0);
    let line = Line::from_item(LineId(Uuid::now_v7()), &item, Quantity::ONE);
    till.store.commit(Row::LineAdded(LineAdded { job: row.job, visit: row.visit, line }), None).await.unwrap();
    let invoice = till.store.issue_invoice(row.job, row.visit).await.unwrap();
    let id = PaymentId(Uuid::now_v7());
    let intent = PaymentIntended {
        keep: None,
        payment: id,
        invoice: invoice.id,
        document: invoice.document.clone(),
        job: row.job,
        visit: row.visit,
        amount: invoice.totals.total(),
        extras: Extras::NONE,
        linked_to: None,
    };
    let (mut machine, effects) = Machine::begin(intent, Wait { present_ms: 5_000, unknown_ms: 8_000 });
    till.spawn(id, effects);
    let mut events = training.rig.take_events();
    while !matches!(machine.phase(), Phase::Resting) {
        let (of, event) = tokio::time::timeout(Duration::from_secs(20), events.recv()).await.unwrap().unwrap();
        assert_eq!(of, id);
        till.spawn(id, machine.handle(event).unwrap());
    }
    let printed = till.printer.print(ReceiptOf::invoice(row.job)).await.unwrap();
    assert_eq!(printed.sheet.copy, 1);
    refund_and_shift(training, id).await;
    till.store.run(move |store| store.payment(id)).await.unwrap().state
}

#[tokio::test]
async fn slow_training_plays_a_payment_and_leaves_nothing_that_could_be_sent() {
    for (card, expect, words) in [
        ("visa-tap", PaymentState::Approved, "APPROVED  AUTH 000000"),
        ("decline", PaymentState::Declined, "DECLINED - NOT CHARGED"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().to_str().unwrap();
        let folder = training::folder(dir.path());
        let now = jiff::Timestamp::now().as_millisecond();
        let mut training = training::start(&folder, now, Pace::AtOnce).unwrap();
        assert_eq!(take_card(&mut training, card).await, expect);
        training.rig.stop().await.unwrap();
        let paper = |name: &Path| name.extension().is_some_and(|extension| extension == "txt");
        let files = std::fs::read_dir(folder.join("receipts")).unwrap().map(|entry| entry.unwrap().path());
        let texts: Vec<String> =
            files.filter(|path| paper(path)).map(|path| std::fs::read_to_string(path).unwrap()).collect();
        let text = texts.concat().split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(text.matches("TRAINING - NOT A RECEIPT").count(), 2, "{text}");
        let report = texts.iter().map(|text| text.trim()).find(|text| text.contains("X REPORT")).unwrap();
        assert!(report.starts_with("TRAINING") && report.ends_with("TRAINING"), "the shift's report, too: {report}");
        assert!(text.contains(&words.split_whitespace().collect::<Vec<_>>().join(" ")), "{text}");
        assert!(!text.contains("TR:"), "practice states nothing");
        let run = |args: &[&str]| {
            let out = Command::new(env!("CARGO_BIN_EXE_tillroll")).args(args).output().unwrap();
            (out.status.code().unwrap(), String::from_utf8([out.stdout, out.stderr].concat()).unwrap())
        };
        let folder = folder.to_str().unwrap();
        let (status, said) = run(&["sync", "--state", folder]);
        assert!(status == 2 && said.contains("nothing in it is ever sent"), "{said}");
        let (status, said) = run(&["enrol", "--office", "http://127.0.0.1:1", "--code", "X", "--state", folder]);
        assert!(status == 2 && said.contains("enrolled already"), "{said}");
        let (status, said) = run(&["verify", "--state", folder]);
        assert!(status == 0, "{said}");
        let (_, said) = run(&["status", "--state", folder]);
        assert!(said.contains("TRAINING"), "{said}");
        let (status, said) = run(&["status", "--state", state]);
        assert!(status == 3 && said.contains("no enrolled handheld"), "the handheld itself is untouched: {said}");
        let (status, said) = run(&["--training", "sync"]);
        assert!(status == 2 && said.contains("not for a command"), "{said}");
    }
}

#[tokio::test]
async fn a_folder_of_another_handheld_is_not_trained_on() {
    let dir = tempfile::tempdir().unwrap();
    let now = jiff::Timestamp::now().as_millisecond();
    let training = training::start(dir.path(), now, Pace::AtOnce).unwrap();
    training.rig.stop().await.unwrap();
    let db = rusqlite::Connection::open(dir.path().join("device.sqlite")).unwrap();
    let sql = "UPDATE meta SET value = json_set(value, '$.mode', 'live') WHERE name = 'identity'";
    assert_eq!(db.execute(sql, []).unwrap(), 1);
    let told = training::start(dir.path(), now, Pace::AtOnce).err().unwrap().to_string();
    assert!(told.contains("not for training"), "{told}");
}
