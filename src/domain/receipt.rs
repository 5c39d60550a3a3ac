//! What a receipt says. [`content`] is its text in order; the printer's layout makes rows of it, the same ones for paper,
//! screen, picture and file.
//!
//! Invariant: never says APPROVED of money that nobody agreed to, and never shows more of a card than four digits.

pub mod back;
pub mod content;
pub mod example;
mod sheet;
pub mod standing;
pub mod statement;
pub mod tender;

pub use back::RefundLine;
pub use sheet::{PrintedReceipt, ReceiptPreview};
pub use standing::ReceiptStanding;
pub use tender::{TenderLine, mark, short_reference};

use super::document::DocumentNumber;
use super::id::{InvoiceId, JobId};
use super::invoice::Invoice;
use super::journal::Hash;
use super::mode::Mode;
use super::money::Money;
use super::payment::{PaymentState, Standing, Tender};
use super::refund::RefundState;
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use statement::Statement;

/// Who takes the money.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merchant {
    /// Trading name.
    pub name: String,
    /// Address, one line.
    pub address: String,
    /// VAT number.
    pub tax_id: String,
    /// The number under which the acquirer knows the merchant; empty when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub merchant_id: String,
    /// A picture, one text a row of dots, `#` for black; at most [`content::LOGO_DOTS_MAX`] either way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logo: Vec<String>,
}

/// Whose copy it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// Who pays.
    #[default]
    Customer,
    /// Who takes the money; may have a line for a signature.
    Merchant,
}

impl Party {
    /// The name in JSON and in the databases.
    pub fn name(self) -> &'static str {
        match self {
            Party::Customer => "customer",
            Party::Merchant => "merchant",
        }
    }

    /// The words on the paper.
    pub fn words(self) -> &'static str {
        match self {
            Party::Customer => "CUSTOMER COPY",
            Party::Merchant => "MERCHANT COPY",
        }
    }
}

/// Which receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiptOf {
    /// The job.
    pub job: JobId,
    /// Which of its documents; `None` for its invoice.
    pub document: Option<InvoiceId>,
    /// Whose copy.
    pub party: Party,
}

impl ReceiptOf {
    /// The customer's copy of a job's invoice.
    pub fn invoice(job: JobId) -> ReceiptOf {
        ReceiptOf { job, document: None, party: Party::Customer }
    }
}

/// One sheet of paper. Editions of a receipt say different things: a later one replaces an earlier one. Copies of an
/// edition say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// Whose.
    pub party: Party,
    /// 1, 2, 3… for each invoice and party.
    pub edition: u32,
    /// 1 for the first of its edition; 2 and more are marked COPY.
    pub copy: u32,
}

impl Sheet {
    /// The first of all.
    pub const FIRST: Sheet = Sheet { party: Party::Customer, edition: 1, copy: 1 };
}

/// What kind of business a receipt is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// Something was sold.
    #[default]
    Sale,
    /// Money goes back.
    Refund,
    /// What was paid was taken back, and nothing else was paid.
    Void,
    /// Money was paid ahead.
    Deposit,
}

impl ReceiptKind {
    /// The word on the paper.
    pub fn word(self) -> &'static str {
        match self {
            ReceiptKind::Sale => "SALE",
            ReceiptKind::Refund => "REFUND",
            ReceiptKind::Void => "VOID",
            ReceiptKind::Deposit => "DEPOSIT",
        }
    }

    /// The kind of a document's receipt: a deposit is no sale.
    pub fn for_document(of: &Invoice, tenders: &[TenderLine], refunds: &[RefundLine], open: Money) -> ReceiptKind {
        match ReceiptKind::of(tenders, refunds, open) {
            ReceiptKind::Sale if of.is_deposit() => ReceiptKind::Deposit,
            kind => kind,
        }
    }

    /// What payments and refunds make of it. What was given back and then paid another way is a sale again.
    pub fn of(tenders: &[TenderLine], refunds: &[RefundLine], open: Money) -> ReceiptKind {
        let back = refunds.iter().any(|refund| refund.state != RefundState::Refused);
        if back && ReceiptStanding::of(tenders, refunds, open) != ReceiptStanding::Paid {
            return ReceiptKind::Refund;
        }
        let voided = |t: &TenderLine| matches!(t.state, PaymentState::Voided | PaymentState::VoidPending);
        let over = |t: &TenderLine| voided(t) || t.standing() == Standing::Failed;
        if tenders.iter().any(voided) && tenders.iter().all(over) { ReceiptKind::Void } else { ReceiptKind::Sale }
    }
}

/// Everything on one receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Who takes the money.
    pub merchant: Merchant,
    /// The invoice's number.
    pub document: DocumentNumber,
    /// Local date and time of printing, e.g. `2026-11-24 09:58`.
    pub printed_at: String,
    /// Who pays.
    pub customer: String,
    /// The device's name: the terminal.
    pub device: String,
    /// Whether it counts.
    #[serde(default, skip_serializing_if = "Mode::is_live")]
    pub mode: Mode,
    /// What kind of business.
    #[serde(default)]
    pub kind: ReceiptKind,
    /// Whose copy.
    #[serde(default)]
    pub party: Party,
    /// 1 for the first; more is marked COPY.
    pub copy: u32,
    /// Local date and time of the receipt that this one replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// What the device states of it under its signature; see [`statement`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// The invoice.
    pub invoice: Invoice,
    /// Its payments.
    pub tenders: Vec<TenderLine>,
    /// What went back of them, or is asked to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<RefundLine>,
    /// What is still to be paid.
    pub open: Money,
}

impl Receipt {
    /// Where its money stands.
    pub fn standing(&self) -> ReceiptStanding {
        ReceiptStanding::of(&self.tenders, &self.refunds, self.open)
    }

    /// A digest of what it says of payments and refunds; see [`standing::said`].
    pub fn said(&self) -> String {
        standing::said(&self.tenders, &self.refunds, self.open)
    }

    /// What its QR code says without a signature, and what a person may say instead of it.
    pub fn reference(&self) -> String {
        self.document.to_string()
    }

    /// What its QR code says.
    pub fn code(&self) -> String {
        self.statement.clone().unwrap_or_else(|| self.reference())
    }

    /// Has the device state what it says: row `seq` with `hash` is the journal's last, `at_ms` the device's clock.
    pub fn sign(&mut self, key: &SigningKey, seq: u64, hash: Hash, at_ms: i64) {
        let statement = Statement {
            mode: self.mode,
            kind: self.kind,
            standing: self.standing(),
            document: self.document.clone(),
            total: self.invoice.totals.total(),
            seq,
            hash,
            at_s: u32::try_from(at_ms.div_euclid(1_000)).unwrap_or(0),
        };
        self.statement = statement.sign(key);
    }

    /// Whether printing it the first time goes with a kick of the drawer: its last payment is cash.
    pub fn opens_drawer(&self) -> bool {
        let first =
            self.copy <= 1 && self.party == Party::Customer && self.replaces.is_none() && self.refunds.is_empty();
        first && self.tenders.last().is_some_and(|t| t.tender == Tender::Cash && t.state == PaymentState::Recorded)
    }

    /// Whether the merchant's copy needs the holder's signature.
    pub fn wants_signature(&self) -> bool {
        let taken = |t: &TenderLine| matches!(t.standing(), Standing::Paid | Standing::Pending | Standing::Unknown);
        self.tenders.iter().any(|t| t.signature && taken(t))
    }
}

/// One row of a receipt on the screen: the rows that will be on the paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptRow {
    /// Text, padded to the columns that it was laid out for.
    Text {
        /// No control characters.
        text: String,
        /// Heavier.
        bold: bool,
    },
    /// A QR code.
    Qr(Dots),
    /// The shop's picture.
    Logo,
}

/// A square of dots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dots {
    /// How many in a row, and how many rows.
    pub side: usize,
    /// Row by row; `true` is black.
    pub black: Vec<bool>,
}

impl Dots {
    /// White modules around a code on a screen.
    pub const QUIET: usize = 2;

    /// Whether it fits a screen, white around it and a row of text below; two dots stand in a cell, one above the other.
    pub fn fits(&self, columns: usize, rows: usize) -> bool {
        let side = self.side + 2 * Dots::QUIET;
        side <= columns && side.div_ceil(2) < rows
    }

    /// Whether a dot is black; white outside.
    pub fn get(&self, x: usize, y: usize) -> bool {
        x < self.side && self.black.get(y * self.side + x).copied().unwrap_or(false)
    }
}
