//! How cash looks: to pay, received, change, one under the other.
//!
//! Invariant: the change is on the screen before the drawer opens.

use super::{quick_amounts, received};
use crate::app::model::Model;
use crate::app::screens::checkout::due;
use crate::app::screens::job;
use crate::app::screens::job::view::{beside, loading};
use crate::app::view::{Body, Place};
use crate::domain::money::Money;
use crate::domain::payment::Tender;
use crate::ui::page::Focus;
use crate::ui::row::Row;
use crate::ui::text::width;
use crate::ui::theme::Role;

/// The page.
pub fn body(model: &Model, place: Place<'_>) -> Body {
    let Some(open) = due(model, Tender::Cash) else { return loading("CASH") };
    let received = received(model);
    let over = received.minor >= open.minor;
    let rest = Money::new(open.minor.abs_diff(received.minor).try_into().unwrap_or(i64::MAX), open.currency);
    let label = if over { " Change" } else { " Still open" };
    let caret = place.look.glyphs.caret;
    let mut rows = vec![
        Row::blank(),
        Row::pair(" TO PAY", open.to_string()).all(Role::Strong),
        Row::blank(),
        Row::text(" Received").right(format!("{}{caret}", received.plain()), Role::Strong),
        Row::pair(label, format!("{} ", rest.plain())).all(if over { Role::Strong } else { Role::Plain }),
        Row::blank(),
        Row::of(" keys: 1 2 0 0 0 = 120.00", Role::Dim),
    ];
    rows.extend(quick_rows(model, place.main()));
    if model.cash_linked.is_some() {
        rows.push(Row::of(" linked to the payment not known yet", Role::Warn));
    }
    let mut panes = vec![rows];
    panes.extend(beside(model, place, true));
    let document = job::invoice(model).map(|i| i.document.to_string()).unwrap_or_default();
    let drawer = model.sync.as_ref().map(|sync| format!(" drawer: {} expected", sync.drawer.plain()));
    let mut notes: Vec<Row> = drawer.map(|text| Row::of(text, Role::Dim)).into_iter().collect();
    if model.sync.as_ref().is_some_and(|sync| !sync.shift_open) {
        notes.push(Row::of(" no shift is open: H on Today", Role::Warn));
    }
    let title = vec![format!("CASH {document}"), document, "CASH".to_owned()];
    Body { title, panes, focus: Focus::Keep(0..1), notes, hints: None }
}

/// `Q exact   W 100   E 110` on as many rows as it takes.
fn quick_rows(model: &Model, cells: usize) -> Vec<Row> {
    let amounts = quick_amounts(model).into_iter().zip(["W", "E", "R", "T"]);
    let amounts = amounts.filter_map(|(amount, key)| amount.map(|amount| (key, whole(amount))));
    let mut rows = Vec::new();
    let mut row = Row::blank();
    let mut used = 0;
    for (key, word) in std::iter::once(("Q", "exact".to_owned())).chain(amounts) {
        let wide = width(&word) + 4;
        if used > 0 && used + wide > cells {
            rows.push(std::mem::replace(&mut row, Row::blank()));
            used = 0;
        }
        let gap = if used == 0 { " " } else { "  " };
        row = row.and(gap, Role::Plain).and(key, Role::Key).and(format!(" {word}"), Role::Plain);
        used += wide;
    }
    rows.push(row);
    rows
}

/// `100` where there are no minor units to tell.
fn whole(amount: Money) -> String {
    let plain = amount.plain();
    match plain.split_once('.') {
        Some((units, rest)) if rest.bytes().all(|b| b == b'0') => units.to_owned(),
        _ => plain,
    }
}
