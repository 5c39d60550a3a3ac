//! `customers.csv`: who pays.

use super::cell::Cells;
use super::table::Table;
use super::upsert::{Change, Target, text, upsert};
use super::{RowErrors, Seen, Work};
use rusqlite::types::Value;

pub(super) const COLUMNS: &[&str] =
    &["external_id", "name", "phone", "email", "street", "city", "postcode", "country", "tax_id", "note"];
const TARGET: Target = Target {
    table: "customer",
    columns: &["name", "phone", "email", "street", "city", "postcode", "country", "tax_id", "note"],
};
/// The handhelds with a job of customer `?1`.
const DEVICES: &str = "SELECT DISTINCT d.id FROM device d JOIN job j ON j.technician = d.technician
     WHERE j.customer = ?1 ORDER BY d.id";

pub(super) fn run(work: &mut Work<'_>, table: &Table, errors: &mut RowErrors) -> rusqlite::Result<()> {
    let mut keys = Seen::default();
    let mut rows: Vec<(String, Vec<Value>)> = Vec::with_capacity(table.rows.len());
    for record in &table.rows {
        let mut cells = Cells::new(table, record, errors);
        let key = cells.key("external_id", &mut keys);
        let values = TARGET.columns.iter().map(|column| match *column {
            "name" => text(&cells.required(column)),
            "note" => text(&cells.lines(column)),
            other => text(&cells.line(other)),
        });
        rows.push((key, values.collect()));
    }
    if errors.any() {
        return Ok(());
    }
    for (key, values) in rows {
        let done = upsert(work, &TARGET, &key, &values, &[])?;
        if done.change == Change::Updated {
            work.notes.put_to(work.tx, DEVICES, &done.id, "customer", &done.id)?;
        }
        work.report.count(done.change);
    }
    Ok(())
}
