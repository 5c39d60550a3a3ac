//! Card data on its way: sealed on the handheld to a short-lived key of the office (HPKE, RFC 9180: X25519,
//! HKDF-SHA256, ChaCha20-Poly1305), with key id, payment and amount bound in. Nobody can read it on the handheld.

use crate::domain::id::PaymentId;
use crate::domain::money::Money;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hpke::{Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroize;

type Kem = hpke::kem::X25519HkdfSha256;
type Kdf = hpke::kdf::HkdfSha256;
type Aead = hpke::aead::ChaCha20Poly1305;

const INFO: &[u8] = b"tillroll card blob v1";

/// The public half of a sealing key, as the feed brings it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealingKey {
    /// Its id.
    pub id: String,
    /// X25519, 64 hex digits.
    pub public: String,
}

/// The secret half; lives in the office's `sealing/` folder, never in a backup.
pub struct SealingSecret(Vec<u8>);

impl SealingSecret {
    /// From its 32 stored bytes.
    pub fn from_bytes(bytes: Vec<u8>) -> SealingSecret {
        SealingSecret(bytes)
    }

    /// To be stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for SealingSecret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for SealingSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a reader handed over: already encrypted by the reader itself, with what a processor needs beside it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardData {
    /// Encrypted by the reader, base64.
    pub ciphertext: String,
    /// Key serial number, hex.
    pub ksn: String,
    /// How it was encrypted: the reader's own byte.
    pub encryption_type: u8,
    /// The reader.
    pub reader: String,
    /// EMV tags of the allow-list, hex by hex.
    pub emv: BTreeMap<String, String>,
}

impl fmt::Debug for CardData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardData {{ ksn: {:?}, *** }}", self.ksn)
    }
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    v: u32,
    key: String,
    enc: String,
    data: String,
}

/// Why a blob cannot be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not a key.
    #[error("the office's sealing key cannot be read: sync once more")]
    BadKey,
    /// Not a sealed blob.
    #[error("the card data is not sealed as it should be")]
    BadBlob,
    /// Sealed to another key.
    #[error("the card data is sealed to key {0}, which is not this one")]
    OtherKey(String),
    /// Another payment, another amount, or changed on the way.
    #[error("the card data does not belong to this payment and amount, or was changed")]
    NotThisPayment,
}

impl SealError {
    /// The same blob never opens.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

fn bound(key: &str, payment: PaymentId, amount: Money) -> Vec<u8> {
    format!("{key}|{payment}|{}|{}", amount.minor, amount.currency).into_bytes()
}

/// A new key pair.
pub fn generate(id: &str) -> (SealingKey, SealingSecret) {
    let (secret, public) = Kem::gen_keypair();
    let key = SealingKey { id: id.to_owned(), public: hex::encode(public.to_bytes()) };
    (key, SealingSecret(secret.to_bytes().to_vec()))
}

/// Seals card data to the office for one payment and amount.
pub fn seal(key: &SealingKey, payment: PaymentId, amount: Money, card: &CardData) -> Result<Vec<u8>, SealError> {
    let public = hex::decode(&key.public).map_err(|_| SealError::BadKey)?;
    let public = <Kem as hpke::Kem>::PublicKey::from_bytes(&public).map_err(|_| SealError::BadKey)?;
    let mut plain = serde_json::to_vec(card).map_err(|_| SealError::BadBlob)?;
    let sealed = hpke::single_shot_seal::<Aead, Kdf, Kem>(
        &OpModeS::Base,
        &public,
        INFO,
        &plain,
        &bound(&key.id, payment, amount),
    );
    plain.zeroize();
    let (enc, data) = sealed.map_err(|_| SealError::BadKey)?;
    let sealed = Sealed { v: 1, key: key.id.clone(), enc: BASE64.encode(enc.to_bytes()), data: BASE64.encode(data) };
    serde_json::to_vec(&sealed).map_err(|_| SealError::BadBlob)
}

/// Which key a blob is sealed to.
pub fn key_of(blob: &[u8]) -> Result<String, SealError> {
    serde_json::from_slice::<Sealed>(blob).map(|s| s.key).map_err(|_| SealError::BadBlob)
}

/// Opens a blob for one payment and amount.
pub fn open(
    key: &str,
    secret: &SealingSecret,
    payment: PaymentId,
    amount: Money,
    blob: &[u8],
) -> Result<CardData, SealError> {
    let sealed: Sealed = serde_json::from_slice(blob).map_err(|_| SealError::BadBlob)?;
    if sealed.key != key {
        return Err(SealError::OtherKey(sealed.key));
    }
    let secret = <Kem as hpke::Kem>::PrivateKey::from_bytes(&secret.0).map_err(|_| SealError::BadKey)?;
    let enc = BASE64.decode(&sealed.enc).map_err(|_| SealError::BadBlob)?;
    let enc = <Kem as hpke::Kem>::EncappedKey::from_bytes(&enc).map_err(|_| SealError::BadBlob)?;
    let data = BASE64.decode(&sealed.data).map_err(|_| SealError::BadBlob)?;
    let bound = bound(key, payment, amount);
    let mut plain = hpke::single_shot_open::<Aead, Kdf, Kem>(&OpModeR::Base, &secret, &enc, INFO, &data, &bound)
        .map_err(|_| SealError::NotThisPayment)?;
    let card = serde_json::from_slice(&plain).map_err(|_| SealError::BadBlob);
    plain.zeroize();
    card
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use uuid::Uuid;

    #[test]
    fn a_blob_opens_for_its_payment_and_amount_only() {
        let (key, secret) = generate("k1");
        let (_, other) = generate("k1");
        let payment = PaymentId(Uuid::from_u128(1));
        let amount = Money::new(100, Currency::EUR);
        let card = CardData {
            ciphertext: "AAAA".into(),
            ksn: "00".into(),
            encryption_type: 0x80,
            reader: "B1".into(),
            emv: BTreeMap::new(),
        };
        let blob = seal(&key, payment, amount, &card).unwrap();
        assert_eq!(open("k1", &secret, payment, amount, &blob), Ok(card));
        let not_this = Err(SealError::NotThisPayment);
        assert_eq!(open("k1", &secret, PaymentId(Uuid::from_u128(2)), amount, &blob), not_this);
        assert_eq!(open("k1", &secret, payment, Money::new(101, Currency::EUR), &blob), not_this);
        assert_eq!(open("k1", &other, payment, amount, &blob), not_this);
        assert_eq!(open("k2", &secret, payment, amount, &blob), Err(SealError::OtherKey("k1".into())));
        assert_eq!(open("k1", &secret, payment, amount, b"rubbish"), Err(SealError::BadBlob));
    }
}
