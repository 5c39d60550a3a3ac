//! A manager's word, given by PIN on the handheld.

use crate::domain::id::{JobId, PaymentId, RefundId, VisitId};
use crate::domain::money::Money;
use serde::{Deserialize, Serialize};

/// What a manager can allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approved {
    /// The office is asked for a refund that is linked to no payment.
    UnlinkedRefund,
    /// A card payment beyond a soft limit of the offline policy.
    OfflineLimit,
}

/// A manager's PIN was given, and for what. Who held the handheld is the row's actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagerApproved {
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// The payment, if it is about one.
    pub payment: Option<PaymentId>,
    /// The refund, if it is about one.
    pub refund: Option<RefundId>,
    /// What.
    pub what: Approved,
    /// How much.
    pub amount: Money,
    /// The reason that was typed, or the limit, in words.
    pub why: String,
    /// Which PIN: the first eight hex digits of the SHA-256 of what the office keeps of it.
    pub pin: String,
    /// Wrong tries just before.
    pub wrong_tries: u32,
}
