//! What rows about the cash shift change.
//!
//! Invariant: what the drawer holds is not judged here. The handheld refuses to pay out more than there is before it
//! writes the row; the office takes the row as it comes, because the cash has moved, and shows what it led to.

use super::{Changes, FoldError, Known, RowRef};
use crate::domain::event::{CashMoved, ShiftClosed, ShiftOpened};
use crate::domain::id::{EntryId, ShiftId};
use crate::domain::ledger::{Account, Entry};
use crate::domain::money::{Money, MoneyError};
use crate::domain::shift::{
    CASH_MAX_MINOR, CashMove, Closed, MoveKind, REASON_MAX_CHARS, Shift, ShiftChange, ShiftError,
};

/// A float leaves the safe for the drawer.
pub(super) fn opened(e: &ShiftOpened, known: &Known, row: RowRef) -> Result<Changes, FoldError> {
    if known.shift.is_some() {
        return Err(ShiftError::AlreadyOpen.into());
    }
    in_range(e.float)?;
    let shift = Shift {
        id: e.shift,
        currency: e.float.currency,
        opened_ms: row.at_ms,
        float_minor: e.float.minor,
        carried_minor: e.carried_minor,
        closed: None,
    };
    changes(
        ShiftChange::Opened(shift),
        e.float,
        row,
        &[(Account::Cash, e.float.minor), (Account::Safe, -e.float.minor)],
    )
}

/// Cash moves between the drawer and the safe, or the petty cash.
pub(super) fn moved(e: &CashMoved, known: &Known, row: RowRef) -> Result<Changes, FoldError> {
    let shift = open(known, e.shift)?;
    same_currency(shift, e.amount)?;
    if !(1..=CASH_MAX_MINOR).contains(&e.amount.minor) {
        return Err(ShiftError::NothingMoves.into());
    }
    if e.reason.trim().is_empty() || e.reason.chars().count() > REASON_MAX_CHARS {
        return Err(ShiftError::Reason.into());
    }
    let minor = e.amount.minor;
    let (cash, other) = match e.kind {
        MoveKind::PaidIn => (minor, Account::PettyCash),
        MoveKind::PaidOut => (-minor, Account::PettyCash),
        MoveKind::Drop => (-minor, Account::Safe),
    };
    let cash_move =
        CashMove { id: e.movement, kind: e.kind, amount: e.amount, reason: e.reason.clone(), at_ms: row.at_ms };
    let change = ShiftChange::Moved { shift: e.shift, cash: cash_move };
    changes(change, e.amount, row, &[(Account::Cash, cash), (other, -cash)])
}

/// What was counted leaves the drawer for the safe; the difference stays where it can be seen.
pub(super) fn closed(e: &ShiftClosed, known: &Known, row: RowRef) -> Result<Changes, FoldError> {
    let shift = open(known, e.shift)?;
    same_currency(shift, e.counted)?;
    in_range(e.counted)?;
    let difference = e.counted.checked_sub(e.expected)?.minor;
    if difference != e.difference_minor || e.figures.drawer.expected_minor()? != e.expected.minor {
        return Err(ShiftError::Figures.into());
    }
    let minus = |minor: i64| minor.checked_neg().ok_or(MoneyError::Overflow);
    let sides = [
        (Account::Cash, minus(e.expected.minor)?),
        (Account::CashOverShort, minus(difference)?),
        (Account::Safe, e.counted.minor),
    ];
    let closed = Closed {
        number: e.number.clone(),
        at_ms: row.at_ms,
        counted_minor: e.counted.minor,
        expected_minor: e.expected.minor,
        difference_minor: difference,
        unsent_rows: e.unsent_rows,
    };
    let change = ShiftChange::Closed { shift: e.shift, closed, figures: Box::new(e.figures.clone()) };
    changes(change, e.counted, row, &sides)
}

fn open(known: &Known, id: ShiftId) -> Result<&Shift, FoldError> {
    let shift = known.shift.as_ref().filter(|shift| shift.id == id).ok_or(ShiftError::NotOpen)?;
    match &shift.closed {
        None => Ok(shift),
        Some(number) => Err(ShiftError::Closed(number.clone()).into()),
    }
}

fn same_currency(shift: &Shift, amount: Money) -> Result<(), FoldError> {
    if amount.currency == shift.currency {
        Ok(())
    } else {
        Err(MoneyError::CurrencyMismatch(shift.currency, amount.currency).into())
    }
}

fn in_range(amount: Money) -> Result<(), FoldError> {
    if (0..=CASH_MAX_MINOR).contains(&amount.minor) { Ok(()) } else { Err(ShiftError::OutOfRange.into()) }
}

fn changes(change: ShiftChange, amount: Money, row: RowRef, sides: &[(Account, i64)]) -> Result<Changes, FoldError> {
    Ok(Changes {
        entry: Entry::balanced(EntryId(row.id.0), row.at_ms, None, amount.currency, sides)?,
        shift: Some(change),
        ..Changes::default()
    })
}

#[cfg(test)]
mod tests;
