//! All of one job: what was ordered, what was done, what the journals say about it.

use super::payments::{Filter, Seen, payments};
use super::{name, name_if_any, record, record_if_any};
use crate::domain::event::Event;
use crate::domain::invoice::Invoice;
use crate::domain::job::{Review, VisitState};
use crate::domain::line::Line;
use rusqlite::{Connection, OptionalExtension, params};

/// The most journal rows that one page shows.
pub(in crate::office::pages) const TIMELINE_MAX: u32 = 500;

/// One job.
pub(in crate::office::pages) struct Facts {
    pub(in crate::office::pages) id: String,
    pub(in crate::office::pages) number: String,
    pub(in crate::office::pages) title: String,
    pub(in crate::office::pages) description: String,
    pub(in crate::office::pages) priority: u8,
    pub(in crate::office::pages) start_ms: i64,
    pub(in crate::office::pages) end_ms: i64,
    pub(in crate::office::pages) review: Review,
    pub(in crate::office::pages) reviewed_by: Option<String>,
    pub(in crate::office::pages) reviewed_ms: Option<i64>,
    pub(in crate::office::pages) customer: String,
    pub(in crate::office::pages) phone: String,
    pub(in crate::office::pages) site: String,
    pub(in crate::office::pages) address: String,
    pub(in crate::office::pages) access_note: String,
    pub(in crate::office::pages) technician: Option<String>,
    pub(in crate::office::pages) state: VisitState,
    pub(in crate::office::pages) invoice: Option<Invoice>,
    visit: String,
    site_id: String,
}

/// One row of a journal.
pub(in crate::office::pages) struct Told {
    pub(in crate::office::pages) device: String,
    pub(in crate::office::pages) seq: i64,
    pub(in crate::office::pages) kind: String,
    /// None when this program cannot read it.
    pub(in crate::office::pages) event: Option<Event>,
    /// The handheld's clock, Unix milliseconds.
    pub(in crate::office::pages) at_ms: i64,
    /// The same by the office's clock, as far as the handheld knew the difference, Unix milliseconds.
    pub(in crate::office::pages) office_at_ms: i64,
    /// The office's clock, Unix milliseconds.
    pub(in crate::office::pages) received_ms: i64,
    pub(in crate::office::pages) actor: String,
    pub(in crate::office::pages) result: String,
    pub(in crate::office::pages) reason: Option<String>,
}

/// The job, or none.
pub(in crate::office::pages) fn facts(db: &Connection, id: &str) -> rusqlite::Result<Option<Facts>> {
    let sql = "SELECT j.id, j.external_id, j.title, j.description, j.priority, j.window_start_ms, j.window_end_ms,
             j.review, j.reviewed_by, j.reviewed_ms, c.name, c.phone, s.name, s.street, s.postcode, s.city,
             s.access_note, t.name, w.state, i.record, j.visit, j.site
         FROM job j JOIN customer c ON c.id = j.customer JOIN site s ON s.id = j.site
         LEFT JOIN technician t ON t.id = j.technician
         LEFT JOIN visit_work w ON w.visit = j.visit
         LEFT JOIN invoice i ON i.visit = j.visit AND i.kind = 'invoice' AND i.state <> 'cancelled'
         WHERE j.id = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        let (street, postcode, city): (String, String, String) = (row.get(13)?, row.get(14)?, row.get(15)?);
        let place = format!("{postcode} {city}");
        let parts = [street.trim(), place.trim()];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Ok(Facts {
            id: row.get(0)?,
            number: row.get(1)?,
            title: row.get(2)?,
            description: row.get(3)?,
            priority: row.get(4)?,
            start_ms: row.get(5)?,
            end_ms: row.get(6)?,
            review: name(row, 7)?,
            reviewed_by: row.get(8)?,
            reviewed_ms: row.get(9)?,
            customer: row.get(10)?,
            phone: row.get(11)?,
            site: row.get(12)?,
            address: parts.join(", "),
            access_note: row.get(16)?,
            technician: row.get(17)?,
            state: name_if_any(row, 18)?.unwrap_or(VisitState::New),
            invoice: record_if_any(row, 19)?,
            visit: row.get(20)?,
            site_id: row.get(21)?,
        })
    };
    db.prepare_cached(sql)?.query_row([id], read).optional()
}

/// The equipment at the job's site, one line each.
pub(in crate::office::pages) fn equipment(db: &Connection, job: &Facts) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name, model, serial FROM equipment WHERE site = ?1 ORDER BY name, id LIMIT 50";
    let line = |row: &rusqlite::Row<'_>| {
        let parts: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Ok(parts.join(" · "))
    };
    db.prepare_cached(sql)?.query_map([&job.site_id], line)?.collect()
}

/// The visit's lines as they stand: frozen once there is an invoice.
pub(in crate::office::pages) fn lines(db: &Connection, job: &Facts) -> rusqlite::Result<Vec<Line>> {
    if let Some(invoice) = &job.invoice {
        return Ok(invoice.lines.clone());
    }
    let sql = "SELECT record FROM line WHERE visit = ?1 ORDER BY seq, id LIMIT 500";
    db.prepare_cached(sql)?.query_map([&job.visit], |row| record(row, 0))?.collect()
}

/// The visit's payments, oldest first.
pub(in crate::office::pages) fn paid(db: &Connection, job: &Facts) -> rusqlite::Result<Vec<Seen>> {
    let mut all = payments(db, &Filter { job: Some(job.id.clone()), ..Filter::default() })?;
    all.reverse();
    Ok(all)
}

/// What the journals say about the job, in the order in which it happened.
pub(in crate::office::pages) fn timeline(db: &Connection, job: &str) -> rusqlite::Result<Vec<Told>> {
    let sql = "SELECT coalesce(d.name, '?'), j.seq, j.kind, j.v, j.body, j.at_ms, j.received_ms,
             CASE j.actor WHEN 'device' THEN 'handheld' ELSE coalesce(t.name, j.actor) END, j.result, j.reason,
             j.at_ms + coalesce(j.offset_ms, 0)
         FROM journal_subject s JOIN journal j ON j.device = s.device AND j.epoch = s.epoch AND j.seq = s.seq
         LEFT JOIN device d ON d.id = j.device
         LEFT JOIN technician t ON t.id = j.actor
         WHERE s.subject = ?1
         ORDER BY j.at_ms + coalesce(j.offset_ms, 0), j.device, j.seq LIMIT ?2";
    let told = |row: &rusqlite::Row<'_>| {
        let (kind, version, body): (String, u32, Vec<u8>) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let event = std::str::from_utf8(&body).ok().and_then(|body| Event::decode(&kind, version, body).ok());
        Ok(Told {
            device: row.get(0)?,
            seq: row.get(1)?,
            kind,
            event,
            at_ms: row.get(5)?,
            office_at_ms: row.get(10)?,
            received_ms: row.get(6)?,
            actor: row.get(7)?,
            result: row.get(8)?,
            reason: row.get(9)?,
        })
    };
    db.prepare_cached(sql)?.query_map(params![job, TIMELINE_MAX], told)?.collect()
}
