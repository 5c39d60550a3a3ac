//! The journal's row and its hash chain.
//!
//! Invariant: the hash covers every column, each length-prefixed, with SHA-256(body) in place of the body, so that
//! erasing a body later breaks no chain, and no two different rows hash the same bytes.

use super::id::{Epoch, RowId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use uuid::Uuid;

/// Separates this hash from every other use of SHA-256; changes if the layout ever does.
const DOMAIN_TAG: &[u8] = b"tillroll journal row v1";
/// The longest body that a row may have, bytes.
pub const BODY_MAX_BYTES: usize = 128 * 1024;

/// 32 bytes of SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What row 1 of an epoch follows.
    pub const START: Hash = Hash([0; 32]);

    /// SHA-256 of some bytes.
    pub fn of(bytes: &[u8]) -> Hash {
        Hash(Sha256::digest(bytes).into())
    }

    /// From 64 hex digits.
    pub fn from_hex(text: &str) -> Option<Hash> {
        let mut bytes = [0_u8; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Hash(bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl TryFrom<String> for Hash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Hash::from_hex(&text).ok_or("a hash is 64 hex digits")
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> String {
        hash.to_string()
    }
}

/// When, where and by whom a row was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// A new UUIDv7.
    pub id: RowId,
    /// Device wall clock, Unix milliseconds.
    pub at_ms: i64,
    /// Random per boot of the program's machine.
    pub boot: Uuid,
    /// Monotonic clock of that boot, milliseconds.
    pub mono_ms: u64,
    /// Office clock minus device clock, milliseconds, when known.
    pub offset_ms: Option<i64>,
    /// Who did it: the technician's id, or `device`.
    pub actor: String,
}

/// One row, as stored and as sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// 1, 2, 3… gapless within an epoch.
    pub seq: u64,
    /// UUIDv7.
    pub id: RowId,
    /// What happened.
    pub kind: String,
    /// Version of the body.
    pub v: u32,
    /// The ids that it speaks about.
    pub subjects: Vec<String>,
    /// Device wall clock, Unix milliseconds.
    pub at_ms: i64,
    /// Boot id.
    pub boot: Uuid,
    /// Monotonic clock, milliseconds.
    pub mono_ms: u64,
    /// Office clock minus device clock, milliseconds.
    pub offset_ms: Option<i64>,
    /// Who did it.
    pub actor: String,
    /// One line of JSON, byte for byte.
    pub body: String,
}

impl Row {
    /// The row's hash after `previous`.
    pub fn hash(&self, epoch: Epoch, previous: Hash) -> Hash {
        let mut sum = Sha256::new();
        let mut field = |bytes: &[u8]| {
            sum.update((bytes.len() as u64).to_be_bytes());
            sum.update(bytes);
        };
        field(DOMAIN_TAG);
        field(&previous.0);
        field(epoch.0.as_bytes());
        field(&self.seq.to_be_bytes());
        field(self.id.0.as_bytes());
        field(self.kind.as_bytes());
        field(&self.v.to_be_bytes());
        field(&(self.subjects.len() as u64).to_be_bytes());
        for subject in &self.subjects {
            field(subject.as_bytes());
        }
        field(&self.at_ms.to_be_bytes());
        field(self.boot.as_bytes());
        field(&self.mono_ms.to_be_bytes());
        match self.offset_ms {
            Some(offset_ms) => field(&offset_ms.to_be_bytes()),
            None => field(&[]),
        }
        field(self.actor.as_bytes());
        field(&Sha256::digest(self.body.as_bytes()));
        Hash(sum.finalize().into())
    }

    /// Whether two rows say the same, whatever their place in a journal.
    pub fn same_content(&self, other: &Row) -> bool {
        (&self.id, &self.kind, self.v, &self.subjects, &self.body)
            == (&other.id, &other.kind, other.v, &other.subjects, &other.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row() -> Row {
        Row {
            seq: 1,
            id: RowId(Uuid::from_u128(7)),
            kind: "visit.moved".into(),
            v: 1,
            subjects: vec!["a".into(), "bc".into()],
            at_ms: 1,
            boot: Uuid::nil(),
            mono_ms: 2,
            offset_ms: None,
            actor: "device".into(),
            body: "{}".into(),
        }
    }

    #[test]
    fn every_column_is_hashed_and_fields_do_not_run_together() {
        let epoch = Epoch(Uuid::nil());
        let base = row().hash(epoch, Hash::START);
        let mut others = vec![row().hash(Epoch(Uuid::from_u128(1)), Hash::START), row().hash(epoch, Hash([1; 32]))];
        let mut change = |edit: &dyn Fn(&mut Row)| {
            let mut changed = row();
            edit(&mut changed);
            others.push(changed.hash(epoch, Hash::START));
        };
        change(&|r| r.seq = 2);
        change(&|r| r.id = RowId(Uuid::from_u128(8)));
        change(&|r| r.kind = "visit.move".into());
        change(&|r| r.v = 2);
        change(&|r| r.subjects = vec!["ab".into(), "c".into()]);
        change(&|r| r.subjects = vec!["abc".into()]);
        change(&|r| r.at_ms = 2);
        change(&|r| r.boot = Uuid::from_u128(9));
        change(&|r| r.mono_ms = 3);
        change(&|r| r.offset_ms = Some(0));
        change(&|r| r.actor = "x".into());
        change(&|r| r.body = "{ }".into());
        others.push(base);
        let all: std::collections::HashSet<_> = others.iter().map(|h| h.0).collect();
        assert_eq!(all.len(), others.len());
    }

    #[test]
    fn the_hash_is_pinned() {
        let hash = row().hash(Epoch(Uuid::nil()), Hash::START).to_string();
        insta::assert_snapshot!(hash);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_row_or_an_error(text in ".{0,200}") {
            let _ = serde_json::from_str::<Row>(&text);
        }
    }
}
