//! What was paid ahead, on the page of deposits, of payments and of the job.

use super::seed::{NOW_MS, Seed};
use super::{Office, has};
use tillroll::domain::deposit::For;
use tillroll::domain::event::{CashRecorded, DepositUsed, Event, InvoiceIssued, LineAdded, RefundRequested};
use tillroll::domain::fold::{RowRef, fold};
use tillroll::domain::id::{InvoiceId, ItemId, JobId, LineId, PaymentId, RefundId, RowId, VisitId};
use tillroll::domain::invoice::{Invoice, InvoiceState};
use tillroll::domain::line::{Line, LineKind, Quantity};
use tillroll::domain::money::{Currency, Money};
use tillroll::domain::payment::{Extras, Tender};
use tillroll::domain::refund::RefundKind;
use tillroll::domain::tax::default_rules;
use tillroll::domain::totals;
use tillroll::facts::{Origin, known, write};
use tillroll::office::payments::refunds;
use uuid::Uuid;

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

/// Applies a row as the office does.
fn apply(seed: &Seed, seq: u64, event: &Event) {
    let device: String = seed.db.query_row("SELECT id FROM device ORDER BY name LIMIT 1", [], |r| r.get(0)).unwrap();
    let row = RowRef { id: RowId(Uuid::from_u128(0xD0_0000 + u128::from(seq))), at_ms: NOW_MS };
    let changes = fold(event, &known(&seed.db, event).unwrap(), row).unwrap();
    write(&seed.db, &changes, Origin { device: &device, epoch: "e", seq, at_ms: NOW_MS }).unwrap();
}

fn cash(payment: u128, of: &Invoice, minor: i64) -> Event {
    Event::CashRecorded(CashRecorded {
        payment: PaymentId(Uuid::from_u128(payment)),
        invoice: of.id,
        document: of.document.clone(),
        job: of.job,
        visit: of.visit,
        amount: eur(minor),
        extras: Extras::NONE,
        tendered_minor: minor,
        change_minor: 0,
        linked_to: None,
    })
}

#[tokio::test]
async fn what_was_paid_ahead_is_listed_and_counted_once() {
    let seed = Seed::day();
    let sql = "SELECT j.id, j.visit, j.customer FROM job j LEFT JOIN invoice i ON i.job = j.id WHERE i.id IS NULL
                   AND NOT EXISTS (SELECT 1 FROM line l WHERE l.visit = j.visit) LIMIT 1";
    let texts: [String; 3] = seed.db.query_row(sql, [], |r| Ok([r.get(0)?, r.get(1)?, r.get(2)?])).unwrap();
    let (job, visit, customer): (JobId, VisitId, _) =
        (texts[0].parse().unwrap(), texts[1].parse().unwrap(), texts[2].parse().unwrap());
    let whose = For { job, visit, customer };
    let id = InvoiceId(Uuid::from_u128(0xD1));
    let deposit = Invoice::for_deposit(id, "D99-000001".parse().unwrap(), whose, eur(7_777), NOW_MS);
    apply(&seed, 901, &Event::InvoiceIssued(InvoiceIssued { invoice: deposit.clone() }));
    apply(&seed, 902, &cash(0xD2, &deposit, 7_777));
    let line = Line {
        id: LineId(Uuid::from_u128(0xD3)),
        kind: LineKind::Part,
        item: Some(ItemId(Uuid::from_u128(0xD4))),
        name: "Element".into(),
        quantity: Quantity::ONE,
        unit: "pc".into(),
        unit_price: eur(9_999),
        tax: default_rules().into_iter().next(),
        stock_tracked: false,
    };
    apply(&seed, 903, &Event::LineAdded(LineAdded { job, visit, line: line.clone() }));
    let invoice = Invoice {
        id: InvoiceId(Uuid::from_u128(0xD5)),
        document: "D99-000002".parse().unwrap(),
        totals: totals::totals(std::slice::from_ref(&line), Currency::EUR, totals::Extras::NONE).unwrap(),
        lines: vec![line],
        deposit: None,
        state: InvoiceState::Issued,
        ..deposit.clone()
    };
    apply(&seed, 904, &Event::InvoiceIssued(InvoiceIssued { invoice: invoice.clone() }));
    let by_hand = "SELECT sum(approved_minor - refunded_minor) FROM payment WHERE state = 'recorded'";
    let taken: i64 = seed.db.query_row(by_hand, [], |r| r.get(0)).unwrap();
    apply(
        &seed,
        905,
        &Event::DepositUsed(DepositUsed {
            payment: PaymentId(Uuid::from_u128(0xD6)),
            deposit: deposit.id,
            deposit_document: deposit.document.clone(),
            invoice: invoice.id,
            document: invoice.document.clone(),
            job,
            visit,
            amount: eur(5_000),
            linked_to: None,
        }),
    );
    // A part of it is asked back: nobody hands over what the deposit gets.
    let asked = RefundRequested {
        refund: RefundId(Uuid::from_u128(0xD7)),
        payment: Some(PaymentId(Uuid::from_u128(0xD6))),
        job,
        visit,
        tender: Tender::Deposit,
        amount: eur(1_000),
        what: RefundKind::Reopen,
        reason: "another part".into(),
        manager: false,
    };
    apply(&seed, 906, &Event::RefundRequested(asked.clone()));
    refunds::asked(&seed.db, "d", &asked, NOW_MS).unwrap();
    let office = Office::of(seed);
    let session = office.log_in("dispatcher").await;
    let back = office.get(Some(&session), "/refunds").await;
    has(&back, &["Put EUR 10.00 back to the deposit"]);
    assert!(!back.body.contains("It was given back by hand"), "{}", back.body);
    let list = office.get(Some(&session), "/deposits").await;
    has(&list, &["D99-000001", "77.77", "50.00", "27.77", "all deposits"]);
    let payments = office.get(Some(&session), "/payments").await;
    has(&payments, &["paid ahead", "DEPOSIT USED", "/deposits", &eur(taken).plain()]);
    has(&office.get(Some(&session), "/payments?tender=deposit").await, &["D99-000002", "50.00"]);
    // The job: what its invoice owes without the deposit's own payment, and both payments.
    let page = office.get(Some(&session), &format!("/jobs/{job}")).await;
    has(&page, &["D99-000002", "Still open", "49.99", "paid ahead"]);
    let board = office.get(Some(&session), "/").await;
    has(&board, &["DUE"]);
}

#[tokio::test]
async fn without_deposits_the_page_says_how_to_take_one() {
    let office = Office::of(Seed::empty());
    let session = office.log_in("dispatcher").await;
    has(&office.get(Some(&session), "/deposits").await, &["Nothing is paid ahead"]);
}
