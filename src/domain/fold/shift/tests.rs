//! Rows about the cash shift as data: what is known, the row, what it changes or why not.

use super::super::{Changes, FoldError, Known, RowRef, fold};
use crate::domain::event::{CashMoved, Event, ShiftClosed, ShiftOpened};
use crate::domain::ledger::Account;
use crate::domain::money::{Currency, Money, MoneyError};
use crate::domain::shift::{CASH_MAX_MINOR, Drawer, Figures, MoveKind, Shift, ShiftChange, ShiftError};
use uuid::Uuid;

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// With the shift open, closed, or without one.
fn known(state: &str) -> Known {
    let shift = |closed: Option<&str>| Shift {
        id: id(1).into(),
        currency: Currency::EUR,
        opened_ms: 5,
        float_minor: 10_000,
        carried_minor: 0,
        closed: closed.map(|number| number.parse().unwrap()),
    };
    let shift = match state {
        "none" => None,
        "open" => Some(shift(None)),
        "closed" => Some(shift(Some("D07-Z0001"))),
        other => panic!("{other}"),
    };
    Known { shift, ..Known::default() }
}

fn opened(float: Money) -> Event {
    Event::ShiftOpened(ShiftOpened { shift: id(1).into(), float, carried_minor: 0 })
}

fn moved(kind: MoveKind, amount: Money, reason: &str) -> Event {
    let reason = reason.to_owned();
    Event::CashMoved(CashMoved { shift: id(1).into(), movement: id(2).into(), kind, amount, reason })
}

fn closed(counted: Money, expected_minor: i64, difference_minor: i64) -> Event {
    let drawer = Drawer { float_minor: expected_minor, ..Drawer::default() };
    Event::ShiftClosed(ShiftClosed {
        shift: id(1).into(),
        number: "D07-Z0001".parse().unwrap(),
        counted,
        expected: eur(expected_minor),
        difference_minor,
        unsent_rows: 3,
        figures: Figures { drawer, ..Figures::default() },
    })
}

fn folded(state: &str, event: &Event) -> Result<Changes, FoldError> {
    fold(event, &known(state), RowRef { id: id(9).into(), at_ms: 7 })
}

/// The postings of the row; a shift's row changes nothing but its shift and the ledger.
fn check(state: &str, event: &Event, expect: &[(Account, i64)]) -> Option<ShiftChange> {
    let changes = folded(state, event).unwrap();
    let sides = changes.entry.iter().flat_map(|entry| &entry.postings).map(|p| (p.account, p.minor));
    assert_eq!(sides.collect::<Vec<_>>(), expect, "{event:?}");
    assert_eq!(changes, Changes { entry: changes.entry.clone(), shift: changes.shift.clone(), ..Changes::default() });
    changes.shift
}

fn refused(state: &str, event: &Event, expect: impl Into<FoldError>) {
    assert_eq!(folded(state, event), Err(expect.into()), "{event:?} {state}");
}

#[test]
fn cash_goes_where_it_went() {
    use Account::{Cash, CashOverShort, PettyCash, Safe};
    check("none", &opened(eur(10_000)), &[(Cash, 10_000), (Safe, -10_000)]);
    check("none", &opened(eur(0)), &[]);
    check("open", &moved(MoveKind::PaidIn, eur(500), "change"), &[(Cash, 500), (PettyCash, -500)]);
    check("open", &moved(MoveKind::PaidOut, eur(500), "fuel"), &[(Cash, -500), (PettyCash, 500)]);
    check("open", &moved(MoveKind::Drop, eur(500), "to the bank"), &[(Cash, -500), (Safe, 500)]);
    check("open", &closed(eur(10_000), 10_000, 0), &[(Cash, -10_000), (Safe, 10_000)]);
    check("open", &closed(eur(9_950), 10_000, -50), &[(Cash, -10_000), (CashOverShort, 50), (Safe, 9_950)]);
    check("open", &closed(eur(10_050), 10_000, 50), &[(Cash, -10_000), (CashOverShort, -50), (Safe, 10_050)]);
    check("open", &closed(eur(0), 0, 0), &[]);
}

#[test]
fn the_difference_is_kept_as_it_is() {
    let change = check("open", &closed(eur(0), 700, -700), &[(Account::Cash, -700), (Account::CashOverShort, 700)]);
    let Some(ShiftChange::Closed { closed, .. }) = change else { panic!("{change:?}") };
    let kept = (closed.counted_minor, closed.expected_minor, closed.difference_minor, closed.unsent_rows);
    assert_eq!(kept, (0, 700, -700, 3));
}

#[test]
fn a_closed_shift_takes_nothing_and_none_can_be_opened_twice() {
    let number = || ShiftError::Closed("D07-Z0001".parse().unwrap());
    refused("closed", &moved(MoveKind::PaidIn, eur(1), "x"), number());
    refused("closed", &closed(eur(1), 1, 0), number());
    refused("none", &moved(MoveKind::PaidIn, eur(1), "x"), ShiftError::NotOpen);
    refused("none", &closed(eur(1), 1, 0), ShiftError::NotOpen);
    refused("open", &opened(eur(1)), ShiftError::AlreadyOpen);
    refused("closed", &opened(eur(1)), ShiftError::AlreadyOpen);
}

#[test]
fn bad_amounts_and_reasons_are_refused() {
    let usd = |minor| Money::new(minor, "USD".parse().unwrap());
    let mismatch = || MoneyError::CurrencyMismatch(Currency::EUR, "USD".parse().unwrap());
    for minor in [-1, CASH_MAX_MINOR + 1, i64::MAX, i64::MIN] {
        refused("none", &opened(eur(minor)), ShiftError::OutOfRange);
        refused("open", &moved(MoveKind::Drop, eur(minor), "x"), ShiftError::NothingMoves);
        assert!(folded("open", &closed(eur(minor), 0, minor)).is_err());
    }
    refused("open", &moved(MoveKind::PaidIn, eur(0), "x"), ShiftError::NothingMoves);
    refused("open", &moved(MoveKind::PaidIn, usd(1), "x"), mismatch());
    for reason in ["", "  ", &"x".repeat(61)] {
        refused("open", &moved(MoveKind::PaidIn, eur(1), reason), ShiftError::Reason);
    }
    refused("open", &closed(usd(1), 1, 0), mismatch());
    refused("open", &closed(eur(9), 10, 0), ShiftError::Figures);
    refused("open", &closed(eur(9), 10, 1), ShiftError::Figures);
    // Expected that the figures do not give.
    let Event::ShiftClosed(mut forged) = closed(eur(9), 10, -1) else { panic!() };
    forged.figures.drawer.float_minor = 11;
    refused("open", &Event::ShiftClosed(forged), ShiftError::Figures);
    // As low as it goes: an error, not a wrap.
    assert!(folded("open", &closed(eur(0), i64::MIN, i64::MIN)).is_err());
}

#[test]
fn bodies_read_back() {
    for event in [opened(eur(10_000)), moved(MoveKind::Drop, eur(5), "to the bank"), closed(eur(9), 10, -1)] {
        let body = event.body().unwrap();
        assert_eq!(Event::decode(event.kind(), 1, &body), Ok(event.clone()), "{body}");
        assert_eq!(event.subjects(), [id(1).to_string()]);
    }
}
