//! Failures 8 to 11: sales that are doubled, lost, undone or forgotten.

use crate::common::{ids, part};
use crate::handheld::Handheld;
use crate::rig::World;
use rusqlite::Connection;
use std::collections::BTreeSet;
use tillroll::domain::event::{Event, LineAdded, VisitMoved};
use tillroll::domain::id::{PaymentId, ShiftId};
use tillroll::domain::invoice::InvoiceState;
use tillroll::domain::job::{MoneyState, VisitState};
use tillroll::domain::money::{Currency, Money};
use tillroll::domain::payment::{PaymentState, Tender};
use tillroll::domain::shift::Class;
use tillroll::sync::wire::RowResult;
use uuid::Uuid;

/// Elsewhere, two devices, two tabs, or a sync by hand beside the automatic one sent the same sales, and the books had them
/// twice. Here a row has one place and one id: however often and from however many sides it comes, it is booked once, and
/// no two handhelds number alike.
#[tokio::test]
async fn failure_08_two_syncs_at_once_make_duplicate_invoices() {
    let world = World::new().await;
    let (mut first, mut second) = (world.device("D01"), world.device("D02"));
    for n in 0..4 {
        let (mine, theirs) = (first.work_at(n), second.work_at(100 + n));
        first.cash(&mine);
        second.cash(&theirs);
    }
    // Whole journals and beginnings of them, all at the same time and each several times.
    let batches = [first.batch(500), first.batch(7), second.batch(500), first.batch(500), second.batch(3)];
    let sent: Vec<_> = batches
        .into_iter()
        .cycle()
        .take(15)
        .map(|batch| {
            let office = world.office.clone();
            std::thread::spawn(move || office.ingest(batch.envelope.device, &batch).unwrap())
        })
        .collect();
    let mut applied = 0;
    for answer in sent.into_iter().map(|thread| thread.join().unwrap()) {
        for row in &answer.results {
            assert!(matches!(row.result, RowResult::Applied | RowResult::Duplicate), "{row:?}");
        }
        applied += answer.results.iter().filter(|row| row.result == RowResult::Applied).count();
    }
    let rows = [&first, &second].map(|till| till.store.sync_status().unwrap().head_seq).iter().sum::<u64>();
    assert_eq!(u64::try_from(applied).unwrap(), rows, "each row once");
    first.push(&world);
    assert_eq!(world.count("SELECT count(*) FROM journal"), i64::try_from(rows).unwrap());
    assert_eq!(world.count("SELECT count(*) FROM invoice"), 8);
    assert_eq!(world.count("SELECT count(DISTINCT document) FROM invoice"), 8);
    assert_eq!(world.count("SELECT count(*) FROM payment"), 8);
    assert_eq!(world.count("SELECT sum(minor) FROM ledger_posting WHERE account = 'cash'"), 8 * 3_450);
    assert_eq!(world.exceptions(), Vec::<String>::new());
    world.sound(&[&first, &second]).await;
}

/// Elsewhere, the receipt was printed and a power cut in the next seconds took the sale with it; or the number of the lost
/// sale was given again, and the server threw the next sale away as one that it had. Here a sale is on the disk before
/// the drawer opens or paper moves, and a number that was on the disk never comes again.
#[tokio::test]
async fn failure_09_the_receipt_is_printed_and_the_sale_is_lost() {
    let world = World::today().await;
    let mut till = Handheld::new(&world).await;
    till.gate.shut();
    till.collect().await;
    till.keys("a").await;
    // A disk that takes nothing: no drawer, no paper, and it is said.
    let beside = Connection::open(till.dir.join("device.sqlite")).unwrap();
    let full = "CREATE TRIGGER full BEFORE INSERT ON payment BEGIN SELECT RAISE(ABORT, 'disk full'); END";
    beside.execute_batch(full).unwrap();
    till.keys("q⏎").await;
    assert!(till.screen.words().contains("Not saved"), "{}", till.screen.words());
    assert_eq!((till.printer.drawer_pulses(), till.printer.strips().len()), (0, 0));
    beside.execute_batch("DROP TRIGGER full").unwrap();
    drop(beside);

    till.keys("⏎⏎").await;
    till.until("TOTAL").await;
    assert_eq!(till.printer.drawer_pulses(), 1);
    till.keys("p").await;
    let paper = till.printer.strips().last().unwrap().paper.text();
    assert!(paper.contains("D01-000001") && paper.contains("34.50"), "{paper}");

    let after = till.power_cut().await;
    let store = &after.rig.till.store;
    let detail = store.run(|store| store.job_detail(ids().job)).await.unwrap();
    assert_eq!(detail.row.money, MoneyState::Paid, "what is on paper is in the books");
    let (job, visit) = (Uuid::from_u128(1_000).into(), Uuid::from_u128(2_000).into());
    let entry = crate::common::job_entry(job, visit);
    store.run(move |store| store.apply_feed(&[entry], &[].into(), Uuid::nil(), 1)).await.unwrap();
    store.commit(Event::LineAdded(LineAdded { job, visit, line: part(900) }), None).await.unwrap();
    let next = store.issue_invoice(job, visit).await.unwrap();
    assert_eq!(next.document.to_string(), "D01-000002");
    let there = |_: &Handheld| world.count("SELECT count(*) FROM invoice") == 2;
    let mut after = after;
    after.until_true("both sales in the office", there).await;
    assert_eq!(world.count("SELECT count(*) FROM payment WHERE tender = 'cash' AND approved_minor = 3450"), 1);
    assert_eq!(world.exceptions(), Vec::<String>::new());
    after.stop().await;
    till.stop().await;
}

/// Elsewhere, an order that was paid without a link turned back into an open draft when another device with an older picture
/// of it synced. Here the other handheld's rows about a visit that is invoiced change nothing of it, in whichever order
/// the two come, and the office's news never undo what a handheld has booked.
#[tokio::test]
async fn failure_10_a_job_paid_offline_becomes_a_draft_when_another_handheld_syncs() {
    for (card, other_first) in [(false, false), (false, true), (true, false), (true, true)] {
        let world = World::new().await;
        let (mut first, mut second) = (world.device("D01"), world.device("D02"));
        let invoice = first.work();
        let paid = if card { first.read(&invoice, "visa-tap") } else { first.cash(&invoice) };
        if card {
            first.accept(paid);
        }
        // The other one knows the visit as it was in the morning.
        let (job, visit) = (ids().job, ids().visit);
        second.commit(&Event::VisitMoved(VisitMoved { job, visit, from: VisitState::New, to: VisitState::Accepted }));
        second.commit(&Event::LineAdded(LineAdded { job, visit, line: part(700) }));
        if other_first {
            second.push(&world);
        }
        first.push(&world);
        second.push(&world);
        first.exchange(&world).await;
        second.exchange(&world).await;
        // The office hands the job out once more.
        let (epoch, cursor) = first.store.feed_cursor().unwrap();
        let again = crate::common::job_entry(job, visit);
        first.store.apply_feed(&[again], &cursor, epoch.unwrap(), 1).unwrap();

        let detail = first.store.job_detail(job).unwrap();
        let told = format!("card {card}, other first {other_first}");
        assert_eq!((detail.row.money, detail.open().unwrap().minor), (MoneyState::Paid, 0), "{told}");
        assert_eq!(detail.invoice.unwrap().state, InvoiceState::Paid, "{told}");
        assert_eq!(first.payment(paid).approved_minor, 3_450, "{told}");
        assert_eq!(
            world.count("SELECT count(*) FROM invoice WHERE state = 'paid' AND total_minor = 3450"),
            1,
            "{told}"
        );
        assert_eq!(world.count("SELECT count(*) FROM visit_work WHERE money = 'paid'"), 1, "{told}");
        world.sound(&[&first]).await;
    }
}

/// Elsewhere, a session that was closed while orders were unsent or open ended in a rescue session, or the orders were gone.
/// Here a shift closes over unsent rows and says how many; everything arrives later, what it came to stands beside the
/// closed shift as late, and an open bill stays on the list.
#[tokio::test]
async fn failure_11_closing_the_shift_loses_what_was_not_sent() {
    let world = World::new().await;
    let mut till = world.device("D01");
    let eur = |minor| Money::new(minor, Currency::EUR);
    let shift = ShiftId(till.fresh());
    let stamp = till.stamp();
    till.store.open_shift(shift, eur(10_000), &stamp).unwrap();
    let sold = till.work_at(0);
    till.cash(&sold);
    let stored: Vec<PaymentId> = [(1, "visa-tap"), (2, "decline")]
        .map(|(n, card)| {
            let invoice = till.work_at(n);
            let payment = till.read(&invoice, card);
            till.accept(payment);
            payment
        })
        .into();
    let unpaid = till.work_at(3);
    let head = till.store.sync_status().unwrap().head_seq;
    let stamp = till.stamp();
    till.store.close_shift(shift, eur(13_450), &stamp).unwrap();
    let z = till.store.shift_report(shift).unwrap();
    let closed = z.closed.clone().unwrap();
    assert_eq!((closed.unsent_rows, closed.difference_minor), (head, 0), "nothing was sent, and it says so");
    let pending = z.figures.tenders.iter().find(|total| (total.tender, total.class) == (Tender::Card, Class::Pending));
    assert_eq!(pending.map(|total| (total.count, total.minor)), Some((2, 6_900)));

    till.crash(&world);
    till.exchange(&world).await;
    assert_eq!(
        stored.iter().map(|id| till.state(*id)).collect::<Vec<_>>(),
        [PaymentState::Approved, PaymentState::LateDeclined]
    );
    let now = till.store.shift_report(shift).unwrap();
    assert_eq!(now.figures, z.figures, "the Z report stays as it was");
    let late: BTreeSet<(&str, i64)> = now.late.iter().map(|one| (one.state.name(), one.minor)).collect();
    assert_eq!(late, [("approved", 3_450), ("late_declined", 3_450)].into());
    let open = till.store.today(i64::MAX - 1, i64::MAX).unwrap();
    let jobs: Vec<_> = open.iter().filter(|row| row.money == MoneyState::Due).map(|row| row.job).collect();
    assert!(jobs.contains(&unpaid.job), "the open bill is on the list of any day");
    for (sql, expect) in [
        ("SELECT count(*) FROM shift WHERE state = 'closed' AND counted_minor = 13450", 1),
        ("SELECT count(*) FROM invoice", 4),
        ("SELECT count(*) FROM payment", 3),
        ("SELECT count(*) FROM shift_late", 2),
    ] {
        assert_eq!(world.count(sql), expect, "{sql}");
    }
    assert_eq!(world.charged().await, (1, 3_450));
    assert_eq!(till.store.sync_status().unwrap().unsent(), 0);
    world.sound(&[&till]).await;
}
