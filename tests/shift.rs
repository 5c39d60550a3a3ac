//! The cash shift in the databases: on the handheld, through the journal, and in the office.
#![cfg(feature = "office")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
#[path = "shift/desk.rs"]
mod desk;
#[path = "shift/paper.rs"]
mod paper;
#[path = "shift/till.rs"]
mod till;

use desk::Desk;
use proptest::prelude::*;
use till::{Act, Till, eur};
use tillroll::domain::payment::PaymentState;
use tillroll::domain::shift::{Class, MoveKind};
use tillroll_hardware::printer::{Confirmation, Interruption, JobEnd};

#[test]
fn a_shift_counts_what_happens_in_it() {
    let mut till = Till::new();
    till.cash(1, 3_450).unwrap();
    assert_eq!(till.now().outside, eur(3_450));
    till.open(10_000).unwrap();
    till.cash(2, 3_450).unwrap();
    till.moves(MoveKind::PaidIn, 2_000).unwrap();
    till.moves(MoveKind::PaidOut, 500).unwrap();
    till.moves(MoveKind::Drop, 8_000).unwrap();
    let x = till.now().open.unwrap();
    let drawer = x.figures.drawer;
    assert_eq!((drawer.float_minor, drawer.carried_minor, drawer.taken_minor), (10_000, 3_450, 3_450));
    assert_eq!((drawer.paid_in_minor, drawer.paid_out_minor, drawer.dropped_minor), (2_000, 500, 8_000));
    assert_eq!((drawer.expected_minor(), till.drawer()), (Ok(10_400), 10_400));
    assert_eq!(x.moves.iter().map(|one| one.reason.as_str()).collect::<Vec<_>>(), ["why", "why", "why"]);
    let z = till.close(10_350).unwrap();
    assert_eq!(z.number.to_string(), "D07-Z0001");
    let kept = (z.expected_minor, z.counted_minor, z.difference_minor);
    assert_eq!(kept, (10_400, 10_350, -50));
    // Row 1 to the one before the close: nothing has been sent.
    assert_eq!(z.unsent_rows, till.head() - 1);
    assert_eq!(till.drawer(), 0, "what was counted is out of the drawer");
    till.verify();
    till.cash(3, 1_000).unwrap();
    assert_eq!((till.now().outside, till.report(&z).closed), (eur(1_000), Some(z)), "what comes now is not of it");
    till.verify();
}

#[test]
fn what_is_not_possible_is_a_sentence_and_changes_nothing() {
    let mut till = Till::new();
    let check = |till: &mut Till, act: Act, expect: &str| {
        let before = till.dump();
        let why = till.act(act).unwrap_err();
        assert!(why.contains(expect), "{why}");
        assert_eq!(till.dump(), before, "{why}");
    };
    check(&mut till, Act::Move(MoveKind::PaidIn, 100), "no shift is open");
    check(&mut till, Act::Close(100), "no shift is open");
    check(&mut till, Act::Open(-1), "between zero and twelve digits");
    check(&mut till, Act::Open(1_000_000_000_000), "between zero and twelve digits");
    check(&mut till, Act::Open(i64::MAX), "between zero and twelve digits");
    till.open(1_000).unwrap();
    check(&mut till, Act::Open(1_000), "a shift is open already");
    check(&mut till, Act::Move(MoveKind::PaidOut, 1_001), "the drawer holds EUR 10.00");
    check(&mut till, Act::Move(MoveKind::Drop, i64::MAX), "the drawer holds EUR 10.00");
    check(&mut till, Act::Move(MoveKind::PaidOut, 0), "more than zero");
    check(&mut till, Act::Move(MoveKind::PaidIn, -5), "more than zero");
    check(&mut till, Act::Move(MoveKind::PaidIn, i64::MAX), "at most twelve digits");
    check(&mut till, Act::Close(-1), "between zero and twelve digits");
    till.close(1_000).unwrap();
    check(&mut till, Act::Move(MoveKind::PaidIn, 100), "closed as D07-Z0001");
    check(&mut till, Act::Close(1_000), "closed as D07-Z0001");
}

#[test]
fn the_database_keeps_one_shift_open_and_closed_ones_as_they_are() {
    let mut till = Till::new();
    till.open(1_000).unwrap();
    till.close(900).unwrap();
    till.open(1_000).unwrap();
    for (sql, rule) in [
        ("INSERT INTO shift (id, device, epoch, currency, state, opened_ms, opened_seq, float_minor, carried_minor)
          SELECT 'x', device, epoch, currency, 'open', 1, 99, 0, 0 FROM shift LIMIT 1", "UNIQUE"),
        ("UPDATE shift SET difference_minor = 0 WHERE z = 1", "CHECK"),
        ("UPDATE shift SET state = 'open' WHERE z = 1", "CHECK"),
        ("UPDATE shift SET state = 'closed' WHERE state = 'open'", "CHECK"),
        ("UPDATE shift SET number = NULL WHERE z = 1", "CHECK"),
        ("UPDATE shift SET state = 'closed', z = 1, number = 'n', closed_ms = 1, closed_seq = 9999, counted_minor = 1,
          expected_minor = 1, difference_minor = 0, unsent_rows = 0, figures = '' WHERE state = 'open'", "UNIQUE"),
    ] {
        let why = till.sql(sql).unwrap_err().to_string();
        assert!(why.contains(rule), "{why}: {sql}");
    }
    // A row that is written past the store is refused by the fold.
    let first = till.now().last.unwrap().shift;
    assert!(till.commit_move(first).unwrap_err().contains("closed as D07-Z0001"));
}

#[test]
fn a_late_outcome_stands_beside_the_closed_shift() {
    let mut till = Till::new();
    till.open(0).unwrap();
    till.card_stored(1, 3_450);
    till.card_stored(2, 3_450);
    let z = till.close(0).unwrap();
    let before = till.report(&z);
    let pending = before.figures.tenders.iter().find(|total| total.class == Class::Pending).unwrap();
    assert_eq!((pending.count, pending.minor), (2, 6_900));
    assert!(before.late.is_empty());
    till.outcome(1, true);
    till.open(0).unwrap();
    till.outcome(2, false);
    let after = till.report(&z);
    assert_eq!(after.figures, before.figures, "the Z report stays as it was");
    let late: Vec<_> = after.late.iter().map(|one| (one.number.to_string(), one.state, one.minor)).collect();
    let number = "D07-Z0001".to_owned();
    assert_eq!(late, [(number.clone(), PaymentState::Approved, 3_450), (number, PaymentState::LateDeclined, 3_450)]);
    let now = till.now();
    assert_eq!(now.last.unwrap().late.len(), 2);
    assert!(now.open.unwrap().figures.tenders.is_empty(), "they are no payments of the next shift");
    // When it is no longer the last one, its news still stand on the screen.
    till.close(0).unwrap();
    assert_eq!(till.now().late.len(), 2);
    till.verify();
}

#[test]
fn a_write_that_fails_at_any_table_leaves_everything_as_it_was() {
    let tables = ["journal", "shift", "cash_move", "ledger_entry", "ledger_posting", "shift_payment", "shift_entry"];
    let acts = [Act::Open(10_000), Act::Cash(1, 3_450), Act::Move(MoveKind::Drop, 500), Act::Close(12_000)];
    let mut cut = 0;
    for table in tables {
        let mut till = Till::new();
        till.invoice(1);
        for act in acts {
            let mut done = false;
            for when in ["INSERT", "UPDATE"] {
                if done {
                    continue;
                }
                let before = till.dump();
                let trigger =
                    format!("CREATE TRIGGER cut BEFORE {when} ON {table} BEGIN SELECT RAISE(ABORT, 'cut'); END");
                till.sql(&trigger).unwrap();
                done = till.act(act).is_ok();
                till.sql("DROP TRIGGER cut").unwrap();
                till.reopen();
                if !done {
                    cut += 1;
                    assert_eq!(till.dump(), before, "{act:?} cut at {when} of {table}");
                }
            }
            if !done {
                till.act(act).unwrap();
                till.reopen();
            }
        }
        assert_eq!(till.now().last.unwrap().closed.unwrap().number.number, 1, "no number was lost");
        till.verify();
    }
    assert!(cut >= 14, "only {cut} writes were cut");
}

#[test]
fn the_office_holds_the_same_shift_and_hears_of_the_difference() {
    let (desk, mut till) = Desk::new();
    till.open(10_000).unwrap();
    till.cash(1, 3_450).unwrap();
    till.moves(MoveKind::PaidOut, 450).unwrap();
    till.card_stored(2, 3_450);
    till.close(12_950).unwrap();
    till.outcome(2, false);
    till.open(5_000).unwrap();
    till.close(5_000).unwrap();
    desk.take(&till, |_| {});
    assert_eq!(desk.office.read(till::tables_of), till.shift_tables());
    assert_eq!(desk.office.verify().unwrap(), Vec::<String>::new());
    assert_eq!(desk.exceptions("cash_variance"), [50]);
    assert_eq!(desk.exceptions("totals_differ"), [0_i64; 0]);
}

#[test]
fn figures_that_the_office_sums_up_differently_are_listed() {
    let (desk, mut till) = Desk::new();
    till.open(10_000).unwrap();
    till.close(10_000).unwrap();
    desk.take(&till, |body| *body = body.replace("\"tips_minor\":0", "\"tips_minor\":9"));
    assert_eq!(desk.exceptions("totals_differ"), [10_000], "the close stands, and is looked at");
    assert_eq!(desk.exceptions("cash_variance"), [0_i64; 0]);
}

#[tokio::test]
async fn the_report_is_on_paper_and_a_printer_that_stops_touches_nothing() {
    let ends = [
        (JobEnd::Confirmed(Confirmation::Fence), Ok(true)),
        (JobEnd::SentUnconfirmed, Ok(false)),
        (JobEnd::Interrupted(Interruption::CoverOpen), Err(Interruption::CoverOpen.sentence().to_owned())),
        (JobEnd::Refused(Interruption::PaperOut), Err(JobEnd::Refused(Interruption::PaperOut).sentence().to_owned())),
    ];
    for (end, expect) in ends {
        let mut till = Till::new();
        till.open(10_000).unwrap();
        till.cash(1, 3_450).unwrap();
        till.moves(MoveKind::Drop, 2_000).unwrap();
        till.card_stored(2, 3_450);
        till.close(11_400).unwrap();
        till.outcome(2, false);
        let (shift, head) = paper::last(&till);
        let (printer, store, mut papers) = paper::printer(till, end);
        assert_eq!(printer.print_shift(shift).await, expect);
        let text = papers.recv().await.unwrap().join("\n");
        for part in [
            "Z REPORT D07-Z0001",
            "Ada Example                  D07",
            "EXPECTED              EUR 114.50",
            "COUNTED               EUR 114.00",
            "SHORT                   EUR 0.50",
            "Dropped (1)               -20.00",
            "LATE DECLINED",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        assert_eq!(store.run(|store| store.sync_status()).await.unwrap().head_seq, head, "a print is no row");
    }
}

fn any_act() -> impl Strategy<Value = Act> {
    let minor = || prop_oneof![0_i64..20_000, Just(-1), Just(i64::MAX), Just(999_999_999_999)];
    let kind = prop::sample::select(vec![MoveKind::PaidIn, MoveKind::PaidOut, MoveKind::Drop]);
    prop_oneof![
        2 => minor().prop_map(Act::Open),
        4 => (0_u8..40, 1_i64..3_450).prop_map(|(n, minor)| Act::Cash(n, minor)),
        4 => (kind, minor()).prop_map(|(kind, minor)| Act::Move(kind, minor)),
        2 => minor().prop_map(Act::Close),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    /// The judge is a purse: coins go in and out of it, and nobody asks the ledger.
    #[test]
    fn cash_in_the_ledger_is_the_expected_drawer_after_any_acts(acts in proptest::collection::vec(any_act(), 1..40)) {
        let mut till = Till::new();
        let (mut purse, mut open, mut closed) = (0_i64, false, 0_u32);
        for act in acts {
            if till.act(act).is_ok() {
                match act {
                    Act::Open(minor) => (purse, open) = (purse + minor, true),
                    Act::Cash(_, minor) | Act::Move(MoveKind::PaidIn, minor) => purse += minor,
                    Act::Move(MoveKind::PaidOut | MoveKind::Drop, minor) => purse -= minor,
                    Act::Close(_) => (purse, open, closed) = (0, false, closed + 1),
                }
            }
            prop_assert_eq!(till.drawer(), purse, "{:?}", act);
            let now = till.now();
            prop_assert_eq!(now.open.is_some(), open);
            let expected = now.open.map_or(now.outside.minor, |x| x.figures.drawer.expected_minor().unwrap());
            prop_assert_eq!(expected, purse, "{:?}", act);
            prop_assert_eq!(now.last.map_or(0, |z| z.closed.unwrap().number.number), closed);
        }
        till.verify();
    }
}
