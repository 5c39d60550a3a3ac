//! The card data in an MMS notification: two bytes of length, template F9, padding, four bytes of MAC (manual
//! D998200597, "ARQC" and "batch data" messages).
//!
//! Invariant: what comes out holds no card number. Cipher text passes untouched; of the clear tags only an allow-list
//! passes; a clear number, track or PIN anywhere makes the whole message [`PayloadError::ClearCardData`]. The MAC is
//! not checked: no vendor example with a real MAC key is public, and the key would be the processor's.

use crate::bytes::hex;
use crate::reader::cards::luhn;
use crate::reader::{Cvm, Entry};
use crate::tlv::{self, Tag, TlvError};
use std::collections::BTreeMap;

/// Tags of the manual's templates.
pub mod tag {
    use crate::tlv::Tag;
    /// The message.
    pub const MESSAGE: Tag = 0xF9;
    /// The data within it.
    pub const DATA: Tag = 0xFA;
    /// Clear tags and the encrypted part of a cryptogram message.
    pub const ARQC: Tag = 0x70;
    /// The same of a batch message.
    pub const BATCH: Tag = 0xF0;
    /// How the transaction ended, within a batch.
    pub const RESULT: Tag = 0xF1;
    /// What a merchant may keep, within a batch.
    pub const MERCHANT: Tag = 0xF7;
    /// Encrypted data with its key.
    pub const ENCRYPTED: Tag = 0xF8;
    /// Decrypted data.
    pub const PLAINTEXT: Tag = 0xFC;
    /// Magnetic stripe data.
    pub const STRIPE: Tag = 0xF4;
    /// Serial number of the reader.
    pub const SERIAL: Tag = 0xDF_DF25;
    /// KSN of the MAC.
    pub const MAC_KSN: Tag = 0xDF_DF54;
    /// Encryption type of the MAC.
    pub const MAC_TYPE: Tag = 0xDF_DF55;
    /// Cipher text.
    pub const CIPHERTEXT: Tag = 0xDF_DF59;
    /// Its KSN.
    pub const KSN: Tag = 0xDF_DF56;
    /// Its encryption type.
    pub const ENCRYPTION_TYPE: Tag = 0xDF_DF57;
    /// Bytes of padding in it.
    pub const PADDING: Tag = 0xDF_DF58;
    /// Masked track 2 of a swipe.
    pub const MASKED_SWIPE: Tag = 0xDF_DF33;
    /// Masked track 2 of a chip.
    pub const MASKED_CHIP: Tag = 0xDF_DF4D;
    /// Card type.
    pub const CARD_TYPE: Tag = 0xDF_DF52;
    /// 0 accepted, 1 declined, 2 error.
    pub const DECISION: Tag = 0xDF_DF1A;
    /// Track 2 in clear.
    pub const TRACK2: Tag = 0xDF_DF39;
}

/// DUKPT, TDES, key for data both ways (manual, tag DFDF57).
pub const TDES_DATA: u8 = 0x80;

/// Clear card data: EMV Book 3, Annex A (57, 5A, 56, 9F6B, 9F1F, 9F20, PIN block 99), and the manual's tracks.
const FORBIDDEN: [Tag; 10] = [0x56, 0x57, 0x5A, 0x99, 0x9F1F, 0x9F20, 0x9F6B, 0xDF_DF37, tag::TRACK2, 0xDF_DF3B];

/// Clear tags that a processor needs and that tell nothing of the number (EMV Book 3, Annex A; 9F6C and 9F6E EMV
/// contactless Book C-3).
const ALLOWED: [Tag; 24] = [
    0x82, 0x84, 0x95, 0x9A, 0x9C, 0x5F2A, 0x5F34, 0x9F02, 0x9F03, 0x9F06, 0x9F09, 0x9F10, 0x9F12, 0x9F1A, 0x9F1E,
    0x9F21, 0x9F26, 0x9F27, 0x9F33, 0x9F34, 0x9F35, 0x9F36, 0x9F37, 0x9F6C,
];

/// Why card data was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Not TLV.
    #[error(transparent)]
    Tlv(#[from] TlvError),
    /// A part is missing or malformed.
    #[error("{0} is missing or malformed")]
    Missing(&'static str),
    /// A number, track or PIN in clear.
    #[error("card data in clear")]
    ClearCardData,
}

impl PayloadError {
    /// The same bytes are never taken.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

/// What a cryptogram message brings.
#[derive(Clone, PartialEq, Eq)]
pub struct Arqc {
    /// Of the reader.
    pub serial: String,
    /// By the card type.
    pub entry: Entry,
    /// By the masked number.
    pub brand: &'static str,
    /// By the masked number.
    pub last4: String,
    /// Key serial number.
    pub ksn: Vec<u8>,
    /// The reader's byte.
    pub encryption_type: u8,
    /// Encrypted by the reader.
    pub ciphertext: Vec<u8>,
    /// Clear tags of the allow-list.
    pub tags: BTreeMap<String, String>,
}

/// What a batch message brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Clear tags of the allow-list.
    pub tags: BTreeMap<String, String>,
    /// Application id, hex.
    pub aid: String,
    /// Application label.
    pub label: String,
    /// How the holder was verified.
    pub cvm: Cvm,
}

/// Reads a cryptogram message.
pub fn arqc(blob: &[u8]) -> Result<Arqc, PayloadError> {
    let message = open(blob)?;
    let serial = hex(tlv::find(message, tag::SERIAL).ok_or(PayloadError::Missing("the serial number"))?);
    let data = within(message, &[tag::DATA, tag::ARQC]).ok_or(PayloadError::Missing("template 70"))?;
    let sealed = tlv::find(data, tag::ENCRYPTED).ok_or(PayloadError::Missing("template F8"))?;
    let masked = tlv::find(data, tag::MASKED_CHIP).or(tlv::find(data, tag::MASKED_SWIPE));
    let (brand, last4) = masked.and_then(unmask).ok_or(PayloadError::Missing("the masked number"))?;
    let ksn = tlv::find(sealed, tag::KSN).filter(|ksn| matches!(ksn.len(), 10 | 12));
    let encryption_type = match tlv::find(sealed, tag::ENCRYPTION_TYPE) {
        Some([byte]) => *byte,
        _ => return Err(PayloadError::Missing("the encryption type")),
    };
    let ciphertext = tlv::find(sealed, tag::CIPHERTEXT).filter(|c| !c.is_empty() && c.len().is_multiple_of(8));
    Ok(Arqc {
        serial: serial.trim_end_matches('0').to_owned(),
        entry: entry(tlv::find(data, tag::CARD_TYPE))?,
        brand,
        last4,
        ksn: ksn.ok_or(PayloadError::Missing("the key serial number"))?.to_vec(),
        encryption_type,
        ciphertext: ciphertext.ok_or(PayloadError::Missing("the cipher text"))?.to_vec(),
        tags: allowed(data)?,
    })
}

/// Reads a batch message.
pub fn batch(blob: &[u8]) -> Result<Batch, PayloadError> {
    let message = open(blob)?;
    let data = within(message, &[tag::DATA, tag::BATCH]).ok_or(PayloadError::Missing("template F0"))?;
    let merchant = tlv::find(data, tag::MERCHANT).unwrap_or_default();
    let printable = |value: &[u8]| -> String {
        value.iter().filter(|byte| (0x20..0x7F).contains(*byte)).take(16).map(|byte| char::from(*byte)).collect()
    };
    Ok(Batch {
        aid: tlv::find(merchant, 0x9F06).filter(|aid| aid.len() <= 16).map(hex).unwrap_or_default(),
        label: tlv::find(merchant, 0x9F12).map(printable).unwrap_or_default(),
        cvm: cvm(tlv::find(merchant, 0x9F34), tlv::find(merchant, 0x9F6C)),
        tags: allowed(merchant)?,
    })
}

/// Template F9 of a blob, after looking for clear data in all of it.
fn open(blob: &[u8]) -> Result<&[u8], PayloadError> {
    let (length, rest) = blob.split_first_chunk::<2>().ok_or(PayloadError::Missing("the length"))?;
    let message = rest.get(..usize::from(u16::from_be_bytes(*length))).ok_or(TlvError::Truncated)?;
    let mut clear = false;
    tlv::walk(
        message,
        |tag| tag != tag::ENCRYPTED,
        |element| {
            let masked = matches!(element.tag, tag::MASKED_CHIP | tag::MASKED_SWIPE);
            clear |= FORBIDDEN.contains(&element.tag) || (!masked && holds_a_number(element.value));
            clear |= masked && unmask(element.value).is_none();
        },
    )?;
    if clear {
        return Err(PayloadError::ClearCardData);
    }
    tlv::find(message, tag::MESSAGE).ok_or(PayloadError::Missing("template F9"))
}

fn within<'a>(bytes: &'a [u8], path: &[Tag]) -> Option<&'a [u8]> {
    path.iter().try_fold(bytes, |level, tag| tlv::find(level, *tag))
}

fn allowed(bytes: &[u8]) -> Result<BTreeMap<String, String>, TlvError> {
    let mut tags = BTreeMap::new();
    for element in tlv::elements(bytes) {
        let element = element?;
        if ALLOWED.contains(&element.tag) {
            tags.insert(format!("{:X}", element.tag), hex(element.value));
        }
    }
    Ok(tags)
}

/// Whether text holds 13 to 19 digits with the right check digit.
fn holds_a_number(value: &[u8]) -> bool {
    let runs = value.split(|byte| !byte.is_ascii_digit()).filter(|run| (13..=19).contains(&run.len()));
    runs.filter_map(|run| std::str::from_utf8(run).ok()).any(luhn)
}

/// Brand and last four of a masked track: `;411111******1111=…`. `None` if nothing is masked: then it is clear data.
fn unmask(track: &[u8]) -> Option<(&'static str, String)> {
    let number: Vec<u8> = track
        .iter()
        .copied()
        .skip_while(|byte| !byte.is_ascii_digit())
        .take_while(|byte| byte.is_ascii_digit() || *byte == b'*')
        .collect();
    let (front, last4) = number.split_at_checked(number.len().checked_sub(4)?)?;
    let (first6, middle) = front.split_at_checked(6)?;
    let one_mask = middle.iter().all(|byte| *byte == b'*') || middle.iter().all(|byte| *byte == b'0');
    if middle.len() < 3 || !one_mask || !last4.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some((brand(first6), String::from_utf8(last4.to_vec()).ok()?))
}

/// ISO/IEC 7812 ranges as the schemes publish them.
fn brand(first6: &[u8]) -> &'static str {
    let number = |digits: usize| {
        first6.get(..digits).and_then(|d| std::str::from_utf8(d).ok()).and_then(|d| d.parse::<u32>().ok()).unwrap_or(0)
    };
    match (number(1), number(2), number(4)) {
        (4, ..) => "VISA",
        (_, 51..=55, _) | (.., 2221..=2720) => "MASTERCARD",
        (_, 34 | 37, _) => "AMEX",
        (_, 50 | 56..=69, _) => "MAESTRO",
        _ => "CARD",
    }
}

/// Manual, tag DFDF52: 1 stripe, 5 chip, 6 contactless, 7 stripe of a chip card, 8 contactless stripe.
fn entry(card_type: Option<&[u8]>) -> Result<Entry, PayloadError> {
    match card_type {
        Some([5]) => Ok(Entry::Chip),
        Some([6 | 8]) => Ok(Entry::Contactless),
        Some([1 | 7]) => Ok(Entry::Magstripe),
        _ => Err(PayloadError::Missing("the card type")),
    }
}

/// CVM results (EMV Book 4, Annex A4), and the card's word that its holder's device did it (EMV Book C-3, tag 9F6C,
/// byte 2, bit 8).
fn cvm(results: Option<&[u8]>, qualifiers: Option<&[u8]>) -> Cvm {
    if qualifiers.is_some_and(|bytes| bytes.get(1).is_some_and(|byte| byte & 0x80 != 0)) {
        return Cvm::Device;
    }
    match results.and_then(<[u8]>::first).map(|code| code & 0x3F) {
        Some(0x01..=0x05) => Cvm::Pin,
        Some(0x1E) => Cvm::Signature,
        Some(_) | None => Cvm::None,
    }
}

/// Puts a template F9 into a blob: length, template, padding to eight, a MAC of zeros under a KSN of zeros, as in the
/// manual's own example.
pub fn seal(serial: &[u8], data: &[u8]) -> Vec<u8> {
    let mut inner = Vec::new();
    tlv::put(&mut inner, tag::MAC_KSN, &[0; 10]);
    tlv::put(&mut inner, tag::MAC_TYPE, &[0x82]);
    tlv::put(&mut inner, tag::SERIAL, serial);
    tlv::put(&mut inner, tag::DATA, data);
    let mut message = Vec::new();
    tlv::put_long(&mut message, tag::MESSAGE, &inner);
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
    let mut blob = length.to_be_bytes().to_vec();
    blob.extend(message);
    blob.resize(blob.len().next_multiple_of(8) + 4, 0);
    blob
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn blob(clear: &[(Tag, &[u8])], sealed: bool) -> Vec<u8> {
        let mut data = Vec::new();
        for (tag, value) in clear {
            tlv::put(&mut data, *tag, value);
        }
        if sealed {
            let mut inner = Vec::new();
            tlv::put(&mut inner, tag::CIPHERTEXT, &[7; 16]);
            tlv::put(&mut inner, tag::KSN, &[1; 10]);
            tlv::put(&mut inner, tag::ENCRYPTION_TYPE, &[TDES_DATA]);
            tlv::put(&mut data, tag::ENCRYPTED, &inner);
        }
        let mut outer = Vec::new();
        tlv::put(&mut outer, tag::ARQC, &data);
        seal(&[0xB6, 0x13, 0x78, 0xA0], &outer)
    }

    const MASKED: (Tag, &[u8]) = (tag::MASKED_CHIP, b";411111******1111=2912*********?");
    const CHIP: (Tag, &[u8]) = (tag::CARD_TYPE, &[5]);

    #[test]
    fn a_good_read_keeps_four_digits_and_the_allowed_tags() {
        let read = arqc(&blob(&[CHIP, MASKED, (0x82, &[0x18, 0]), (0x5F20, b"DOE/JANE")], true)).unwrap();
        assert_eq!((read.brand, read.last4.as_str(), read.entry), ("VISA", "1111", Entry::Chip));
        assert_eq!(read.serial, "B61378A");
        assert_eq!(read.tags, BTreeMap::from([("82".to_owned(), "1800".to_owned())]));
    }

    #[test]
    fn clear_card_data_is_refused_wherever_it_stands() {
        let number: &[u8] = b"4111111111111111";
        let track: &[u8] = b";4111111111111111=29122011000000000000?";
        for bad in [(tag::TRACK2, track), (0x5A, &[0x41, 0x11]), (0x5F20, number), (0x9F12, track)] {
            assert_eq!(arqc(&blob(&[CHIP, MASKED, bad], true)).err(), Some(PayloadError::ClearCardData), "{bad:?}");
        }
        let unmasked = (tag::MASKED_CHIP, track);
        assert_eq!(arqc(&blob(&[CHIP, unmasked], true)).err(), Some(PayloadError::ClearCardData));
        assert!(arqc(&blob(&[CHIP, MASKED, (0x5F20, b"4111111111111112")], true)).is_ok());
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(arqc(&blob(&[CHIP, MASKED], false)).err(), Some(PayloadError::Missing("template F8")));
        assert_eq!(arqc(&blob(&[MASKED], true)).err(), Some(PayloadError::Missing("the card type")));
        assert_eq!(arqc(&[0, 9, 1]).err(), Some(PayloadError::Tlv(TlvError::Truncated)));
        assert_eq!(arqc(&[]).err(), Some(PayloadError::Missing("the length")));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fall(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0_usize..120, flip in any::<u8>()) {
            let _ = (arqc(&bytes), batch(&bytes));
            let mut near = blob(&[CHIP, MASKED], true);
            if let Some(byte) = near.get_mut(at) {
                *byte ^= flip;
            }
            let _ = (arqc(&near), batch(&near));
        }
    }
}
