//! A row about money that was paid ahead.

use crate::domain::deposit::Deposit;
use crate::domain::document::DocumentNumber;
use crate::domain::id::{InvoiceId, JobId, PaymentId, VisitId};
use crate::domain::invoice::Invoice;
use crate::domain::money::Money;
use serde::{Deserialize, Serialize};

/// A deposit pays a part of an invoice, or all of it: a payment like any other, whose money is already here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepositUsed {
    /// The payment.
    pub payment: PaymentId,
    /// Which deposit.
    pub deposit: InvoiceId,
    /// Its number.
    pub deposit_document: DocumentNumber,
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
    /// The open tender that the technician was warned about.
    pub linked_to: Option<PaymentId>,
}

impl DepositUsed {
    /// `deposit` pays `amount` of `invoice`.
    pub fn of(deposit: &Deposit, invoice: &Invoice, amount: Money, payment: PaymentId) -> DepositUsed {
        DepositUsed {
            payment,
            deposit: deposit.id,
            deposit_document: deposit.document.clone(),
            invoice: invoice.id,
            document: invoice.document.clone(),
            job: invoice.job,
            visit: invoice.visit,
            amount,
            linked_to: None,
        }
    }
}
