//! The journal: appending, reading what is to be sent, and noting what the office holds.

use super::identity::set_meta;
use super::{Identity, Store, StoreError};
use crate::domain::event::{BODY_VERSION, Event};
use crate::domain::journal::{BODY_MAX_BYTES, Hash, Row, Stamp};
use crate::facts::{parse, record};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};
use uuid::Uuid;

/// What is to be sent next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The rows after the last acknowledged one, in order.
    pub rows: Vec<Row>,
    /// Last row of the journal.
    pub head: u64,
    /// Hash of the last row in `rows`, or of the last acknowledged one when there are none.
    pub last_hash: Hash,
    /// Sealed blobs that authorisations among the rows need: SHA-256 and bytes.
    pub blobs: Vec<(String, Vec<u8>)>,
    /// Requests without an answer: payment id, boot and monotonic clock of the request's row.
    pub requests: Vec<(String, Uuid, u64)>,
}

/// Appends the row that tells `event`; its seq.
pub(super) fn append(
    tx: &Transaction<'_>,
    identity: &Identity,
    event: &Event,
    stamp: &Stamp,
) -> Result<u64, StoreError> {
    let (last, previous) = head(tx)?;
    let row = Row {
        seq: last + 1,
        id: stamp.id,
        kind: event.kind().to_owned(),
        v: BODY_VERSION,
        subjects: event.subjects(),
        at_ms: stamp.at_ms,
        boot: stamp.boot,
        mono_ms: stamp.mono_ms,
        offset_ms: stamp.offset_ms,
        actor: stamp.actor.clone(),
        body: event.body()?,
    };
    if row.body.len() > BODY_MAX_BYTES {
        return Err(StoreError::Record(format!("a row's body is at most {BODY_MAX_BYTES} bytes")));
    }
    let hash = row.hash(identity.epoch, previous);
    tx.prepare_cached(
        "INSERT INTO journal (seq, epoch, id, kind, v, subjects, at_ms, boot, mono_ms, offset_ms, actor, body, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(rusqlite::params![
        row.seq,
        identity.epoch.to_string(),
        row.id.to_string(),
        row.kind,
        row.v,
        record(&row.subjects)?,
        row.at_ms,
        row.boot.to_string(),
        row.mono_ms,
        row.offset_ms,
        row.actor,
        row.body,
        hash.0,
    ])?;
    Ok(row.seq)
}

/// Last seq and its hash; 0 and [`Hash::START`] for an empty journal.
pub(super) fn head(db: &Connection) -> Result<(u64, Hash), StoreError> {
    let found = db
        .prepare_cached("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1")?
        .query_row([], |r| Ok((r.get(0)?, r.get::<_, [u8; 32]>(1)?)))
        .optional()?;
    Ok(found.map_or((0, Hash::START), |(seq, hash)| (seq, Hash(hash))))
}

fn hash_at(db: &Connection, seq: u64) -> Result<Hash, StoreError> {
    if seq == 0 {
        return Ok(Hash::START);
    }
    let hash: [u8; 32] = db.query_row("SELECT hash FROM journal WHERE seq = ?1", [seq], |r| r.get(0))?;
    Ok(Hash(hash))
}

/// Rows from `first` on, at most `limit`.
pub(super) fn rows(db: &Connection, first: u64, limit: usize) -> Result<Vec<Row>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT seq, id, kind, v, subjects, at_ms, boot, mono_ms, offset_ms, actor, body
         FROM journal WHERE seq >= ?1 ORDER BY seq LIMIT ?2",
    )?;
    let bad = |what: &str| StoreError::Record(format!("{what} is no id"));
    let found = statement.query_map((first, limit), |r| {
        Ok((
            (r.get(0)?, r.get::<_, String>(1)?, r.get(2)?, r.get(3)?, r.get::<_, String>(4)?),
            (r.get(5)?, r.get::<_, String>(6)?, r.get(7)?, r.get(8)?, r.get(9)?, r.get(10)?),
        ))
    })?;
    found
        .map(|columns| {
            let ((seq, id, kind, v, subjects), (at_ms, boot, mono_ms, offset_ms, actor, body)) = columns?;
            Ok(Row {
                seq,
                id: id.parse().map_err(|_| bad(&id))?,
                kind,
                v,
                subjects: parse(&subjects)?,
                at_ms,
                boot: boot.parse().map_err(|_| bad(&boot))?,
                mono_ms,
                offset_ms,
                actor,
                body,
            })
        })
        .collect()
}

impl Store {
    /// What is to be sent next, at most `max_rows` rows.
    pub fn outgoing(&self, max_rows: usize) -> Result<Outgoing, StoreError> {
        let db = &self.connection;
        let acked = self.acked()?;
        let (head, _) = head(db)?;
        let rows = rows(db, acked + 1, max_rows)?;
        let last = rows.last().map_or(acked, |row| row.seq);
        let first = acked + 1;
        let mut statement = db.prepare_cached(
            "SELECT b.sha256, b.bytes FROM blob b
             WHERE b.payment IN (SELECT json_extract(j.body, '$.payment') FROM journal j
                                 WHERE j.seq BETWEEN ?1 AND ?2
                                   AND j.kind IN ('payment.authorize_requested', 'payment.accepted_offline'))",
        )?;
        let blobs = statement.query_map((first, last), |r| Ok((r.get(0)?, r.get(1)?)))?;
        let blobs = blobs.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(Outgoing { rows, head, last_hash: hash_at(db, last)?, blobs, requests: open_requests(db)? })
    }

    /// The hash of row `seq`; the start of every chain for 0.
    pub fn hash_of(&self, seq: u64) -> Result<Hash, StoreError> {
        hash_at(&self.connection, seq)
    }

    /// The last row's seq and hash; 0 and the start of every chain for an empty journal.
    pub fn head(&self) -> Result<(u64, Hash), StoreError> {
        head(&self.connection)
    }

    /// Last row that the office acknowledged.
    pub fn acked(&self) -> Result<u64, StoreError> {
        Ok(self.meta("acked_seq")?.unwrap_or(0))
    }

    /// Notes what the office holds. `acked` may go down: a restored office gets its rows again.
    pub fn note_ack(&mut self, acked: u64, durable: u64, office_epoch: Uuid, now_ms: i64) -> Result<(), StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (head, _) = head(&tx)?;
        set_meta(&tx, "acked_seq", &acked.min(head))?;
        set_meta(&tx, "durable_seq", &durable.min(head))?;
        set_meta(&tx, "office_epoch", &office_epoch)?;
        set_meta(&tx, "last_contact_ms", &now_ms)?;
        tx.commit()?;
        Ok(())
    }
}

fn open_requests(db: &Connection) -> Result<Vec<(String, Uuid, u64)>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT p.id, j.boot, j.mono_ms FROM payment p
         JOIN journal j ON j.kind = 'payment.authorize_requested' AND json_extract(j.body, '$.payment') = p.id
         WHERE p.state IN ('requested', 'unknown') AND j.seq >= p.seq",
    )?;
    let found =
        statement.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?, r.get::<_, u64>(2)?)))?;
    found
        .map(|columns| {
            let (id, boot, mono_ms) = columns?;
            let boot = boot.parse().map_err(|_| StoreError::Record(format!("{boot} is no id")))?;
            Ok((id, boot, mono_ms))
        })
        .collect()
}
