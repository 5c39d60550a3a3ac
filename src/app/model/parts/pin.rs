//! A manager's PIN that is typed.
//!
//! Invariant: plain data; what was typed does not show in `Debug`.

use crate::app::msg::OpId;
use crate::domain::event::{ManagerApproved, RefundRequested};
use crate::domain::pin::Pin;

/// A manager's PIN that is typed, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinView {
    /// As typed so far.
    pub pin: Pin,
    /// What it is to allow.
    pub what: ManagerApproved,
    /// What follows.
    pub then: PinThen,
    /// The check that is awaited.
    pub op: Option<OpId>,
    /// Why it was not taken, in a sentence.
    pub problem: Option<String>,
}

/// What follows a manager's PIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinThen {
    /// The office is asked for this refund.
    Refund(RefundRequested),
    /// The payment in front may be stored.
    Store,
}
