//! Each promise of the ledger, kept over a close and a second opening, and each constraint hit with raw SQL.

use std::path::PathBuf;

use super::*;
use crate::processor::answer::Behaviour;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn path(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("ledger.sqlite")
}

fn order(key: &str, ksn: u8) -> Order {
    Order {
        key: key.to_owned(),
        content_sha256: Sha256::digest(key).into(),
        stan: "000001".to_owned(),
        rrn: "000000000001".to_owned(),
        terminal: "D07".to_owned(),
        amount_minor: 1_235,
        currency: "EUR".to_owned(),
        deferred: false,
        allow_partial: true,
        ksn: format!("FFFF98765432100000{ksn:02X}"),
        ciphertext_sha256: [ksn; 32],
        keep_card: false,
    }
}

fn card(behaviour: Behaviour) -> CardFacts {
    CardFacts {
        read: CardRead::Read { behaviour: Some(behaviour), amount_agrees: true },
        name: Some("a-card"),
        brand: Some("visa"),
        last4: Some("0010".to_owned()),
    }
}

#[track_caller]
fn fresh(authorised: Authorised) -> Entry {
    match authorised {
        Authorised::Fresh(entry, _) => entry,
        other => panic!("expected a fresh answer, got {other:?}"),
    }
}

#[test]
fn a_repeat_replays_even_after_a_restart() {
    let folder = folder();
    let mut ledger = Ledger::open(&path(&folder)).unwrap();
    let first = fresh(ledger.authorise(&order("k1", 1), &card(Behaviour::Approves)).unwrap());
    assert_eq!((first.code, first.approved_minor), (ResponseCode::Approved, 1_235));
    drop(ledger);

    let mut ledger = Ledger::open(&path(&folder)).unwrap();
    let again = ledger.authorise(&order("k1", 1), &card(Behaviour::Approves)).unwrap();
    assert!(matches!(again, Authorised::Replayed(entry) if entry == first));
    let other = Order { content_sha256: [9; 32], ..order("k1", 1) };
    assert!(matches!(ledger.authorise(&other, &card(Behaviour::Approves)).unwrap(), Authorised::OtherContent));
    assert_eq!(ledger.book().unwrap().entries, [first]);
}

#[test]
fn poor_counts_by_card_session_and_not_by_key() {
    let folder = folder();
    let mut ledger = Ledger::open(&path(&folder)).unwrap();
    let poor = card(Behaviour::PoorTwice);
    let mut codes = Vec::new();
    for (key, ksn) in [("a1", 1), ("a1", 1), ("b1", 2), ("a2", 1), ("a3", 1), ("b2", 2), ("b3", 2)] {
        match ledger.authorise(&order(key, ksn), &poor).unwrap() {
            Authorised::Fresh(entry, _) => codes.push((key, entry.code.digits())),
            Authorised::Replayed(entry) => codes.push(("again", entry.code.digits())),
            Authorised::OtherContent => panic!("same content"),
        }
    }
    let expect = [("a1", "51"), ("again", "51"), ("b1", "51"), ("a2", "51"), ("a3", "00"), ("b2", "51"), ("b3", "00")];
    assert_eq!(codes, expect);
}

#[test]
fn one_ksn_has_one_cipher_text() {
    let folder = folder();
    let mut ledger = Ledger::open(&path(&folder)).unwrap();
    let unreadable = CardFacts { read: CardRead::Unreadable, name: None, brand: None, last4: None };
    // What cannot be read does not claim the KSN.
    let forged = |key: &str| Order { ciphertext_sha256: [7; 32], ..order(key, 1) };
    let code = |authorised| fresh(authorised).code.digits();
    assert_eq!(code(ledger.authorise(&forged("k0"), &unreadable).unwrap()), "30");
    assert_eq!(code(ledger.authorise(&order("k1", 1), &card(Behaviour::Approves)).unwrap()), "00");
    assert_eq!(code(ledger.authorise(&forged("k2"), &card(Behaviour::Approves)).unwrap()), "63");
    assert_eq!(code(ledger.authorise(&forged("k3"), &unreadable).unwrap()), "63");
    assert_eq!(code(ledger.authorise(&order("k4", 1), &card(Behaviour::Approves)).unwrap()), "00");
}

#[test]
fn capture_and_reversal_exclude_each_other() {
    let folder = folder();
    let mut ledger = Ledger::open(&path(&folder)).unwrap();
    for key in ["captured", "reversed", "declined"] {
        let behaviour = if key == "declined" { Behaviour::Declines } else { Behaviour::Approves };
        ledger.authorise(&order(key, 1), &card(behaviour)).unwrap();
    }
    assert_eq!(ledger.capture("nobody", 1).unwrap(), Captured::UnknownKey);
    assert_eq!(ledger.capture("declined", 1).unwrap(), Captured::Declined);
    assert_eq!(ledger.capture("captured", 1_236).unwrap(), Captured::TooMuch { approved_minor: 1_235 });
    assert_eq!(ledger.capture("captured", 1_200).unwrap(), Captured::Done);
    assert_eq!(ledger.capture("captured", 1_200).unwrap(), Captured::Done);
    assert_eq!(ledger.capture("captured", 1_201).unwrap(), Captured::Otherwise { captured_minor: 1_200 });
    assert_eq!(ledger.captured_net_minor().unwrap()["EUR"], 1_200);

    let undone = Reversal { found: true, refunded_minor: None };
    assert_eq!(ledger.reverse("reversed").unwrap(), undone);
    assert_eq!(ledger.reverse("reversed").unwrap(), undone);
    assert_eq!(ledger.capture("reversed", 1).unwrap(), Captured::Reversed);
    assert_eq!(ledger.reverse("declined").unwrap(), undone);

    let refunded = Reversal { found: true, refunded_minor: Some(1_200) };
    assert_eq!(ledger.reverse("captured").unwrap(), refunded);
    assert_eq!(ledger.reverse("captured").unwrap(), refunded);
    assert_eq!(ledger.capture("captured", 1_200).unwrap(), Captured::Reversed);
    assert_eq!(ledger.captured_net_minor().unwrap()["EUR"], 0);
    let (entry, reversed) = ledger.lookup("captured").unwrap();
    assert_eq!(
        (entry.unwrap().ending, reversed),
        (Ending::Captured { captured_minor: 1_200, refunded_minor: 1_200 }, true)
    );
}

#[test]
fn parts_go_back_once_each_and_never_more_than_was_captured() {
    let folder = folder();
    let mut ledger = Ledger::open(&path(&folder)).unwrap();
    ledger.authorise(&order("k", 1), &card(Behaviour::Approves)).unwrap();
    assert_eq!(ledger.refund("r1", "nobody", 1).unwrap(), GivenBack::UnknownKey);
    assert_eq!(ledger.refund("r1", "k", 1).unwrap(), GivenBack::TooMuch { left_minor: 0 });
    ledger.capture("k", 1_000).unwrap();
    for _ in 0..2 {
        assert_eq!(ledger.refund("r1", "k", 400).unwrap(), GivenBack::Done);
    }
    assert_eq!(ledger.refund("r1", "k", 401).unwrap(), GivenBack::OtherContent);
    assert_eq!(ledger.refund("r2", "k", 601).unwrap(), GivenBack::TooMuch { left_minor: 600 });
    assert_eq!(ledger.refund("r2", "k", 100).unwrap(), GivenBack::Done);
    assert_eq!(ledger.captured_net_minor().unwrap()["EUR"], 500);
    assert!(!ledger.lookup("k").unwrap().1);
    assert_eq!(ledger.reverse("k").unwrap(), Reversal { found: true, refunded_minor: Some(1_000) });
    assert_eq!(ledger.captured_net_minor().unwrap()["EUR"], 0);
    let counts = ledger.book().unwrap().counts;
    assert_eq!((counts.captures, counts.captured_minor, counts.refunds, counts.refunded_minor), (1, 1_000, 3, 1_000));
}

#[test]
fn a_reversal_waits_for_its_authorisation() {
    let folder = folder();
    let mut ledger = Ledger::open(&path(&folder)).unwrap();
    let early = Reversal { found: false, refunded_minor: None };
    assert_eq!(ledger.reverse("late").unwrap(), early);
    assert_eq!(ledger.reverse("late").unwrap(), early);
    assert_eq!(ledger.lookup("late").unwrap(), (None, true));
    assert_eq!(ledger.capture("late", 1).unwrap(), Captured::Reversed);
    let entry = fresh(ledger.authorise(&order("late", 1), &card(Behaviour::Approves)).unwrap());
    assert_eq!((entry.code, entry.approved_minor), (ResponseCode::InvalidTransaction, 0));
    assert_eq!(ledger.reverse("late").unwrap(), Reversal { found: true, refunded_minor: None });
    assert!(ledger.captured_net_minor().unwrap().is_empty());
}

#[test]
fn the_database_itself_refuses_what_must_not_be() {
    let folder = folder();
    let mut ledger = Ledger::open(&path(&folder)).unwrap();
    ledger.authorise(&order("k", 1), &card(Behaviour::Approves)).unwrap();
    ledger.authorise(&order("c", 1), &card(Behaviour::Approves)).unwrap();
    ledger.capture("c", 1_000).unwrap();
    ledger.reverse("early").unwrap();
    for forbidden in [
        "INSERT INTO endings VALUES ('k', 'captured', 1236, 0)",
        "INSERT INTO endings VALUES ('nobody', 'captured', 1, 0)",
        "INSERT INTO endings VALUES ('k', 'captured', 0, 0)",
        "INSERT INTO endings VALUES ('c', 'reversed', 0, 0)",
        "INSERT INTO refunds VALUES ('r', 'c', 1001, 0)",
        "INSERT INTO refunds VALUES ('r', 'k', 1, 0)",
        "INSERT INTO refunds VALUES ('r', 'c', 0, 0)",
        "UPDATE authorisations SET approved_minor = 1",
        "DELETE FROM authorisations",
        "UPDATE endings SET amount_minor = 1",
        "DELETE FROM endings",
        "INSERT INTO authorisations SELECT 99, 'early', content_sha256, 0, stan, rrn, terminal, amount_minor, currency,
             deferred, allow_partial, session_ksn, card, brand, last4, response_code, approved_minor, auth_code
         FROM authorisations WHERE key = 'k'",
        "INSERT INTO authorisations SELECT 99, 'x', content_sha256, 0, stan, rrn, terminal, amount_minor, currency,
             1, 1, session_ksn, card, brand, last4, '10', 5, auth_code FROM authorisations WHERE key = 'k'",
    ] {
        assert!(ledger.connection.execute(forbidden, []).is_err(), "{forbidden}");
    }
    assert_eq!(ledger.captured_net_minor().unwrap()["EUR"], 1_000);
}

#[test]
fn a_file_that_is_not_ours_is_left_alone() {
    let folder = folder();
    let path = path(&folder);
    let unchanged = |expect: &str| {
        let before = std::fs::read(&path).unwrap();
        let error = Ledger::open(&path).unwrap_err();
        assert!(error.is_permanent());
        assert!(error.to_string().contains(expect), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before, "{expect}");
    };
    std::fs::write(&path, "a letter to the bank, longer than the head of a database file, and nothing else at all")
        .unwrap();
    unchanged("is damaged");

    std::fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE recipes (n INTEGER)").unwrap();
    unchanged("is not a processor's ledger");

    std::fs::remove_file(&path).unwrap();
    drop(Ledger::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    unchanged("schema 99, known here: 1");

    Connection::open(&path).unwrap().pragma_update(None, "user_version", 1).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    for byte in bytes.iter_mut().skip(4096).take(4096) {
        *byte = 0x5A;
    }
    std::fs::write(&path, bytes).unwrap();
    unchanged("is damaged");
}

#[test]
fn a_missing_folder_is_one_sentence_with_the_way_out() {
    let error = Ledger::open(&folder().path().join("no/such/ledger.sqlite")).unwrap_err();
    assert!(!error.is_permanent());
    assert!(error.to_string().contains("check that its folder exists"), "{error}");
}

#[test]
fn every_commit_is_synced() {
    let folder = folder();
    let ledger = Ledger::open(&path(&folder)).unwrap();
    let synchronous: i64 = ledger.connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap();
    let mode: String = ledger.connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!((synchronous, mode.as_str()), (2, "wal"));
}
