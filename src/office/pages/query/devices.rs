//! Handhelds: what they have said, and how far the office has it.

use crate::office::agreements::OFFICE_DEVICE;
use rusqlite::Connection;

/// One handheld.
pub(in crate::office::pages) struct Device {
    pub(in crate::office::pages) id: String,
    pub(in crate::office::pages) name: String,
    pub(in crate::office::pages) technician: Option<String>,
    pub(in crate::office::pages) enrolled: bool,
    pub(in crate::office::pages) revoked_ms: Option<i64>,
    pub(in crate::office::pages) heard_ms: Option<i64>,
    /// How many lives its database had.
    pub(in crate::office::pages) epochs: i64,
    /// The latest of them; none before the first push.
    pub(in crate::office::pages) journal: Option<Journal>,
    /// Places of its journal with two contents.
    pub(in crate::office::pages) forks: i64,
    /// Rows that could not be applied.
    pub(in crate::office::pages) quarantined: i64,
    /// Rows that wait behind those.
    pub(in crate::office::pages) held: i64,
}

/// The latest journal of a handheld.
pub(in crate::office::pages) struct Journal {
    pub(in crate::office::pages) epoch: String,
    pub(in crate::office::pages) acked_seq: i64,
    pub(in crate::office::pages) acked_hash: String,
    pub(in crate::office::pages) stated_seq: i64,
    pub(in crate::office::pages) since_ms: i64,
}

impl Journal {
    /// Rows that the handheld says it has and the office does not.
    pub(in crate::office::pages) fn unsent(&self) -> i64 {
        self.stated_seq.saturating_sub(self.acked_seq).max(0)
    }
}

/// All handhelds, by name; revoked ones last.
pub(in crate::office::pages) fn devices(db: &Connection) -> rusqlite::Result<Vec<Device>> {
    let sql = "SELECT d.id, d.name, t.name, d.public_key IS NOT NULL, d.revoked_ms, d.last_heard_ms,
             (SELECT count(*) FROM device_epoch n WHERE n.device = d.id),
             e.epoch, e.acked_seq, e.acked_hash, e.stated_seq, e.since_ms,
             (SELECT count(*) FROM journal_fork f WHERE f.device = d.id),
             (SELECT count(*) FROM journal q WHERE q.device = d.id AND q.result = 'quarantined'),
             (SELECT count(*) FROM journal h WHERE h.device = d.id AND h.result = 'held')
         FROM device d
         LEFT JOIN technician t ON t.id = d.technician
         LEFT JOIN device_epoch e ON e.device = d.id AND e.epoch =
             (SELECT l.epoch FROM device_epoch l WHERE l.device = d.id ORDER BY l.since_ms DESC, l.epoch LIMIT 1)
         WHERE d.id <> ?1 ORDER BY d.revoked_ms IS NOT NULL, d.name";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([OFFICE_DEVICE], |row| {
        let epoch: Option<String> = row.get(7)?;
        let journal = match epoch {
            None => None,
            Some(epoch) => Some(Journal {
                epoch,
                acked_seq: row.get(8)?,
                acked_hash: row.get(9)?,
                stated_seq: row.get(10)?,
                since_ms: row.get(11)?,
            }),
        };
        Ok(Device {
            id: row.get(0)?,
            name: row.get(1)?,
            technician: row.get(2)?,
            enrolled: row.get(3)?,
            revoked_ms: row.get(4)?,
            heard_ms: row.get(5)?,
            epochs: row.get(6)?,
            journal,
            forks: row.get(12)?,
            quarantined: row.get(13)?,
            held: row.get(14)?,
        })
    })?;
    rows.collect()
}
