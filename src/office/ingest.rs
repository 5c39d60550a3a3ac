//! A batch comes in: checked whole, stored raw, folded, answered after the commit.
//!
//! Invariant: a batch is taken in one transaction or not at all. Every row of it ends as applied, duplicate, held,
//! quarantined or forked, and none of these loses a byte of it.

mod apply;
mod card;
mod shift;

use super::exceptions::{Trouble, raise};
use super::{Office, OfficeError, to_json};
use crate::domain::exception::ExceptionType;
use crate::domain::id::DeviceId;
use crate::domain::journal::{Hash, Row};
use crate::domain::money::Money;
use crate::sync::wire::batch::{Batch, Envelope};
use crate::sync::wire::{PushAnswer, RowAnswer, RowResult, ack_bytes};
use rusqlite::{Connection, OptionalExtension as _, Transaction};

/// Why a batch is refused whole. Nothing of it was stored.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Another device's batch.
    #[error("the batch is from another handheld than the token")]
    OtherDevice,
    /// The signature is not that of the device's key.
    #[error(
        "the signature does not fit the handheld's key: nothing was stored; enrol the handheld anew if its key was lost"
    )]
    BadSignature,
    /// Rows between what is held and the first of the batch are missing.
    #[error("rows {} to {} are missing before this batch: nothing was stored; send from there", .acked + 1, .first - 1)]
    Gap {
        /// Every row up to here is held.
        acked: u64,
        /// The batch begins here.
        first: u64,
    },
    /// The hashes do not lead to the signed head.
    #[error("the rows do not hash to the signed head: nothing was stored")]
    WrongHash,
    /// The office itself failed.
    #[error(transparent)]
    Office(#[from] OfficeError),
}

impl Refused {
    /// Whether sending the same batch again is useless.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, Refused::Office(why) if !why.is_permanent())
    }
}

impl From<rusqlite::Error> for Refused {
    fn from(why: rusqlite::Error) -> Refused {
        Refused::Office(why.into())
    }
}

/// Where a device's journal stands here.
struct Standing {
    acked: u64,
    acked_hash: Hash,
}

impl Office {
    /// Takes a batch of `device`.
    pub fn ingest(&self, device: DeviceId, batch: &Batch) -> Result<PushAnswer, Refused> {
        if batch.envelope.device != device {
            return Err(Refused::OtherDevice);
        }
        let now = self.now_ms();
        let (acked, acked_hash, results) = self.write(|tx| take(tx, batch, now))?;
        let epoch = batch.envelope.epoch;
        Ok(PushAnswer {
            office_epoch: self.epoch,
            acked_through: acked,
            durable_through: 0,
            results,
            time_ms: now,
            signature: self.keys.sign(&ack_bytes(device, epoch, acked, &acked_hash.to_string())),
        })
    }
}

type Taken = (u64, Hash, Vec<RowAnswer>);

fn take(tx: &mut Transaction<'_>, batch: &Batch, now_ms: i64) -> Result<Taken, Refused> {
    let e = &batch.envelope;
    let device = e.device.to_string();
    let key: Option<String> =
        tx.query_row("SELECT public_key FROM device WHERE id = ?1", [&device], |r| r.get(0)).optional()?.flatten();
    if !key.is_some_and(|key| batch.signed_by(&key)) {
        return Err(Refused::BadSignature);
    }
    let standing = standing(tx, e, now_ms)?;
    if e.first > standing.acked + 1 {
        return Err(Refused::Gap { acked: standing.acked, first: e.first });
    }
    let hashes = batch.hashes(hash_before(tx, e, &standing)?);
    let last = match hashes.last() {
        Some(hash) => *hash,
        None => hash_before(tx, e, &standing)?,
    };
    if last != e.head_hash {
        return Err(Refused::WrongHash);
    }
    for blob in &batch.blobs {
        keep_blob(tx, &device, &blob.sha256, &blob.bytes, now_ms)?;
    }
    let mut results = Vec::with_capacity(batch.rows.len());
    let mut end = standing;
    for (row, hash) in batch.rows.iter().zip(hashes) {
        let (result, reason) = take_row(tx, e, row, hash, end.acked, now_ms)?;
        if row.seq == end.acked + 1 && result != RowResult::Forked {
            end = Standing { acked: row.seq, acked_hash: hash };
        }
        results.push(RowAnswer { seq: row.seq, id: row.id, result, reason });
    }
    note_standing(tx, e, &end, now_ms)?;
    Ok((end.acked, end.acked_hash, results))
}

/// Keeps a sealed blob, unless its payment needs none any more: a batch may come again long after the answer.
pub(super) fn keep_blob(
    db: &Connection,
    device: &str,
    sha256: &str,
    bytes: &[u8],
    now_ms: i64,
) -> Result<(), OfficeError> {
    db.execute(
        "INSERT INTO blob (sha256, device, bytes, received_ms)
         SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM card_payment
             WHERE blob = ?1 AND (over = 1 OR outcome IN ('approved', 'captured')))
         ON CONFLICT DO NOTHING",
        (sha256, device, bytes, now_ms),
    )?;
    Ok(())
}

fn standing(db: &Connection, e: &Envelope, now_ms: i64) -> Result<Standing, Refused> {
    let key = (e.device.to_string(), e.epoch.to_string());
    db.execute(
        "INSERT INTO device_epoch (device, epoch, acked_seq, acked_hash, stated_seq, since_ms)
         VALUES (?1, ?2, 0, ?3, 0, ?4) ON CONFLICT DO NOTHING",
        (&key.0, &key.1, Hash::START.to_string(), now_ms),
    )?;
    // After a restore: what the handheld has by now may be at the processor already.
    db.execute(
        "UPDATE device_epoch SET met_office = (SELECT value FROM meta WHERE name = 'epoch'),
             met_seq = CASE WHEN EXISTS (SELECT 1 FROM former_epoch) THEN ?3 ELSE 0 END
         WHERE device = ?1 AND epoch = ?2 AND met_office <> (SELECT value FROM meta WHERE name = 'epoch')",
        (&key.0, &key.1, e.head),
    )?;
    let sql = "SELECT acked_seq, acked_hash FROM device_epoch WHERE device = ?1 AND epoch = ?2";
    let (acked, hash): (u64, String) = db.query_row(sql, key, |r| Ok((r.get(0)?, r.get(1)?)))?;
    let acked_hash = Hash::from_hex(&hash).ok_or_else(|| OfficeError::Record(format!("{hash} is no hash")))?;
    Ok(Standing { acked, acked_hash })
}

/// The hash that the batch's first row must follow.
fn hash_before(db: &Connection, e: &Envelope, standing: &Standing) -> Result<Hash, Refused> {
    match e.first - 1 {
        0 => Ok(Hash::START),
        seq if seq == standing.acked => Ok(standing.acked_hash),
        seq => {
            let sql = "SELECT hash FROM journal WHERE device = ?1 AND epoch = ?2 AND seq = ?3";
            let key = (e.device.to_string(), e.epoch.to_string(), seq);
            let hash: Option<String> = db.query_row(sql, key, |r| r.get(0)).optional()?;
            hash.and_then(|hash| Hash::from_hex(&hash)).ok_or(Refused::WrongHash)
        }
    }
}

fn note_standing(db: &Connection, e: &Envelope, end: &Standing, now_ms: i64) -> Result<(), Refused> {
    let device = e.device.to_string();
    db.execute(
        "UPDATE device_epoch SET acked_seq = ?3, acked_hash = ?4, stated_seq = max(stated_seq, ?5)
         WHERE device = ?1 AND epoch = ?2",
        (&device, e.epoch.to_string(), end.acked, end.acked_hash.to_string(), e.head),
    )?;
    db.execute("UPDATE device SET last_heard_ms = ?2 WHERE id = ?1", (&device, now_ms))?;
    for request in &e.requests {
        db.execute(
            "UPDATE card_payment SET request_age_ms = ?2, request_heard_ms = ?3, next_ms = min(next_ms, ?3)
             WHERE payment = ?1 AND device = ?4 AND over = 0",
            (request.payment.to_string(), request.age_ms, now_ms, &device),
        )?;
    }
    // What waited for the rest of the journal may go on.
    db.execute("UPDATE card_payment SET next_ms = min(next_ms, ?2) WHERE device = ?1 AND over = 0", (&device, now_ms))?;
    Ok(())
}

fn take_row(
    tx: &mut Transaction<'_>,
    e: &Envelope,
    row: &Row,
    hash: Hash,
    acked: u64,
    now_ms: i64,
) -> Result<(RowResult, Option<String>), Refused> {
    let device = e.device.to_string();
    let place = (device.clone(), e.epoch.to_string(), row.seq);
    let here: Option<String> = tx
        .prepare_cached("SELECT hash FROM journal WHERE device = ?1 AND epoch = ?2 AND seq = ?3")?
        .query_row(place, |r| r.get(0))
        .optional()?;
    match here {
        Some(kept) if kept == hash.to_string() => return Ok((RowResult::Duplicate, None)),
        Some(_) => return fork(tx, e, row, hash, now_ms),
        None if row.seq <= acked => return fork(tx, e, row, hash, now_ms),
        None => {}
    }
    if let Some(other) = same_id(tx, row)? {
        // Sent again by a new epoch of the same handheld, or a copied card.
        return if other { Ok((RowResult::Duplicate, None)) } else { fork(tx, e, row, hash, now_ms) };
    }
    let (result, reason) = match blocked(tx, &device, row)? {
        true => (RowResult::Held, Some("waits behind a quarantined row".to_owned())),
        false => {
            let savepoint = tx.savepoint()?;
            match apply::apply(&savepoint, e, row, now_ms) {
                Ok(()) => {
                    savepoint.commit()?;
                    (RowResult::Applied, None)
                }
                Err(why) => {
                    drop(savepoint);
                    (RowResult::Quarantined, Some(why.to_string()))
                }
            }
        }
    };
    keep(tx, e, row, hash, result, reason.as_deref(), now_ms)?;
    if result != RowResult::Applied {
        freeze(tx, row)?;
    }
    if let (RowResult::Quarantined, Some(why)) = (result, &reason) {
        quarantine(tx, &device, row, why, now_ms)?;
    }
    Ok((result, reason))
}

/// Whether the same id is here with the same content (`true`), with another (`false`), or not at all.
fn same_id(db: &Connection, row: &Row) -> Result<Option<bool>, Refused> {
    let sql = "SELECT kind, v, subjects, body FROM journal WHERE id = ?1";
    let kept: Option<(String, u32, String, Vec<u8>)> = db
        .prepare_cached(sql)?
        .query_row([row.id.to_string()], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))
        .optional()?;
    let subjects = to_json(&row.subjects)?;
    Ok(kept.map(|(kind, v, kept_subjects, body)| {
        kind == row.kind && v == row.v && kept_subjects == subjects && body == row.body.as_bytes()
    }))
}

/// Whether a row of this device that cannot be applied shares a subject with this one.
fn blocked(db: &Connection, device: &str, row: &Row) -> Result<bool, Refused> {
    let sql = "SELECT EXISTS (SELECT 1 FROM journal_subject s
               JOIN journal j ON j.device = s.device AND j.epoch = s.epoch AND j.seq = s.seq
               WHERE s.subject = ?1 AND s.device = ?2 AND j.result IN ('held', 'quarantined'))";
    for subject in &row.subjects {
        if db.prepare_cached(sql)?.query_row((subject, device), |r| r.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn keep(
    db: &Connection,
    e: &Envelope,
    row: &Row,
    hash: Hash,
    result: RowResult,
    reason: Option<&str>,
    now_ms: i64,
) -> Result<(), Refused> {
    let (device, epoch) = (e.device.to_string(), e.epoch.to_string());
    db.prepare_cached(
        "INSERT INTO journal (device, epoch, seq, id, kind, v, subjects, at_ms, boot, mono_ms, offset_ms, actor, body,
                              hash, received_ms, result, reason)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    )?
    .execute(rusqlite::params![
        device,
        epoch,
        row.seq,
        row.id.to_string(),
        row.kind,
        row.v,
        to_json(&row.subjects)?,
        row.at_ms,
        row.boot.to_string(),
        row.mono_ms,
        row.offset_ms,
        row.actor,
        row.body.as_bytes(),
        hash.to_string(),
        now_ms,
        result.name(),
        reason,
    ])?;
    let mut statement = db.prepare_cached(
        "INSERT INTO journal_subject (subject, device, epoch, seq) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    )?;
    for subject in &row.subjects {
        statement.execute((subject, &device, &epoch, row.seq))?;
    }
    Ok(())
}

/// Nothing is forwarded for a payment among the subjects of a row that cannot be applied.
fn freeze(db: &Connection, row: &Row) -> Result<(), Refused> {
    let mut statement = db.prepare_cached("UPDATE card_payment SET frozen = 1 WHERE payment = ?1")?;
    for subject in &row.subjects {
        statement.execute([subject])?;
    }
    Ok(())
}

fn quarantine(db: &Connection, device: &str, row: &Row, why: &str, now_ms: i64) -> Result<(), Refused> {
    let id = row.id.to_string();
    let trouble = Trouble {
        kind: ExceptionType::QuarantinedRow,
        subject: &id,
        device: Some(device),
        job: row.subjects.first().map(String::as_str),
        amount: Money::zero(crate::domain::money::Currency::EUR),
        note: why,
        deadline_ms: None,
    };
    Ok(raise(db, &trouble, now_ms)?)
}

/// Keeps a row that contradicts what is here, and tells the dispatcher.
fn fork(
    db: &Connection,
    e: &Envelope,
    row: &Row,
    hash: Hash,
    now_ms: i64,
) -> Result<(RowResult, Option<String>), Refused> {
    let device = e.device.to_string();
    db.execute(
        "INSERT INTO journal_fork (device, epoch, seq, id, hash, row, received_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        (
            &device,
            e.epoch.to_string(),
            row.seq,
            row.id.to_string(),
            hash.to_string(),
            to_json(row)?.into_bytes(),
            now_ms,
        ),
    )?;
    let note = format!("row {} has two contents", row.seq);
    let trouble = Trouble {
        kind: ExceptionType::Fork,
        subject: &device,
        device: Some(&device),
        job: None,
        amount: Money::zero(crate::domain::money::Currency::EUR),
        note: &note,
        deadline_ms: None,
    };
    raise(db, &trouble, now_ms)?;
    Ok((RowResult::Forked, Some(note)))
}
