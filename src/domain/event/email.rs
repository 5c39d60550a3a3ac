//! Rows about receipts by e-mail.

use crate::domain::email::EmailAddress;
use crate::domain::id::{InvoiceId, JobId, VisitId};
use crate::domain::receipt::ReceiptStanding;
use serde::{Deserialize, Serialize};

/// The customer wants the receipt by e-mail; the office sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptEmailRequested {
    /// The invoice it shows.
    pub invoice: InvoiceId,
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// Where to.
    pub to: EmailAddress,
    /// Where its money stood when it was asked for.
    pub standing: ReceiptStanding,
    /// Random; erased with the body's personal data.
    pub salt: String,
}
