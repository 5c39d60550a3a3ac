//! What travels between a handheld and the office: JSON, one object a line where many travel, zstd around batches.
//!
//! Invariant: a batch is idempotent and carries no nonce and no time window, so that it may come twice, late, or by
//! stick. Decoding bounds every size before it allocates, and never panics on any bytes.

pub mod batch;
pub mod seal;

use crate::domain::document::Series;
use crate::domain::id::{DeviceId, Epoch, PaymentId, RowId, TechnicianId};
use crate::domain::mode::Mode;
use crate::domain::policy::OfflinePolicy;
use crate::domain::receipt::Merchant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Rows in one batch at the most.
pub const BATCH_MAX_ROWS: usize = 500;
/// Bytes of one compressed batch at the most.
pub const BATCH_MAX_BYTES: usize = 256 * 1024;
/// Bytes of one batch once decompressed, at the most.
pub const BATCH_MAX_PLAIN_BYTES: usize = 8 * 1024 * 1024;
/// Entries in one page of the feed at the most.
pub const FEED_MAX_ENTRIES: usize = 500;
/// How long a feed request may wait for news at the most, milliseconds.
pub const FEED_MAX_WAIT_MS: u64 = 25_000;

/// `POST /v1/enrol`: a one-time code and the key that the device made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// As printed by `office device add`.
    pub code: String,
    /// Ed25519, 64 hex digits.
    pub public_key: String,
    /// The device's program version.
    pub program: String,
}

/// What a device needs to begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolAnswer {
    /// Its id from now on.
    pub device: DeviceId,
    /// Its name, which is also the series of its first document numbers.
    pub name: Series,
    /// Who carries it.
    pub technician: Option<TechnicianId>,
    /// That person's name.
    pub technician_name: String,
    /// The office's epoch.
    pub office_epoch: Uuid,
    /// The office's Ed25519 key, 64 hex digits: signs answers and policies.
    pub office_key: String,
    /// Who takes the money, for receipts.
    pub merchant: Merchant,
    /// Whether money is real there; the device's mode from now on.
    #[serde(default)]
    pub mode: Mode,
}

/// `POST /v1/session`, first without, then with an answer to the challenge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRequest {
    /// Who asks.
    pub device: DeviceId,
    /// The challenge, and its signature by the device, 128 hex digits.
    pub answer: Option<ChallengeAnswer>,
}

/// A signed challenge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChallengeAnswer {
    /// As the office gave it.
    pub nonce: String,
    /// Over [`challenge_bytes`], hex.
    pub signature: String,
}

/// The office's part of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionAnswer {
    /// Sign this.
    Challenge {
        /// Random, good for one try within a minute.
        nonce: String,
    },
    /// Use this as a bearer token.
    Token {
        /// Secret.
        token: String,
        /// How long it is good for, milliseconds.
        good_for_ms: u64,
        /// Whether money is real there: a device of another mode sends nothing and takes nothing.
        #[serde(default)]
        mode: Mode,
    },
}

/// What became of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowResult {
    /// Stored and applied.
    Applied,
    /// Was there already, with the same content.
    Duplicate,
    /// Stored; waits behind a quarantined row of one of its subjects.
    Held,
    /// Stored; cannot be applied, for the reason given.
    Quarantined,
    /// Contradicts what is there: a copied or restored database.
    Forked,
}

impl RowResult {
    /// The name in JSON and in the databases.
    pub fn name(self) -> &'static str {
        match self {
            RowResult::Applied => "applied",
            RowResult::Duplicate => "duplicate",
            RowResult::Held => "held",
            RowResult::Quarantined => "quarantined",
            RowResult::Forked => "forked",
        }
    }
}

/// The result of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowAnswer {
    /// Which row.
    pub seq: u64,
    /// Its id.
    pub id: RowId,
    /// What became of it.
    pub result: RowResult,
    /// Why, unless applied.
    pub reason: Option<String>,
}

/// The office's answer to a batch, after its commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushAnswer {
    /// The office's epoch: another one than before means that it was restored.
    pub office_epoch: Uuid,
    /// Every row up to here is stored.
    pub acked_through: u64,
    /// Every row up to here is in a verified backup.
    pub durable_through: u64,
    /// One for each row of the batch.
    pub results: Vec<RowAnswer>,
    /// Office clock, Unix milliseconds.
    pub time_ms: i64,
    /// The office's signature over [`ack_bytes`] at `acked_through`, hex.
    pub signature: String,
}

/// Where a device is in each channel.
pub type Cursor = BTreeMap<String, u64>;

/// What to do with an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedOp {
    /// It is now like this.
    Put,
    /// It is no longer this device's business.
    Remove,
    /// It does not exist any more.
    Delete,
}

/// One entry of the feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedEntry {
    /// The channel.
    pub channel: String,
    /// Its place in the channel.
    pub n: u64,
    /// What to do.
    pub op: FeedOp,
    /// `job`, `customer`, `site`, `equipment`, `price`, `outcome`, `collect_again`, `policy`, `sealing_key`, `merchant`.
    pub kind: String,
    /// The entity's id within its kind.
    pub id: String,
    /// The entity, for `put`.
    pub body: Option<serde_json::Value>,
}

/// A page of the feed, in the order of the commits of each channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedPage {
    /// The office's epoch.
    pub office_epoch: Uuid,
    /// The entries.
    pub entries: Vec<FeedEntry>,
    /// Where the device is after this page.
    pub cursor: Cursor,
    /// More waits.
    pub more: bool,
    /// Office clock, Unix milliseconds.
    pub time_ms: i64,
}

/// The offline policy as the feed brings it: the exact text that was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedPolicy {
    /// JSON of [`OfflinePolicy`].
    pub text: String,
    /// The office's signature over [`policy_bytes`], hex.
    pub signature: String,
}

impl SignedPolicy {
    /// The policy, if the office signed it.
    pub fn verified(&self, office_key: &str) -> Option<OfflinePolicy> {
        verify(office_key, &policy_bytes(&self.text), &self.signature)
            .then(|| serde_json::from_str(&self.text).ok())
            .flatten()
    }
}

/// An online request that waits, with its age by the device's monotonic clock; unknown after a reboot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestAge {
    /// The payment.
    pub payment: PaymentId,
    /// Milliseconds since its request row was written.
    pub age_ms: Option<u64>,
}

/// An error of the office, RFC 9457.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable: `urn:tillroll:` and a word.
    #[serde(rename = "type")]
    pub kind: String,
    /// For people.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// For people, with the next step.
    pub detail: String,
    /// For `gap` and `stale`: every row up to here is stored.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub acked_through: Option<u64>,
}

/// What a device signs to get a token.
pub fn challenge_bytes(device: DeviceId, nonce: &str) -> Vec<u8> {
    tagged("tillroll challenge v1", &[device.0.as_bytes(), nonce.as_bytes()])
}

/// What a device signs for a batch.
pub fn batch_bytes(device: DeviceId, epoch: Epoch, last: u64, head: u64, head_hash: &str) -> Vec<u8> {
    tagged(
        "tillroll batch v1",
        &[device.0.as_bytes(), epoch.0.as_bytes(), &last.to_be_bytes(), &head.to_be_bytes(), head_hash.as_bytes()],
    )
}

/// What the office signs for a batch that it holds.
pub fn ack_bytes(device: DeviceId, epoch: Epoch, seq: u64, hash: &str) -> Vec<u8> {
    tagged("tillroll ack v1", &[device.0.as_bytes(), epoch.0.as_bytes(), &seq.to_be_bytes(), hash.as_bytes()])
}

/// What the office signs for a policy.
pub fn policy_bytes(text: &str) -> Vec<u8> {
    tagged("tillroll policy v1", &[text.as_bytes()])
}

fn tagged(tag: &str, fields: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in std::iter::once(&tag.as_bytes()).chain(fields) {
        bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
        bytes.extend_from_slice(field);
    }
    bytes
}

/// Whether `signature` (hex) over `bytes` is by `key` (hex, Ed25519).
pub fn verify(key: &str, bytes: &[u8], signature: &str) -> bool {
    let mut public = [0_u8; 32];
    let mut sealed = [0_u8; 64];
    if hex::decode_to_slice(key, &mut public).is_err() || hex::decode_to_slice(signature, &mut sealed).is_err() {
        return false;
    }
    ed25519_dalek::VerifyingKey::from_bytes(&public)
        .is_ok_and(|key| key.verify_strict(bytes, &ed25519_dalek::Signature::from_bytes(&sealed)).is_ok())
}
