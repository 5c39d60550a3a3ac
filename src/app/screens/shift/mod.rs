//! The cash shift: its report, what moves beside the payments, the count and the close.

pub mod update;
pub mod view;

use crate::app::model::{Model, Screen, ShiftStage};
use crate::domain::money::Money;
use crate::domain::shift::Report;

/// The most digits that an amount takes; `CASH_MAX_MINOR` has as many.
pub const MAX_DIGITS: usize = 12;

/// The open shift.
pub fn open(model: &Model) -> Option<&Report> {
    model.shift.now.as_ref().and_then(|now| now.open.as_ref())
}

/// The report in front: of the open shift, or of the one that was closed last.
pub fn report(model: &Model) -> Option<&Report> {
    let now = model.shift.now.as_ref()?;
    now.open.as_ref().or(now.last.as_ref())
}

/// Whether one is open.
pub fn is_open(model: &Model) -> bool {
    open(model).is_some()
}

/// Whether one can be opened.
pub fn may_open(model: &Model) -> bool {
    model.shift.now.as_ref().is_some_and(|now| now.open.is_none())
}

/// Whether there is something to print, and nothing is being printed.
pub fn may_print(model: &Model) -> bool {
    report(model).is_some() && model.shift.printing.is_none()
}

/// Whether keys go into a field.
pub fn is_typing(model: &Model) -> bool {
    model.shift.stage != ShiftStage::Report
}

/// Whether that field takes digits only.
pub fn takes_digits(model: &Model) -> bool {
    let digits = match model.shift.stage {
        ShiftStage::Float { .. } | ShiftStage::Amount { .. } | ShiftStage::Count { .. } => true,
        ShiftStage::Report | ShiftStage::Reason { .. } => false,
    };
    digits && model.screen == Screen::Shift
}

/// What was typed; `None` before the first digit.
pub fn typed(model: &Model, digits: &str) -> Option<Money> {
    let currency = model.shift.now.as_ref().map_or(model.settings.currency, |now| now.outside.currency);
    digits.parse().ok().map(|minor| Money::new(minor, currency))
}
