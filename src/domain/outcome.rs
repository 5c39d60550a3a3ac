//! The office's word on a payment, as the feed brings it.

use super::id::PaymentId;
use super::payment::PaymentState;
use serde::{Deserialize, Serialize};

/// What the office says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeState {
    /// The bank agreed.
    Approved,
    /// The bank agreed to a part.
    PartlyApproved,
    /// The bank declined an online request.
    Declined,
    /// The bank declined a stored payment.
    LateDeclined,
    /// Not forwarded in time, or given back at the authorisation's end.
    Expired,
    /// A dispatcher decides.
    Held,
    /// The request came too old to be sent; not an end.
    NotSent,
    /// Never sent, or reversed.
    Voided,
    /// Too late to void; a refund is needed.
    VoidFailed,
    /// Captured at the processor; the device shows it and journals nothing.
    Captured,
    /// Settled by the processor, all of it; shown like captured.
    Settled,
    /// The cardholder disputes it, and the bank has taken the money back; shown like captured.
    Disputed,
}

impl OutcomeState {
    /// How far the money came since the bank agreed; `None` for what is no step on that way.
    pub fn since_approval(self) -> Option<PaymentState> {
        match self {
            OutcomeState::Captured => Some(PaymentState::Captured),
            OutcomeState::Settled => Some(PaymentState::Settled),
            OutcomeState::Disputed => Some(PaymentState::Disputed),
            OutcomeState::Approved
            | OutcomeState::PartlyApproved
            | OutcomeState::Declined
            | OutcomeState::LateDeclined
            | OutcomeState::Expired
            | OutcomeState::Held
            | OutcomeState::NotSent
            | OutcomeState::Voided
            | OutcomeState::VoidFailed => None,
        }
    }
}

/// One word of the office. A later one (larger `n`) replaces an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Which payment.
    pub payment: PaymentId,
    /// What of it.
    pub state: OutcomeState,
    /// How much, minor units of the payment's currency.
    pub amount_minor: i64,
    /// The bank's code.
    pub auth_code: Option<String>,
    /// ISO 8583 response code, e.g. `05`.
    pub response_code: Option<String>,
    /// Why, in a sentence.
    pub reason: Option<String>,
    /// Office time, Unix milliseconds.
    pub at_ms: i64,
    /// 1, 2, 3… per payment.
    pub n: u32,
}
