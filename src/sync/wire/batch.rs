//! A batch of journal rows: newline-delimited JSON inside zstd. First line the envelope, then one line a row, then
//! one line a blob that an authorisation in the same batch needs.

use super::{BATCH_MAX_BYTES, BATCH_MAX_PLAIN_BYTES, BATCH_MAX_ROWS, RequestAge, batch_bytes, verify};
use crate::domain::id::{DeviceId, Epoch};
use crate::domain::journal::{Hash, Row};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

/// zstd level: 3 packs JSON rows almost as small as 9 at a fifth of the time on a small board.
const ZSTD_LEVEL: i32 = 3;

/// The first line of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Who sends.
    pub device: DeviceId,
    /// Which journal.
    pub epoch: Epoch,
    /// Seq of the first row.
    pub first: u64,
    /// Seq of the last row; `first - 1` for a batch without rows.
    pub last: u64,
    /// Last row that the device has.
    pub head: u64,
    /// Hash of row `last`, hex.
    pub head_hash: Hash,
    /// The device's signature over [`batch_bytes`], hex.
    pub signature: String,
    /// Online requests that wait for an answer.
    pub requests: Vec<RequestAge>,
}

/// A sealed blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// SHA-256 of the bytes, hex.
    pub sha256: String,
    /// Sealed bytes.
    pub bytes: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct BlobLine {
    blob: String,
    data: String,
}

/// A decoded batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The envelope.
    pub envelope: Envelope,
    /// The rows, in the order of their seq.
    pub rows: Vec<Row>,
    /// The blobs.
    pub blobs: Vec<Blob>,
}

/// Why bytes are no batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Too many rows or bytes.
    #[error("a batch holds at most {BATCH_MAX_ROWS} rows and {BATCH_MAX_BYTES} compressed bytes")]
    TooLarge,
    /// Not zstd, or more than it may be.
    #[error("the batch is not zstd, or unpacks to more than {BATCH_MAX_PLAIN_BYTES} bytes")]
    NotZstd,
    /// A line is not what it should be.
    #[error("line {0} of the batch is not what it should be: {1}")]
    BadLine(usize, String),
    /// Envelope and rows disagree.
    #[error("the rows are not those of the envelope: {0}")]
    Mismatch(String),
    /// A blob does not have its name's hash.
    #[error("blob {0} does not have that SHA-256")]
    BadBlob(String),
    /// It could not be written.
    #[error("the batch could not be packed: {0}")]
    Pack(String),
}

impl BatchError {
    /// The same bytes never become a batch; a smaller one may fit.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, BatchError::TooLarge)
    }
}

impl Batch {
    /// Packs the batch for the wire.
    pub fn encode(&self) -> Result<Vec<u8>, BatchError> {
        let pack = |why: serde_json::Error| BatchError::Pack(why.to_string());
        let mut text = serde_json::to_vec(&self.envelope).map_err(pack)?;
        for row in &self.rows {
            text.push(b'\n');
            serde_json::to_writer(&mut text, row).map_err(pack)?;
        }
        for blob in &self.blobs {
            let line = BlobLine { blob: blob.sha256.clone(), data: BASE64.encode(&blob.bytes) };
            text.push(b'\n');
            serde_json::to_writer(&mut text, &line).map_err(pack)?;
        }
        let packed = zstd::bulk::compress(&text, ZSTD_LEVEL).map_err(|why| BatchError::Pack(why.to_string()))?;
        if packed.len() > BATCH_MAX_BYTES || self.rows.len() > BATCH_MAX_ROWS {
            return Err(BatchError::TooLarge);
        }
        Ok(packed)
    }

    /// Unpacks a batch and checks that it is whole in itself. Signature and chain are the receiver's to check.
    pub fn decode(bytes: &[u8]) -> Result<Batch, BatchError> {
        if bytes.len() > BATCH_MAX_BYTES {
            return Err(BatchError::TooLarge);
        }
        let text = zstd::bulk::decompress(bytes, BATCH_MAX_PLAIN_BYTES).map_err(|_| BatchError::NotZstd)?;
        let mut lines = text.split(|b| *b == b'\n').enumerate();
        let bad = |index: usize, why: serde_json::Error| BatchError::BadLine(index + 1, why.to_string());
        let (index, first) = lines.next().unwrap_or((0, &[]));
        let envelope: Envelope = serde_json::from_slice(first).map_err(|why| bad(index, why))?;
        let mut batch = Batch { envelope, rows: Vec::new(), blobs: Vec::new() };
        for (index, line) in lines {
            if line.starts_with(b"{\"blob\"") {
                let line: BlobLine = serde_json::from_slice(line).map_err(|why| bad(index, why))?;
                batch.blobs.push(read_blob(line)?);
            } else if batch.rows.len() < BATCH_MAX_ROWS {
                batch.rows.push(serde_json::from_slice(line).map_err(|why| bad(index, why))?);
            } else {
                return Err(BatchError::TooLarge);
            }
        }
        batch.check_whole()?;
        Ok(batch)
    }

    fn check_whole(&self) -> Result<(), BatchError> {
        let e = &self.envelope;
        let count = self.rows.len() as u64;
        if e.first == 0 || e.first.checked_add(count) != e.last.checked_add(1) {
            return Err(BatchError::Mismatch(format!("{count} rows cannot be seq {} to {}", e.first, e.last)));
        }
        if e.head < e.last {
            return Err(BatchError::Mismatch(format!("row {} lies behind the head {}", e.last, e.head)));
        }
        match self.rows.iter().zip(e.first..).find(|(row, seq)| row.seq != *seq) {
            Some((row, seq)) => Err(BatchError::Mismatch(format!("row {} stands where {seq} should", row.seq))),
            None => Ok(()),
        }
    }

    /// The hash of each row when the first one follows `previous`.
    pub fn hashes(&self, previous: Hash) -> Vec<Hash> {
        let mut last = previous;
        let epoch = self.envelope.epoch;
        self.rows
            .iter()
            .map(|row| {
                last = row.hash(epoch, last);
                last
            })
            .collect()
    }

    /// Whether the envelope was signed by `key` (hex).
    pub fn signed_by(&self, key: &str) -> bool {
        let e = &self.envelope;
        verify(key, &batch_bytes(e.device, e.epoch, e.last, e.head, &e.head_hash.to_string()), &e.signature)
    }
}

fn read_blob(line: BlobLine) -> Result<Blob, BatchError> {
    let bytes = BASE64.decode(&line.data).map_err(|_| BatchError::BadBlob(line.blob.clone()))?;
    if Hash::of(&bytes).to_string() != line.blob {
        return Err(BatchError::BadBlob(line.blob));
    }
    Ok(Blob { sha256: line.blob, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::RowId;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn batch(count: u64) -> Batch {
        let rows: Vec<Row> = (1..=count)
            .map(|seq| Row {
                seq,
                id: RowId(Uuid::from_u128(u128::from(seq))),
                kind: "x".into(),
                v: 1,
                subjects: vec![],
                at_ms: 0,
                boot: Uuid::nil(),
                mono_ms: 0,
                offset_ms: None,
                actor: "a".into(),
                body: "{\"é\":\"\\n\"}".into(),
            })
            .collect();
        let mut batch = Batch {
            envelope: Envelope {
                device: DeviceId(Uuid::nil()),
                epoch: Epoch(Uuid::nil()),
                first: 1,
                last: count,
                head: count,
                head_hash: Hash::START,
                signature: String::new(),
                requests: vec![],
            },
            rows,
            blobs: vec![Blob { sha256: Hash::of(b"x").to_string(), bytes: b"x".to_vec() }],
        };
        batch.envelope.head_hash = batch.hashes(Hash::START).last().copied().unwrap_or(Hash::START);
        batch
    }

    #[test]
    fn a_batch_travels_unchanged() {
        for count in [0, 1, 500] {
            let sent = batch(count);
            assert_eq!(Batch::decode(&sent.encode().unwrap()).unwrap(), sent);
        }
        assert_eq!(batch(501).encode(), Err(BatchError::TooLarge));
    }

    #[test]
    fn holes_wrong_blobs_and_bombs_are_refused() {
        let mut hole = batch(3);
        hole.rows.remove(1);
        assert!(matches!(Batch::decode(&hole.encode().unwrap()), Err(BatchError::Mismatch(_))));
        let mut blob = batch(1);
        blob.blobs[0].bytes = b"y".to_vec();
        assert!(matches!(Batch::decode(&blob.encode().unwrap()), Err(BatchError::BadBlob(_))));
        let bomb = zstd::bulk::compress(&vec![0_u8; BATCH_MAX_PLAIN_BYTES + 1], 3).unwrap();
        assert_eq!(Batch::decode(&bomb), Err(BatchError::NotZstd));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_batch_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in ".{0,300}") {
            let _ = Batch::decode(&bytes);
            let _ = Batch::decode(&zstd::bulk::compress(text.as_bytes(), 1).unwrap());
        }
    }
}
