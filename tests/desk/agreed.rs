//! Cards that are kept with their holders' consent, and agreements that the office charges again and again.
//!
//! The judge is the processor's own ledger: one capture for each due date, asked for by the merchant, naming the
//! network's id of the payment with which the holder agreed.

use crate::decide;
use crate::rig::{HOUR_MS, How, Rig, payment};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tillroll::domain::consent::ConsentText;
use tillroll::domain::decision::Action;
use tillroll::domain::money::{Currency, Money};
use tillroll::domain::rules::Rules;
use tillroll::office::agreements::list::{Agreement, RunState};
use tillroll::office::agreements::schedule::{Every, Unit};
use tillroll::office::agreements::{self, NewAgreement, list, runs};
use tillroll::office::books;
use tillroll::office::decide::Refused;
use tillroll::office::processors;

const AMOUNT: i64 = 4_900;
const DAY_MS: i64 = 24 * HOUR_MS;

pub fn text(version: &str) -> ConsentText {
    ConsentText {
        version: version.into(),
        text: "I agree that my card is kept for what we agree on in writing.".into(),
    }
}

/// A rig whose office keeps cards, and whose customers agree.
pub async fn keeping() -> Rig {
    let mut rig = Rig::new().await;
    rig.office.set_rules(&Rules { card_consent: Some(text("2026-1")), ..Rules::NONE }).unwrap();
    rig.keep = Some(text("2026-1").consent());
    rig
}

/// Takes the first payment with this card until it is captured and the card is kept; the kept card's id.
pub async fn kept_card(rig: &mut Rig, card: &str) -> String {
    rig.pay(payment(1), card, 6_900, How::Offline);
    rig.push();
    rig.work();
    rig.until(payment(1), "captured").await;
    rig.hear(payment(1));
    rig.push();
    rig.text("SELECT id FROM kept_card WHERE ended_ms IS NULL")
}

pub fn monthly(rig: &Rig, id: &str, card: &str, tries: u32) -> Result<(), Refused> {
    let new = NewAgreement {
        id,
        card,
        what: "Maintenance of the oven",
        amount: Money::new(AMOUNT, Currency::EUR),
        tax: "standard",
        every: Every::new(1, Unit::Months).unwrap(),
        first: runs::today(rig.office.now_ms()),
        retry_days: 3,
        tries,
        by: "dina",
    };
    let now_ms = rig.office.now_ms();
    rig.office.write(|tx| agreements::add(tx, &new, runs::today(now_ms), now_ms))
}

pub fn only(rig: &Rig) -> Agreement {
    let mut all = rig.office.read(list::all).unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn states(rig: &Rig) -> Vec<RunState> {
    only(rig).runs.iter().map(|run| run.state).collect()
}

fn later(rig: &Rig, days: i64) {
    rig.ahead_ms.fetch_add(days * DAY_MS, Ordering::AcqRel);
    rig.office.changed();
}

/// To the next due date.
fn next_due(rig: &Rig) {
    let next: jiff::civil::Date = only(rig).next_due.parse().unwrap();
    let days = runs::today(rig.office.now_ms()).until(next).unwrap().get_days();
    later(rig, i64::from(days));
}

pub async fn until(rig: &Rig, expect: &[RunState]) {
    rig.until_true(|rig| states(rig) == expect, || format!("{:?}, not {expect:?}: {:?}", states(rig), only(rig))).await;
}

/// The charges that the merchant asked for, by the processor's ledger.
async fn charges(rig: &Rig) -> Vec<Value> {
    let book: Value = reqwest::get(format!("{}/v1/ledger", rig.url)).await.unwrap().json().await.unwrap();
    let rows = book["authorisations"].as_array().unwrap().iter();
    rows.filter(|row| row["initiated_by"] == "merchant").cloned().collect()
}

async fn captured(rig: &Rig) -> usize {
    charges(rig).await.iter().filter(|row| row["captured_minor"] == AMOUNT && row["reversed"] == false).count()
}

/// Device, office and processor have the same of every payment there is.
async fn books_agree(rig: &Rig) {
    let (late, _) = tokio::sync::mpsc::channel(1);
    let booked = processors::open(&rig.url, 5_000, late).unwrap().booked(0, i64::MAX).await.unwrap();
    let (rows, strangers) = rig.office.read(|db| books::read(db, 0, i64::MAX, Some(&booked))).unwrap();
    let books = books::compare(rows, &strangers, 0);
    let differences: Vec<_> = books.differences.iter().filter(|text| !text.contains("settlement")).collect();
    assert!(differences.is_empty(), "{differences:?}");
    assert_eq!(rig.office.verify().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_card_is_kept_with_consent_and_an_agreement_charges_it_once_a_month() {
    let mut rig = keeping().await;
    let card = kept_card(&mut rig, "visa-tap").await;
    let (brand, last4, version): (String, String, String) = rig.office.read(|db| {
        let sql = "SELECT brand, last4, consent FROM kept_card";
        db.query_row(sql, [], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).unwrap()
    });
    assert_eq!((brand.as_str(), last4.as_str(), version.as_str()), ("VISA", "0010", "2026-1"));
    monthly(&rig, "a-1", &card, 3).unwrap();
    assert!(matches!(monthly(&rig, "a-1", &card, 3), Err(Refused::Conflict(_))), "a form sent twice makes one");
    rig.office.changed();
    until(&rig, &[RunState::Paid]).await;
    for n in 2..=3 {
        next_due(&rig);
        until(&rig, &vec![RunState::Paid; n]).await;
    }
    let rows = charges(&rig).await;
    assert_eq!(rows.len(), 3, "{rows:?}");
    let book: Value = reqwest::get(format!("{}/v1/ledger", rig.url)).await.unwrap().json().await.unwrap();
    let first = &book["authorisations"][0];
    for row in &rows {
        let facts = [&row["captured_minor"], &row["follows"], &row["kept_token"], &row["deferred"]];
        assert_eq!(facts, [&json!(AMOUNT), &first["network_id"], &first["token"], &json!(false)], "{row}");
    }
    let sql = "SELECT count(*) FROM invoice WHERE state = 'paid' AND total_minor = 4900 AND document LIKE 'OF%'";
    assert_eq!(rig.count(sql), 3);
    assert_eq!(rig.open(), Vec::<String>::new());
    books_agree(&rig).await;
}

#[tokio::test]
async fn a_soft_decline_is_tried_again_on_its_day_and_ends_as_an_exception_with_a_way_on() {
    let mut rig = keeping().await;
    // Without funds twice: as a payment taken offline, and again as a kept card.
    let card = kept_card(&mut rig, "poor").await;
    monthly(&rig, "a-1", &card, 2).unwrap();
    rig.office.changed();
    until(&rig, &[RunState::Retrying]).await;
    later(&rig, 2);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((only(&rig).runs[0].declines, charges(&rig).await.len()), (1, 1), "not before its day");
    later(&rig, 1);
    until(&rig, &[RunState::Failed]).await;
    assert_eq!((rig.open(), charges(&rig).await.len()), (vec!["agreement_failed".to_owned()], 2));
    assert_eq!(rig.text("SELECT note FROM exception WHERE state = 'open'"), "the bank declined every try");
    later(&rig, 10);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(charges(&rig).await.len(), 2, "never by itself");
    decide(&rig, "agreement_failed", Action::RepeatNow, None).unwrap();
    rig.office.changed();
    until(&rig, &[RunState::Paid]).await;
    assert_eq!((captured(&rig).await, rig.open()), (1, Vec::new()));
    assert_eq!(rig.count("SELECT count(*) FROM invoice WHERE document LIKE 'OF%'"), 1, "the same bill");
    books_agree(&rig).await;
}

#[tokio::test]
async fn somebody_may_have_a_declined_run_tried_at_once_and_each_time_is_one_try() {
    let mut rig = keeping().await;
    let card = kept_card(&mut rig, "poor").await;
    monthly(&rig, "a-1", &card, 5).unwrap();
    rig.office.changed();
    until(&rig, &[RunState::Retrying]).await;
    let due = only(&rig).runs[0].due.clone();
    for declines in [2, 2] {
        let now_ms = rig.office.now_ms();
        rig.office.write(|tx| runs::try_now(tx, "a-1", &due, now_ms)).unwrap();
        let done = |rig: &Rig| only(rig).runs[0].declines == declines || states(rig) == [RunState::Paid];
        rig.until_true(done, || format!("{:?}", only(&rig))).await;
    }
    until(&rig, &[RunState::Paid]).await;
    assert_eq!(charges(&rig).await.len(), 3);
    let now_ms = rig.office.now_ms();
    let after = rig.office.write(|tx| runs::try_now(tx, "a-1", &due, now_ms));
    assert!(matches!(after, Err(Refused::Conflict(_))), "{after:?}");
}

#[tokio::test]
async fn a_hard_decline_ends_the_run_at_once() {
    let mut rig = keeping().await;
    let card = kept_card(&mut rig, "visa-tap").await;
    let token = rig.text("SELECT token FROM kept_card");
    let client = reqwest::Client::new();
    let forget = client.post(format!("{}/v1/forget", rig.url)).json(&json!({ "key": token }));
    assert_eq!(forget.send().await.unwrap().json::<Value>().await.unwrap()["forgotten"], true);
    monthly(&rig, "a-1", &card, 5).unwrap();
    rig.office.changed();
    until(&rig, &[RunState::Failed]).await;
    assert_eq!(rig.text("SELECT note FROM exception WHERE state = 'open'"), "the bank declined it for good");
    assert_eq!((captured(&rig).await, charges(&rig).await.len()), (0, 1));
    books_agree(&rig).await;
}

#[tokio::test]
async fn slow_a_run_has_one_effect_wherever_the_office_crashes() {
    for (card, after_ms) in [("visa-tap", 0), ("visa-tap", 3), ("visa-tap", 9), ("visa-tap", 20), ("lost-answer", 30)]
        .into_iter()
        .chain([5, 100, 250, 295, 305, 320, 350].map(|after_ms| ("slow", after_ms)))
    {
        let mut rig = keeping().await;
        let kept = kept_card(&mut rig, card).await;
        rig.stop();
        monthly(&rig, "a-1", &kept, 3).unwrap();
        for _ in 0..3 {
            rig.work();
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            rig.stop();
            // The lease of whoever crashed runs out.
            rig.ahead_ms.fetch_add(10_000, Ordering::AcqRel);
        }
        rig.work();
        until(&rig, &[RunState::Paid]).await;
        assert_eq!(captured(&rig).await, 1, "{card} {after_ms}");
        let live =
            charges(&rig).await.iter().filter(|row| row["amount_minor"] == AMOUNT && row["reversed"] == false).count();
        assert_eq!(live, 1, "{card} {after_ms}");
        books_agree(&rig).await;
        rig.stop();
    }
}

#[tokio::test]
async fn nothing_is_charged_after_a_stop_and_what_is_under_way_is_finished_honestly() {
    for (card, wait_ms) in [("poor", None), ("slow", Some(30)), ("slow", Some(310)), ("visa-tap", Some(15))] {
        let mut rig = keeping().await;
        let kept = kept_card(&mut rig, card).await;
        monthly(&rig, "a-1", &kept, 5).unwrap();
        rig.office.changed();
        match wait_ms {
            None => until(&rig, &[RunState::Retrying]).await,
            Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
        }
        let now_ms = rig.office.now_ms();
        let stop = |why| rig.office.write(|tx| agreements::stop_by(tx, "a-1", "dina", why, now_ms));
        assert!(matches!(stop(""), Err(Refused::Form(_))));
        stop("the customer called").unwrap();
        assert!(matches!(stop("again"), Err(Refused::Conflict(_))));
        rig.office.changed();
        let over = |rig: &Rig| states(rig).iter().all(|s| matches!(s, RunState::Stopped | RunState::Paid));
        rig.until_true(over, || format!("{:?}", only(&rig))).await;
        let paid = states(&rig).contains(&RunState::Paid);
        if card == "poor" {
            assert!(!paid);
            assert_eq!(rig.count("SELECT count(*) FROM invoice WHERE state = 'cancelled'"), 1, "and nothing is owed");
        }
        assert_eq!(captured(&rig).await, usize::from(paid), "{card} {wait_ms:?}");
        let before = charges(&rig).await.len();
        for _ in 0..3 {
            later(&rig, 31);
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        assert_eq!(charges(&rig).await.len(), before);
        books_agree(&rig).await;
        rig.stop();
    }
}

/// A rig with an agreement whose first date is tomorrow, and a backup of its office.
async fn before_the_date() -> (Rig, PathBuf) {
    let mut rig = keeping().await;
    let card = kept_card(&mut rig, "visa-tap").await;
    monthly(&rig, "a-1", &card, 3).unwrap();
    rig.office.changed();
    until(&rig, &[RunState::Paid]).await;
    rig.stop();
    let backup = rig.backup("backup.sqlite");
    next_due(&rig);
    (rig, backup)
}

fn resume(rig: &Rig) {
    let now_ms = rig.office.now_ms();
    rig.office.write(|tx| agreements::resume(tx, "a-1", "dina", now_ms)).unwrap();
    rig.office.changed();
}

#[tokio::test]
async fn an_office_restored_between_send_and_answer_charges_once() {
    // What the lost office did last: the whole run, or no more than the request.
    for whole in [true, false] {
        let (mut rig, backup) = before_the_date().await;
        rig.work();
        if whole {
            until(&rig, &[RunState::Paid, RunState::Paid]).await;
        } else {
            rig.until_true(|rig| rig.count("SELECT count(*) FROM attempt") > 2, || "no attempt".into()).await;
        }
        rig.restore(&backup);
        rig.work();
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(states(&rig), [RunState::Paid], "nothing before somebody has looked");
        assert_eq!(rig.open(), ["agreement_waits"]);
        resume(&rig);
        let settled = |rig: &Rig| {
            states(rig).first() == Some(&RunState::Paid) && states(rig).len() == 2
                || rig.open() == ["payment_reconcile"]
        };
        rig.until_true(settled, || format!("{:?} {:?}", states(&rig), rig.open())).await;
        if rig.open() == ["payment_reconcile"] {
            assert!(!whole);
            decide(&rig, "payment_reconcile", Action::NotAtProcessor, None).unwrap();
            rig.office.changed();
        }
        until(&rig, &[RunState::Paid, RunState::Paid]).await;
        assert_eq!(captured(&rig).await, 2, "one a date");
        books_agree(&rig).await;
        rig.stop();
    }
}

#[tokio::test]
async fn every_date_that_a_lost_office_charged_is_found_again_and_none_is_charged_twice() {
    let (mut rig, backup) = before_the_date().await;
    rig.work();
    until(&rig, &[RunState::Paid; 2]).await;
    next_due(&rig);
    until(&rig, &[RunState::Paid; 3]).await;
    rig.restore(&backup);
    rig.work();
    resume(&rig);
    until(&rig, &[RunState::Paid; 3]).await;
    assert_eq!((captured(&rig).await, charges(&rig).await.len(), rig.open()), (3, 3, Vec::new()));
    books_agree(&rig).await;
}

#[tokio::test]
async fn what_a_lost_office_never_sent_is_sent_when_a_person_says_so() {
    let (mut rig, backup) = before_the_date().await;
    rig.restore(&backup);
    rig.work();
    resume(&rig);
    until(&rig, &[RunState::InQuestion, RunState::Paid]).await;
    rig.until_true(|rig| rig.open() == ["payment_reconcile"], || format!("{:?}", rig.open())).await;
    assert_eq!(captured(&rig).await, 1, "never sent by itself");
    decide(&rig, "payment_reconcile", Action::NotAtProcessor, None).unwrap();
    rig.office.changed();
    until(&rig, &[RunState::Paid, RunState::Paid]).await;
    assert_eq!(captured(&rig).await, 2);
    // The next date is after the restore: nobody has to be asked.
    next_due(&rig);
    until(&rig, &[RunState::Paid; 3]).await;
    books_agree(&rig).await;
}

#[tokio::test]
async fn dates_that_passed_while_the_office_was_off_are_told_and_not_charged_at_once() {
    let (mut rig, _) = before_the_date().await;
    later(&rig, 62);
    rig.work();
    let expect = [RunState::Paid, RunState::Missed, RunState::Missed, RunState::Paid];
    until(&rig, &expect).await;
    assert_eq!((captured(&rig).await, rig.open()), (2, vec!["agreement_waits".to_owned()]));
    assert!(rig.text("SELECT note FROM exception WHERE state = 'open'").starts_with("2 due dates from"));
    books_agree(&rig).await;
}
