//! What a journal row tells: one struct a kind, in version 1 of its body.
//!
//! A kind or version that this program does not know stays readable by its subjects; it is never guessed at.

mod begin;
mod deposit;
mod email;
mod manager;
mod paper;
mod payment;
mod refund;
mod shift;

pub use begin::{JournalOpened, PreviousHead};
pub use deposit::DepositUsed;
pub use email::ReceiptEmailRequested;
pub use manager::{Approved, ManagerApproved};
pub use paper::{DrawerOpened, ReceiptEnded, ReceiptQueued, ReceiptState};
pub use payment::{
    CashRecorded, PaymentAcceptedOffline, PaymentCardRead, PaymentIntended, PaymentOutcomeSeen, PaymentRequested,
    PaymentStep,
};
pub use refund::{CashRefunded, RefundOutcomeSeen, RefundRequested, TenderRecorded};
pub use shift::{CashMoved, ShiftClosed, ShiftOpened};

use super::id::{InvoiceId, JobId, LineId, PaymentId, RefundId, ShiftId, VisitId};
use super::invoice::Invoice;
use super::job::VisitState;
use super::line::Line;
use serde::{Deserialize, Serialize};

/// The version of every body in this file.
pub const BODY_VERSION: u32 = 1;

/// The technician is further with a visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitMoved {
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// From where.
    pub from: VisitState,
    /// To where.
    pub to: VisitState,
}

/// A line was added to a visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineAdded {
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// The line.
    pub line: Line,
}

/// A line was taken off a visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineRemoved {
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// The line, whole: what it took from the van goes back.
    pub line: Line,
}

/// A visit's lines became an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceIssued {
    /// The invoice.
    pub invoice: Invoice,
}

/// An invoice was taken back before any money moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceCancelled {
    /// The invoice.
    pub invoice: InvoiceId,
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// Why.
    pub why: String,
}

/// Why a row's body is not an event of this program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A kind from a newer program.
    #[error("kind {0:?} is not known here: update this program")]
    UnknownKind(String),
    /// A body version from a newer program.
    #[error("version {1} of {0:?} is not known here: update this program")]
    UnknownVersion(String, u32),
    /// Not the JSON of its kind.
    #[error("the body of a {0:?} row cannot be read: {1}")]
    BadBody(String, String),
}

impl DecodeError {
    /// An update of the program may help; this program never reads it.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident($body:ty) = $kind:literal),+ $(,)?) => {
        /// What happened. One journal row each.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Event {
            $($(#[$doc])* $name($body)),+
        }

        /// Every kind of row that this program writes.
        pub const KINDS: &[&str] = &[$($kind),+];

        impl Event {
            /// The row's kind.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Event::$name(_) => $kind),+
                }
            }

            /// The row's body: one line of JSON, kept as these bytes for ever.
            pub fn body(&self) -> Result<String, DecodeError> {
                match self {
                    $(Event::$name(body) => serde_json::to_string(body)),+
                }
                .map_err(|why| DecodeError::BadBody(self.kind().to_owned(), why.to_string()))
            }

            /// Reads a body back.
            pub fn decode(kind: &str, version: u32, body: &str) -> Result<Event, DecodeError> {
                let bad = |why: serde_json::Error| DecodeError::BadBody(kind.to_owned(), why.to_string());
                if KINDS.contains(&kind) && version != BODY_VERSION {
                    return Err(DecodeError::UnknownVersion(kind.to_owned(), version));
                }
                match kind {
                    $($kind => serde_json::from_str(body).map(Event::$name).map_err(bad),)+
                    other => Err(DecodeError::UnknownKind(other.to_owned())),
                }
            }
        }
    };
}

events!(
    /// Row 1 of every epoch.
    JournalOpened(JournalOpened) = "journal.opened",
    /// The technician is further with a visit.
    VisitMoved(VisitMoved) = "visit.moved",
    /// A line was added.
    LineAdded(LineAdded) = "line.added",
    /// A line was taken off.
    LineRemoved(LineRemoved) = "line.removed",
    /// Lines became an invoice.
    InvoiceIssued(InvoiceIssued) = "invoice.issued",
    /// An invoice was taken back.
    InvoiceCancelled(InvoiceCancelled) = "invoice.cancelled",
    /// A card payment begins.
    PaymentIntended(PaymentIntended) = "payment.intended",
    /// It ended before anything was sent.
    PaymentAbandoned(PaymentStep) = "payment.abandoned",
    /// The card itself said no.
    PaymentCardDeclined(PaymentStep) = "payment.card_declined",
    /// The card was read.
    PaymentCardRead(PaymentCardRead) = "payment.card_read",
    /// Not allowed; card data erased.
    PaymentRefused(PaymentStep) = "payment.refused",
    /// Ask the bank, now.
    PaymentRequested(PaymentRequested) = "payment.authorize_requested",
    /// Taken without the bank.
    PaymentAcceptedOffline(PaymentAcceptedOffline) = "payment.accepted_offline",
    /// No answer came in time.
    PaymentUnknown(PaymentStep) = "payment.unknown",
    /// The technician took the part that the bank agreed to.
    PaymentPartTaken(PaymentStep) = "payment.part_taken",
    /// Take it back.
    PaymentVoidRequested(PaymentStep) = "payment.void_requested",
    /// The office's word was seen.
    PaymentOutcomeSeen(PaymentOutcomeSeen) = "payment.outcome_seen",
    /// Cash was taken.
    CashRecorded(CashRecorded) = "cash.recorded",
    /// A cheque was taken, or a transfer announced.
    TenderRecorded(TenderRecorded) = "tender.recorded",
    /// An entry of cash, cheque or transfer was wrong.
    PaymentCorrected(PaymentStep) = "payment.corrected",
    /// A deposit paid a part of an invoice, or all of it.
    DepositUsed(DepositUsed) = "deposit.used",
    /// Give money back.
    RefundRequested(RefundRequested) = "refund.requested",
    /// The office's word on a refund was seen.
    RefundOutcomeSeen(RefundOutcomeSeen) = "refund.outcome_seen",
    /// Cash went back.
    CashRefunded(CashRefunded) = "cash.refunded",
    /// A manager's PIN was given.
    ManagerApproved(ManagerApproved) = "manager.approved",
    /// A receipt goes to the printer.
    ReceiptQueued(ReceiptQueued) = "receipt.queued",
    /// What became of it.
    ReceiptEnded(ReceiptEnded) = "receipt.ended",
    /// The drawer is opened.
    DrawerOpened(DrawerOpened) = "drawer.opened",
    /// A cash shift begins.
    ShiftOpened(ShiftOpened) = "shift.opened",
    /// Cash went in or out beside the payments.
    CashMoved(CashMoved) = "cash.moved",
    /// A cash shift ends.
    ShiftClosed(ShiftClosed) = "shift.closed",
    /// The customer wants the receipt by e-mail.
    ReceiptEmailRequested(ReceiptEmailRequested) = "receipt.email_requested",
);

/// The ids that an event speaks about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct About {
    /// The job, if any.
    pub job: Option<JobId>,
    /// The visit, if any.
    pub visit: Option<VisitId>,
    /// The invoice, if any.
    pub invoice: Option<InvoiceId>,
    /// The payment, if any.
    pub payment: Option<PaymentId>,
    /// The line, if any.
    pub line: Option<LineId>,
    /// The refund, if any.
    pub refund: Option<RefundId>,
    /// The cash shift, if any.
    pub shift: Option<ShiftId>,
    /// The deposit that pays, if any.
    pub deposit: Option<InvoiceId>,
}

impl About {
    fn visit(job: JobId, visit: VisitId) -> About {
        About { job: Some(job), visit: Some(visit), ..About::default() }
    }

    fn payment(job: JobId, visit: VisitId, payment: PaymentId) -> About {
        About { payment: Some(payment), ..About::visit(job, visit) }
    }

    fn refund(job: JobId, visit: VisitId, payment: Option<PaymentId>, refund: RefundId) -> About {
        About { payment, refund: Some(refund), ..About::visit(job, visit) }
    }

    fn invoice(job: JobId, visit: VisitId, invoice: InvoiceId) -> About {
        About { invoice: Some(invoice), ..About::visit(job, visit) }
    }
}

impl Event {
    /// The ids that it speaks about.
    pub fn about(&self) -> About {
        match self {
            Event::JournalOpened(_) => About::default(),
            Event::VisitMoved(e) => About::visit(e.job, e.visit),
            Event::LineAdded(e) => About { line: Some(e.line.id), ..About::visit(e.job, e.visit) },
            Event::LineRemoved(e) => About { line: Some(e.line.id), ..About::visit(e.job, e.visit) },
            Event::InvoiceIssued(e) => About::invoice(e.invoice.job, e.invoice.visit, e.invoice.id),
            Event::InvoiceCancelled(e) => About::invoice(e.job, e.visit, e.invoice),
            Event::PaymentIntended(e) => {
                About { invoice: Some(e.invoice), ..About::payment(e.job, e.visit, e.payment) }
            }
            Event::PaymentAbandoned(e)
            | Event::PaymentCardDeclined(e)
            | Event::PaymentRefused(e)
            | Event::PaymentUnknown(e)
            | Event::PaymentPartTaken(e)
            | Event::PaymentCorrected(e)
            | Event::PaymentVoidRequested(e) => About::payment(e.job, e.visit, e.payment),
            Event::PaymentCardRead(e) => About::payment(e.job, e.visit, e.payment),
            Event::PaymentRequested(e) => About::payment(e.job, e.visit, e.payment),
            Event::PaymentAcceptedOffline(e) => About::payment(e.job, e.visit, e.payment),
            Event::PaymentOutcomeSeen(e) => About::payment(e.job, e.visit, e.payment),
            Event::CashRecorded(e) => About { invoice: Some(e.invoice), ..About::payment(e.job, e.visit, e.payment) },
            Event::TenderRecorded(e) => About { invoice: Some(e.invoice), ..About::payment(e.job, e.visit, e.payment) },
            Event::DepositUsed(e) => {
                let about = About::payment(e.job, e.visit, e.payment);
                About { invoice: Some(e.invoice), deposit: Some(e.deposit), ..about }
            }
            Event::RefundRequested(e) => About::refund(e.job, e.visit, e.payment, e.refund),
            Event::RefundOutcomeSeen(e) => About::refund(e.job, e.visit, e.payment, e.refund),
            Event::CashRefunded(e) => About::refund(e.job, e.visit, Some(e.payment), e.refund),
            Event::ManagerApproved(e) => About { payment: e.payment, refund: e.refund, ..About::visit(e.job, e.visit) },
            Event::ReceiptQueued(e) => About::invoice(e.job, e.visit, e.invoice),
            Event::ReceiptEnded(e) => About::invoice(e.job, e.visit, e.invoice),
            Event::DrawerOpened(e) => About::payment(e.job, e.visit, e.payment),
            Event::ShiftOpened(e) => About { shift: Some(e.shift), ..About::default() },
            Event::CashMoved(e) => About { shift: Some(e.shift), ..About::default() },
            Event::ShiftClosed(e) => About { shift: Some(e.shift), ..About::default() },
            Event::ReceiptEmailRequested(e) => About::invoice(e.job, e.visit, e.invoice),
        }
    }

    /// The row's subjects: those ids as text, in a fixed order.
    pub fn subjects(&self) -> Vec<String> {
        let about = self.about();
        let ids = [
            about.job.map(|id| id.0),
            about.visit.map(|id| id.0),
            about.invoice.map(|id| id.0),
            about.payment.map(|id| id.0),
            about.line.map(|id| id.0),
            about.refund.map(|id| id.0),
            about.shift.map(|id| id.0),
            about.deposit.map(|id| id.0),
        ];
        ids.into_iter().flatten().map(|id| id.to_string()).collect()
    }
}
