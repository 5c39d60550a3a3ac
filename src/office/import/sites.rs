//! `sites.csv`: where the work is done.

use super::cell::Cells;
use super::table::Table;
use super::upsert::{Change, Target, text, upsert};
use super::{RowErrors, Seen, Work};
use rusqlite::types::Value;

pub(super) const COLUMNS: &[&str] =
    &["external_id", "customer", "name", "street", "city", "postcode", "country", "access_note"];
const TARGET: Target =
    Target { table: "site", columns: &["customer", "name", "street", "city", "postcode", "country", "access_note"] };
/// The handhelds with a job at site `?1`.
const DEVICES: &str = "SELECT DISTINCT d.id FROM device d JOIN job j ON j.technician = d.technician
     WHERE j.site = ?1 ORDER BY d.id";

pub(super) fn run(work: &mut Work<'_>, table: &Table, errors: &mut RowErrors) -> rusqlite::Result<()> {
    let mut keys = Seen::default();
    let mut rows: Vec<(String, Vec<Value>)> = Vec::with_capacity(table.rows.len());
    for record in &table.rows {
        let mut cells = Cells::new(table, record, errors);
        let key = cells.key("external_id", &mut keys);
        let customer = cells.required_reference(work.tx, "customer", "customer", CUSTOMER)?;
        let with_jobs = "SELECT 1 FROM site s JOIN job j ON j.site = s.id AND j.customer <> ?2
             WHERE s.external_id = ?1";
        if work.tx.prepare_cached(with_jobs)?.exists([&key, &customer])? && !customer.is_empty() {
            cells.wrong("customer", "the customer whose jobs this site already has");
        }
        let rest = TARGET.columns.iter().skip(1).map(|column| match *column {
            "access_note" => text(&cells.lines(column)),
            other => text(&cells.line(other)),
        });
        rows.push((key, std::iter::once(text(&customer)).chain(rest).collect()));
    }
    if errors.any() {
        return Ok(());
    }
    for (key, values) in rows {
        let done = upsert(work, &TARGET, &key, &values, &[])?;
        if done.change == Change::Updated {
            work.notes.put_to(work.tx, DEVICES, &done.id, "site", &done.id)?;
        }
        work.report.count(done.change);
    }
    Ok(())
}

/// What a wrong customer is answered with.
pub(super) const CUSTOMER: &str = "the external_id of a customer that was imported before";
