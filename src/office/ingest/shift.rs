//! What a closed cash shift tells the dispatcher.

use super::apply::ApplyError;
use crate::domain::event::ShiftClosed;
use crate::domain::exception::ExceptionType;
use crate::domain::fold::FoldError;
use crate::domain::money::{Money, MoneyError};
use crate::domain::shift::{ShiftError, words};
use crate::facts::shift;
use crate::office::exceptions::{Trouble, raise};
use rusqlite::Connection;

/// Lists a difference of the count, and figures that the office sums up differently. The shift is closed either way.
pub(super) fn closed(db: &Connection, device: &str, e: &ShiftClosed, now_ms: i64) -> Result<(), ApplyError> {
    let subject = e.shift.to_string();
    let trouble = |kind, amount, note: &str| {
        let trouble =
            Trouble { kind, subject: &subject, device: Some(device), job: None, amount, note, deadline_ms: None };
        raise(db, &trouble, now_ms)
    };
    if e.difference_minor != 0 {
        let difference = Money::new(e.difference_minor, e.counted.currency);
        let size = e.difference_minor.checked_abs().ok_or(FoldError::Money(MoneyError::Overflow))?;
        let (word, amount) = words::difference(difference);
        let note =
            format!("{}: {} {amount} (counted {}, expected {})", e.number, word.to_lowercase(), e.counted, e.expected);
        trouble(ExceptionType::CashVariance, Money::new(size, difference.currency), &note)?;
    }
    let kept = shift::one(db, e.shift)?.ok_or(FoldError::Shift(ShiftError::NotOpen))?;
    let ours = shift::figures(db, &kept)?;
    if ours != e.figures {
        let expected = ours.drawer.expected_minor().unwrap_or_default();
        let note = format!("{}: the office expects {} in the drawer", e.number, Money::new(expected, kept.currency));
        trouble(ExceptionType::TotalsDiffer, e.expected, &note)?;
    }
    Ok(())
}
