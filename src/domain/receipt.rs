//! What a receipt says, and its rows at a printer's width. Paper, screen and file show the same rows.
//!
//! Invariant: never says APPROVED of money that nobody agreed to, and never shows more of a card than four digits.

use super::document::DocumentNumber;
use super::invoice::Invoice;
use super::line::LineKind;
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

/// One printed row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptRow {
    /// Never longer than the width it was made for; no control characters.
    pub text: String,
    /// Heavier.
    pub bold: bool,
    /// In the middle.
    pub centred: bool,
}

/// The narrowest width that a receipt can be laid out for, characters.
pub const MIN_COLUMNS: usize = 24;

/// The receipt's rows at `columns` characters (32 on 58 mm paper).
pub fn rows(receipt: &Receipt, columns: usize) -> Vec<ReceiptRow> {
    let mut out = Rows { columns: columns.max(MIN_COLUMNS), rows: Vec::new() };
    let r = receipt;
    out.centre(&r.merchant.name, true);
    out.centre(&r.merchant.address, false);
    out.centre(&format!("VAT no. {}", r.merchant.tax_id), false);
    if r.copy > 1 {
        out.centre(&format!("COPY {}", r.copy), true);
    }
    out.rule();
    out.pair(&format!("Receipt {}", r.document), "", false);
    out.pair(&r.printed_at, &r.device, false);
    out.wrap(&r.customer);
    out.rule();
    lines(&mut out, r);
    out.rule();
    for tender in &r.tenders {
        tender_rows(&mut out, tender);
    }
    let waits = |t: &&TenderLine| matches!(t.state, PaymentState::Stored | PaymentState::Held);
    let pending: i64 = r.tenders.iter().filter(waits).map(|t| t.amount.minor).fold(0, i64::saturating_add);
    if pending > 0 {
        out.pair("PENDING", &Money::new(pending, r.open.currency).to_string(), true);
    }
    if r.open.minor > 0 || pending == 0 {
        out.pair("TO PAY", &r.open.to_string(), true);
    }
    out.centre("Thank you", false);
    out.rows
}

fn lines(out: &mut Rows, r: &Receipt) {
    let money = |minor| Money::new(minor, r.invoice.totals.currency).plain();
    for line in &r.invoice.lines {
        let amount = line.amount().map_or_else(|_| "?".to_owned(), Money::plain);
        if line.kind == LineKind::Discount {
            out.pair(&line.name, &amount, false);
            continue;
        }
        out.wrap(&line.name);
        let how = format!("  {} {} x {}", line.quantity, line.unit, line.unit_price.plain());
        out.pair(&how, &amount, false);
    }
    out.rule();
    let t = &r.invoice.totals;
    for part in &t.taxes {
        let how = if part.rule.inclusive { "incl." } else { "plus" };
        out.pair(&format!("{how} {} of {}", part.rule.label, money(part.net_minor)), &money(part.tax_minor), false);
    }
    for (label, minor) in [("Tip", t.tip_minor), ("Rounding", t.rounding_minor)] {
        if minor != 0 {
            out.pair(label, &money(minor), false);
        }
    }
    out.pair("TOTAL", &t.total().to_string(), true);
}

fn tender_rows(out: &mut Rows, tender: &TenderLine) {
    let name = match tender.tender {
        Tender::Card => "Card",
        Tender::Cash => "Cash",
    };
    out.pair(name, &tender.amount.to_string(), false);
    if let Some((given, change)) = tender.cash {
        out.pair("  received", &Money::new(given, tender.amount.currency).plain(), false);
        out.pair("  change", &Money::new(change, tender.amount.currency).plain(), false);
    }
    for detail in std::iter::once(&tender.card).chain(&tender.details).filter(|d| !d.is_empty()) {
        out.wrap(&format!("  {detail}"));
    }
    for part in out.split(&tender.statement()) {
        out.push(&part, true, true);
    }
    out.pair(&format!("  ref {}", tender.reference), "", false);
}

struct Rows {
    columns: usize,
    rows: Vec<ReceiptRow>,
}

impl Rows {
    fn push(&mut self, text: &str, bold: bool, centred: bool) {
        self.rows.push(ReceiptRow { text: text.to_owned(), bold, centred });
    }

    fn rule(&mut self) {
        self.push(&"-".repeat(self.columns), false, false);
    }

    fn centre(&mut self, text: &str, bold: bool) {
        for part in self.split(text) {
            self.push(&part, bold, true);
        }
    }

    fn wrap(&mut self, text: &str) {
        for part in self.split(text) {
            self.push(&part, false, false);
        }
    }

    /// A label on the left and an amount at the right edge; the label wraps when both do not fit.
    fn pair(&mut self, label: &str, amount: &str, bold: bool) {
        let label = clean(label);
        let used = amount.chars().count();
        let room = self.columns.saturating_sub(used + 1);
        if amount.is_empty() {
            self.wrap(&label);
        } else if label.chars().count() <= room {
            let gap = self.columns - label.chars().count() - used;
            self.push(&format!("{label}{}{amount}", " ".repeat(gap)), bold, false);
        } else {
            self.wrap(&label);
            self.push(&format!("{amount:>width$}", width = self.columns), bold, false);
        }
    }

    /// Parts of at most the width, broken at blanks where there are any.
    fn split(&self, text: &str) -> Vec<String> {
        let mut parts = Vec::new();
        let mut line = String::new();
        let text = clean(text);
        let indent: String = text.chars().take_while(|c| *c == ' ').take(4).collect();
        for word in text.split_whitespace() {
            for piece in pieces(word, self.columns - indent.len()) {
                let wanted = line.chars().count() + usize::from(!line.trim().is_empty()) + piece.chars().count();
                if !line.trim().is_empty() && wanted > self.columns {
                    parts.push(std::mem::take(&mut line));
                }
                if line.trim().is_empty() {
                    line.clone_from(&indent);
                } else {
                    line.push(' ');
                }
                line.push_str(&piece);
            }
        }
        if !line.trim().is_empty() {
            parts.push(line);
        }
        parts
    }
}

fn pieces(word: &str, width: usize) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    letters.chunks(width.max(1)).map(|chunk| chunk.iter().collect()).collect()
}

fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
