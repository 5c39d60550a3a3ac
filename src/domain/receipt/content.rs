//! The text of a receipt in its order, before it has a width.

use super::{Receipt, TenderLine};
use crate::domain::line::LineKind;
use crate::domain::money::Money;
use crate::domain::payment::{PaymentState, Tender};

/// The largest logo, dots either way; on 58 mm paper 384 fit.
pub const LOGO_DOTS_MAX: usize = 256;

/// One piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A text at the left or in the middle and perhaps an amount at the right edge.
    Line {
        /// At the left.
        left: String,
        /// At the right edge; may be empty.
        right: String,
        /// Heavier.
        bold: bool,
        /// Twice as large.
        large: bool,
        /// In the middle.
        centred: bool,
    },
    /// A line across.
    Rule,
    /// A QR code of this text.
    Qr(String),
    /// A picture, `#` for black.
    Logo(Vec<String>),
}

/// What is on the paper, from the top.
pub fn content(receipt: &Receipt) -> Vec<Block> {
    let mut out = Blocks::default();
    let r = receipt;
    if !r.merchant.logo.is_empty() {
        let rows = r.merchant.logo.iter().take(LOGO_DOTS_MAX);
        out.0.push(Block::Logo(rows.map(|row| row.chars().take(LOGO_DOTS_MAX).collect()).collect()));
    }
    if !out.0.is_empty() {
        out.pair("", "", false);
    }
    out.centre(&r.merchant.name, true);
    out.centre(&r.merchant.address, false);
    out.centre(&format!("VAT no. {}", r.merchant.tax_id), false);
    if r.copy > 1 {
        out.centre(&format!("COPY {}", r.copy), true);
    }
    out.0.push(Block::Rule);
    out.pair(&format!("Receipt {}", r.document), "", false);
    out.pair(&r.printed_at, &r.device, false);
    out.pair(&r.customer, "", false);
    out.0.push(Block::Rule);
    lines(&mut out, r);
    out.0.push(Block::Rule);
    for tender in &r.tenders {
        tender_lines(&mut out, tender);
    }
    let waits = |t: &&TenderLine| matches!(t.state, PaymentState::Stored | PaymentState::Held);
    let pending: i64 = r.tenders.iter().filter(waits).map(|t| t.amount.minor).fold(0, i64::saturating_add);
    if pending > 0 {
        out.pair("PENDING", &Money::new(pending, r.open.currency).to_string(), true);
    }
    if r.open.minor > 0 || pending == 0 {
        out.pair("TO PAY", &r.open.to_string(), true);
    }
    // White around the code, or no phone reads it.
    out.pair("", "", false);
    out.0.push(Block::Qr(r.reference()));
    out.pair("", "", false);
    out.centre("Thank you", false);
    out.0
}

impl Receipt {
    /// What its QR code says.
    pub fn reference(&self) -> String {
        self.document.to_string()
    }

    /// Whether printing it the first time goes with a kick of the drawer: its last payment is cash.
    pub fn opens_drawer(&self) -> bool {
        self.copy <= 1
            && self.tenders.last().is_some_and(|t| t.tender == Tender::Cash && t.state == PaymentState::Recorded)
    }
}

fn lines(out: &mut Blocks, r: &Receipt) {
    let money = |minor| Money::new(minor, r.invoice.totals.currency).plain();
    for line in &r.invoice.lines {
        let amount = line.amount().map_or_else(|_| "?".to_owned(), Money::plain);
        if line.kind == LineKind::Discount {
            out.pair(&line.name, &amount, false);
            continue;
        }
        out.pair(&line.name, "", false);
        out.pair(&format!("  {} {} x {}", line.quantity, line.unit, line.unit_price.plain()), &amount, false);
    }
    out.0.push(Block::Rule);
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
    out.line("TOTAL", &t.total().to_string(), true, true, false);
}

fn tender_lines(out: &mut Blocks, tender: &TenderLine) {
    out.pair(tender.tender.word(), &tender.amount.to_string(), false);
    if let Some((given, change)) = tender.cash {
        out.pair("  received", &Money::new(given, tender.amount.currency).plain(), false);
        out.pair("  change", &Money::new(change, tender.amount.currency).plain(), false);
    }
    for detail in std::iter::once(&tender.card).chain(&tender.details).filter(|d| !d.is_empty()) {
        out.pair(&format!("  {detail}"), "", false);
    }
    out.centre(&tender.statement(), true);
    out.pair(&format!("  ref {}", tender.reference), "", false);
}

#[derive(Default)]
struct Blocks(Vec<Block>);

impl Blocks {
    fn line(&mut self, left: &str, right: &str, bold: bool, large: bool, centred: bool) {
        self.0.push(Block::Line { left: left.to_owned(), right: right.to_owned(), bold, large, centred });
    }

    fn centre(&mut self, text: &str, bold: bool) {
        if !text.trim().is_empty() {
            self.line(text, "", bold, false, true);
        }
    }

    /// A label on the left and an amount at the right edge.
    fn pair(&mut self, label: &str, amount: &str, bold: bool) {
        self.line(label, amount, bold, false, false);
    }
}
