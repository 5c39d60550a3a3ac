//! `jobs.csv`: work orders, each with its one appointment.
//!
//! The appointment's id is made when the job is first seen and never again. A job that goes to another technician
//! leaves the old handheld's channel and comes with all that it is about into the new one's.

use super::cell::Cells;
use super::feed::{FeedOp, device_channel, ids};
use super::sites::CUSTOMER;
use super::table::Table;
use super::upsert::{Change, Target, Upserted, text, upsert};
use super::{RowErrors, Seen, Work};
use rusqlite::types::Value;

pub(super) const COLUMNS: &[&str] = &[
    "external_id",
    "customer",
    "site",
    "title",
    "description",
    "priority",
    "window_start",
    "window_end",
    "technician",
];
const TARGET: Target = Target {
    table: "job",
    columns: &[
        "customer",
        "site",
        "technician",
        "title",
        "description",
        "priority",
        "window_start_ms",
        "window_end_ms",
    ],
};
/// How many of the target's columns say where the job belongs: customer, site, technician.
const PLACE_COLUMNS: usize = 3;
const TECHNICIAN_COLUMN: usize = 2;

struct Row {
    external_id: String,
    technician: Option<String>,
    values: Vec<Value>,
}

pub(super) fn run(work: &mut Work<'_>, table: &Table, errors: &mut RowErrors) -> rusqlite::Result<()> {
    let mut keys = Seen::default();
    let mut rows = Vec::with_capacity(table.rows.len());
    for record in &table.rows {
        rows.push(read(work, &mut Cells::new(table, record, errors), &mut keys)?);
    }
    if errors.any() {
        return Ok(());
    }
    for row in rows {
        let visit = (work.new_id)().to_string();
        let once = [("visit", Value::Text(visit)), ("review", text("open"))];
        let done = upsert(work, &TARGET, &row.external_id, &row.values, &once)?;
        note(work, &row, &done)?;
        work.report.count(done.change);
    }
    Ok(())
}

fn read(work: &Work<'_>, cells: &mut Cells<'_>, keys: &mut Seen) -> rusqlite::Result<Row> {
    let external_id = cells.key("external_id", keys);
    let customer = cells.required_reference(work.tx, "customer", "customer", CUSTOMER)?;
    let site =
        cells.required_reference(work.tx, "site", "site", "the external_id of a site that was imported before")?;
    let belongs = "SELECT 1 FROM site WHERE id = ?1 AND customer = ?2";
    let both = !customer.is_empty() && !site.is_empty();
    if both && !work.tx.prepare_cached(belongs)?.exists([&site, &customer])? {
        cells.wrong("site", "a site of the job's customer");
    }
    let technician = cells.reference(
        work.tx,
        "technician",
        "technician",
        "the external_id of a technician that was imported before, or nothing",
    )?;
    let title = cells.required("title");
    let description = cells.lines("description");
    let priority = cells.choice("priority", &["0", "1", "2", "3"]).parse().unwrap_or(0);
    let (start_ms, end_ms) = (cells.time_ms("window_start"), cells.time_ms("window_end"));
    if let (Some(start), Some(end)) = (start_ms, end_ms)
        && end <= start
    {
        cells.wrong("window_end", "a time after window_start");
    }
    let values = vec![
        text(&customer),
        text(&site),
        technician.clone().map_or(Value::Null, Value::Text),
        text(&title),
        text(&description),
        Value::Integer(priority),
        Value::Integer(start_ms.unwrap_or(0)),
        Value::Integer(end_ms.unwrap_or(0)),
    ];
    Ok(Row { external_id, technician, values })
}

/// Tells the handhelds that had the job and those that have it now.
fn note(work: &mut Work<'_>, row: &Row, done: &Upserted) -> rusqlite::Result<()> {
    const DEVICES: &str = "SELECT id FROM device WHERE technician = ?1 ORDER BY id";
    if done.change == Change::Unchanged {
        return Ok(());
    }
    let tx = work.tx;
    let place = |values: &[Value]| values.iter().take(PLACE_COLUMNS).cloned().collect::<Vec<_>>();
    if let Some(Value::Text(before)) = done.before.get(TECHNICIAN_COLUMN)
        && row.technician.as_ref() != Some(before)
    {
        for device in ids(tx, DEVICES, before)? {
            work.notes.add(&device_channel(&device), "job", &done.id, FeedOp::Remove);
        }
    }
    let Some(technician) = &row.technician else { return Ok(()) };
    for device in ids(tx, DEVICES, technician)? {
        let channel = device_channel(&device);
        if place(&done.before) == place(&row.values) {
            work.notes.add(&channel, "job", &done.id, FeedOp::Put);
        } else {
            work.notes.put_job(tx, &channel, &done.id)?;
        }
    }
    Ok(())
}
