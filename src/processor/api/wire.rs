//! The shapes on the wire: requests parsed once into what the ledger takes, answers built from its entries.
//!
//! Invariant: a check names the field and what was expected, never what was sent.

mod kept;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::problem::Problem;
use crate::processor::card::{Ciphered, MOST_MINOR, amount_of_bcd};
use crate::processor::ledger::{Entry, KeptOrder, Order};

/// The longest key, in bytes.
const KEY_BYTES: usize = 128;

/// The longest STAN, RRN, terminal or key id, in bytes.
const NAME_BYTES: usize = 64;

/// The most clear EMV tags in one request.
const EMV_TAGS: usize = 64;

/// `POST /v1/authorize`.
#[derive(Deserialize)]
pub(super) struct Authorize {
    key: String,
    stan: String,
    rrn: String,
    terminal: String,
    amount_minor: i64,
    currency: String,
    deferred: bool,
    allow_partial: bool,
    #[serde(default)]
    keep_card: bool,
    card: Card,
    #[serde(default)]
    emv: BTreeMap<String, String>,
}

/// A card that met a reader, or one that is kept.
#[derive(Deserialize)]
#[serde(untagged)]
enum Card {
    Read(CardData),
    Kept(kept::KeptData),
}

/// What an authorisation request asks for.
pub(super) enum Asked {
    /// A card that met a reader.
    Read(Box<Order>, Ciphered),
    /// One that is kept.
    Kept(Box<KeptOrder>),
}

/// The card as the reader encrypted it.
#[derive(Deserialize)]
struct CardData {
    ciphertext: String,
    ksn: String,
    key_id: String,
    encryption_type: String,
}

/// `POST /v1/lookup` and `POST /v1/reverse`.
#[derive(Deserialize)]
pub(super) struct Key {
    key: String,
}

/// `POST /v1/capture`.
#[derive(Deserialize)]
pub(super) struct Capture {
    key: String,
    amount_minor: i64,
}

/// `POST /v1/refund`.
#[derive(Deserialize)]
pub(super) struct Refund {
    key: String,
    of: String,
    amount_minor: i64,
}

impl Refund {
    /// The refund's key, the capture's key and the amount, checked.
    pub(super) fn check(self) -> Result<(String, String, i64), Problem> {
        name("key", &self.key, KEY_BYTES)?;
        name("of", &self.of, KEY_BYTES)?;
        amount(self.amount_minor)?;
        Ok((self.key, self.of, self.amount_minor))
    }
}

impl Authorize {
    /// Checks every field and takes the request apart.
    pub(super) fn check(self) -> Result<Asked, Problem> {
        name("key", &self.key, KEY_BYTES)?;
        name("stan", &self.stan, NAME_BYTES)?;
        name("rrn", &self.rrn, NAME_BYTES)?;
        name("terminal", &self.terminal, NAME_BYTES)?;
        amount(self.amount_minor)?;
        if iso_currency::Currency::from_code(&self.currency).is_none() {
            return Err(Problem::bad("currency: three letters of ISO 4217 expected, such as EUR"));
        }
        match &self.card {
            Card::Read(card) => self.read(card).map(|(order, ciphered)| Asked::Read(Box::new(order), ciphered)),
            Card::Kept(card) => kept::order(&self, card).map(|order| Asked::Kept(Box::new(order))),
        }
    }

    fn read(&self, card: &CardData) -> Result<(Order, Ciphered), Problem> {
        name("card.key_id", &card.key_id, NAME_BYTES)?;
        let ciphertext = BASE64
            .decode(&card.ciphertext)
            .ok()
            .filter(|bytes| !bytes.is_empty())
            .ok_or_else(|| Problem::bad("card.ciphertext: base64 expected"))?;
        let ksn = hex::decode(&card.ksn)
            .ok()
            .filter(|ksn| matches!(ksn.len(), 10 | 12))
            .ok_or_else(|| Problem::bad("card.ksn: 10 or 12 bytes in hex expected"))?;
        let encryption_type = match hex::decode(&card.encryption_type).as_deref() {
            Ok(&[byte]) => byte,
            Ok(_) | Err(_) => {
                return Err(Problem::bad("card.encryption_type: one byte in hex expected"));
            }
        };
        let emv = emv_tags(&self.emv)?;
        let clear_amount_minor = match emv.get("9F02") {
            None => None,
            Some(bcd) => {
                let parsed = amount_of_bcd(bcd);
                Some(parsed.ok_or_else(|| Problem::bad("emv.9F02: six bytes of BCD digits expected"))?)
            }
        };
        let order = Order {
            content_sha256: self.content_sha256(&card.key_id, &ciphertext, &ksn, encryption_type, &emv),
            ciphertext_sha256: Sha256::digest(&ciphertext).into(),
            ksn: hex::encode_upper(&ksn),
            key: self.key.clone(),
            stan: self.stan.clone(),
            rrn: self.rrn.clone(),
            terminal: self.terminal.clone(),
            amount_minor: self.amount_minor,
            currency: self.currency.clone(),
            deferred: self.deferred,
            allow_partial: self.allow_partial,
            keep_card: self.keep_card,
        };
        Ok((order, Ciphered { ciphertext, ksn, encryption_type, clear_amount_minor }))
    }

    /// SHA-256 over every field with its length before it, so that two requests with one hash are one request. Spelling
    /// (the case of hex, white space, the order of fields) does not count.
    fn content_sha256(
        &self,
        key_id: &str,
        ciphertext: &[u8],
        ksn: &[u8],
        kind: u8,
        emv: &BTreeMap<String, Vec<u8>>,
    ) -> [u8; 32] {
        let amount = self.amount_minor.to_be_bytes();
        let flags = [u8::from(self.deferred), u8::from(self.allow_partial), u8::from(self.keep_card), kind];
        let fixed: [&[u8]; 9] = [
            self.stan.as_bytes(),
            self.rrn.as_bytes(),
            self.terminal.as_bytes(),
            &amount,
            self.currency.as_bytes(),
            &flags,
            ciphertext,
            ksn,
            key_id.as_bytes(),
        ];
        let tags = emv.iter().flat_map(|(tag, value)| [tag.as_bytes(), value.as_slice()]);
        let mut hash = Sha256::new_with_prefix(b"tillroll processor request 2\0");
        for field in fixed.into_iter().chain(tags) {
            // usize is at most 64 bits wide wherever this compiles.
            hash.update(u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(field);
        }
        hash.finalize().into()
    }
}

impl Key {
    /// The key, checked.
    pub(super) fn check(self) -> Result<String, Problem> {
        name("key", &self.key, KEY_BYTES)?;
        Ok(self.key)
    }
}

impl Capture {
    /// Key and amount, checked.
    pub(super) fn check(self) -> Result<(String, i64), Problem> {
        name("key", &self.key, KEY_BYTES)?;
        amount(self.amount_minor)?;
        Ok((self.key, self.amount_minor))
    }
}

/// The answer to an authorisation. `amount_minor` is what is authorised: 0 for a decline.
pub(super) fn answer(entry: &Entry) -> Value {
    json!({
        "result": entry.code.result(),
        "response_code": entry.code.digits(),
        "amount_minor": entry.approved_minor,
        "auth_code": entry.auth_code,
        "rrn": entry.rrn,
        "token": entry.keeps,
        "network_id": entry.network_id,
    })
}

/// The answer to a look-up.
pub(super) fn standing(entry: Option<&Entry>, reversed: bool) -> Value {
    match entry {
        None => json!({ "found": false, "reversed": reversed, "captured_minor": 0 }),
        Some(entry) => json!({
            "found": true,
            "result": entry.code.result(),
            "response_code": entry.code.digits(),
            "amount_minor": entry.approved_minor,
            "auth_code": entry.auth_code,
            "rrn": entry.rrn,
            "token": entry.keeps,
            "network_id": entry.network_id,
            "reversed": reversed,
            "captured_minor": entry.ending.captured_minor(),
            "refunded_minor": entry.ending.refunded_minor(),
        }),
    }
}

/// One line of the book.
pub(super) fn row(entry: &Entry) -> Value {
    let mut row = Map::new();
    if let Value::Object(standing) = standing(Some(entry), entry.ending.is_reversed()) {
        row.extend(standing.into_iter().filter(|(field, _)| field != "found"));
    }
    if let Value::Object(rest) = json!({
        "key": entry.key,
        "stan": entry.stan,
        "received_at_ms": entry.received_at_ms,
        "terminal": entry.terminal,
        "requested_minor": entry.amount_minor,
        "currency": entry.currency,
        "deferred": entry.deferred,
        "card": entry.card,
        "brand": entry.brand,
        "last4": entry.last4,
        "kept_token": entry.kept_token,
        "initiated_by": entry.initiator,
        "follows": entry.follows,
    }) {
        row.extend(rest);
    }
    Value::Object(row)
}

fn name(field: &str, value: &str, most: usize) -> Result<(), Problem> {
    if !value.is_empty() && value.len() <= most && value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Problem::bad(format!("{field}: 1 to {most} ASCII characters without spaces expected")))
}

fn amount(minor: i64) -> Result<(), Problem> {
    if (1..=MOST_MINOR).contains(&minor) {
        return Ok(());
    }
    Err(Problem::bad(format!("amount_minor: 1 to {MOST_MINOR} expected")))
}

/// Clear tags by upper-case hex name. Tag 5A (card number) and 57 (track 2) are refused: they may come encrypted only.
fn emv_tags(tags: &BTreeMap<String, String>) -> Result<BTreeMap<String, Vec<u8>>, Problem> {
    if tags.len() > EMV_TAGS {
        return Err(Problem::bad(format!("emv: at most {EMV_TAGS} tags expected")));
    }
    let mut decoded = BTreeMap::new();
    for (tag, value) in tags {
        let tag = hex::decode(tag).ok().filter(|tag| (1..=4).contains(&tag.len())).map(hex::encode_upper);
        let (Some(tag), Ok(value)) = (tag, hex::decode(value)) else {
            return Err(Problem::bad("emv: tags and values in hex expected"));
        };
        if matches!(tag.as_str(), "5A" | "57" | "56" | "9F6B") {
            return Err(Problem::bad("emv: a clear card number or track is refused; it belongs into card.ciphertext"));
        }
        if decoded.insert(tag, value).is_some() {
            return Err(Problem::bad("emv: each tag once expected"));
        }
    }
    Ok(decoded)
}
