//! Card and cash payments.

use crate::domain::consent::Consent;
use crate::domain::document::DocumentNumber;
use crate::domain::id::{InvoiceId, JobId, PaymentId, VisitId};
use crate::domain::money::Money;
use crate::domain::outcome::Outcome;
use crate::domain::payment::{CardSummary, Extras};
use serde::{Deserialize, Serialize};

/// A card payment begins; the reader is armed after this is on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentIntended {
    /// The payment.
    pub payment: PaymentId,
    /// What it pays.
    pub invoice: InvoiceId,
    /// The invoice's number.
    pub document: DocumentNumber,
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// How much, extras and all.
    pub amount: Money,
    /// What of it is not for the invoice.
    #[serde(default = "no_extras", skip_serializing_if = "Extras::is_none")]
    pub extras: Extras,
    /// The open tender that the technician was warned about.
    pub linked_to: Option<PaymentId>,
    /// The customer agreed that the card is kept. It is kept only once the bank has approved the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Consent>,
}

fn no_extras() -> Extras {
    Extras::NONE
}

/// A payment changed in a way that needs no more than a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentStep {
    /// The payment.
    pub payment: PaymentId,
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// Why, in a sentence; empty when the kind says it all.
    pub why: String,
}

/// The encrypted read is complete; its blob was sealed in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentCardRead {
    /// The payment.
    pub payment: PaymentId,
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// What may be known of the card.
    pub card: CardSummary,
    /// SHA-256 of the sealed blob, hex.
    pub blob: String,
    /// The office's sealing key that it was sealed to.
    pub sealing_key: String,
    /// Key serial number of the reader's encryption, hex.
    pub ksn: String,
    /// SHA-256 of the reader's ciphertext, hex: with the KSN unique to one payment.
    pub ciphertext_sha256: String,
    /// Random; erased with the body's personal data.
    pub salt: String,
}

/// An authorisation is asked for, now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRequested {
    /// The payment.
    pub payment: PaymentId,
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// How much.
    pub amount: Money,
    /// SHA-256 of the sealed blob, hex.
    pub blob: String,
}

/// The technician took the payment without the bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentAcceptedOffline {
    /// The payment.
    pub payment: PaymentId,
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// How much.
    pub amount: Money,
    /// SHA-256 of the sealed blob, hex.
    pub blob: String,
    /// When it must have been forwarded, Unix milliseconds.
    pub deadline_ms: i64,
    /// The policy that allowed it.
    pub policy: u32,
}

/// The device saw the office's word and did what follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentOutcomeSeen {
    /// The payment.
    pub payment: PaymentId,
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// The office's word.
    pub outcome: Outcome,
}

/// Cash was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashRecorded {
    /// The payment.
    pub payment: PaymentId,
    /// What it pays.
    pub invoice: InvoiceId,
    /// The invoice's number.
    pub document: DocumentNumber,
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// What stays in the drawer.
    pub amount: Money,
    /// What of it is not for the invoice.
    #[serde(default = "no_extras", skip_serializing_if = "Extras::is_none")]
    pub extras: Extras,
    /// What was handed over, minor units.
    pub tendered_minor: i64,
    /// What was handed back, minor units.
    pub change_minor: i64,
    /// The open tender that the technician was warned about.
    pub linked_to: Option<PaymentId>,
}
