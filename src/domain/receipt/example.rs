//! Receipts to start from: what the printer's tools print when they are given none.

use super::{Merchant, Party, Receipt, ReceiptKind, TenderLine, short_reference};
use crate::domain::document::DocumentNumber;
use crate::domain::id::{CustomerId, InvoiceId, JobId, LineId, VisitId};
use crate::domain::invoice::{Invoice, InvoiceState};
use crate::domain::line::{Line, LineKind, Quantity};
use crate::domain::mode::Mode;
use crate::domain::money::{Currency, Money};
use crate::domain::payment::{PaymentState, Tender};
use crate::domain::tax::default_rules;
use crate::domain::totals::{Extras, totals};
use uuid::Uuid;

/// How the receipt was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paid {
    /// By card; the bank agreed.
    Card,
    /// By card, without the bank.
    Stored,
    /// In cash.
    Cash,
    /// Not at all: nothing was to be paid.
    Nothing,
}

/// A receipt of a visit to a bakery. `None` only if its own numbers did not add up, which a test rules out.
pub fn example(paid: Paid) -> Option<Receipt> {
    let document: DocumentNumber = "D07-000412".parse().ok()?;
    let (job, visit) = (JobId(id(1)), VisitId(id(2)));
    let lines = lines(paid)?;
    let totals = totals(&lines, Currency::EUR, Extras::NONE).ok()?;
    let total = totals.total();
    Some(Receipt {
        merchant: Merchant {
            name: "Northwick Heating & Cold".to_owned(),
            address: "3 Quarry Lane, Northwick".to_owned(),
            tax_id: "IE0000001A".to_owned(),
            merchant_id: "4711 0815".to_owned(),
            logo: flame(),
        },
        document: document.clone(),
        printed_at: "2026-11-24 09:58".to_owned(),
        customer: "Kestrel Bakery, Brötchen & Café".to_owned(),
        device: "D07".to_owned(),
        mode: Mode::Live,
        kind: ReceiptKind::Sale,
        party: Party::Customer,
        copy: 1,
        replaces: None,
        statement: None,
        invoice: Invoice {
            id: InvoiceId(id(3)),
            document,
            job,
            visit,
            customer: CustomerId(id(4)),
            lines,
            totals,
            issued_ms: 1_795_514_280_000,
            state: if paid == Paid::Stored { InvoiceState::Issued } else { InvoiceState::Paid },
            deposit: None,
            delivered: true,
        },
        tenders: tender(paid, total).into_iter().collect(),
        refunds: Vec::new(),
        // What is promised covers it, too.
        open: Money::zero(Currency::EUR),
    })
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number)
}

fn lines(paid: Paid) -> Option<Vec<Line>> {
    let tax = default_rules().into_iter().next()?;
    let line = |number, kind, name: &str, quantity, unit: &str, price| Line {
        id: LineId(id(number)),
        kind,
        item: None,
        name: name.to_owned(),
        quantity: Quantity(quantity),
        unit: unit.to_owned(),
        unit_price: Money::new(price, Currency::EUR),
        tax: Some(tax.clone()),
        stock_tracked: false,
    };
    let mut lines = vec![
        line(10, LineKind::Labour, "Labour, oven no. 2", 1_500, "h", 6_000),
        line(11, LineKind::Part, "Thermostat TX-2 with capillary tube and a very long name", 1_000, "pc", 3_450),
        line(12, LineKind::Fee, "Call-out", 1_000, "pc", 2_500),
    ];
    let off = if paid == Paid::Nothing { 14_950 } else { 450 };
    lines.push(Line::discount(LineId(id(13)), "Discount", Money::new(off, Currency::EUR)).ok()?);
    Some(lines)
}

fn tender(paid: Paid, amount: Money) -> Option<TenderLine> {
    let (tender, state) = match paid {
        Paid::Card => (Tender::Card, PaymentState::Approved),
        Paid::Stored => (Tender::Card, PaymentState::Stored),
        Paid::Cash => (Tender::Cash, PaymentState::Recorded),
        Paid::Nothing => return None,
    };
    let by_card = tender == Tender::Card;
    let card = |text: &str| if by_card { text.to_owned() } else { String::new() };
    let details = ["VISA CREDIT", "AID A0000000031010", "No verification"].map(card).to_vec();
    Some(TenderLine {
        tender,
        state,
        amount,
        extras: crate::domain::payment::Extras::NONE,
        refunded: false,
        card: card("VISA ....0010  contactless"),
        details: if by_card { details } else { Vec::new() },
        auth_code: (paid == Paid::Card).then(|| "041926".to_owned()),
        response: (paid == Paid::Card).then(|| "00".to_owned()),
        reason: None,
        signature: false,
        cash: (paid == Paid::Cash).then_some((15_000, 15_000 - amount.minor)),
        reference: short_reference(&id(20).to_string()),
        at: "2026-11-24 09:57".to_owned(),
    })
}

/// A flame, 48 dots high.
pub fn flame() -> Vec<String> {
    const ROWS: [&str; 12] = [
        ".....#......",
        "....##......",
        "....###.....",
        "...####.#...",
        "..#####.##..",
        ".######.##..",
        ".#########..",
        ".###.######.",
        ".###..#####.",
        ".###...####.",
        "..###..###..",
        "....#####...",
    ];
    let wide = |row: &str| row.chars().flat_map(|dot| [dot; 4]).collect::<String>();
    ROWS.iter().flat_map(|row| std::iter::repeat_n(wide(row), 4)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::receipt::content::{Block, content};

    #[test]
    fn each_says_how_it_was_paid() {
        let said = |paid| -> String {
            let blocks = content(&example(paid).unwrap());
            blocks
                .iter()
                .map(|block| match block {
                    Block::Line { left, right, .. } => format!("{left}|{right}\n"),
                    Block::Rule | Block::Qr(_) | Block::Logo(_) => String::new(),
                })
                .collect()
        };
        assert!(said(Paid::Card).contains("APPROVED  AUTH 041926"));
        assert!(said(Paid::Stored).contains("PENDING BANK AUTHORISATION") && !said(Paid::Stored).contains("APPROVED"));
        assert!(said(Paid::Cash).contains("  received|150.00\n  change|5.00\n"), "{}", said(Paid::Cash));
        assert!(said(Paid::Nothing).contains("TOTAL|EUR 0.00"));
        assert!(example(Paid::Cash).unwrap().opens_drawer() && !example(Paid::Card).unwrap().opens_drawer());
        assert!(!Receipt { copy: 2, ..example(Paid::Cash).unwrap() }.opens_drawer());
    }
}
