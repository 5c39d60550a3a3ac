//! An invoice: a visit's lines, frozen under a document number. A deposit is the same without lines: see
//! [`super::deposit`].

use super::deposit::DepositUse;
use super::document::DocumentNumber;
use super::id::{CustomerId, InvoiceId, JobId, VisitId};
use super::job::MoneyState;
use super::line::Line;
use super::money::{Money, MoneyError};
use super::totals::Totals;
use serde::{Deserialize, Serialize};

/// Where an invoice stands; follows from its payments unless cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceState {
    /// Nothing certain paid.
    Issued,
    /// Some of it paid.
    PartPaid,
    /// All of it paid.
    Paid,
    /// Taken back before any money moved; its number stays used.
    Cancelled,
}

/// One invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// Its id.
    pub id: InvoiceId,
    /// Its number.
    pub document: DocumentNumber,
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// Who pays.
    pub customer: CustomerId,
    /// What for.
    pub lines: Vec<Line>,
    /// How much.
    pub totals: Totals,
    /// When, Unix milliseconds by the device's clock.
    pub issued_ms: i64,
    /// Where it stands.
    pub state: InvoiceState,
    /// Whether its parts have been booked out to the customer.
    pub delivered: bool,
    /// It is a deposit, and this has become of it; none for an invoice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit: Option<DepositUse>,
}

/// Sums over an invoice's payments, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidSums {
    /// Authoritative money.
    pub approved_minor: i64,
    /// Stored and held money.
    pub pending_minor: i64,
}

impl PaidSums {
    /// No payment yet.
    pub const NONE: PaidSums = PaidSums { approved_minor: 0, pending_minor: 0 };

    /// Both together.
    pub fn covered_minor(self) -> Result<i64, MoneyError> {
        self.approved_minor.checked_add(self.pending_minor).ok_or(MoneyError::Overflow)
    }
}

impl Invoice {
    /// What another tender may take: the total less what is paid and what is pending; never below zero.
    pub fn open(&self, sums: PaidSums) -> Result<Money, MoneyError> {
        let open = self.totals.total_minor.checked_sub(sums.covered_minor()?).ok_or(MoneyError::Overflow)?;
        Ok(Money::new(open.max(0), self.totals.currency))
    }

    /// The invoice's state and the visit's money state for these sums.
    pub fn standing(&self, sums: PaidSums) -> Result<(InvoiceState, MoneyState), MoneyError> {
        if self.state == InvoiceState::Cancelled {
            return Ok((InvoiceState::Cancelled, MoneyState::None));
        }
        let total = self.totals.total_minor;
        let state = if sums.approved_minor >= total {
            InvoiceState::Paid
        } else if sums.approved_minor > 0 {
            InvoiceState::PartPaid
        } else {
            InvoiceState::Issued
        };
        let money = if sums.approved_minor >= total {
            MoneyState::Paid
        } else if sums.covered_minor()? >= total {
            MoneyState::Pending
        } else {
            MoneyState::Due
        };
        Ok((state, money))
    }
}
