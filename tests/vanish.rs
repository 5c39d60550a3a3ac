//! A reader, a printer and an office that are not there, or slow: the payment ends in a state of its own machine, a
//! sale is never undone by paper, an impatient person keeps no word of the office away, and nothing falls.
#![cfg(feature = "office")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use axum::routing::{get, post};
use axum::{Json, Router};
use common::{ids, part, stamp, store_of};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tillroll::cli::rig::Rig;
use tillroll::domain::event::{CashRecorded, DrawerOpened, Event as Row, LineAdded, PaymentIntended, ReceiptState};
use tillroll::domain::id::{DeviceId, PaymentId};
use tillroll::domain::money::Money;
use tillroll::domain::payment::{Payment, PaymentState};
use tillroll::domain::receipt::{Merchant, ReceiptOf};
use tillroll::flow::payment::{Event, Machine, Phase, Timing};
use tillroll::runtime::actors::sync::Pace;
use tillroll::store::FeedApplied;
use tillroll_hardware::printer::Interruption;
use tillroll_hardware::printer::link::ManualClock;
use tillroll_hardware::printer::profile::Profile;
use tillroll_hardware::printer::sim as printer_sim;
use tillroll_hardware::printer::sim::machine::Plan;
use tillroll_hardware::reader::mms;
use tillroll_hardware::reader::sim::{Keys, SimConfig, SimControl};
use tokio::sync::mpsc::Receiver;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

struct Till {
    rig: Rig,
    events: Receiver<(PaymentId, Event)>,
    reader: SimControl,
    printer: printer_sim::SimControl<ManualClock>,
    folder: TempDir,
}

/// A handheld with an invoice over 34.50, whose office nobody answers for.
async fn till() -> Till {
    till_at("http://127.0.0.1:1", Pace { retry_min_ms: 20, feed_wait_ms: 100 }).await
}

/// The same, with its office at `url`.
async fn till_at(url: &str, pace: Pace) -> Till {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store_of(folder.path(), DeviceId(Uuid::from_u128(9)), "D07", "");
    let merchant = Merchant {
        name: "Northwick Heating".into(),
        address: "A".into(),
        tax_id: "T".into(),
        merchant_id: String::new(),
        logo: Vec::new(),
    };
    let body = serde_json::to_value(merchant).unwrap();
    let entry = FeedApplied { kind: "merchant".into(), id: "merchant".into(), body: Some(body) };
    store.apply_feed(&[entry], &[("p".to_owned(), 1)].into(), Uuid::nil(), 1).unwrap();
    let (job, visit) = (ids().job, ids().visit);
    store.commit(&Row::LineAdded(LineAdded { job, visit, line: part(20) }), &stamp(), None).unwrap();
    store.issue_invoice(job, visit, ids().invoice, &stamp()).unwrap();
    let (link, reader) = mms::sim::spawn(SimConfig {
        serial: "B61378A".into(),
        ksn_file: None,
        keys: Keys::Tdes,
        present_after: Duration::ZERO,
    });
    let profile = Profile::named("generic-80").unwrap().data;
    let config = printer_sim::SimConfig { printer: profile, folder: None };
    let (paper, printer) = printer_sim::spawn(config, ManualClock::default());
    let mut rig = Rig::start(folder.path(), store, Some(url), pace, link, paper).unwrap();
    let events = rig.take_events();
    Till { rig, events, reader, printer, folder }
}

impl Till {
    fn begin(&self, payment: u128) -> Machine {
        let invoice = PaymentIntended {
            extras: tillroll::domain::payment::Extras::NONE,
            payment: PaymentId(Uuid::from_u128(ids().payment.0.as_u128() + payment)),
            invoice: ids().invoice,
            document: "D07-000001".parse().unwrap(),
            job: ids().job,
            visit: ids().visit,
            amount: Money::new(3_450, "EUR".parse().unwrap()),
            linked_to: None,
            keep: None,
        };
        let (machine, effects) = Machine::begin(invoice, Timing::STANDARD);
        self.rig.till.spawn(machine.intent().payment, effects);
        machine
    }

    /// Hands events on until the machine is where it is wanted.
    async fn until(&mut self, machine: &mut Machine, wanted: impl Fn(&Phase) -> bool) {
        let id = machine.intent().payment;
        while !wanted(machine.phase()) {
            let came = tokio::time::timeout(Duration::from_secs(10), self.events.recv()).await;
            let (of, event) = came.unwrap_or_else(|_| panic!("stands at {:?}", machine.phase())).unwrap();
            if of == id {
                let effects = machine.handle(event).unwrap();
                self.rig.till.spawn(id, effects);
            }
        }
    }

    async fn stored(&self, machine: &Machine) -> Payment {
        let id = machine.intent().payment;
        self.rig.till.store.run(move |store| store.payment(id)).await.unwrap()
    }
}

fn resting(phase: &Phase) -> bool {
    *phase == Phase::Resting
}

#[tokio::test]
async fn a_reader_that_vanishes_leaves_an_abandoned_payment_and_the_next_one_works() {
    let mut till = till().await;
    let mut first = till.begin(100);
    till.until(&mut first, |phase| matches!(phase, Phase::Presenting { prompt, .. } if !prompt.is_empty())).await;
    till.reader.vanish();
    till.until(&mut first, resting).await;
    let payment = till.stored(&first).await;
    assert_eq!(payment.state, PaymentState::Abandoned);
    assert!(payment.reason.unwrap().contains("reader was lost"));

    let mut second = till.begin(101);
    till.until(&mut second, resting).await;
    assert_eq!(till.stored(&second).await.state, PaymentState::Abandoned, "still away");

    till.reader.come_back();
    let mut state = till.rig.till.reader.state();
    state.wait_for(|reader| reader.connected).await.unwrap();
    till.reader.present(Some("visa-tap"));
    let mut third = till.begin(102);
    till.until(&mut third, resting).await;
    // No office was ever heard of: there is no key to seal to, so the read is thrown away and nothing is kept of it.
    let payment = till.stored(&third).await;
    assert_eq!(payment.state, PaymentState::Abandoned);
    assert!(payment.reason.unwrap().contains("sealing key"));
    assert_eq!(leftovers(till.folder.path()), 0);
}

fn leftovers(folder: &Path) -> i64 {
    let db = rusqlite::Connection::open(folder.join("device.sqlite")).unwrap();
    db.query_row("SELECT count(*) FROM blob", [], |r| r.get(0)).unwrap()
}

#[tokio::test]
async fn a_printer_that_vanishes_undoes_no_sale_and_the_next_copy_says_so() {
    let till = till().await;
    let payment = PaymentId(Uuid::from_u128(100));
    let cash = CashRecorded {
        extras: tillroll::domain::payment::Extras::NONE,
        payment,
        invoice: ids().invoice,
        document: "D07-000001".parse().unwrap(),
        job: ids().job,
        visit: ids().visit,
        amount: Money::new(3_450, "EUR".parse().unwrap()),
        tendered_minor: 5_000,
        change_minor: 1_550,
        linked_to: None,
    };
    till.rig.till.store.commit(Row::CashRecorded(cash), None).await.unwrap();
    let drawer = DrawerOpened { payment, job: ids().job, visit: ids().visit };
    till.rig.till.printer.open_drawer(drawer).await.unwrap();
    assert!(till.rig.till.printer.open_drawer(drawer).await.is_err(), "once for a payment");
    // Gone before the first byte: nothing was printed, and what comes is no copy.
    till.printer.fault(Interruption::Unplugged, true);
    let refused = till.rig.till.printer.print(ReceiptOf::invoice(ids().job)).await.unwrap();
    assert_eq!((refused.sheet.copy, refused.state), (1, ReceiptState::Refused), "{refused:?}");
    assert!(till.rig.till.printer.trouble().await.unwrap().contains("cable"));
    let paid = till.rig.till.store.run(|store| store.job_detail(ids().job)).await.unwrap();
    assert_eq!(paid.open().unwrap().minor, 0, "the sale stands");
    till.printer.fault(Interruption::Unplugged, false);
    // Gone in the middle.
    till.printer.plan(Plan::AfterDots(200, Interruption::PaperOut));
    let torn = till.rig.till.printer.print(ReceiptOf::invoice(ids().job)).await.unwrap();
    assert_eq!((torn.sheet.copy, torn.state), (1, ReceiptState::Interrupted), "{torn:?}");
    till.printer.fault(Interruption::PaperOut, false);
    let copy = till.rig.till.printer.print(ReceiptOf::invoice(ids().job)).await.unwrap();
    assert_eq!((copy.sheet.copy, copy.state), (2, ReceiptState::Confirmed), "{copy:?}");
    assert!(till.printer.strips().last().unwrap().paper.text().contains("COPY 2"));
    assert_eq!(till.printer.drawer_pulses(), 1);
    let kinds = till.rig.till.store.run(|store| store.rows(1, 500)).await.unwrap();
    let ended = kinds.iter().filter(|row| row.kind == "receipt.ended").count();
    assert_eq!(ended, kinds.iter().filter(|row| row.kind == "receipt.queued").count());
    till.rig.stop().await.unwrap();
}

/// An office of these routes that lets every handheld in; where it is.
async fn serve(routes: Router) -> String {
    let session = async |Json(asked): Json<Value>| {
        let signed = asked.get("answer").is_some_and(|answer| !answer.is_null());
        let token = json!({"token": {"token": "t", "good_for_ms": 600_000}});
        Json(if signed { token } else { json!({"challenge": {"nonce": "00"}}) })
    };
    let router = routes.route("/v1/session", post(session));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// A page of the feed without news.
fn empty_page() -> Json<Value> {
    Json(json!({"office_epoch": Uuid::nil(), "entries": [], "cursor": {"d": 1}, "more": false, "time_ms": 1}))
}

/// How long the slow office takes for any answer.
const ANSWER: Duration = Duration::from_millis(300);

/// An office that takes its time, and has a new page of the feed each time.
async fn slow_office() -> String {
    let feed = async || {
        sleep(ANSWER).await;
        empty_page()
    };
    serve(Router::new().route("/v1/feed", get(feed))).await
}

#[tokio::test]
async fn whoever_asks_again_faster_than_the_link_answers_still_hears_the_office() {
    let till = till_at(&slow_office().await, Pace { retry_min_ms: 20, feed_wait_ms: 10_000 }).await;
    let mut applied = till.rig.till.sync.applied();
    let (mut pages, until) = (0, Instant::now() + ANSWER * 10);
    while pages < 2 && Instant::now() < until {
        till.rig.till.sync.nudge();
        if timeout(ANSWER / 10, applied.changed()).await.is_ok() {
            pages += 1;
        }
    }
    assert_eq!(pages, 2, "pages of the feed in the time of ten answers");
    till.rig.stop().await.unwrap();
}

/// An office whose answers the test holds back: the feed's pages by permits, the journal's until its line is cut.
async fn held_office(pages: Arc<Semaphore>, cut: Arc<Notify>) -> String {
    let feed = async move || {
        pages.acquire().await.unwrap().forget();
        empty_page()
    };
    let journal = async move || -> Json<Value> {
        cut.notified().await;
        panic!("the line is cut")
    };
    serve(Router::new().route("/v1/feed", get(feed)).route("/v1/journal", post(journal))).await
}

#[tokio::test]
async fn an_answer_from_before_the_link_went_does_not_bring_it_back() {
    let (pages, cut) = (Arc::new(Semaphore::new(1)), Arc::new(Notify::new()));
    let pace = Pace { retry_min_ms: 600_000, feed_wait_ms: 10_000 };
    let till = till_at(&held_office(pages.clone(), cut.clone()).await, pace).await;
    let sync = &till.rig.till.sync;
    let (mut link, mut applied) = (sync.link(), sync.applied());
    let soon = Duration::from_secs(10);
    timeout(soon, link.wait_for(|link| link.online)).await.unwrap().unwrap();
    applied.mark_unchanged();
    // The next page has come and waits for the store, while the journal's line is cut.
    let (go_on, blocked) = std::sync::mpsc::sync_channel::<()>(1);
    let store = till.rig.till.store.clone();
    let busy = tokio::spawn(async move { store.call(move |_| blocked.recv()).await });
    pages.add_permits(1);
    sleep(Duration::from_millis(200)).await;
    cut.notify_one();
    timeout(soon, link.wait_for(|link| !link.online)).await.unwrap().unwrap();
    go_on.send(()).unwrap();
    busy.await.unwrap().unwrap().unwrap();
    timeout(soon, applied.changed()).await.unwrap().unwrap();
    assert!(!link.borrow().online, "the page is from before");
    // A page that was asked for after that does.
    pages.add_permits(1);
    timeout(soon, link.wait_for(|link| link.online)).await.unwrap().unwrap();
    till.rig.stop().await.unwrap();
}
