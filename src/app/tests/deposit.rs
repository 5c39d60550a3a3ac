//! Money paid ahead on the screens: what is asked for, what is written, and how it looks.
//!
//! Invariant: while a deposit is collected nothing is taken for the invoice, and the other way round.

use super::looks::{SIZES, check};
use super::sample::*;
use crate::app::command::{CommandId, available};
use crate::app::effect::Effect;
use crate::app::model::Screen;
use crate::app::msg::Msg;
use crate::app::screens::entry;
use crate::domain::decision::CollectAgain;
use crate::domain::deposit::{Deposit, DepositUse, For};
use crate::domain::event::{DepositUsed, Event as Row};
use crate::domain::id::InvoiceId;
use crate::domain::invoice::{Invoice, PaidSums};
use crate::domain::money::Money;
use crate::domain::payment::{Extras, Payment, PaymentState, Tender};
use crate::domain::read::{Bill, JobDetail};
use crate::domain::refund::RefundKind;
use crate::flow::payment::Effect as Step;
use uuid::Uuid;

const AHEAD: u128 = 450;
const DAY_MS: i64 = 24 * HOUR_MS;

fn document(minor: i64) -> Invoice {
    let row = job(false, Vec::new()).row;
    let whose = For { job: row.job, visit: row.visit, customer: row.customer };
    let number = "D07-000398".parse().unwrap();
    Invoice::for_deposit(InvoiceId(Uuid::from_u128(AHEAD)), number, whose, eur(minor), NOW_MS - 12 * DAY_MS)
}

fn paid(minor: i64) -> PaidSums {
    PaidSums { approved_minor: minor, pending_minor: 0 }
}

/// The sample job with a deposit of which so much was paid, and perhaps its invoice.
fn with_deposit(invoiced: bool, total: i64, sums: PaidSums, payments: Vec<Payment>) -> JobDetail {
    let used: i64 = payments.iter().filter(|p| p.tender == Tender::Deposit).map(|p| p.approved_minor).sum();
    let invoice = document(total);
    let invoice = Invoice { deposit: Some(DepositUse { used_minor: used, ..DepositUse::NONE }), ..invoice };
    let uses = payments.iter().filter(|p| p.tender == Tender::Deposit).map(|p| (p.id, p.approved_minor)).collect();
    let deposit = Deposit::of(&invoice, sums, uses).unwrap().unwrap();
    let mut detail = job(invoiced, payments);
    detail.bills.insert(0, Bill { invoice, sums });
    detail.deposits = vec![deposit];
    detail
}

/// A payment of the invoice out of the deposit.
fn use_of(minor: i64) -> Payment {
    let deposit = Some(InvoiceId(Uuid::from_u128(AHEAD)));
    let reference = Some("D07-000398".to_owned());
    let approved_minor = minor;
    Payment { tender: Tender::Deposit, deposit, reference, approved_minor, ..payment(9, minor, PaymentState::Recorded) }
}

/// On the deposit's ways to pay.
fn collecting(columns: u16, rows: u16) -> Till {
    let mut till = Till::on_job(columns, rows, job(false, Vec::new()));
    till.keys("T2000");
    let effects = till.keys("⏎");
    let [Effect::IssueDeposit { op, id, amount, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(*amount, eur(2_000));
    let mut detail = with_deposit(false, 2_000, PaidSums::NONE, Vec::new());
    detail.bills[0].invoice.id = *id;
    detail.deposits[0].id = *id;
    till.send(Msg::Invoiced { op: *op, outcome: Ok(Box::new(detail)) });
    till
}

fn written(effects: &[Effect]) -> Option<Row> {
    effects.iter().find_map(|effect| match effect {
        Effect::Commit { event, .. } => Some(event.clone()),
        Effect::StoreIntent { effect: Step::Commit(row), .. } => Some(row.clone()),
        _ => None,
    })
}

#[test]
fn a_deposit_is_paid_like_an_invoice_and_left_behind_with_its_screen() {
    let mut till = collecting(40, 15);
    assert_eq!(till.model.screen, Screen::Checkout);
    let front = till.model.job.as_ref().unwrap().invoice.clone().unwrap();
    assert!(front.is_deposit());
    assert!(!available(&till.model, CommandId::Tip), "no tip on what is no sale");
    let Some(Row::PaymentIntended(intent)) = written(&till.keys("C")) else { panic!() };
    assert_eq!((intent.invoice, intent.amount), (front.id, eur(2_000)));
    till.commit();
    // The job again: its invoice, of which there is none yet.
    let mut till = collecting(40, 15);
    till.keys("⎋");
    assert_eq!((till.model.screen, till.model.document), (Screen::Job, None));
    assert_eq!(till.model.job.as_ref().unwrap().invoice, None);
    // T goes on with the one that is not paid; a second document is not begun.
    let effects = till.keys("T");
    assert_eq!((till.model.screen, kinds(&effects)), (Screen::Checkout, vec![]));
    assert_eq!(till.model.job.as_ref().unwrap().invoice.as_ref().unwrap().id, front.id);
    let Some(Row::CashRecorded(cash)) = written(&till.keys("AQ⏎")) else { panic!() };
    assert_eq!((cash.invoice, cash.amount), (front.id, eur(2_000)));
}

#[test]
fn a_deposit_that_nobody_paid_is_taken_back_after_a_question() {
    let mut till = collecting(40, 15);
    assert_eq!(written(&till.keys("O⏎")), None, "Enter answers nothing");
    let Some(Row::InvoiceCancelled(row)) = written(&till.keys("Y")) else { panic!() };
    assert_eq!(till.model.screen, Screen::Job);
    assert_ne!(row.invoice, InvoiceId(Uuid::from_u128(400)), "never the invoice");
    let mut till = Till::on_job(40, 15, job(true, Vec::new()));
    till.keys("C");
    assert!(!available(&till.model, CommandId::DropDeposit), "an invoice is reopened on the job");
}

#[test]
fn a_deposit_that_the_office_asks_for_again_is_collected_beside_its_invoice() {
    let mut gone = payment(5, 2_000, PaymentState::Expired);
    gone.invoice = InvoiceId(Uuid::from_u128(AHEAD));
    let again = CollectAgain { payment: gone.id, job: gone.job, visit: gone.visit, reason: "expired".into(), at_ms: 0 };
    let mut detail = with_deposit(true, 2_000, PaidSums::NONE, vec![use_of(2_000), gone.clone()]);
    assert!(!available(&Till::on_job(40, 15, detail.clone()).model, CommandId::Deposit), "nobody asks");
    detail.collect_again = Some(again);
    let mut till = Till::on_job(40, 15, detail);
    assert!(till.frame().contains("COLLECT THE DEPOSIT AGAIN: T"), "{}", till.frame());
    till.keys("T");
    let Some(Row::CashRecorded(cash)) = written(&till.keys("AQ⏎")) else { panic!("{}", till.frame()) };
    assert_eq!((cash.invoice, cash.amount, cash.linked_to), (gone.invoice, eur(2_000), Some(gone.id)));
}

#[test]
fn the_receipt_of_a_deposit_is_there_as_long_as_its_job() {
    let shown = |detail: JobDetail| {
        let mut till = Till::on_job(40, 15, detail);
        let effects = till.keys("G");
        let of = effects.iter().find_map(|effect| match effect {
            Effect::RenderReceipt { of, .. } => Some(of.document),
            _ => None,
        });
        // Back on the job it is about its invoice again.
        till.keys("N");
        (of, till.model.document)
    };
    let deposit = Some(Some(InvoiceId(Uuid::from_u128(AHEAD))));
    assert_eq!(shown(with_deposit(false, 2_000, paid(2_000), Vec::new())), (deposit, None));
    assert_eq!(shown(with_deposit(true, 2_000, paid(2_000), vec![use_of(2_000)])), (deposit, None));
    let pending = PaidSums { approved_minor: 0, pending_minor: 2_000 };
    assert_eq!(shown(with_deposit(false, 2_000, pending, Vec::new())), (deposit, None));
    assert_eq!(shown(with_deposit(false, 2_000, PaidSums::NONE, Vec::new())).0, None, "nobody has paid it");
    assert_eq!(shown(job(true, Vec::new())).0, None);
}

#[test]
fn amounts_that_are_no_deposit_are_refused_at_the_field() {
    for (digits, says) in [("", "Type an amount."), ("10000001", "A deposit is at most EUR 100,000.00")] {
        let mut till = Till::on_job(40, 15, job(false, Vec::new()));
        till.keys("T");
        till.keys(digits);
        assert_eq!(till.keys("⏎"), [], "{digits}");
        let problem = till.model.entry.problem.clone().unwrap();
        assert!(problem.replace(',', "").starts_with(&says.replace(',', "")), "{problem}");
    }
    assert!(!available(&Till::on_job(40, 15, job(true, Vec::new())).model, CommandId::Deposit), "there is an invoice");
}

#[test]
fn what_is_left_pays_no_more_than_is_open_and_asks_beside_an_unknown_payment() {
    let uses = |total: i64, payments: Vec<Payment>, keys: &str| -> Option<DepositUsed> {
        let mut till = Till::on_job(40, 15, with_deposit(true, total, paid(total), payments));
        till.keys("C");
        match written(&till.keys(keys)) {
            Some(Row::DepositUsed(row)) => Some(row),
            _ => None,
        }
    };
    assert_eq!(uses(2_000, Vec::new(), "D").map(|row| row.amount), Some(eur(2_000)));
    assert_eq!(uses(90_000, Vec::new(), "D").map(|row| row.amount), Some(eur(12_000)), "all of the invoice");
    assert_eq!(uses(2_000, vec![use_of(2_000)], "D"), None, "nothing is left");
    let unknown = payment(1, 12_000, PaymentState::Unknown);
    assert_eq!(uses(2_000, vec![unknown.clone()], "D"), None, "asks first");
    let linked = uses(2_000, vec![unknown.clone()], "DY").and_then(|row| row.linked_to);
    assert_eq!(linked, Some(unknown.id));
}

#[test]
fn what_goes_back_of_a_deposit_is_no_credit_and_no_more_than_is_left() {
    let mut cash = Payment { tender: Tender::Cash, card: None, ..payment(2, 5_000, PaymentState::Recorded) };
    (cash.invoice, cash.approved_minor) = (InvoiceId(Uuid::from_u128(AHEAD)), 5_000);
    let mut detail = with_deposit(true, 5_000, paid(5_000), vec![use_of(2_000), cash]);
    detail.deposits[0].left_minor = 3_000;
    let mut till = Till::on_job(40, 15, detail);
    till.keys("F3001⏎");
    assert!(till.model.entry.problem.as_ref().unwrap().contains("EUR 30.00 of this deposit is left"));
    till.keys("⌫⌫⌫⌫3000⏎not needed⏎");
    assert!(!available(&till.model, CommandId::OwesLess));
    let Some(Row::CashRefunded(row)) = written(&till.keys("O")) else { panic!("{}", till.frame()) };
    assert_eq!((row.amount, row.what), (eur(3_000), RefundKind::Reopen));
}

/// 20.00 and 3 % on it: whoever wants a deposit back gets what he paid.
#[test]
fn a_deposit_goes_back_with_its_surcharge_and_its_rounding() {
    for (extra, all, half) in [(60, 2_060, 1_030), (-2, 1_998, 999), (2, 2_002, 1_001)] {
        let extras = Extras { surcharge_minor: extra, ..Extras::NONE };
        let mut card = Payment { extras, ..payment(2, 2_000 + extra, PaymentState::Approved) };
        (card.invoice, card.approved_minor) = (InvoiceId(Uuid::from_u128(AHEAD)), 2_000 + extra);
        for (left, most) in [(2_000, all), (1_000, half)] {
            let mut detail = with_deposit(false, 2_000, paid(2_000), vec![card.clone()]);
            detail.deposits[0].left_minor = left;
            let mut till = Till::on_job(40, 15, detail);
            till.keys("F1");
            assert_eq!(entry::most(&till.model), Some(eur(most)), "{extra} and {left}");
        }
    }
}

#[test]
fn looks() {
    check("deposit_entry", &SIZES, |c, r| {
        let mut till = Till::on_job(c, r, job(false, Vec::new()));
        till.keys("T2000");
        till
    });
    check("deposit_collect", &SIZES, collecting);
    check("deposit_job", &SIZES, |c, r| {
        let mut till = Till::on_job(c, r, with_deposit(false, 2_000, paid(2_000), Vec::new()));
        till.keys("↓↓↓↓");
        till
    });
    check("deposit_used", &SIZES, |c, r| {
        let mut till = Till::on_job(c, r, with_deposit(true, 2_000, paid(2_000), vec![use_of(2_000)]));
        till.keys("C");
        till
    });
    check("deposit_left", &SIZES, |c, r| {
        let mut till = Till::on_job(c, r, with_deposit(true, 2_000, paid(2_000), Vec::new()));
        till.keys("C");
        till
    });
    check("deposit_today", &SIZES[1..2], |c, r| {
        let mut till = Till::new(c, r);
        let mut rows = day();
        rows[3].deposit = Some(eur(2_000));
        till.send(Msg::Today(rows));
        till.keys("↓↓↓");
        till
    });
}

#[test]
fn a_deposit_beside_the_sum_of_two_currencies_is_not_offered() {
    let mut detail = with_deposit(true, 2_000, paid(2_000), Vec::new());
    detail.deposits[0].total = Money::new(2_000, "USD".parse().unwrap());
    assert!(detail.usable_deposit().is_none());
}
