//! An office that takes a handheld's journal.

#[path = "../common/office.rs"]
mod office;

use crate::till::Till;
use ed25519_dalek::{Signer as _, SigningKey};
use tempfile::TempDir;
use tillroll::domain::id::DeviceId;
use tillroll::domain::journal::Hash;
use tillroll::office::Office;
use tillroll::sync::wire::batch::{Batch, Blob, Envelope};
use tillroll::sync::wire::{RowResult, batch_bytes};

pub struct Desk {
    pub office: Office,
    key: SigningKey,
    device: DeviceId,
    _folder: TempDir,
}

impl Desk {
    /// An office and a handheld that it knows.
    pub fn new() -> (Desk, Till) {
        let folder = tempfile::tempdir().unwrap();
        let office = office::office(folder.path());
        office.add_device("D07", None).unwrap();
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = hex::encode(key.verifying_key().to_bytes());
        let device: String = office
            .read(|db| db.query_row("UPDATE device SET public_key = ?1 RETURNING id", [public], |r| r.get(0)))
            .unwrap();
        let device = device.parse().unwrap();
        (Desk { office, key, device, _folder: folder }, Till::of(device))
    }

    /// Takes all that the handheld has, after `change` was at the last body. Every row must be applied.
    pub fn take(&self, till: &Till, change: impl FnOnce(&mut String)) {
        let mut outgoing = till.outgoing();
        change(&mut outgoing.rows.last_mut().unwrap().body);
        let last = outgoing.rows.last().unwrap().seq;
        let envelope = Envelope {
            device: self.device,
            epoch: till.epoch(),
            first: 1,
            last,
            head: last,
            head_hash: Hash::START,
            signature: String::new(),
            requests: Vec::new(),
        };
        let blobs = outgoing.blobs.into_iter().map(|(sha256, bytes)| Blob { sha256, bytes }).collect();
        let mut batch = Batch { envelope, rows: outgoing.rows, blobs };
        batch.envelope.head_hash = *batch.hashes(Hash::START).last().unwrap();
        let e = &batch.envelope;
        let bytes = batch_bytes(e.device, e.epoch, e.last, e.head, &e.head_hash.to_string());
        batch.envelope.signature = hex::encode(self.key.sign(&bytes).to_bytes());
        let answer = self.office.ingest(self.device, &batch).unwrap();
        for row in answer.results {
            assert_eq!(row.result, RowResult::Applied, "{row:?}");
        }
    }

    /// Money at stake in the exceptions of a type.
    pub fn exceptions(&self, kind: &str) -> Vec<i64> {
        self.office.read(|db| {
            let mut statement = db.prepare("SELECT amount_minor FROM exception WHERE type = ?1").unwrap();
            let found = statement.query_map([kind], |r| r.get(0)).unwrap();
            found.map(Result::unwrap).collect()
        })
    }
}
