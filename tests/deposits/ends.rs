//! Deposits that are taken back, given back or short, on one handheld and on several.

use crate::common::ids;
use crate::rig::{Device, World};
use crate::stories::{use_it, world};
use crate::till::Till;
use tillroll::domain::decision::Action;
use tillroll::domain::deposit::For;
use tillroll::domain::event::{
    CashRecorded, Event, InvoiceCancelled, InvoiceIssued, PaymentOutcomeSeen, RefundRequested,
};
use tillroll::domain::id::{PaymentId, RefundId};
use tillroll::domain::invoice::{Invoice, InvoiceState};
use tillroll::domain::ledger::Account;
use tillroll::domain::money::{Currency, Money};
use tillroll::domain::outcome::{Outcome, OutcomeState};
use tillroll::domain::payment::{Extras, PaymentState, Tender};
use tillroll::domain::refund::RefundKind;
use tillroll::office::decide::{self, Decided};
use tillroll::office::payments::refunds::{self, Decision};
use tillroll::sync::wire::RowResult;

#[test]
fn what_is_being_taken_back_pays_no_invoice() {
    let mut till = Till::new();
    let deposit = till.deposit(2_000).unwrap();
    let card = till.card(&deposit, 2_000);
    till.outcome(card, OutcomeState::Approved);
    till.void(card).unwrap();
    assert_eq!(till.left(), 0, "nobody knows yet whether it is here or gone");
    let invoice = till.invoice();
    assert_eq!(till.open(), (3_450, InvoiceState::Issued));
    till.use_deposit(&deposit, &invoice, 1).unwrap_err();
    // The void came too late: the money is here, and may be used.
    till.outcome(card, OutcomeState::VoidFailed);
    assert_eq!(till.left(), 2_000);
    till.use_deposit(&deposit, &invoice, 2_000).unwrap();
    assert_eq!(till.books(), [(Account::Receivable, 1_450), (Account::CardClearing, 2_000)]);
    let mut till = Till::new();
    let deposit = till.deposit(2_000).unwrap();
    let card = till.card(&deposit, 2_000);
    till.outcome(card, OutcomeState::Approved);
    till.void(card).unwrap();
    till.outcome(card, OutcomeState::Voided);
    till.invoice();
    assert_eq!((till.left(), till.books()), (0, vec![(Account::Receivable, 3_450)]));
}

#[test]
fn a_deposit_that_paid_an_invoice_stays_when_its_own_payment_came_to_nothing() {
    let mut till = Till::new();
    let deposit = till.deposit(2_000).unwrap();
    let card = till.card(&deposit, 2_000);
    till.outcome(card, OutcomeState::Approved);
    till.invoice();
    till.outcome(card, OutcomeState::Expired);
    assert_eq!(till.cancel(&deposit).unwrap_err(), "the deposit has paid an invoice: take that entry back first");
    let used = till.uses()[0].0;
    till.correct(used).unwrap();
    assert_eq!(till.open(), (3_450, InvoiceState::Issued));
    till.cancel(&deposit).unwrap();
    assert_eq!(till.books(), [(Account::Receivable, 3_450)]);
    // What was taken back takes no money.
    till.cash(&deposit, 100).unwrap_err();
}

#[test]
fn what_the_office_gave_back_of_a_spent_deposit_is_written_down() {
    let mut till = Till::new();
    let deposit = till.deposit(2_000).unwrap();
    let card = till.card(&deposit, 2_000);
    till.outcome(card, OutcomeState::Approved);
    till.invoice();
    till.given_back(card, 2_000).unwrap();
    assert_eq!(till.payment(card).refunded_minor, 2_000);
    assert_eq!(till.left(), 0);
    assert_eq!(till.books(), [(Account::Receivable, 1_450), (Account::Deposits, 2_000)]);
    // Collected again, all is as it was, and nothing more can be used.
    let again = till.cash(&deposit, 2_000).unwrap();
    assert_eq!((till.left(), till.books()), (0, vec![(Account::Receivable, 1_450), (Account::Cash, 2_000)]));
    till.cash_back(again, 1).unwrap_err();
}

#[test]
fn deposits_in_two_currencies_are_no_one_sum() {
    let mut till = Till::new();
    let euro = till.deposit(2_000).unwrap();
    till.cash(&euro, 2_000).unwrap();
    let dollars = Money::new(500, "USD".parse::<Currency>().unwrap());
    let dollar = till.deposit_of(dollars).unwrap();
    till.cash_of(&dollar, dollars).unwrap();
    assert_eq!(till.detail().row.deposit, Some(crate::till::eur(2_000)), "the day's list is there, with the first");
    till.invoice();
    assert_eq!(till.open().0, 1_450);
}

#[test]
fn a_job_that_goes_to_somebody_else_stays_where_money_was_taken_for_it() {
    let mut till = Till::new();
    let (job, _) = till.bare_job();
    assert_eq!(till.today(), 2);
    till.gone(job);
    assert_eq!(till.today(), 1, "nothing was done there");
    let (job, visit) = till.bare_job();
    let deposit = till.deposit_for(job, visit, 2_000);
    till.cash(&deposit, 2_000).unwrap();
    till.gone(job);
    assert_eq!(till.today(), 2, "who took it can give it back");
}

fn cash(till: &mut Device, of: &Invoice, minor: i64) -> PaymentId {
    let payment = PaymentId(till.fresh());
    let amount = Money::new(minor, Currency::EUR);
    till.commit(&Event::CashRecorded(CashRecorded {
        payment,
        invoice: of.id,
        document: of.document.clone(),
        job: of.job,
        visit: of.visit,
        amount,
        extras: Extras::NONE,
        tendered_minor: minor,
        change_minor: 0,
        linked_to: None,
    }));
    payment
}

#[tokio::test]
async fn who_took_a_deposit_does_not_take_back_what_he_was_told_is_used() {
    let (world, mut first, mut second) = world().await;
    let paid = first.deposit(3_000);
    let taken = first.cash(&paid);
    first.push(&world);
    second.pull(&world);
    let invoice = second.work_at(1);
    use_it(&mut second, &invoice).unwrap();
    second.push(&world);
    first.pull(&world);
    let step = first.step(taken, "typed wrong");
    assert!(!first.may_commit(&Event::PaymentCorrected(step)), "the office would never take it");
    assert!(first.push(&world).iter().all(|row| *row == RowResult::Applied));
    world.sound(&[&first, &second]).await;
}

#[tokio::test]
async fn a_deposit_that_somebody_used_stays_when_its_payment_came_to_nothing() {
    let (world, mut first, mut second) = world().await;
    let paid = first.deposit(3_000);
    let card = first.intend(&paid, Extras::NONE, None);
    first.tap(card, "visa-tap");
    first.request(card);
    first.push(&world);
    world.work().await;
    first.pull(&world);
    first.push(&world);
    second.pull(&world);
    let invoice = second.work_at(1);
    use_it(&mut second, &invoice).unwrap();
    second.push(&world);
    world.work().await;
    first.pull(&world);
    // The bank's word is taken back after all.
    let (job, visit) = (paid.job, paid.visit);
    let word = Outcome {
        payment: card,
        state: OutcomeState::Expired,
        amount_minor: 0,
        auth_code: None,
        response_code: None,
        reason: None,
        at_ms: 0,
        n: 99,
    };
    first.commit(&Event::PaymentOutcomeSeen(PaymentOutcomeSeen { payment: card, job, visit, outcome: word }));
    let why = "not wanted".to_owned();
    let cancelled = Event::InvoiceCancelled(InvoiceCancelled { invoice: paid.id, job, visit, why });
    assert!(!first.may_commit(&cancelled));
    assert!(first.push(&world).iter().all(|row| *row == RowResult::Applied));
    assert_eq!(world.exceptions(), ["deposit_short"]);
}

#[tokio::test]
async fn a_deposit_taken_while_somebody_else_made_the_invoice_is_money_all_the_same() {
    let (world, mut first, mut second) = world().await;
    let paid = first.deposit(1_000);
    first.cash(&paid);
    let invoice = second.work();
    second.push(&world);
    let rows = first.push(&world);
    assert!(rows.iter().all(|row| *row == RowResult::Applied), "{rows:?}");
    assert_eq!(world.exceptions(), Vec::<String>::new());
    // And it can pay that invoice.
    second.pull(&world);
    use_it(&mut second, &invoice).unwrap();
    assert_eq!(second.open(&invoice).minor, 2_450);
    second.push(&world);
    world.sound(&[&first, &second]).await;
}

#[tokio::test]
async fn what_is_too_much_on_a_deposit_is_what_nobody_used() {
    let (world, mut first, _) = world().await;
    let paid = first.deposit(2_000);
    let card = first.intend(&paid, Extras::NONE, None);
    first.tap(card, "visa-tap");
    first.request(card);
    first.unknown(card);
    cash(&mut first, &paid, 2_000);
    first.accept(card);
    first.exchange(&world).await;
    if first.state(card) == PaymentState::Held {
        let id = open_one(&world, "held_excess");
        resolve(&world, &id, Action::Release);
        first.exchange(&world).await;
    }
    assert_eq!(first.state(card), PaymentState::Approved);
    assert_eq!(world.exceptions(), ["overpaid"]);
    let invoice = first.work();
    use_it(&mut first, &invoice).unwrap();
    assert_eq!(first.open(&invoice).minor, 0);
    first.push(&world);
    // 40.00 came in for 20.00; the invoice has taken 34.50 of it.
    assert_eq!(world.count("SELECT amount_minor FROM exception WHERE type = 'overpaid' AND state = 'open'"), 550);
    let id = open_one(&world, "overpaid");
    resolve(&world, &id, Action::Refund);
    first.exchange(&world).await;
    assert_eq!(first.payment(card).refunded_minor, 550);
    assert_eq!(world.exceptions(), Vec::<String>::new());
    world.sound(&[&first]).await;
}

fn open_one(world: &World, kind: &str) -> String {
    let sql = format!("SELECT id FROM exception WHERE type = '{kind}' AND state = 'open'");
    world.office.read(|db| db.query_row(&sql, [], |r| r.get(0))).unwrap()
}

fn resolve(world: &World, exception: &str, action: Action) {
    let decided = Decided { exception, action, by: "dina", reason: "as agreed", sure: true, amount: None, link: None };
    let now = world.now();
    world.office.write(|tx| decide::decide(tx, &decided, now)).unwrap();
    world.office.changed();
}

#[tokio::test]
async fn a_refund_of_what_a_deposit_paid_is_told_to_go_back_to_the_deposit() {
    let (world, mut first, _) = world().await;
    let paid = first.deposit(2_000);
    first.cash(&paid);
    let invoice = first.work();
    let used = use_it(&mut first, &invoice).unwrap();
    let (refund, of) = (RefundId(first.fresh()), first.payment(used));
    first.commit(&Event::RefundRequested(RefundRequested {
        refund,
        payment: Some(used),
        job: of.job,
        visit: of.visit,
        tender: of.tender,
        amount: of.amount,
        what: RefundKind::Reopen,
        reason: "another part".into(),
        manager: false,
    }));
    first.push(&world);
    let now = world.now();
    world.office.write(|tx| refunds::decide(tx, refund, Decision::Release, "dina", now)).unwrap();
    first.exchange(&world).await;
    let known = first.store.refund(refund).unwrap().unwrap();
    assert_eq!(known.answer.as_deref(), Some("put back to the deposit"));
    assert_eq!(world.count("SELECT paid_minor - used_minor FROM invoice WHERE kind = 'deposit'"), 2_000);
    assert_eq!(first.open(&invoice).minor, 3_450);
    world.sound(&[&first]).await;
}

#[tokio::test]
async fn a_deposit_that_was_taken_back_takes_no_money() {
    let (world, mut first, _) = world().await;
    let gone = first.deposit(500);
    let (job, visit) = (ids().job, ids().visit);
    let cancelled = InvoiceCancelled { invoice: gone.id, job, visit, why: "not wanted".into() };
    first.commit(&Event::InvoiceCancelled(cancelled));
    assert!(first.push(&world).iter().all(|row| *row == RowResult::Applied));
    let row = crate::till::cash_row(PaymentId(first.fresh()), &gone, 500);
    assert!(!first.may_commit(&row));
}

/// A refund that is linked to no payment, asked for at the visit.
fn unlinked(till: &mut Device, tender: Tender) -> (RefundId, Event) {
    let (refund, of) = (RefundId(till.fresh()), ids());
    let asked = RefundRequested {
        refund,
        payment: None,
        job: of.job,
        visit: of.visit,
        tender,
        amount: Money::new(100, Currency::EUR),
        what: RefundKind::Credit,
        reason: "goodwill".into(),
        manager: true,
    };
    (refund, Event::RefundRequested(asked))
}

#[tokio::test]
async fn a_message_about_the_invoice_is_looked_at_again_beside_a_deposit() {
    let (world, mut first, _) = world().await;
    first.deposit(500);
    let invoice = first.work();
    let (refund, asked) = unlinked(&mut first, Tender::Cash);
    first.commit(&asked);
    first.push(&world);
    let sql =
        "INSERT INTO ereceipt (request, n, device, invoice, address, state, standing, said, asked_ms, sent_ms, next_ms)
               SELECT 'r', 1, device, id, 'a@example.org', 'sent', 'paid', '', 0, 0, 0 FROM invoice WHERE id = ?1";
    world.office.write(|tx| tx.execute(sql, [invoice.id.to_string()])).unwrap();
    let now = world.now();
    world.office.write(|tx| refunds::decide(tx, refund, Decision::Release, "dina", now)).unwrap();
    assert_eq!(world.count("SELECT look FROM ereceipt"), 1);
}

#[tokio::test]
async fn nothing_goes_to_a_deposit_that_no_deposit_paid() {
    let (_world, mut first, _) = world().await;
    let (_, asked) = unlinked(&mut first, Tender::Deposit);
    assert!(!first.may_commit(&asked));
}

#[tokio::test]
async fn a_document_takes_no_others_place() {
    let (_world, mut first, _) = world().await;
    let invoice = first.work();
    let (job, visit) = first.job(1);
    let whose = For { job, visit, customer: invoice.customer };
    let amount = Money::new(100, Currency::EUR);
    let over = Invoice::for_deposit(invoice.id, "D01-000009".parse().unwrap(), whose, amount, 0);
    assert!(!first.may_commit(&Event::InvoiceIssued(InvoiceIssued { invoice: over })));
    let deposit = first.deposit_on(job, visit, 100);
    let over = Invoice { document: "D01-000008".parse().unwrap(), ..deposit };
    assert!(!first.may_commit(&Event::InvoiceIssued(InvoiceIssued { invoice: over })));
}
