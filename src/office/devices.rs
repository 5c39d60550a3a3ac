//! Handhelds: adding one, its one-time code, and what it says of itself when it enrols.

use super::agreements::OFFICE_NAME;
use super::{Office, OfficeError, digest, feed, id_from, import, mode, random_hex};
use crate::domain::document::Series;
use crate::domain::policy::HOUR_MS;
use crate::sync::wire::{EnrolAnswer, EnrolRequest};
use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

/// How long a code is good for, milliseconds.
const CODE_GOOD_MS: i64 = 24 * HOUR_MS;

impl Office {
    /// Makes a one-time code for the handheld `name`, creating it if it is new. `technician` is that person's
    /// external id.
    pub fn add_device(&self, name: &str, technician: Option<&str>) -> Result<String, OfficeError> {
        let series: Series = name.parse()?;
        if name == OFFICE_NAME {
            return Err(OfficeError::Missing(format!("a handheld {name} (the office itself goes by that name)")));
        }
        let code = random_hex(10).to_uppercase();
        let now = self.now_ms();
        self.write(|tx| {
            let device = device_id(tx, &series, now)?;
            if let Some(external) = technician {
                let id: Option<String> = tx
                    .query_row("SELECT id FROM technician WHERE external_id = ?1", [external], |r| r.get(0))
                    .optional()?;
                let id = id.ok_or_else(|| OfficeError::Missing(format!("technician {external}")))?;
                let before: Option<String> =
                    tx.query_row("SELECT technician FROM device WHERE id = ?1", [&device], |r| r.get(0))?;
                tx.execute("UPDATE device SET technician = ?2 WHERE id = ?1", (&device, &id))?;
                for one in import::hand_over(tx, &device, before.as_deref(), Some(&id))? {
                    feed::note(tx, &one.channel, one.kind, &one.entity, one.op.name())?;
                }
            }
            tx.execute(
                "INSERT INTO enrol_code (code_sha256, device, expires_ms) VALUES (?1, ?2, ?3)",
                (digest(&code), &device, now + CODE_GOOD_MS),
            )?;
            Ok(code)
        })
    }

    /// The public keys of every handheld, old ones too: name and 64 hex digits, by name, the oldest first.
    pub fn device_keys(&self) -> Result<Vec<(String, String)>, OfficeError> {
        self.read(|db| {
            let mut statement = db.prepare(
                "SELECT d.name, k.public_key FROM device_key k JOIN device d ON d.id = k.device
                 ORDER BY d.name, k.since_ms, k.public_key",
            )?;
            let found = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
            Ok(found.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Takes a code and a handheld's key; `None` when the code is not good.
    pub(super) fn enrol(&self, request: &EnrolRequest) -> Result<Option<EnrolAnswer>, OfficeError> {
        let now = self.now_ms();
        let merchant = self.settings().merchant.clone();
        self.write(|tx| {
            let code = digest(request.code.trim());
            let device: Option<String> = tx
                .query_row(
                    "UPDATE enrol_code SET used_ms = ?2
                     WHERE code_sha256 = ?1 AND used_ms IS NULL AND expires_ms > ?2 RETURNING device",
                    (code, now),
                    |r| r.get(0),
                )
                .optional()?;
            let Some(device) = device else { return Ok(None) };
            tx.execute(
                "UPDATE device SET public_key = ?2, enrolled_ms = ?3, last_heard_ms = ?3 WHERE id = ?1",
                (&device, &request.public_key, now),
            )?;
            tx.execute(
                "INSERT INTO device_key (public_key, device, since_ms) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                (&request.public_key, &device, now),
            )?;
            let (name, technician, person): (String, Option<String>, Option<String>) = tx.query_row(
                "SELECT d.name, t.id, t.name FROM device d LEFT JOIN technician t ON t.id = d.technician
                 WHERE d.id = ?1",
                [&device],
                |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
            )?;
            Ok(Some(EnrolAnswer {
                device: id_from(&device)?,
                name: name.parse()?,
                technician: technician.map(|id| id_from(&id)).transpose()?,
                technician_name: person.unwrap_or_default(),
                office_epoch: self.epoch,
                office_key: self.keys.public(),
                merchant,
                mode: mode::of(tx)?,
            }))
        })
    }
}

fn device_id(db: &Connection, name: &Series, now_ms: i64) -> Result<String, OfficeError> {
    let sql = "INSERT INTO device (id, name, created_ms) VALUES (?1, ?2, ?3)
               ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id";
    Ok(db.query_row(sql, (Uuid::now_v7().to_string(), name.to_string(), now_ms), |r| r.get(0))?)
}
