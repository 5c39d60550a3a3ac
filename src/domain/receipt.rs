//! What a receipt says. [`content`] is its text in order; the printer's layout makes rows of it, the same ones for paper,
//! screen, picture and file.
//!
//! Invariant: never says APPROVED of money that nobody agreed to, and never shows more of a card than four digits.

pub mod content;
pub mod example;

use super::document::DocumentNumber;
use super::invoice::Invoice;
use super::money::Money;
use super::payment::{CardEntry, PaymentState, Tender};
use super::read::PaymentView;
use serde::{Deserialize, Serialize};

/// Who takes the money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merchant {
    /// Trading name.
    pub name: String,
    /// Address, one line.
    pub address: String,
    /// VAT number.
    pub tax_id: String,
    /// A picture, one text a row of dots, `#` for black; at most [`content::LOGO_DOTS_MAX`] either way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logo: Vec<String>,
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
    /// The device's name.
    pub device: String,
    /// 1 for the first; more is marked COPY.
    pub copy: u32,
    /// The invoice.
    pub invoice: Invoice,
    /// Its payments.
    pub tenders: Vec<TenderLine>,
    /// What is still to be paid.
    pub open: Money,
}

/// One payment on a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenderLine {
    /// Card or cash.
    pub tender: Tender,
    /// Where it stands.
    pub state: PaymentState,
    /// How much.
    pub amount: Money,
    /// `VISA ....0010  contactless`, or empty.
    pub card: String,
    /// Application label and id, verification; empty for cash.
    pub details: Vec<String>,
    /// The bank's code.
    pub auth_code: Option<String>,
    /// Cash handed over and back, minor units.
    pub cash: Option<(i64, i64)>,
    /// The payment's reference, short.
    pub reference: String,
}

impl TenderLine {
    /// What a receipt says of a payment.
    pub fn of(view: &PaymentView) -> TenderLine {
        let payment = &view.payment;
        let entry = |entry| match entry {
            CardEntry::Contactless => "contactless",
            CardEntry::Chip => "chip",
            CardEntry::Magstripe => "magstripe",
        };
        let (card, details) = match &payment.card {
            Some(c) => (
                format!("{} ....{}  {}", c.brand, c.last4, entry(c.entry)),
                vec![c.label.clone(), format!("AID {}", c.aid), c.cvm.clone()],
            ),
            None => (String::new(), Vec::new()),
        };
        let amount = match view.state() {
            PaymentState::Approved | PaymentState::Captured | PaymentState::Settled => {
                Money::new(payment.approved_minor, payment.amount.currency)
            }
            _ => payment.amount,
        };
        TenderLine {
            tender: payment.tender,
            state: view.state(),
            amount,
            card,
            details,
            auth_code: payment.auth_code.clone(),
            cash: (payment.tender == Tender::Cash).then_some((payment.tendered_minor, payment.change_minor)),
            reference: short_reference(&payment.id.to_string()),
        }
    }

    /// The words for its state: what the customer may rely on.
    pub fn statement(&self) -> String {
        match self.state {
            PaymentState::Approved | PaymentState::Captured | PaymentState::Settled => match &self.auth_code {
                Some(code) => format!("APPROVED  AUTH {code}"),
                None => "APPROVED".to_owned(),
            },
            PaymentState::Stored | PaymentState::Held => "PAYMENT ACCEPTED - PENDING BANK AUTHORISATION".to_owned(),
            PaymentState::Declined | PaymentState::LateDeclined => "DECLINED - NOT CHARGED".to_owned(),
            PaymentState::Expired => "NOT SENT IN TIME - NOT CHARGED".to_owned(),
            PaymentState::Unknown | PaymentState::Requested => "RESULT UNKNOWN - DO NOT PAY AGAIN".to_owned(),
            PaymentState::VoidPending => "BEING VOIDED".to_owned(),
            PaymentState::Voided => "VOIDED - NOT CHARGED".to_owned(),
            PaymentState::VoidFailed => "VOID FAILED - A REFUND FOLLOWS".to_owned(),
            PaymentState::PartlyApproved => "PARTLY APPROVED - NOT TAKEN YET".to_owned(),
            PaymentState::Disputed => "DISPUTED".to_owned(),
            PaymentState::Recorded => "PAID CASH".to_owned(),
            PaymentState::Corrected => "CORRECTED".to_owned(),
            PaymentState::Draft
            | PaymentState::Presenting
            | PaymentState::Abandoned
            | PaymentState::CardRead
            | PaymentState::Refused
            | PaymentState::Tendered => "NOT CHARGED".to_owned(),
        }
    }
}

/// The last eight characters of an id: enough to find it, short enough to say.
pub fn short_reference(id: &str) -> String {
    let start = id.len().saturating_sub(8);
    id.get(start..).unwrap_or(id).to_uppercase()
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
    /// Whether a dot is black; white outside.
    pub fn get(&self, x: usize, y: usize) -> bool {
        x < self.side && self.black.get(y * self.side + x).copied().unwrap_or(false)
    }
}
