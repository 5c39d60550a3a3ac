//! Rows about the cash shift.

use crate::domain::id::{MoveId, ShiftId};
use crate::domain::money::Money;
use crate::domain::shift::{Figures, MoveKind, ZNumber};
use serde::{Deserialize, Serialize};

/// A shift begins with a float.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftOpened {
    /// The shift.
    pub shift: ShiftId,
    /// What was put into the drawer, zero or more.
    pub float: Money,
    /// Cash taken since the last close, outside a shift, that is in the drawer too; minor units of the float's currency.
    pub carried_minor: i64,
}

/// Cash went into or out of the drawer beside the payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashMoved {
    /// The open shift.
    pub shift: ShiftId,
    /// This move.
    pub movement: MoveId,
    /// Which way, and what for.
    pub kind: MoveKind,
    /// How much, more than zero.
    pub amount: Money,
    /// Why, in the technician's words.
    pub reason: String,
}

/// A shift is closed for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftClosed {
    /// The shift.
    pub shift: ShiftId,
    /// The number of its Z report.
    pub number: ZNumber,
    /// What the technician counted without seeing what was expected.
    pub counted: Money,
    /// What should have been there.
    pub expected: Money,
    /// Counted less expected, minor units: negative is short. Kept as it is.
    pub difference_minor: i64,
    /// Rows of the journal that the office did not have yet.
    pub unsent_rows: u64,
    /// The Z report's figures.
    pub figures: Figures,
}
