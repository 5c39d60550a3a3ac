//! `equipment.csv`: what the work is done on.

use super::cell::Cells;
use super::table::Table;
use super::upsert::{Change, Target, text, upsert};
use super::{RowErrors, Seen, Work};
use rusqlite::types::Value;

pub(super) const COLUMNS: &[&str] =
    &["external_id", "site", "name", "model", "serial", "installed_on", "warranty_until"];
const TARGET: Target =
    Target { table: "equipment", columns: &["site", "name", "model", "serial", "installed_on", "warranty_until"] };
/// The handhelds with a job at site `?1`.
const DEVICES: &str = "SELECT DISTINCT d.id FROM device d JOIN job j ON j.technician = d.technician
     WHERE j.site = ?1 ORDER BY d.id";

pub(super) fn run(work: &mut Work<'_>, table: &Table, errors: &mut RowErrors) -> rusqlite::Result<()> {
    let mut keys = Seen::default();
    let mut rows: Vec<(String, String, Vec<Value>)> = Vec::with_capacity(table.rows.len());
    for record in &table.rows {
        let mut cells = Cells::new(table, record, errors);
        let key = cells.key("external_id", &mut keys);
        let site =
            cells.required_reference(work.tx, "site", "site", "the external_id of a site that was imported before")?;
        let rest = TARGET.columns.iter().skip(1).map(|column| match *column {
            "name" => text(&cells.required(column)),
            "installed_on" | "warranty_until" => text(&cells.date(column)),
            other => text(&cells.line(other)),
        });
        let values = std::iter::once(text(&site)).chain(rest).collect();
        rows.push((key, site, values));
    }
    if errors.any() {
        return Ok(());
    }
    for (key, site, values) in rows {
        let done = upsert(work, &TARGET, &key, &values, &[])?;
        if done.change != Change::Unchanged {
            work.notes.put_to(work.tx, DEVICES, &site, "equipment", &done.id)?;
        }
        if let Some(Value::Text(before)) = done.before.first()
            && *before != site
        {
            work.notes.put_to(work.tx, DEVICES, before, "equipment", &done.id)?;
        }
        work.report.count(done.change);
    }
    Ok(())
}
