//! What handhelds have to hear of a change of master data, as references for the feed.
//!
//! A handheld gets the jobs of its technician, with their customers, sites and equipment, and what those customers have
//! paid ahead.
//! Invariant: only says what to note; the feed's own tables are written by whoever commits.

use rusqlite::Connection;
use std::collections::HashSet;

/// The channel of the price book.
pub const PRICES_CHANNEL: &str = "shared:prices";

/// Whether the entity is there or is no longer this channel's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FeedOp {
    /// New or changed.
    Put,
    /// Not for this handheld any more; not deleted.
    Remove,
}

impl FeedOp {
    /// The name in the database.
    pub fn name(self) -> &'static str {
        match self {
            FeedOp::Put => "put",
            FeedOp::Remove => "remove",
        }
    }
}

/// One reference for the feed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FeedNote {
    /// `device:{device id}` or `shared:prices`.
    pub channel: String,
    /// `job`, `customer`, `site`, `equipment`, `deposit` or `price`.
    pub kind: &'static str,
    /// The entity's id.
    pub entity: String,
    /// What to do with it.
    pub op: FeedOp,
}

/// The channel of a handheld.
pub fn device_channel(device: &str) -> String {
    format!("device:{device}")
}

/// Notes in the order in which they came, each kept once; a later word on the same entity replaces an earlier one.
#[derive(Default)]
pub(crate) struct Notes {
    list: Vec<FeedNote>,
    seen: HashSet<FeedNote>,
}

impl Notes {
    pub(crate) fn add(&mut self, channel: &str, kind: &'static str, entity: &str, op: FeedOp) {
        let note = FeedNote { channel: channel.to_owned(), kind, entity: entity.to_owned(), op };
        let other = match op {
            FeedOp::Put => FeedOp::Remove,
            FeedOp::Remove => FeedOp::Put,
        };
        self.seen.remove(&FeedNote { op: other, ..note.clone() });
        if self.seen.insert(note.clone()) {
            self.list.push(note);
        }
    }

    /// What is left.
    pub(crate) fn into_list(self) -> Vec<FeedNote> {
        let Notes { list, mut seen } = self;
        let mut last: Vec<FeedNote> = list.into_iter().rev().filter(|note| seen.remove(note)).collect();
        last.reverse();
        last
    }

    /// `kind` `entity` changed, for the handhelds that `devices` selects by `?1`.
    pub(super) fn put_to(
        &mut self,
        tx: &Connection,
        devices: &str,
        by: &str,
        kind: &'static str,
        entity: &str,
    ) -> rusqlite::Result<()> {
        for device in ids(tx, devices, by)? {
            self.add(&device_channel(&device), kind, entity, FeedOp::Put);
        }
        Ok(())
    }

    /// A job with all that it is about, for one channel.
    pub(super) fn put_job(&mut self, tx: &Connection, channel: &str, job: &str) -> rusqlite::Result<()> {
        for (kind, sql) in [
            ("customer", "SELECT customer FROM job WHERE id = ?1"),
            ("site", "SELECT site FROM job WHERE id = ?1"),
            (
                "deposit",
                "SELECT i.id FROM invoice i JOIN job j ON j.customer = i.customer
                 WHERE j.id = ?1 AND i.kind = 'deposit' AND i.state <> 'cancelled' ORDER BY i.id",
            ),
            ("equipment", "SELECT e.id FROM equipment e JOIN job j ON j.site = e.site WHERE j.id = ?1 ORDER BY e.id"),
        ] {
            for id in ids(tx, sql, job)? {
                self.add(channel, kind, &id, FeedOp::Put);
            }
        }
        self.add(channel, "job", job, FeedOp::Put);
        Ok(())
    }

    /// A handheld changed hands: the jobs of `from` go, those of `to` come.
    pub(crate) fn hand_over(
        &mut self,
        tx: &Connection,
        device: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> rusqlite::Result<()> {
        const JOBS: &str = "SELECT id FROM job WHERE technician = ?1 ORDER BY window_start_ms, id";
        let channel = device_channel(device);
        for job in from.map_or(Ok(Vec::new()), |technician| ids(tx, JOBS, technician))? {
            self.add(&channel, "job", &job, FeedOp::Remove);
        }
        for job in to.map_or(Ok(Vec::new()), |technician| ids(tx, JOBS, technician))? {
            self.put_job(tx, &channel, &job)?;
        }
        Ok(())
    }
}

/// The notes for a handheld that a technician gets (`to`) or gives up (`from`): call it after `device.technician`
/// was set outside an import.
///
/// # Errors
/// The database's.
pub fn hand_over(
    tx: &Connection,
    device: &str,
    from: Option<&str>,
    to: Option<&str>,
) -> rusqlite::Result<Vec<FeedNote>> {
    let mut notes = Notes::default();
    notes.hand_over(tx, device, from, to)?;
    Ok(notes.into_list())
}

/// The notes for a job whose own fields changed (an approval, say): one for each handheld of its technician.
///
/// # Errors
/// The database's.
pub fn job_changed(tx: &Connection, job: &str) -> rusqlite::Result<Vec<FeedNote>> {
    let mut notes = Notes::default();
    let devices = "SELECT d.id FROM device d JOIN job j ON j.technician = d.technician WHERE j.id = ?1 ORDER BY d.id";
    notes.put_to(tx, devices, job, "job", job)?;
    Ok(notes.into_list())
}

/// The ids that `sql` selects by `?1`.
pub(super) fn ids(tx: &Connection, sql: &str, by: &str) -> rusqlite::Result<Vec<String>> {
    tx.prepare_cached(sql)?.query_map([by], |row| row.get(0))?.collect()
}
