//! Every state of a payment, its name in JSON, its word for people, and what a person needs to tell apart.

use super::Tender;
use serde::{Deserialize, Serialize};

/// Every state of a payment. The names in JSON are these in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// Being put together on the screen; not on the disk yet.
    Draft,
    /// Intent committed, the reader is armed.
    Presenting,
    /// Nothing was sent; another try is another payment.
    Abandoned,
    /// Declined by the bank, or by the card at the first GENERATE AC.
    Declined,
    /// The encrypted read is complete and sealed.
    CardRead,
    /// The request for an authorisation is on its way.
    Requested,
    /// Kept on the device, to be sent later; nobody has agreed yet.
    Stored,
    /// Not allowed; the card data was erased.
    Refused,
    /// The bank agreed.
    Approved,
    /// The bank agreed to a part; nobody has taken it yet.
    PartlyApproved,
    /// Sent, and no answer came.
    Unknown,
    /// A void is on its way.
    VoidPending,
    /// Nothing is owed by the card any more.
    Voided,
    /// The void came too late; a refund is needed.
    VoidFailed,
    /// Stored, then declined by the bank.
    LateDeclined,
    /// Stored, and not sent in time.
    Expired,
    /// Waits for a dispatcher's decision.
    Held,
    /// The office captured it.
    Captured,
    /// The processor settled it.
    Settled,
    /// The cardholder disputes it.
    Disputed,
    /// Cash is being counted; not on the disk yet.
    Tendered,
    /// Cash taken.
    Recorded,
    /// Cash entry corrected by a counter-entry.
    Corrected,
}

/// What a person needs to tell apart at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Under way on this screen.
    Open,
    /// The money is certain.
    Paid,
    /// Accepted, not certain.
    Pending,
    /// Nobody knows yet.
    Unknown,
    /// No money from this.
    Failed,
}

impl PaymentState {
    /// The word on screens and receipts.
    pub fn word(self) -> &'static str {
        match self {
            PaymentState::Draft => "DRAFT",
            PaymentState::Presenting => "WAITING FOR CARD",
            PaymentState::Abandoned => "ABANDONED",
            PaymentState::Declined => "DECLINED",
            PaymentState::CardRead => "CARD READ",
            PaymentState::Requested => "ASKING THE BANK",
            PaymentState::Stored => "PENDING",
            PaymentState::Refused => "REFUSED",
            PaymentState::Approved => "APPROVED",
            PaymentState::PartlyApproved => "PARTLY APPROVED",
            PaymentState::Unknown => "NOT KNOWN",
            PaymentState::VoidPending => "VOID PENDING",
            PaymentState::Voided => "VOIDED",
            PaymentState::VoidFailed => "VOID FAILED",
            PaymentState::LateDeclined => "LATE DECLINED",
            PaymentState::Expired => "EXPIRED",
            PaymentState::Held => "HELD",
            PaymentState::Captured => "CAPTURED",
            PaymentState::Settled => "SETTLED",
            PaymentState::Disputed => "DISPUTED",
            PaymentState::Tendered => "COUNTING",
            PaymentState::Recorded => "PAID CASH",
            PaymentState::Corrected => "CORRECTED",
        }
    }

    /// The word for a payment by this tender: cash and what a person declares share states.
    pub fn word_by(self, tender: Tender) -> &'static str {
        match (self, tender) {
            (PaymentState::Tendered, Tender::Transfer) => "TRANSFER ANNOUNCED",
            (PaymentState::Recorded, Tender::Transfer) => "TRANSFER ARRIVED",
            (PaymentState::Recorded, Tender::Cheque) => "PAID BY CHEQUE",
            (PaymentState::Recorded, Tender::Deposit) => "DEPOSIT USED",
            (state, _) => state.word(),
        }
    }

    /// The name in JSON and in the databases.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }

    /// The state of a name.
    pub fn from_name(name: &str) -> Option<PaymentState> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(state, _)| *state)
    }

    /// What a person needs to tell apart.
    pub fn standing(self) -> Standing {
        match self {
            PaymentState::Draft
            | PaymentState::Presenting
            | PaymentState::CardRead
            | PaymentState::Requested
            | PaymentState::Tendered => Standing::Open,
            PaymentState::Approved | PaymentState::Captured | PaymentState::Settled | PaymentState::Recorded => {
                Standing::Paid
            }
            PaymentState::Stored | PaymentState::Held | PaymentState::PartlyApproved => Standing::Pending,
            PaymentState::Unknown | PaymentState::VoidPending | PaymentState::VoidFailed | PaymentState::Disputed => {
                Standing::Unknown
            }
            PaymentState::Abandoned
            | PaymentState::Declined
            | PaymentState::Refused
            | PaymentState::Voided
            | PaymentState::LateDeclined
            | PaymentState::Expired
            | PaymentState::Corrected => Standing::Failed,
        }
    }
}

pub(super) const NAMES: [(PaymentState, &str); 23] = [
    (PaymentState::Draft, "draft"),
    (PaymentState::Presenting, "presenting"),
    (PaymentState::Abandoned, "abandoned"),
    (PaymentState::Declined, "declined"),
    (PaymentState::CardRead, "card_read"),
    (PaymentState::Requested, "requested"),
    (PaymentState::Stored, "stored"),
    (PaymentState::Refused, "refused"),
    (PaymentState::Approved, "approved"),
    (PaymentState::PartlyApproved, "partly_approved"),
    (PaymentState::Unknown, "unknown"),
    (PaymentState::VoidPending, "void_pending"),
    (PaymentState::Voided, "voided"),
    (PaymentState::VoidFailed, "void_failed"),
    (PaymentState::LateDeclined, "late_declined"),
    (PaymentState::Expired, "expired"),
    (PaymentState::Held, "held"),
    (PaymentState::Captured, "captured"),
    (PaymentState::Settled, "settled"),
    (PaymentState::Disputed, "disputed"),
    (PaymentState::Tendered, "tendered"),
    (PaymentState::Recorded, "recorded"),
    (PaymentState::Corrected, "corrected"),
];
