//! Money that goes back, entries that were wrong, and tenders that are neither card nor cash.

use crate::domain::document::DocumentNumber;
use crate::domain::id::{InvoiceId, JobId, PaymentId, RefundId, VisitId};
use crate::domain::money::Money;
use crate::domain::payment::{Extras, Tender};
use crate::domain::refund::{Refund, RefundKind, RefundState};
use serde::{Deserialize, Serialize};

/// The office is asked to give money back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRequested {
    /// The refund.
    pub refund: RefundId,
    /// What it gives back; none for one that is linked to no payment.
    pub payment: Option<PaymentId>,
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// How the money goes back.
    pub tender: Tender,
    /// How much.
    pub amount: Money,
    /// What becomes of the debt.
    pub what: RefundKind,
    /// Why.
    pub reason: String,
    /// A manager's PIN was given.
    pub manager: bool,
}

/// Cash was given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashRefunded {
    /// The refund.
    pub refund: RefundId,
    /// The cash payment that it gives back.
    pub payment: PaymentId,
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// How much.
    pub amount: Money,
    /// What becomes of the debt.
    pub what: RefundKind,
    /// Why.
    pub reason: String,
    /// A manager's PIN was given.
    pub manager: bool,
}

/// The device saw the office's word on a refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundOutcomeSeen {
    /// The refund.
    pub refund: RefundId,
    /// What it gives back.
    pub payment: Option<PaymentId>,
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// What became of it.
    pub state: RefundState,
    /// How much.
    pub amount: Money,
    /// What becomes of the debt.
    pub what: RefundKind,
    /// The office's word, in a sentence.
    pub answer: Option<String>,
}

impl RefundOutcomeSeen {
    /// A refund as the office says that it is.
    pub fn of(refund: &Refund) -> RefundOutcomeSeen {
        RefundOutcomeSeen {
            refund: refund.id,
            payment: refund.payment,
            job: refund.job,
            visit: refund.visit,
            state: refund.state,
            amount: refund.amount,
            what: refund.kind,
            answer: refund.answer.clone(),
        }
    }
}

/// A cheque was taken, or a transfer announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenderRecorded {
    /// The payment.
    pub payment: PaymentId,
    /// Cheque or transfer.
    pub tender: Tender,
    /// What it pays.
    pub invoice: InvoiceId,
    /// The invoice's number.
    pub document: DocumentNumber,
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// How much.
    pub amount: Money,
    /// What of it is not for the invoice.
    pub extras: Extras,
    /// Number of the cheque, or what the transfer says.
    pub reference: String,
    /// The open tender that the technician was warned about.
    pub linked_to: Option<PaymentId>,
}
