//! Adapters to card processors. They hand on what the reader encrypted, with its KSN and an allow-list of tags; the
//! processor decrypts.

pub mod simulated;

use std::collections::BTreeMap;

/// One request for an authorisation. The same `key` again is the same request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorisation {
    /// The processor's name for this attempt.
    pub key: String,
    /// System trace audit number, 1 to 999 999.
    pub stan: u32,
    /// Retrieval reference number, 12 characters.
    pub rrn: String,
    /// The handheld's name.
    pub terminal: String,
    /// Minor units.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// Taken offline, sent later.
    pub deferred: bool,
    /// Part of the amount may be approved.
    pub allow_partial: bool,
    /// Encrypted by the reader, base64.
    pub ciphertext: String,
    /// Key serial number, hex.
    pub ksn: String,
    /// The reader's key set.
    pub key_id: String,
    /// The reader's encryption type, hex.
    pub encryption_type: String,
    /// EMV tags of the allow-list.
    pub emv: BTreeMap<String, String>,
}

/// What a processor said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// It agreed, at least to a part.
    pub approved: bool,
    /// To how much, minor units.
    pub amount_minor: i64,
    /// ISO 8583 field 39.
    pub response_code: String,
    /// ISO 8583 field 38.
    pub auth_code: Option<String>,
}

/// What a processor knows of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing: it never arrived.
    Nothing,
    /// It was reversed.
    Reversed,
    /// It was answered like this; captured so much.
    Answered {
        /// The answer.
        answer: Answer,
        /// Minor units.
        captured_minor: i64,
    },
}

/// No usable answer came; nobody knows whether the request had an effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the processor did not answer: {0}")]
pub struct InDoubt(pub String);

impl InDoubt {
    /// A look-up will tell.
    pub fn is_permanent(&self) -> bool {
        false
    }
}
