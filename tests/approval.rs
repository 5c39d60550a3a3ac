//! One approval changes payment, invoice, balance, ledger, stock and job together, or nothing.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
#[path = "common/reads.rs"]
mod reads;

use common::{ids, part, stamp, store_of};
use reads::card_read;
use rusqlite::Connection;
use std::path::Path;
use tillroll::domain::event::{Event, LineAdded, PaymentIntended, PaymentOutcomeSeen, PaymentRequested};
use tillroll::domain::id::DeviceId;
use tillroll::domain::invoice::InvoiceState;
use tillroll::domain::job::MoneyState;
use tillroll::domain::ledger::Account;
use tillroll::domain::outcome::{Outcome, OutcomeState};
use tillroll::domain::payment::PaymentState;
use tillroll::store::Store;

/// A store whose one payment waits for the bank.
fn waiting(dir: &Path) -> Store {
    let mut store = store_of(dir, DeviceId(uuid::Uuid::from_u128(9)), "D07", "");
    let ids = ids();
    let (job, visit) = (ids.job, ids.visit);
    let write = |store: &mut Store, event: Event| store.commit(&event, &stamp(), None).unwrap();
    write(&mut store, Event::LineAdded(LineAdded { job, visit, line: part(20) }));
    let invoice = store.issue_invoice(job, visit, ids.invoice, &stamp()).unwrap();
    let amount = invoice.totals.total();
    let intended = PaymentIntended {
        extras: tillroll::domain::payment::Extras::NONE,
        payment: ids.payment,
        invoice: invoice.id,
        document: invoice.document,
        job,
        visit,
        amount,
        linked_to: None,
        keep: None,
    };
    write(&mut store, Event::PaymentIntended(intended));
    write(&mut store, Event::PaymentCardRead(card_read(ids.payment, job, visit, "aa")));
    let requested = PaymentRequested { payment: ids.payment, job, visit, amount, blob: "aa".into() };
    write(&mut store, Event::PaymentRequested(requested));
    store
}

fn approval() -> Event {
    let ids = ids();
    let outcome = Outcome {
        payment: ids.payment,
        state: OutcomeState::Approved,
        amount_minor: 3_450,
        auth_code: Some("123456".into()),
        response_code: Some("00".into()),
        reason: None,
        at_ms: 1,
        n: 1,
    };
    Event::PaymentOutcomeSeen(PaymentOutcomeSeen { payment: ids.payment, job: ids.job, visit: ids.visit, outcome })
}

/// Every row of every table, as text.
fn dump(dir: &Path) -> String {
    let db = Connection::open(dir.join("device.sqlite")).unwrap();
    let tables: Vec<String> = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .unwrap()
        .query_map([], |r| r.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut all = String::new();
    for table in tables {
        let mut statement = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells: Vec<String> = (0..columns).map(|i| format!("{:?}", row.get_ref(i).unwrap())).collect();
            all.push_str(&format!("{table}: {}\n", cells.join(" | ")));
        }
    }
    all
}

#[test]
fn an_approval_changes_everything_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = waiting(dir.path());
    let ids = ids();
    let before = store.job_detail(ids.job).unwrap();
    assert_eq!((before.row.money, before.customer_balance.minor), (MoneyState::Due, 3_450));
    assert_eq!(store.balance(Account::CardClearing).unwrap(), 0);

    let rows_before = store.sync_status().unwrap().head_seq;
    store.commit(&approval(), &stamp(), None).unwrap();

    let after = store.job_detail(ids.job).unwrap();
    assert_eq!(store.sync_status().unwrap().head_seq, rows_before + 1, "one row of the journal");
    assert_eq!(after.payments[0].payment.state, PaymentState::Approved);
    assert_eq!(after.payments[0].payment.auth_code.as_deref(), Some("123456"));
    assert_eq!(after.invoice.as_ref().unwrap().state, InvoiceState::Paid);
    assert_eq!(after.row.money, MoneyState::Paid, "the job");
    assert_eq!(after.customer_balance.minor, 0, "the customer");
    assert_eq!(store.balance(Account::CardClearing).unwrap(), 3_450, "the ledger");
    let all = dump(dir.path());
    assert!(all.contains("stock_move: Text(") && all.matches("stock_move:").count() == 2, "the stock: {all}");
    assert_eq!(store.verify().unwrap().violations, Vec::<String>::new());
}

#[test]
fn a_failure_at_any_step_of_an_approval_leaves_nothing() {
    for table in ["journal", "payment", "invoice", "visit_work", "ledger_entry", "ledger_posting", "stock_move"] {
        let dir = tempfile::tempdir().unwrap();
        let mut store = waiting(dir.path());
        let other = Connection::open(dir.path().join("device.sqlite")).unwrap();
        for verb in ["INSERT", "UPDATE"] {
            let sql =
                format!("CREATE TRIGGER fail_{verb} AFTER {verb} ON {table} BEGIN SELECT RAISE(ABORT, 'planted'); END");
            other.execute_batch(&sql).unwrap();
        }
        let before = dump(dir.path());
        let error = store.commit(&approval(), &stamp(), None).unwrap_err();
        assert!(error.to_string().contains("planted"), "{table}: {error}");
        assert_eq!(dump(dir.path()), before, "{table}");
        other.execute_batch("DROP TRIGGER fail_INSERT; DROP TRIGGER fail_UPDATE").unwrap();
        store.commit(&approval(), &stamp(), None).unwrap();
        assert_eq!(store.verify().unwrap().violations, Vec::<String>::new(), "{table}");
    }
}

#[test]
fn the_same_outcome_twice_is_refused_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = waiting(dir.path());
    store.commit(&approval(), &stamp(), None).unwrap();
    let before = dump(dir.path());
    assert!(store.commit(&approval(), &stamp(), None).is_err());
    assert_eq!(dump(dir.path()), before);
}
