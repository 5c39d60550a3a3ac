//! The text of a receipt in its order, before it has a width.

use super::back::sum;
use super::{Party, Receipt, RefundLine, TenderLine, mark};
use crate::domain::line::LineKind;
use crate::domain::money::Money;
use crate::domain::payment::Standing;
use crate::domain::refund::RefundState;

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
    head(&mut out, r);
    lines(&mut out, r);
    out.0.push(Block::Rule);
    for tender in &r.tenders {
        tender_lines(&mut out, tender);
    }
    for refund in &r.refunds {
        refund_lines(&mut out, refund, r.party);
    }
    sums(&mut out, r);
    if r.party == Party::Merchant && r.wants_signature() {
        out.pair("", "", false);
        out.pair("", "", false);
        out.pair("x", "", false);
        out.0.push(Block::Rule);
        out.pair("Cardholder's signature", "", false);
    }
    // White around the code, or no phone reads it.
    out.pair("", "", false);
    out.0.push(Block::Qr(r.code()));
    out.pair("", "", false);
    out.centre("Please retain this copy", false);
    out.centre("Thank you", false);
    banner(&mut out, r);
    out.0
}

/// Where money is not real, so that nobody takes the paper for a receipt: at both ends, torn or not.
fn banner(out: &mut Blocks, r: &Receipt) {
    if let Some(words) = r.mode.banner() {
        out.line(words, "", true, true, true);
    }
}

fn head(out: &mut Blocks, r: &Receipt) {
    if !r.merchant.logo.is_empty() {
        let rows = r.merchant.logo.iter().take(LOGO_DOTS_MAX);
        out.0.push(Block::Logo(rows.map(|row| row.chars().take(LOGO_DOTS_MAX).collect()).collect()));
        out.pair("", "", false);
    }
    banner(out, r);
    out.centre(&r.merchant.name, true);
    out.centre(&r.merchant.address, false);
    out.centre(&format!("VAT no. {}", r.merchant.tax_id), false);
    out.centre(r.party.words(), true);
    if r.copy > 1 {
        out.centre(&format!("COPY {}", r.copy), true);
    }
    if let Some(before) = &r.replaces {
        out.centre("REPLACES THE RECEIPT OF", true);
        out.centre(before, true);
    }
    out.0.push(Block::Rule);
    let terminal = format!("Terminal {}", r.device);
    match r.merchant.merchant_id.as_str() {
        "" => out.pair(&terminal, "", false),
        id => out.pair(&format!("Merchant {id}"), &terminal, false),
    }
    out.pair(r.kind.word(), &r.printed_at, true);
    out.pair(&format!("Receipt {}", r.document), "", false);
    out.pair(&r.customer, "", false);
    out.0.push(Block::Rule);
}

/// What is certain, what is promised, what nobody knows, and what is left.
fn sums(out: &mut Blocks, r: &Receipt) {
    let of = |standing| {
        let minors = r.tenders.iter().filter(|t| t.standing() == standing).map(|t| t.amount.minor);
        minors.fold(0, i64::saturating_add)
    };
    let money = |minor| Money::new(minor, r.open.currency).to_string();
    let (paid, pending, unknown) = (of(Standing::Paid), of(Standing::Pending), of(Standing::Unknown));
    let (back, asked) = (sum(&r.refunds, RefundState::Refunded), sum(&r.refunds, RefundState::Requested));
    for (word, minor) in [
        ("PAID", paid),
        ("PENDING", pending),
        ("NOT KNOWN", unknown),
        ("REFUNDED", back),
        ("REFUND NOT RELEASED", asked),
    ] {
        if minor > 0 {
            out.pair(word, &money(minor), true);
        }
    }
    if r.open.minor > 0 || paid + pending + unknown == 0 {
        out.pair("TO PAY", &r.open.to_string(), true);
    }
}

fn lines(out: &mut Blocks, r: &Receipt) {
    if r.invoice.is_deposit() {
        out.pair("Your invoice takes this off.", "", false);
        out.pair("This is no tax invoice.", "", false);
        out.line("DEPOSIT", &r.invoice.totals.total().to_string(), true, true, false);
        return;
    }
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
    let name = tender.tender.word();
    out.pair(&format!("{} {name}", mark(tender.standing())), &tender.amount.to_string(), false);
    let extras = tender.extras;
    let surcharge = if extras.surcharge_minor < 0 { "  cash discount" } else { "  incl. surcharge" };
    for (label, minor) in [
        ("  incl. tip", extras.tip_minor),
        (surcharge, extras.surcharge_minor),
        ("  incl. rounding", extras.rounding_minor),
    ] {
        if minor != 0 {
            out.pair(label, &Money::new(minor, tender.amount.currency).plain(), false);
        }
    }
    if let Some((given, change)) = tender.cash {
        out.pair("  received", &Money::new(given, tender.amount.currency).plain(), false);
        out.pair("  change", &Money::new(change, tender.amount.currency).plain(), false);
    }
    for detail in std::iter::once(&tender.card).chain(&tender.details).filter(|d| !d.is_empty()) {
        out.pair(&format!("  {detail}"), "", false);
    }
    out.centre(&tender.statement(), true);
    if let Some(why) = &tender.reason {
        out.pair(&format!("  Reason: {why}"), "", false);
    }
    if let Some(response) = &tender.response {
        out.pair(&format!("  Response {response}"), "", false);
    }
    let at = if tender.at.is_empty() { String::new() } else { format!("{}  ", tender.at) };
    out.pair(&format!("  {at}ref {}", tender.reference), "", false);
}

fn refund_lines(out: &mut Blocks, refund: &RefundLine, party: Party) {
    let label = format!("{} Refund, {}", mark(refund.standing()), refund.tender.word().to_lowercase());
    out.pair(&label, &refund.amount.to_string(), false);
    out.centre(refund.statement(), true);
    // A note between technician and office is not for the customer.
    if party == Party::Merchant && !refund.reason.is_empty() {
        out.pair(&format!("  Reason: {}", refund.reason), "", false);
    }
    let at = if refund.at.is_empty() { String::new() } else { format!("{}  ", refund.at) };
    out.pair(&format!("  {at}ref {}", refund.reference), "", false);
    if let Some(payment) = &refund.payment {
        out.pair(&format!("  of payment {payment}"), "", false);
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mode::Mode;
    use crate::domain::money::Currency;
    use crate::domain::payment::{Extras, PaymentState, Tender};
    use crate::domain::receipt::ReceiptKind;
    use crate::domain::receipt::example::{Paid, example};
    use crate::domain::refund::RefundKind;

    fn card() -> Receipt {
        example(Paid::Card).unwrap()
    }

    /// The rows as `left|right`.
    fn rows(receipt: &Receipt) -> Vec<String> {
        let row = |block| match block {
            Block::Line { left, right, .. } => format!("{left}|{right}"),
            Block::Rule => "---".to_owned(),
            Block::Qr(text) => format!("qr {text}"),
            Block::Logo(_) => "logo".to_owned(),
        };
        content(receipt).into_iter().map(row).collect()
    }

    #[track_caller]
    fn check(receipt: &Receipt, has: &[&str], has_not: &[&str]) {
        let rows = rows(receipt);
        for wanted in has {
            assert!(rows.iter().any(|row| row == wanted), "no {wanted:?} in {rows:#?}");
        }
        for banned in has_not {
            assert!(!rows.iter().any(|row| row.contains(banned)), "{banned:?} in {rows:#?}");
        }
    }

    #[test]
    fn everything_that_card_schemes_ask_for_is_on_it() {
        check(
            &card(),
            &[
                "Northwick Heating & Cold|",
                "3 Quarry Lane, Northwick|",
                "Merchant 4711 0815|Terminal D07",
                "SALE|2026-11-24 09:58",
                "Receipt D07-000412|",
                "CUSTOMER COPY|",
                "  1.5 h x 60.00|90.00",
                "incl. VAT 20 % of 120.83|24.17",
                "TOTAL|EUR 145.00",
                "[x] Card|EUR 145.00",
                "  VISA ....0010  contactless|",
                "  VISA CREDIT|",
                "  AID A0000000031010|",
                "  No verification|",
                "APPROVED  AUTH 041926|",
                "  Response 00|",
                "  2026-11-24 09:57  ref 00000014|",
                "PAID|EUR 145.00",
                "Please retain this copy|",
            ],
            &["COPY 2", "REPLACES", "TO PAY", "PENDING", "signature", "NOT A RECEIPT", "Expir", "EXP"],
        );
    }

    #[test]
    fn copies_replacements_kinds_and_modes_say_so() {
        check(&Receipt { copy: 3, ..card() }, &["COPY 3|", "CUSTOMER COPY|"], &["REPLACES"]);
        let replaces = Some("2026-11-24 08:00".to_owned());
        check(&Receipt { replaces, ..card() }, &["REPLACES THE RECEIPT OF|", "2026-11-24 08:00|"], &["COPY 1"]);
        check(&Receipt { kind: ReceiptKind::Refund, ..card() }, &["REFUND|2026-11-24 09:58"], &["SALE"]);
        for (mode, words) in [(Mode::Test, "TEST - NOT A RECEIPT|"), (Mode::Training, "TRAINING - NOT A RECEIPT|")] {
            let rows = rows(&Receipt { mode, ..card() });
            assert_eq!(rows.iter().filter(|row| *row == words).count(), 2, "at both ends: {rows:#?}");
        }
    }

    #[test]
    fn the_merchants_copy_has_a_line_to_sign_where_the_holder_signs() {
        let signing = |party, state| {
            let mut receipt = Receipt { party, ..card() };
            receipt.tenders[0] = TenderLine { signature: true, state, ..receipt.tenders[0].clone() };
            receipt
        };
        let line = "Cardholder's signature|";
        check(&signing(Party::Merchant, PaymentState::Approved), &[line, "MERCHANT COPY|"], &["CUSTOMER"]);
        check(&signing(Party::Merchant, PaymentState::Stored), &[line], &[]);
        check(&signing(Party::Merchant, PaymentState::Declined), &[], &[line]);
        check(&signing(Party::Customer, PaymentState::Approved), &[], &[line]);
        check(&Receipt { party: Party::Merchant, ..card() }, &["Please retain this copy|"], &[line]);
    }

    #[test]
    fn a_refund_has_its_rows_and_its_sum() {
        let back = |state, party| {
            let refunds = vec![RefundLine {
                tender: Tender::Card,
                state,
                amount: Money::new(4_000, Currency::EUR),
                kind: RefundKind::Credit,
                reason: "leaks".to_owned(),
                reference: "0000001F".to_owned(),
                payment: Some("00000014".to_owned()),
                at: "2026-11-24 10:30".to_owned(),
            }];
            let mut receipt = Receipt { refunds, party, ..card() };
            receipt.kind = ReceiptKind::of(&receipt.tenders, &receipt.refunds, receipt.open);
            receipt
        };
        let (ours, theirs) = (Party::Merchant, Party::Customer);
        check(
            &back(RefundState::Refunded, theirs),
            &[
                "REFUND|2026-11-24 09:58",
                "PAID|EUR 145.00",
                "[x] Refund, card|EUR 40.00",
                "REFUNDED TO THE CARD|",
                "  2026-11-24 10:30  ref 0000001F|",
                "  of payment 00000014|",
                "REFUNDED|EUR 40.00",
            ],
            &["SALE", "leaks", "NOT RELEASED", "TO PAY"],
        );
        check(
            &back(RefundState::Requested, ours),
            &["(?) Refund, card|EUR 40.00", "REFUND NOT RELEASED|EUR 40.00", "  Reason: leaks|"],
            &["SALE", "REFUNDED"],
        );
        check(
            &back(RefundState::Refused, theirs),
            &["SALE|2026-11-24 09:58", "<!> Refund, card|EUR 40.00", "REFUND REFUSED - NOTHING GOES BACK|"],
            &["REFUNDED", "NOT RELEASED"],
        );
    }

    #[test]
    fn what_a_payment_holds_beside_the_invoice_has_rows() {
        let mut receipt = card();
        receipt.tenders[0].amount = Money::new(15_298, Currency::EUR);
        receipt.tenders[0].extras = Extras { tip_minor: 500, surcharge_minor: 300, rounding_minor: -2 };
        let rows = ["  incl. tip|5.00", "  incl. surcharge|3.00", "  incl. rounding|-0.02", "PAID|EUR 152.98"];
        check(&receipt, &rows, &[]);
        check(&card(), &[], &["incl. tip", "incl. surcharge", "incl. rounding"]);
    }

    #[test]
    fn tip_and_rounding_have_rows_and_a_failed_attempt_its_reason() {
        let mut receipt = card();
        (receipt.invoice.totals.tip_minor, receipt.invoice.totals.rounding_minor) = (500, -2);
        check(&receipt, &["Tip|5.00", "Rounding|-0.02"], &[]);
        let state = |state, why: &str, open| {
            let mut receipt = Receipt { open: Money::new(open, Currency::EUR), ..card() };
            let (auth_code, response) = (None, Some("51".to_owned()));
            let line = receipt.tenders[0].clone();
            receipt.tenders[0] = TenderLine { state, auth_code, response, reason: Some(why.to_owned()), ..line };
            receipt
        };
        check(
            &state(PaymentState::Declined, "not sufficient funds", 14_500),
            &["<!> Card|EUR 145.00", "  Reason: not sufficient funds|", "  Response 51|", "TO PAY|EUR 145.00"],
            &["APPROVED", "PAID|"],
        );
        check(
            &state(PaymentState::Stored, "", 0),
            &["(~) Card|EUR 145.00", "PENDING|EUR 145.00"],
            &["APPROVED", "TO PAY"],
        );
        check(&state(PaymentState::Unknown, "no answer", 14_500), &["NOT KNOWN|EUR 145.00"], &["APPROVED", "PAID|"]);
    }
}
