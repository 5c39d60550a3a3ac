//! What a receipt's QR code says under the device's signature: which receipt, how much, and where the money stood when
//! it was printed. Whoever holds the devices' public keys can check it with no network and no account.
//!
//! Invariant: one statement has one text, and a changed character is never authentic. Authentic means that the device
//! made the statement; it never means that the money was settled. Start at [`Statement::sign`] and [`check()`].
//!
//! # Encoding
//! `TR:` and base64url without padding (RFC 4648, section 5) of
//!
//! | bytes | |
//! |---|---|
//! | 1 | version, 1 |
//! | 1 | bits 0-3 standing: 0 due, 1 part paid, 2 pending, 3 unknown, 4 paid, 5 refund waiting, 6 part refunded, 7 refunded; bits 4-5: 0 sale, 1 refund, 2 void, 3 deposit; bits 6-7: 0 live, 1 test |
//! | 8 | the device's key id: the first bytes of SHA-256(public key) |
//! | 1, n | length and letters of the document's series |
//! | varint | the document's number |
//! | varint | the total in minor units, zigzag |
//! | 3 | currency, ISO 4217 |
//! | varint | the journal's last row when it was printed, |
//! | 32 | and its hash |
//! | 4 | device time, Unix seconds, big-endian |
//! | 64 | Ed25519 over the tag `tillroll receipt statement v1`, length-prefixed (8 bytes, big-endian), and all bytes before |
//!
//! A varint is LEB128, unsigned, in as few bytes as it takes.
//!
//! # Test vector
//! Secret key `07` 32 times, so public key `ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c`; document
//! D07-000412, total EUR 145.00, pending, sale, live, row 4194 with hash `ab` 32 times, 1795514280 (2026-11-24 09:58 UTC):
//!
//! ```text
#![doc = include_str!("statement.txt")]
//! ```

use super::{ReceiptKind, ReceiptStanding};
use crate::domain::document::{DocumentNumber, Series};
use crate::domain::journal::Hash;
use crate::domain::mode::Mode;
use crate::domain::money::{Currency, Money};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

/// How every statement begins.
pub const PREFIX: &str = "TR:";
/// The longest text, bytes: the largest numbers there are, and still a code of version 10 at medium correction.
pub const TEXT_BYTES_MAX: usize = 199;
const VERSION: u8 = 1;
const TAG: &[u8] = b"tillroll receipt statement v1";
const SIGNATURE_BYTES: usize = 64;
const KEY_ID_BYTES: usize = 8;

/// What a device states of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Whether it counts; never training, which states nothing.
    pub mode: Mode,
    /// What kind of business.
    pub kind: ReceiptKind,
    /// Where its money stood.
    pub standing: ReceiptStanding,
    /// Its number.
    pub document: DocumentNumber,
    /// Its total.
    pub total: Money,
    /// The journal's last row.
    pub seq: u64,
    /// That row's hash.
    pub hash: Hash,
    /// When, Unix seconds by the device's clock.
    pub at_s: u32,
}

/// A device's public key and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceKey {
    /// The device's name; empty when nobody said.
    pub name: String,
    /// Ed25519.
    pub key: VerifyingKey,
}

/// Why a text is not authentic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// No statement at all.
    #[error("this is not a receipt's statement: scan the code again, it begins with {PREFIX}")]
    NotOne,
    /// Of a program that is newer than this one.
    #[error("the statement has version {0}, which is newer than this program: update it")]
    Newer(u8),
    /// Its key is in no list.
    #[error("no device of the list has the key {0}: get the office's newest list, or the receipt is forged")]
    UnknownKey(String),
    /// Not what the device signed.
    #[error("the signature does not fit: the statement was changed, or no device of the list made it")]
    BadSignature,
}

impl StatementError {
    /// The same text and keys never get another answer.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

impl DeviceKey {
    /// A key from 64 hex digits.
    pub fn from_hex(name: &str, text: &str) -> Option<DeviceKey> {
        let mut bytes = [0_u8; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(DeviceKey { name: name.to_owned(), key: VerifyingKey::from_bytes(&bytes).ok()? })
    }

    /// What statements name it by, hex.
    pub fn id(&self) -> String {
        hex::encode(key_id(&self.key))
    }
}

fn key_id(key: &VerifyingKey) -> [u8; KEY_ID_BYTES] {
    let mut id = [0; KEY_ID_BYTES];
    id.copy_from_slice(&Hash::of(key.as_bytes()).0[..KEY_ID_BYTES]);
    id
}

impl Statement {
    /// The text under `key`; nothing where nothing is real.
    pub fn sign(&self, key: &SigningKey) -> Option<String> {
        let mode = match self.mode {
            Mode::Live => 0,
            Mode::Test => 1,
            Mode::Training => return None,
        };
        let mut bytes = vec![VERSION, standing_code(self.standing) | kind_code(self.kind) << 4 | mode << 6];
        bytes.extend(key_id(&key.verifying_key()));
        let series = self.document.series.to_string();
        bytes.push(u8::try_from(series.len()).ok()?);
        bytes.extend(series.as_bytes());
        put(&mut bytes, u64::from(self.document.number));
        put(&mut bytes, zigzag(self.total.minor));
        bytes.extend(self.total.currency.code().as_bytes());
        put(&mut bytes, self.seq);
        bytes.extend(self.hash.0);
        bytes.extend(self.at_s.to_be_bytes());
        let signature = key.sign(&signed(&bytes));
        bytes.extend(signature.to_bytes());
        Some(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&bytes)))
    }
}

/// What a text states and which of `keys` made it.
pub fn check<'a>(text: &str, keys: &'a [DeviceKey]) -> Result<(Statement, &'a DeviceKey), StatementError> {
    let not_one = StatementError::NotOne;
    let text = text.trim();
    if text.len() > TEXT_BYTES_MAX {
        return Err(not_one);
    }
    let packed = text.strip_prefix(PREFIX).ok_or(StatementError::NotOne)?;
    let bytes = URL_SAFE_NO_PAD.decode(packed).map_err(|_| StatementError::NotOne)?;
    match bytes.first() {
        Some(&VERSION) => {}
        Some(&version) if version > VERSION => return Err(StatementError::Newer(version)),
        Some(_) | None => return Err(not_one),
    }
    let (body, signature) = bytes.split_at_checked(bytes.len().saturating_sub(SIGNATURE_BYTES)).ok_or(not_one)?;
    let (id, statement) = read(body).ok_or(StatementError::NotOne)?;
    let signature = Signature::from_slice(signature).map_err(|_| StatementError::NotOne)?;
    let mut named = keys.iter().filter(|key| key_id(&key.key) == id).peekable();
    if named.peek().is_none() {
        return Err(StatementError::UnknownKey(hex::encode(id)));
    }
    let maker = named.find(|key| key.key.verify_strict(&signed(body), &signature).is_ok());
    maker.map(|key| (statement, key)).ok_or(StatementError::BadSignature)
}

/// What is signed.
fn signed(body: &[u8]) -> Vec<u8> {
    let mut bytes = (TAG.len() as u64).to_be_bytes().to_vec();
    bytes.extend(TAG);
    bytes.extend(body);
    bytes
}

fn standing_code(standing: ReceiptStanding) -> u8 {
    match standing {
        ReceiptStanding::Due => 0,
        ReceiptStanding::PartPaid => 1,
        ReceiptStanding::Pending => 2,
        ReceiptStanding::Unknown => 3,
        ReceiptStanding::Paid => 4,
        ReceiptStanding::RefundWaiting => 5,
        ReceiptStanding::PartRefunded => 6,
        ReceiptStanding::Refunded => 7,
    }
}

fn kind_code(kind: ReceiptKind) -> u8 {
    match kind {
        ReceiptKind::Sale => 0,
        ReceiptKind::Refund => 1,
        ReceiptKind::Void => 2,
        ReceiptKind::Deposit => 3,
    }
}

/// Small for small amounts of either sign.
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

fn put(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(u8::try_from(value & 0x7F).unwrap_or(0) | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap_or(0));
}

/// Takes from the front of some bytes.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// In as few bytes as it takes, or it is none.
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7F);
            value |= part.checked_shl(shift).filter(|moved| moved >> shift == part)?;
            if byte & 0x80 == 0 {
                return (byte != 0 || shift == 0).then_some(value);
            }
        }
        None
    }
}

fn read(body: &[u8]) -> Option<([u8; KEY_ID_BYTES], Statement)> {
    let mut from = Reader(body.get(1..)?);
    let flags = from.byte()?;
    let standings = [
        ReceiptStanding::Due,
        ReceiptStanding::PartPaid,
        ReceiptStanding::Pending,
        ReceiptStanding::Unknown,
        ReceiptStanding::Paid,
        ReceiptStanding::RefundWaiting,
        ReceiptStanding::PartRefunded,
        ReceiptStanding::Refunded,
    ];
    let standing = *standings.get(usize::from(flags & 0x0F))?;
    let kinds = [ReceiptKind::Sale, ReceiptKind::Refund, ReceiptKind::Void, ReceiptKind::Deposit];
    let kind = *kinds.get(usize::from(flags >> 4 & 3))?;
    let mode = *[Mode::Live, Mode::Test].get(usize::from(flags >> 6))?;
    let id: [u8; KEY_ID_BYTES] = from.take(KEY_ID_BYTES)?.try_into().ok()?;
    let length = usize::from(from.byte()?);
    let series: Series = std::str::from_utf8(from.take(length)?).ok()?.parse().ok()?;
    let number = u32::try_from(from.varint()?).ok().filter(|number| *number > 0)?;
    let minor = unzigzag(from.varint()?);
    let currency: Currency = std::str::from_utf8(from.take(3)?).ok()?.parse().ok()?;
    let seq = from.varint()?;
    let hash = Hash(from.take(32)?.try_into().ok()?);
    let at_s = u32::from_be_bytes(from.take(4)?.try_into().ok()?);
    let document = DocumentNumber { series, number };
    let statement = Statement { mode, kind, standing, document, total: Money::new(minor, currency), seq, hash, at_s };
    from.0.is_empty().then_some((id, statement))
}

#[cfg(test)]
mod tests;
