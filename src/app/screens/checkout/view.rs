//! How the checkout looks: the document, what is to be paid, and the ways to pay it.
//!
//! Invariant: the amount to pay and the ways to pay are on the screen however many lines there are.

use super::open_amount;
use crate::app::model::Model;
use crate::app::screens::job;
use crate::app::screens::job::view::{beside, left_row, line_rows, loading, payment_rows, tax_rows};
use crate::app::view::{Body, Place};
use crate::ui::page::Focus;
use crate::ui::row::Row;
use crate::ui::theme::Role;

/// The page.
pub fn body(model: &Model, place: Place<'_>) -> Body {
    let (Some(detail), Some(invoice)) = (model.job.as_deref(), job::invoice(model)) else {
        return loading("COLLECT");
    };
    let look = place.look;
    let mut rows = line_rows(&invoice.lines, None, place.main(), look).0;
    rows.extend(tax_rows(&invoice.totals));
    rows.push(Row::Rule);
    let from = rows.len();
    rows.push(Row::pair("  TOTAL", invoice.totals.total().to_string()).all(Role::Strong));
    rows.extend(payment_rows(detail, look));
    rows.extend(left_row(detail, look));
    rows.push(Row::blank());
    if open_amount(model).is_some() {
        rows.push(Row::of("  C", Role::Key).and(" card   ", Role::Plain).and("A", Role::Key).and(" cash", Role::Plain));
    }
    if job::actionable_payment(model).is_some() {
        rows.push(Row::of("  P", Role::Key).and(" see the payment under way", Role::Plain));
    }
    let focus = Focus::Keep(from..rows.len());
    let mut panes = vec![rows];
    panes.extend(beside(model, place, false));
    let title = vec![format!("COLLECT {}", invoice.document), invoice.document.to_string()];
    Body { title, panes, focus, notes: Vec::new(), hints: None }
}
