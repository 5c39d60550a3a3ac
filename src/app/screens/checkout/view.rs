//! How the checkout looks: the document, what is to be paid, and the ways to pay it.
//!
//! Invariant: the amount to pay and the ways to pay are on the screen however many lines there are.

use super::{base, due, extras, open_amount, surcharge};
use crate::app::model::Model;
use crate::app::screens::job;
use crate::app::screens::job::view::{beside, left_row, line_rows, loading, payment_rows, tax_rows};
use crate::app::view::{Body, Place};
use crate::domain::money::Money;
use crate::domain::payment::Tender;
use crate::ui::page::Focus;
use crate::ui::row::Row;
use crate::ui::text::width;
use crate::ui::theme::Role;

/// What was chosen for the next tender, and what paying in cash comes to where that differs.
fn next_tender(model: &Model) -> Vec<Row> {
    let mut rows = Vec::new();
    let plain = |minor, money: Money| Money::new(minor, money.currency).plain();
    let Some(base) = base(model) else { return rows };
    if model.checkout.part_minor.is_some() {
        rows.push(Row::pair("  pay now", base.to_string()).all(Role::Strong));
    }
    if model.checkout.tip_minor > 0 {
        rows.push(Row::pair("  tip", plain(model.checkout.tip_minor, base)));
        rows.extend(due(model, Tender::Card).map(|due| Row::pair("  with the tip", due.to_string()).all(Role::Strong)));
    }
    let more = surcharge::of(model, base);
    if more > 0 {
        let credit = due(model, Tender::Card).map(|due| Money::new(due.minor.saturating_add(more), due.currency));
        let label = format!("  credit card + {}", plain(more, base));
        rows.extend(credit.map(|credit| Row::pair(label, credit.to_string())));
    }
    let cash = extras(model, Tender::Cash);
    if cash.surcharge_minor != 0 || cash.rounding_minor != 0 {
        let off = if cash.surcharge_minor < 0 {
            format!("  in cash (discount {})", plain(-cash.surcharge_minor, base))
        } else {
            "  in cash".to_owned()
        };
        rows.extend(due(model, Tender::Cash).map(|due| Row::pair(off, due.to_string())));
    }
    rows
}

/// `C card   A cash   S split` on as many rows as it takes.
fn ways_rows(ways: &[(&'static str, &'static str)], cells: usize) -> Vec<Row> {
    let mut rows = vec![Row::of(" ", Role::Plain)];
    let mut used = 1;
    for (key, word) in ways {
        let wide = width(word) + 4;
        if used > 1 && used + wide > cells {
            rows.push(Row::of(" ", Role::Plain));
            used = 1;
        }
        used += wide;
        if let Some(row) = rows.pop() {
            rows.push(row.and(" ", Role::Plain).and(*key, Role::Key).and(format!(" {word} "), Role::Plain));
        }
    }
    rows
}

/// The page.
pub fn body(model: &Model, place: Place<'_>) -> Body {
    let (Some(detail), Some(invoice)) = (model.job.as_deref(), job::invoice(model)) else {
        return loading("COLLECT");
    };
    let look = place.look;
    let mut rows = Vec::new();
    if invoice.is_deposit() {
        rows.push(Row::of("  Paid ahead: the invoice takes it off.", Role::Dim));
    } else {
        rows.extend(line_rows(&invoice.lines, None, place.main(), look).0);
        rows.extend(tax_rows(&invoice.totals));
    }
    rows.push(Row::Rule);
    let from = rows.len();
    let total = if invoice.is_deposit() { "  DEPOSIT" } else { "  TOTAL" };
    rows.push(Row::pair(total, invoice.totals.total().to_string()).all(Role::Strong));
    rows.extend(payment_rows(model, detail, look));
    rows.extend(left_row(detail, look));
    rows.extend(next_tender(model));
    rows.push(Row::blank());
    if open_amount(model).is_some() {
        let mut ways = vec![("C", "card"), ("A", "cash"), ("S", "split"), ("Q", "cheque"), ("F", "transfer")];
        if detail.rules.tips.is_some() && !invoice.is_deposit() {
            ways.insert(2, ("T", "tip"));
        }
        if let Some((_, amount)) = detail.usable_deposit() {
            rows.push(Row::pair("  paid ahead, not used yet", amount.plain()));
            ways.insert(0, ("D", "deposit"));
        }
        rows.extend(ways_rows(&ways, place.main()));
    }
    if job::actionable_payment(model).is_some() {
        rows.push(Row::of("  P", Role::Key).and(" see the payment under way", Role::Plain));
    }
    let focus = Focus::Keep(from..rows.len());
    let mut panes = vec![rows];
    panes.extend(beside(model, place, false));
    let word = if invoice.is_deposit() { "DEPOSIT" } else { "COLLECT" };
    let title = vec![format!("{word} {}", invoice.document), invoice.document.to_string()];
    Body { title, panes, focus, notes: Vec::new(), hints: None }
}
