//! What the cash shift's screen holds.

use crate::app::msg::OpId;
use crate::domain::money::Money;
use crate::domain::shift::{MoveKind, ShiftNow};

/// The cash shift's screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShiftView {
    /// What the disk says; `None` until read.
    pub now: Option<ShiftNow>,
    /// What is being done.
    pub stage: ShiftStage,
    /// First row shown of the report.
    pub scroll: usize,
    /// The print that is awaited.
    pub printing: Option<OpId>,
}

/// What the cash shift's screen is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShiftStage {
    /// Looking at the report.
    Report,
    /// The float is typed.
    Float {
        /// Minor units as typed.
        digits: String,
    },
    /// The amount of a move is typed.
    Amount {
        /// Which way, and what for.
        kind: MoveKind,
        /// Minor units as typed.
        digits: String,
    },
    /// Why it moves is chosen or typed.
    Reason {
        /// Which way, and what for.
        kind: MoveKind,
        /// How much.
        amount: Money,
        /// As typed; empty while one of the list is meant.
        typed: String,
        /// Which of the list.
        selected: usize,
    },
    /// The drawer is counted.
    Count {
        /// Minor units as typed.
        digits: String,
    },
}
