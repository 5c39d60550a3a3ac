//! `prices.csv`: the price book.

use super::cell::Cells;
use super::feed::{FeedOp, PRICES_CHANNEL};
use super::table::Table;
use super::upsert::{Change, Target, text, upsert};
use super::{RowErrors, Seen, Work};
use crate::domain::tax::default_rules;
use rusqlite::types::Value;

pub(super) const COLUMNS: &[&str] =
    &["external_id", "kind", "name", "unit", "unit_price", "currency", "tax_code", "stock_tracked"];
const TARGET: Target = Target {
    table: "price_item",
    columns: &["kind", "name", "unit", "price_minor", "currency", "tax_code", "stock_tracked"],
};

pub(super) fn run(work: &mut Work<'_>, table: &Table, errors: &mut RowErrors) -> rusqlite::Result<()> {
    let codes: Vec<String> = default_rules().into_iter().map(|rule| rule.code).collect();
    let mut keys = Seen::default();
    let mut rows: Vec<(String, Vec<Value>)> = Vec::with_capacity(table.rows.len());
    for record in &table.rows {
        let mut cells = Cells::new(table, record, errors);
        let key = cells.key("external_id", &mut keys);
        let currency = cells.currency("currency");
        let tax_code = cells.required("tax_code");
        if !tax_code.is_empty() && !codes.contains(&tax_code) {
            cells.wrong("tax_code", format!("one of {}", codes.join(", ")));
        }
        let values = vec![
            text(cells.choice("kind", &["labour", "part", "fee"])),
            text(&cells.required("name")),
            text(&cells.line("unit")),
            Value::Integer(cells.amount("unit_price", currency)),
            text(currency.map_or("", |c| c.code())),
            text(&tax_code),
            Value::Integer(i64::from(cells.choice("stock_tracked", &["yes", "no"]) == "yes")),
        ];
        rows.push((key, values));
    }
    if errors.any() {
        return Ok(());
    }
    for (key, values) in rows {
        let done = upsert(work, &TARGET, &key, &values, &[])?;
        if done.change != Change::Unchanged {
            work.notes.add(PRICES_CHANNEL, "price", &done.id, FeedOp::Put);
        }
        work.report.count(done.change);
    }
    Ok(())
}
