//! `technicians.csv`: people, and the handheld that each carries.
//!
//! A handheld that is not known yet is created by its name; one that another technician has is handed over. An empty
//! `device` says nothing about handhelds: none is taken away.

use super::cell::Cells;
use super::table::Table;
use super::upsert::{Change, Target, text, upsert};
use super::{RowErrors, Seen, Work};
use rusqlite::{OptionalExtension, params};

pub(super) const COLUMNS: &[&str] = &["external_id", "name", "device"];
const TARGET: Target = Target { table: "technician", columns: &["name"] };

struct Row {
    external_id: String,
    name: String,
    device: String,
}

pub(super) fn run(work: &mut Work<'_>, table: &Table, errors: &mut RowErrors) -> rusqlite::Result<()> {
    let (mut keys, mut devices) = (Seen::default(), Seen::default());
    let mut rows = Vec::with_capacity(table.rows.len());
    for record in &table.rows {
        let mut cells = Cells::new(table, record, errors);
        let row = Row {
            external_id: cells.key("external_id", &mut keys),
            name: cells.required("name"),
            device: cells.line("device"),
        };
        cells.once("device", &row.device, &mut devices);
        rows.push(row);
    }
    if errors.any() {
        return Ok(());
    }
    for row in rows {
        let done = upsert(work, &TARGET, &row.external_id, &[text(&row.name)], &[])?;
        let device_changed = !row.device.is_empty() && give(work, &row.device, &done.id)?;
        let change = if done.change == Change::Unchanged && device_changed { Change::Updated } else { done.change };
        work.report.count(change);
    }
    Ok(())
}

/// Makes sure that `technician` has the handheld `name`; true when something had to be changed.
fn give(work: &mut Work<'_>, name: &str, technician: &str) -> rusqlite::Result<bool> {
    let tx = work.tx;
    let known: Option<(String, Option<String>)> = tx
        .prepare_cached("SELECT id, technician FROM device WHERE name = ?1")?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((device, holder)) = known else {
        let device = (work.new_id)().to_string();
        tx.prepare_cached("INSERT INTO device (id, name, technician, created_ms) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![device, name, technician, work.now_ms])?;
        work.notes.hand_over(tx, &device, None, Some(technician))?;
        return Ok(true);
    };
    if holder.as_deref() == Some(technician) {
        return Ok(false);
    }
    tx.prepare_cached("UPDATE device SET technician = ?2 WHERE id = ?1")?.execute(params![device, technician])?;
    work.notes.hand_over(tx, &device, holder.as_deref(), Some(technician))?;
    Ok(true)
}
