//! Deposits between two handhelds, the office and the processor.

use crate::common::ids;
use crate::rig::{Device, World};
use tillroll::domain::event::{DepositUsed, Event};
use tillroll::domain::id::{InvoiceId, PaymentId};
use tillroll::domain::invoice::{Invoice, InvoiceState};
use tillroll::domain::payment::PaymentState;
use tillroll::domain::policy::HOUR_MS;
use tillroll::office::feed;
use tillroll::sync::wire::RowResult;
use uuid::Uuid;

const MINUTE_MS: i64 = 60_000;

/// The office's own record of the customer's jobs: the sample one for the first technician, another for the second.
fn two_technicians(world: &World) {
    let (customer, site, job, visit) = (Uuid::from_u128(6), Uuid::from_u128(7), ids().job, ids().visit);
    let (other, other_visit) = (Uuid::from_u128(1_001), Uuid::from_u128(2_001));
    let sql = format!(
        "INSERT INTO technician VALUES ('t1', 'T1', 'Ada'), ('t2', 'T2', 'Bo');
         INSERT INTO customer VALUES ('{customer}', 'C1', 'Kestrel Bakery', '', '', '', '', '', '', '', '');
         INSERT INTO site VALUES ('{site}', 'S1', '{customer}', '', '', '', '', '', '');
         INSERT INTO job VALUES ('{job}', 'J1', '{visit}', '{customer}', '{site}', 'Oven', '', 1, 1, 2, 't1', 'open', NULL, NULL);
         INSERT INTO job VALUES ('{other}', 'J2', '{other_visit}', '{customer}', '{site}', 'Oven', '', 1, 1, 2, 't2', 'open', NULL, NULL);"
    );
    world.office.write(|tx| tx.execute_batch(&sql)).unwrap();
}

fn carried_by(world: &World, device: &str, technician: &str) {
    let sql = "UPDATE device SET technician = ?2 WHERE name = ?1";
    world.office.write(|tx| tx.execute(sql, (device, technician))).unwrap();
}

/// The use of what this handheld believes to be left; `None` when nothing is.
pub fn use_it(till: &mut Device, invoice: &Invoice) -> Option<PaymentId> {
    let payment = PaymentId(till.fresh());
    let detail = till.store.job_detail(invoice.job).unwrap();
    let (deposit, amount) = detail.usable_deposit()?;
    let row = DepositUsed::of(deposit, invoice, amount, payment);
    till.commit(&Event::DepositUsed(row));
    Some(payment)
}

pub async fn world() -> (World, Device, Device) {
    let world = World::new().await;
    two_technicians(&world);
    let (first, second) = (world.device("D01"), world.device("D02"));
    carried_by(&world, "D01", "t1");
    carried_by(&world, "D02", "t2");
    (world, first, second)
}

#[tokio::test]
async fn what_one_handheld_took_another_uses_and_all_books_agree() {
    let (world, mut first, mut second) = world().await;
    let paid = first.deposit(3_000);
    // Requested and approved like any card payment, for the deposit's own document.
    let card = first.intend(&paid, tillroll::domain::payment::Extras::NONE, None);
    first.tap(card, "visa-tap");
    first.request(card);
    first.exchange(&world).await;
    assert_eq!(first.state(card), PaymentState::Approved);
    assert_eq!(world.charged().await, (1, 3_000));
    second.pull(&world);
    let invoice = second.work_at(1);
    assert_eq!(use_it(&mut second, &invoice).map(|id| second.payment(id).approved_minor), Some(3_000));
    assert_eq!(second.open(&invoice).minor, 450);
    assert!(use_it(&mut second, &invoice).is_none(), "it is used up here before the office knows");
    second.cash(&invoice);
    second.exchange(&world).await;
    // The handheld that took it hears that it is gone.
    first.pull(&world);
    let own = first.work();
    assert!(first.store.job_detail(own.job).unwrap().usable_deposit().is_none());
    let sql = "SELECT used_minor FROM invoice WHERE kind = 'deposit'";
    assert_eq!(world.count(sql), 3_000);
    assert_eq!(world.exceptions(), Vec::<String>::new());
    world.sound(&[&first, &second]).await;
    assert_eq!(world.count("SELECT sum(minor) FROM ledger_posting WHERE account = 'deposits'"), 0);
}

#[tokio::test]
async fn used_twice_by_handhelds_without_a_link_is_applied_once_and_shown() {
    let (world, mut first, mut second) = world().await;
    let paid = first.deposit(3_000);
    first.cash(&paid);
    first.push(&world);
    second.pull(&world);
    let (own, other) = (first.work(), second.work_at(1));
    use_it(&mut first, &own).unwrap();
    let doubled = use_it(&mut second, &other).unwrap();
    first.push(&world);
    let results = second.push(&world);
    assert_eq!(results.last(), Some(&RowResult::Quarantined));
    assert_eq!(world.exceptions(), ["quarantined_row"]);
    assert_eq!(world.count("SELECT used_minor FROM invoice WHERE kind = 'deposit'"), 3_000);
    let there = format!("SELECT count(*) FROM payment WHERE id = '{doubled}'");
    assert_eq!(world.count(&there), 0, "the office never counts it");
    world.sound(&[&first]).await;
}

#[tokio::test]
async fn a_deposit_that_does_not_exist_pays_nothing_at_the_office() {
    let (world, mut first, _) = world().await;
    let invoice = first.work();
    let payment = PaymentId(first.fresh());
    // As a handheld would that believes a forged page of the feed.
    first.commit(&Event::DepositUsed(DepositUsed {
        payment,
        deposit: InvoiceId(Uuid::from_u128(77)),
        deposit_document: "D09-000001".parse().unwrap(),
        invoice: invoice.id,
        document: invoice.document.clone(),
        job: invoice.job,
        visit: invoice.visit,
        amount: invoice.totals.total(),
        linked_to: None,
    }));
    assert_eq!(first.push(&world).last(), Some(&RowResult::Quarantined));
    assert_eq!(world.count("SELECT count(*) FROM payment"), 0);
}

/// A copied id must not write over what another handheld has taken.
#[tokio::test]
async fn a_document_that_is_issued_again_under_the_same_id_changes_nothing() {
    let (world, mut first, mut second) = world().await;
    let paid = first.deposit(3_000);
    first.cash(&paid);
    first.push(&world);
    let (job, visit) = second.job(1);
    let copy = Invoice { job, visit, document: "D02-000001".parse().unwrap(), ..paid.clone() };
    second.commit(&Event::InvoiceIssued(tillroll::domain::event::InvoiceIssued { invoice: copy }));
    assert_eq!(second.push(&world).last(), Some(&RowResult::Quarantined));
    let own = first.work();
    second.pull(&world);
    assert!(use_it(&mut first, &own).is_some(), "it is there as before");
    first.push(&world);
    assert_eq!(world.count("SELECT used_minor FROM invoice WHERE kind = 'deposit'"), 3_000);
    world.sound(&[&first]).await;
}

#[tokio::test]
async fn a_deposit_is_told_with_the_job_and_taken_away_when_it_is_cancelled() {
    let (world, mut first, second) = world().await;
    let gone = first.deposit(500);
    first.push(&world);
    let told = |db: &rusqlite::Connection| {
        let (entries, _, _) = feed::page(db, id_of(db, "D02"), &Default::default()).unwrap().unwrap();
        let deposits = entries.into_iter().filter(|e| e.kind == "deposit");
        deposits.map(|e| (e.id, e.body.map(|body| body["left_minor"].as_i64().unwrap()))).collect::<Vec<_>>()
    };
    assert_eq!(world.office.read(told), [(gone.id.to_string(), Some(0))]);
    let (job, visit) = (gone.job, gone.visit);
    let why = "not wanted".to_owned();
    let cancelled = tillroll::domain::event::InvoiceCancelled { invoice: gone.id, job, visit, why };
    first.commit(&Event::InvoiceCancelled(cancelled));
    first.push(&world);
    assert_eq!(world.office.read(told), [(gone.id.to_string(), None)]);
    // One who gets the job later hears of what was paid ahead before.
    let kept = first.deposit(700);
    first.cash(&kept);
    first.push(&world);
    world.office.write(|tx| tx.execute("DELETE FROM feed_entry WHERE kind = 'deposit'", [])).unwrap();
    let device = world.office.read(|db| id_of(db, "D02")).to_string();
    let notes = world.office.write(|tx| tillroll::office::import::hand_over(tx, &device, None, Some("t2"))).unwrap();
    let notes: Vec<&str> =
        notes.iter().filter(|note| note.kind == "deposit").map(|note| note.entity.as_str()).collect();
    assert_eq!(notes, [kept.id.to_string()]);
    drop(second);
}

fn id_of(db: &rusqlite::Connection, name: &str) -> tillroll::domain::id::DeviceId {
    let id: String = db.query_row("SELECT id FROM device WHERE name = ?1", [name], |r| r.get(0)).unwrap();
    id.parse().unwrap()
}

#[tokio::test]
async fn a_spent_deposit_that_the_bank_takes_back_goes_to_the_dispatcher() {
    let (world, mut first, _) = world().await;
    let paid = first.deposit(3_000);
    let card = first.intend(&paid, tillroll::domain::payment::Extras::NONE, None);
    first.tap(card, "visa-tap");
    first.request(card);
    first.push(&world);
    world.work().await;
    // The handheld hears that the bank agreed and goes on, but its word never reaches the office in time.
    first.pull(&world);
    assert_eq!(first.state(card), PaymentState::Approved);
    let invoice = first.work();
    use_it(&mut first, &invoice).unwrap();
    world.pass(25 * HOUR_MS);
    world.work().await;
    first.exchange(&world).await;
    assert_eq!(first.state(card), PaymentState::Expired);
    assert_eq!(world.exceptions(), ["card_expired", "deposit_short"]);
    assert_eq!(world.charged().await.1, 0);
    world.sound(&[&first]).await;
    // Collected again, it is settled by itself.
    first.cash(&paid);
    world.pass(MINUTE_MS);
    first.exchange(&world).await;
    assert_eq!(world.exceptions(), ["card_expired"], "the other one is settled by itself");
    let state: InvoiceState = first.store.job_detail(invoice.job).unwrap().invoice.unwrap().state;
    assert_eq!(state, InvoiceState::PartPaid);
    world.sound(&[&first]).await;
}
