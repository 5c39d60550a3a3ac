//! The cash shift by its keys: what Enter never does, what stays when the disk says no, what is not shown.
//!
//! Invariant: while the drawer is counted no frame holds the expected amount.

use super::sample::*;
use crate::app::effect::{Effect, ShiftCommand};
use crate::app::model::{Overlay, Question, Screen, ShiftStage};
use crate::app::msg::{Msg, OpId};
use crate::domain::payment::{PaymentState, Tender};
use crate::domain::shift::{CashMove, Class, Closed, Drawer, Figures, Late, MoveKind, Report, ShiftNow, TenderTotal};
use uuid::Uuid;

/// A shift in the middle of the day, or closed 50 cents short.
pub fn report(closed: bool) -> Report {
    let one = |n: u128, kind, minor, reason: &str| CashMove {
        id: Uuid::from_u128(800 + n).into(),
        kind,
        amount: eur(minor),
        reason: reason.into(),
        at_ms: NOW_MS,
    };
    let total = |tender, class, count, minor| TenderTotal { tender, class, count, minor };
    Report {
        shift: Uuid::from_u128(if closed { 701 } else { 700 }).into(),
        currency: crate::domain::money::Currency::EUR,
        opened_ms: NOW_MS - 2 * HOUR_MS,
        figures: Figures {
            drawer: Drawer {
                float_minor: 10_000,
                taken_minor: 21_450,
                paid_out_minor: 300,
                dropped_minor: 20_000,
                ..Drawer::default()
            },
            tenders: vec![
                total(Tender::Card, Class::Paid, 2, 24_000),
                total(Tender::Card, Class::Pending, 1, 25_000),
                total(Tender::Cash, Class::Paid, 3, 21_450),
            ],
            tips_minor: 200,
        },
        moves: vec![one(1, MoveKind::PaidOut, 300, "parking"), one(2, MoveKind::Drop, 20_000, "to the bank")],
        closed: closed.then(|| Closed {
            number: "D07-Z0004".parse().unwrap(),
            at_ms: NOW_MS - HOUR_MS,
            counted_minor: 11_100,
            expected_minor: 11_150,
            difference_minor: -50,
            unsent_rows: 12,
        }),
        late: if closed { vec![late()] } else { Vec::new() },
    }
}

fn late() -> Late {
    Late {
        number: "D07-Z0004".parse().unwrap(),
        payment: Uuid::from_u128(501).into(),
        document: "D07-000411".parse().unwrap(),
        state: PaymentState::LateDeclined,
        minor: 25_000,
        at_ms: NOW_MS - HOUR_MS / 2,
    }
}

pub fn now(open: bool, last: bool) -> ShiftNow {
    ShiftNow {
        open: open.then(|| report(false)),
        last: last.then(|| report(true)),
        late: Vec::new(),
        outside: eur(if open { 0 } else { 3_450 }),
        unsent_rows: 12,
    }
}

/// On the shift's screen.
pub fn at_shift(columns: u16, rows: u16, open: bool, last: bool) -> Till {
    let mut till = Till::new(columns, rows);
    assert_eq!(till.keys("h"), [Effect::LoadShift]);
    till.send(Msg::Shift(Box::new(now(open, last))));
    till
}

/// Presses keys; the command that the last one asks for.
fn check(open: bool, keys: &str, expect: Option<&ShiftCommand>) -> Till {
    let mut till = at_shift(40, 15, open, true);
    let effects = till.keys(keys);
    let found = effects.iter().find_map(|effect| match effect {
        Effect::Shift { command, .. } => Some(command),
        _ => None,
    });
    assert_eq!(found, expect, "{keys}");
    till
}

fn moved(kind: MoveKind, minor: i64, reason: &str) -> ShiftCommand {
    let (shift, movement) = (report(false).shift, Uuid::from_u128(0x9001).into());
    ShiftCommand::Move { shift, movement, kind, amount: eur(minor), reason: reason.into() }
}

#[test]
fn a_shift_is_opened_with_a_float() {
    let open = |minor| ShiftCommand::Open { shift: Uuid::from_u128(0x9001).into(), float: eur(minor) };
    check(false, "⏎12000⏎", Some(&open(12_000)));
    check(false, "s0⏎", Some(&open(0)));
    check(false, "s007⌫5⏎", Some(&open(5)));
    check(false, "s-1x2,⏎", Some(&open(12)));
    check(false, "s9999999999999999⏎", Some(&open(999_999_999_999)));
    check(false, "s⏎", None);
    check(false, "s12⎋⏎", None);
    // Nothing of an open shift without one, and no second one.
    check(false, "p1⏎⏎", None);
    check(false, "z1⏎y", None);
    check(true, "s1⏎", None);
    check(true, "⏎1⏎", None);
}

#[test]
fn cash_goes_in_by_enter_and_out_by_a_letter() {
    check(true, "p500⏎⏎", Some(&moved(MoveKind::PaidIn, 500, "change")));
    check(true, "p500⏎↓⏎", Some(&moved(MoveKind::PaidIn, 500, "own money")));
    check(true, "p500⏎ coins ⏎", Some(&moved(MoveKind::PaidIn, 500, "coins")));
    for (key, kind, reason) in [("o", MoveKind::PaidOut, "parking"), ("d", MoveKind::Drop, "to the office")] {
        let till = check(true, &format!("{key}500⏎⏎⏎⏎"), None);
        let asked = Question::CashOut { kind, amount: eur(500), reason: reason.into() };
        assert_eq!(till.model.overlay, Some(Overlay::Confirm(asked)));
        check(true, &format!("{key}500⏎⏎y"), Some(&moved(kind, 500, reason)));
        check(true, &format!("{key}500⏎⏎n"), None);
        check(true, &format!("{key}0⏎⏎y"), None);
        check(true, &format!("{key}⏎⏎y"), None);
    }
}

#[test]
fn the_count_is_blind_and_closing_asks() {
    let close = |minor| ShiftCommand::Close { shift: report(false).shift, counted: eur(minor) };
    for (columns, rows) in [(30, 15), (40, 15), (53, 20), (80, 24), (128, 36)] {
        let mut till = at_shift(columns, rows, true, true);
        assert!(till.frame().contains("111.50"), "the X report says it at any time");
        for key in ["z", "1", "1", "1", "0", "0", "⏎"] {
            till.keys(key);
            let frame = till.frame();
            assert!(!frame.contains("111.50") && !frame.contains("0.50"), "{frame}");
        }
        assert!(till.frame().contains("final"), "{}", till.frame());
    }
    let till = check(true, "z11100⏎⏎⏎", None);
    assert_eq!(till.model.overlay, Some(Overlay::Confirm(Question::CloseShift { counted: eur(11_100) })));
    check(true, "z11100⏎y", Some(&close(11_100)));
    check(true, "z0⏎y", Some(&close(0)));
    check(true, "z⏎y", None);
    check(true, "z11100⏎n", None);
    check(true, "z11100⎋y", None);
}

#[test]
fn a_disk_that_says_no_keeps_what_was_typed() {
    let mut till =
        check(true, "z11100⏎y", Some(&ShiftCommand::Close { shift: report(false).shift, counted: eur(11_100) }));
    // Once is once.
    till.model.overlay = Some(Overlay::Confirm(Question::CloseShift { counted: eur(11_100) }));
    assert!(till.keys("y").is_empty());
    let op = OpId(till.model.last_op);
    till.send(Msg::Committed { op, outcome: Err("the disk is full".into()) });
    assert!(till.frame().contains("The disk is full. Nothing you"), "{}", till.frame());
    till.keys("⏎");
    assert_eq!(till.model.shift.stage, ShiftStage::Count { digits: "11100".into() });
    till.keys("⏎y");
    let op = OpId(till.model.last_op);
    let effects = till.send(Msg::Committed { op, outcome: Ok(()) });
    assert!(effects.contains(&Effect::LoadShift));
    till.send(Msg::Shift(Box::new(now(false, true))));
    let frame = till.frame();
    assert!(frame.contains("Z REPORT D07-Z0004") && frame.contains("No shift is open"), "{frame}");
}

#[test]
fn a_shift_that_has_gone_meanwhile_is_told() {
    let mut till = at_shift(40, 15, true, false);
    till.keys("z100⏎");
    till.send(Msg::Shift(Box::new(now(false, true))));
    assert!(till.keys("y").is_empty());
    assert!(till.frame().contains("not open any more"), "{}", till.frame());
}

#[test]
fn late_money_is_on_the_screen_whatever_is_open() {
    for open in [true, false] {
        let mut till = at_shift(80, 36, open, true);
        let frame = till.frame();
        assert!(frame.contains("LATE") && frame.contains("D07-000411 LATE DECLINED"), "{frame}");
        let mut later = now(open, true);
        later.late = std::mem::take(&mut later.last.as_mut().unwrap().late);
        till.send(Msg::Shift(Box::new(later)));
        assert!(till.frame().contains("D07-000411 LATE DECLINED"), "{}", till.frame());
    }
}

#[test]
fn the_report_is_printed_once_at_a_time_and_read_again_with_the_sync() {
    let mut till = at_shift(40, 15, true, false);
    let effects = till.keys("r");
    let [Effect::PrintShift { op, shift }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(*shift, report(false).shift);
    let op = *op;
    assert!(till.keys("r").is_empty() && till.frame().contains("printing"));
    till.send(Msg::ShiftPrinted { op: OpId(0), outcome: Ok(true) });
    assert!(till.frame().contains("printing"), "a stale answer");
    till.send(Msg::ShiftPrinted { op, outcome: Err("The paper ran out.".into()) });
    assert!(till.frame().contains("The paper ran out."), "{}", till.frame());
    till.keys("⏎");
    assert_eq!(till.send(Msg::Sync(sync())), [Effect::LoadShift]);
    till.keys("⎋");
    assert_eq!((till.model.screen, till.send(Msg::Sync(sync())).len()), (Screen::Today, 0));
}

#[test]
fn cash_can_be_taken_without_a_shift_and_the_screen_says_so() {
    let mut till = Till::on_job(40, 15, job(true, Vec::new()));
    till.send(Msg::Sync(crate::domain::read::SyncStatus { shift_open: false, ..sync() }));
    till.keys("CAQ");
    assert!(till.frame().contains("no shift is open"), "{}", till.frame());
    assert_eq!(kinds(&till.keys("⏎")), ["cash.recorded"]);
}
