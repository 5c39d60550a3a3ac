//! How adding a line looks: a field, what fits it, then the quantity with its amount.
//!
//! Invariant: the price that will be charged is on the screen before Enter is pressed.

use super::update::draft;
use crate::app::model::Model;
use crate::app::screens::job::view::beside;
use crate::app::view::{Body, Place, field_hints};
use crate::domain::line::LineKind;
use crate::domain::money::Money;
use crate::domain::price::PriceItem;
use crate::ui::page::Focus;
use crate::ui::row::Row;
use crate::ui::theme::Role;

/// The page.
pub fn body(model: &Model, place: Place<'_>) -> Body {
    let (rows, focus, hints) = match &model.add_line.picked {
        Some(item) => (quantity(model, item, place), Focus::Keep(0..1), [("Enter", "add"), ("Esc", "back")]),
        None => {
            let (rows, focus) = search(model, place);
            (rows, focus, [("Enter", "choose"), ("Esc", "back")])
        }
    };
    let mut panes = vec![rows];
    panes.extend(beside(model, place, true));
    Body { title: vec!["ADD LINE".to_owned()], panes, focus, notes: Vec::new(), hints: field_hints(&hints) }
}

fn search(model: &Model, place: Place<'_>) -> (Vec<Row>, Focus) {
    let view = &model.add_line;
    let glyphs = place.look.glyphs;
    let field = Row::of(" Find ", Role::Dim).and(view.query.clone(), Role::Strong).and(glyphs.caret, Role::Dim);
    let mut rows = vec![field, Row::Rule];
    match &view.items {
        None => rows.push(Row::of("  Looking", Role::Dim)),
        Some(items) if items.is_empty() => rows.push(Row::of("  Nothing in the price book has this.", Role::Dim)),
        Some(items) => {
            for (index, item) in items.iter().enumerate() {
                let (cursor, role) =
                    if index == view.selected { (glyphs.cursor, Role::Selected) } else { (" ", Role::Plain) };
                let price = format!("{}/{}", item.unit_price.plain(), item.unit);
                rows.push(Row::of(format!("{cursor} {}", item.name), role).right(price, role));
            }
        }
    }
    let at = view.selected + 2;
    (rows, Focus::Keep(at..at + 1))
}

fn quantity(model: &Model, item: &PriceItem, place: Place<'_>) -> Vec<Row> {
    let typed = &model.add_line.quantity;
    let shown = if typed.is_empty() { "1" } else { typed };
    let kind = match item.kind {
        LineKind::Labour => "labour",
        LineKind::Part => "part",
        LineKind::Fee => "fee",
        LineKind::Discount => "discount",
    };
    let field = format!("{shown}{} {}", place.look.glyphs.caret, item.unit);
    let mut rows = vec![
        Row::of(format!(" {}", item.name), Role::Strong),
        Row::of(format!(" {}  {kind}", item.code), Role::Dim).right(item.tax.label.clone(), Role::Dim),
        Row::blank(),
        Row::pair(" Price", format!("{} / {}", item.unit_price.plain(), item.unit)),
        Row::text(" How many").right(field, Role::Strong),
    ];
    match draft(model).and_then(|line| line.amount().ok()) {
        Some(amount) => rows.push(Row::pair(" Amount", Money::to_string(&amount)).all(Role::Strong)),
        None => rows.push(Row::of(" Type a number such as 1.5", Role::Warn)),
    }
    rows
}
