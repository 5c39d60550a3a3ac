//! The card data in an MMS notification: two bytes of length, template F9, padding, four bytes of MAC (manual
//! D998200597, "ARQC" and "batch data" messages).
//!
//! What may be known of a card is decided in [`clear`]; cipher text passes untouched. The MAC is not checked: no vendor
//! example with a real MAC key is public, and the key would be the processor's.

use crate::bytes::hex;
use crate::reader::clear::{self, PayloadError, allowed, cvm, printable, unmask};
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

/// DUKPT, AES-128, key for encrypting data: inferred from the same table, whose three AES data kinds (B, C, D) it does
/// not tell apart; no example is public.
pub const AES128_DATA: u8 = 0x9B;

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
    /// By the masked track.
    pub expires: Option<(u8, u8)>,
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
        expires: masked.and_then(clear::expiry),
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
    Ok(Batch {
        aid: tlv::find(merchant, 0x9F06).filter(|aid| aid.len() <= 16).map(hex).unwrap_or_default(),
        label: printable(tlv::find(merchant, 0x9F12).unwrap_or_default(), clear::MAX_LABEL),
        cvm: cvm(tlv::find(merchant, 0x9F34), tlv::find(merchant, 0x9F6C)),
        tags: allowed(merchant)?,
    })
}

/// Template F9 of a blob, after looking for clear data in all of it.
fn open(blob: &[u8]) -> Result<&[u8], PayloadError> {
    let (length, rest) = blob.split_first_chunk::<2>().ok_or(PayloadError::Missing("the length"))?;
    let message = rest.get(..usize::from(u16::from_be_bytes(*length))).ok_or(TlvError::Truncated)?;
    let masked = |tag| matches!(tag, tag::MASKED_CHIP | tag::MASKED_SWIPE);
    clear::check(message, |tag| tag != tag::ENCRYPTED, masked)?;
    tlv::find(message, tag::MESSAGE).ok_or(PayloadError::Missing("template F9"))
}

fn within<'a>(bytes: &'a [u8], path: &[Tag]) -> Option<&'a [u8]> {
    path.iter().try_fold(bytes, |level, tag| tlv::find(level, *tag))
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
        assert_eq!((read.serial.as_str(), read.expires), ("B61378A", Some((29, 12))));
        assert_eq!(read.tags, BTreeMap::from([("82".to_owned(), "1800".to_owned())]));
    }

    /// A synthetic twin of the manual's own ARQC message: the same templates, tags, lengths and padding (the tail is three
    /// bytes of padding and four of MAC), a cipher text of 328 bytes under a key of the standard, a card of no one.
    #[test]
    fn a_twin_of_the_manuals_example_is_read_and_opens() {
        use crate::bytes::unhex;
        use crate::dukpt::{ANSI_TEST_BDK, decrypt_data, encrypt_data};
        let ksn = unhex("9010010B4DB817000003");
        let name: [u8; 10] = ksn.clone().try_into().unwrap();
        let inside = [
            "4F07A0000000041010 5713 5413330089600010D2912201000000000F 5A08 5413330089600010 82021980",
            "8407A0000000041010 8E0A00000000000000001F03 9505 0000008000 9A03210401 9B02E800 9C0100 5F201A",
            "202020202020202020202020202020202020202020202020202F 5F2403291231 5F25 03190101 5F2A020840",
            "5F340101 9F02060000000001 00 9F0306000000000000 9F0607A0000000041010 9F0702FF00 9F08020002",
            "9F0D05B850AC8800 9F0E050000000000 9F0F05B870BC9800 9F1012 0110A00003220000000000000000000000FF",
            "9F1A020840 9F1E083132333435363738 9F2103120000 9F2608 5A5A5A5A5A5A5A5A 9F270180 9F33036028C8",
            "9F34031F0302 9F350121 9F36020001 9F3704 01020304 9F390105 9F4005 6000F0A001 9F410400000003",
            "500A4D617374657243617264",
        ];
        // The number of tag 57 has a digit less than the book's: filled up as readers fill it.
        let inside = unhex(&inside.concat().replace("5713 5413", "5711 5413"));
        let mut clear = Vec::new();
        tlv::put(&mut clear, tag::PLAINTEXT, &inside);
        let padding = 328 - clear.len();
        clear.resize(328, 0);
        let sealed = encrypt_data(&ANSI_TEST_BDK, &name, &clear).unwrap();
        let mut secret = Vec::new();
        tlv::put_long(&mut secret, tag::CIPHERTEXT, &sealed);
        tlv::put(&mut secret, tag::KSN, &ksn);
        tlv::put(&mut secret, tag::ENCRYPTION_TYPE, &[TDES_DATA]);
        tlv::put(&mut secret, tag::PADDING, &[u8::try_from(padding).unwrap()]);
        let mut data = Vec::new();
        tlv::put(&mut data, 0xDF_DF53, &[0]);
        tlv::put(&mut data, tag::MASKED_CHIP, b";541333******0010=2912*********?");
        tlv::put(&mut data, tag::CARD_TYPE, &[5]);
        tlv::put(&mut data, 0x5F30, &[0x02, 0x01]);
        tlv::put_long(&mut data, tag::ENCRYPTED, &secret);
        let mut outer = Vec::new();
        tlv::put_long(&mut outer, tag::ARQC, &data);
        let mut message = seal(&unhex("B61378A0"), &outer);
        message.truncate(usize::from(u16::from_be_bytes([message[0], message[1]])) + 2);
        message.extend([0; 7]);
        let read = arqc(&message).unwrap();
        assert_eq!((read.brand, read.last4.as_str(), read.serial.as_str()), ("MASTERCARD", "0010", "B61378A"));
        let opened = decrypt_data(&ANSI_TEST_BDK, &name, &read.ciphertext).unwrap();
        assert_eq!(tlv::find(&opened, tag::PLAINTEXT), Some(inside.as_slice()));
        assert!(tlv::find(&inside, 0x5A).is_some_and(|number| number == unhex("5413330089600010")));
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
