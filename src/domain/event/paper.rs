//! Rows about receipts and the drawer.

use crate::domain::id::{InvoiceId, JobId, PaymentId, VisitId};
use crate::domain::receipt::{ReceiptStanding, Sheet};
use serde::{Deserialize, Serialize};

/// A receipt goes to the printer; written before its first byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptQueued {
    /// The invoice it shows.
    pub invoice: InvoiceId,
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// Which sheet.
    pub sheet: Sheet,
    /// Where its money stood.
    pub standing: ReceiptStanding,
    /// A digest of what it says of the payments: tells when another receipt is due.
    pub said: String,
}

/// What became of a receipt at the printer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptEnded {
    /// The invoice it shows.
    pub invoice: InvoiceId,
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// Which sheet.
    pub sheet: Sheet,
    /// How it ended.
    pub state: ReceiptState,
    /// What a confirmation rests on: `process_id`, `fence` or `model` of the printer, or `technician`.
    pub by: Option<String>,
    /// Why it stopped, in a sentence.
    pub why: Option<String>,
}

/// How a receipt ended at the printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptState {
    /// Somebody or something says that it is on paper.
    Confirmed,
    /// Every byte was sent; nobody says more.
    SentUnconfirmed,
    /// Stopped; part of it may be on paper. The next one is a copy.
    Interrupted,
    /// Not begun. The next one counts as this one.
    Refused,
}

impl ReceiptState {
    /// As it stands in the database.
    pub fn name(self) -> &'static str {
        match self {
            ReceiptState::Confirmed => "confirmed",
            ReceiptState::SentUnconfirmed => "sent_unconfirmed",
            ReceiptState::Interrupted => "interrupted",
            ReceiptState::Refused => "refused",
        }
    }
}

/// The drawer is opened for a cash payment; written before it is, so that it opens once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawerOpened {
    /// For this payment.
    pub payment: PaymentId,
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
}
