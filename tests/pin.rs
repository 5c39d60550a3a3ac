//! A manager's PIN on a real store: what is counted, what survives a restart, what is written.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use argon2::password_hash::PasswordHasher as _;
use argon2::{Algorithm, Argon2, Params, Version};
use common::{ids, part, stamp, store_of};
use std::collections::BTreeMap;
use std::path::Path;
use tillroll::domain::event::{Approved, Event, LineAdded, ManagerApproved};
use tillroll::domain::id::DeviceId;
use tillroll::domain::money::{Currency, Money};
use tillroll::domain::pin::{Pin, PinTries};
use tillroll::domain::rules::Rules;
use tillroll::runtime::actors::pin::approve;
use tillroll::runtime::actors::store::{StoreHandle, spawn};
use tillroll::runtime::clock::Clock;
use tillroll::store::{FeedApplied, Store};
use uuid::Uuid;

fn pin(digits: &str) -> Pin {
    let mut pin = Pin::EMPTY;
    digits.chars().for_each(|digit| pin.push(digit));
    pin
}

fn what() -> ManagerApproved {
    let ids = ids();
    ManagerApproved {
        job: ids.job,
        visit: ids.visit,
        payment: None,
        refund: None,
        what: Approved::UnlinkedRefund,
        amount: Money::new(1_500, Currency::EUR),
        why: "wrong part".into(),
        pin: String::new(),
        wrong_tries: 0,
    }
}

/// The office sets this PIN; a small memory cost, as the check takes what the record says.
fn set(store: &mut Store, digits: &str) {
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
    let record = hasher.hash_password(digits.as_bytes()).unwrap().to_string();
    let rules = Rules { manager_pin: Some(record), ..Rules::NONE };
    let body = Some(serde_json::to_value(&rules).unwrap());
    let entry = FeedApplied { kind: "rules".into(), id: "rules".into(), body };
    store.apply_feed(&[entry], &BTreeMap::new(), Uuid::from_u128(7), 1).unwrap();
}

fn handle(dir: &Path) -> StoreHandle {
    let store = Store::open(&dir.join("device.sqlite"), Currency::EUR).unwrap();
    spawn(store, Clock::new("T-1")).unwrap().0
}

async fn tries(store: &StoreHandle) -> PinTries {
    store.run(|store| store.meta("pin_tries")).await.unwrap().unwrap_or_default()
}

async fn rows(store: &StoreHandle) -> Vec<ManagerApproved> {
    let rows = store.run(|store| store.rows(1, 100)).await.unwrap();
    let read = |row: &tillroll::domain::journal::Row| match Event::decode(&row.kind, row.v, &row.body) {
        Ok(Event::ManagerApproved(row)) => Some(row),
        _ => None,
    };
    rows.iter().filter_map(read).collect()
}

/// The pause is over.
async fn later(store: &StoreHandle) {
    let before = tries(store).await;
    let past = PinTries { last_ms: 0, ..before };
    store.run(move |store| store.set_meta("pin_tries", &past)).await.unwrap();
}

#[tokio::test]
async fn tries_are_counted_across_restarts_and_what_was_allowed_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store_of(dir.path(), DeviceId(Uuid::from_u128(9)), "D07", "");
    set(&mut store, "135790");
    drop(store);
    let store = handle(dir.path());
    for left in [9, 8, 7] {
        let why = approve(&store, pin("000000"), what()).await.unwrap_err();
        assert_eq!(why, format!("that is not the manager's PIN: {left} tries are left"));
    }
    store.stop().await;
    let store = handle(dir.path());
    let why = approve(&store, pin("135790"), what()).await.unwrap_err();
    assert!(why.starts_with("too many wrong tries: wait "), "{why}");
    assert_eq!(rows(&store).await, []);
    later(&store).await;
    approve(&store, pin("135790"), what()).await.unwrap();
    let written = rows(&store).await;
    assert_eq!((written.len(), written[0].wrong_tries, written[0].pin.len()), (1, 3, 8));
    assert_eq!((written[0].amount, written[0].why.as_str()), (what().amount, "wrong part"));
    assert_eq!(tries(&store).await.wrong, 0);
    store.stop().await;
    let bytes = std::fs::read(dir.path().join("device.sqlite")).unwrap();
    assert!(!bytes.windows(6).any(|six| six == b"135790"), "the PIN is on the disk");
}

#[tokio::test]
async fn ten_wrong_tries_end_it_until_the_office_sets_another_pin() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store_of(dir.path(), DeviceId(Uuid::from_u128(9)), "D07", "");
    set(&mut store, "135790");
    drop(store);
    let store = handle(dir.path());
    for _ in 0..9 {
        assert!(approve(&store, pin("000000"), what()).await.unwrap_err().contains("left"));
        later(&store).await;
    }
    let locked = "this PIN was wrong 10 times: the office sets another one";
    assert_eq!(approve(&store, pin("000000"), what()).await.unwrap_err(), locked);
    later(&store).await;
    assert_eq!(approve(&store, pin("135790"), what()).await.unwrap_err(), locked, "even the right one");
    store
        .run(|store| {
            set(store, "975310");
            Ok(())
        })
        .await
        .unwrap();
    approve(&store, pin("975310"), what()).await.unwrap();
    assert_eq!(rows(&store).await.len(), 1);
}

#[tokio::test]
async fn without_a_pin_of_the_office_nobody_is_a_manager() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store_of(dir.path(), DeviceId(Uuid::from_u128(9)), "D07", "");
    let line = Event::LineAdded(LineAdded { job: ids().job, visit: ids().visit, line: part(20) });
    store.commit(&line, &stamp(), None).unwrap();
    drop(store);
    let store = handle(dir.path());
    let why = approve(&store, pin("135790"), what()).await.unwrap_err();
    assert!(why.starts_with("the office has set no manager's PIN"), "{why}");
    assert_eq!(tries(&store).await, PinTries::default());
}
