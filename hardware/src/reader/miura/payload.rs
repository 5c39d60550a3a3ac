//! The card data in a Miura reader's answer: clear EMV tags beside cipher text (SRED) and its key's name, in one list.
//!
//! What may be known of a card is decided in [`clear`]; cipher text passes untouched. A record may hold cipher text and
//! key name twice; the first of each counts.

use crate::reader::clear::{self, MAX_LABEL, PayloadError, allowed, cvm, printable, unmask};
use crate::reader::{CardRead, Entry};
use crate::tlv::{self, Tag};

/// Cipher text of the card's data.
const SRED_DATA: Tag = 0xDF_AE02;
/// Name of its key.
const SRED_KSN: Tag = 0xDF_AE03;
/// Masked track 2 of a swipe, text.
const MASKED_SWIPE: Tag = 0xDF_AE22;
/// Masked track 2 of a chip, packed.
const MASKED_CHIP: Tag = 0xDF_AE57;
/// Masked number, packed.
const MASKED_NUMBER: Tag = 0xDF_AE5A;

/// DUKPT, TDES, data both ways: what the vendor's samples were decrypted with.
const TDES_DATA: u8 = 0x80;

/// Reads the card data of template E4, or of a swipe.
pub fn read(data: &[u8], entry: Entry, serial: &str) -> Result<CardRead, PayloadError> {
    let masked = |tag| matches!(tag, MASKED_SWIPE | MASKED_CHIP | MASKED_NUMBER);
    clear::check(data, |_| true, masked)?;
    let found = |tag| tlv::find(data, tag);
    let track = found(MASKED_CHIP).or(found(MASKED_SWIPE)).or(found(MASKED_NUMBER));
    let (brand, last4) = track.and_then(unmask).ok_or(PayloadError::Missing("the masked number"))?;
    let ksn = found(SRED_KSN).filter(|ksn| ksn.len() == 10).ok_or(PayloadError::Missing("the key serial number"))?;
    let ciphertext = found(SRED_DATA).filter(|c| !c.is_empty() && c.len().is_multiple_of(8));
    let aid = found(0x9F06).or(found(0x84)).or(found(0x4F)).filter(|aid| aid.len() <= 16);
    Ok(CardRead {
        brand,
        last4,
        aid: aid.map(crate::bytes::hex).unwrap_or_default(),
        label: printable(found(0x9F12).or(found(0x50)).unwrap_or_default(), MAX_LABEL),
        cvm: cvm(found(0x9F34), found(0x9F6C)),
        entry,
        expires: track.and_then(clear::expiry),
        ksn: ksn.to_vec(),
        encryption_type: TDES_DATA,
        ciphertext: ciphertext.ok_or(PayloadError::Missing("the cipher text"))?.to_vec(),
        emv_tags: allowed(data)?,
        serial: serial.to_owned(),
    })
}

/// The card data that a simulated reader puts into a record.
pub fn build(track: (Tag, &[u8]), sred: (&[u8], &[u8])) -> Vec<u8> {
    let mut out = Vec::new();
    tlv::put(&mut out, SRED_DATA, sred.0);
    tlv::put(&mut out, SRED_KSN, sred.1);
    tlv::put(&mut out, track.0, track.1);
    out
}

/// Where a chip's, and a swipe's, masked track stands.
pub const TRACKS: (Tag, Tag) = (MASKED_CHIP, MASKED_SWIPE);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{hex, unhex};
    use proptest::prelude::*;

    /// Of the vendor SDK's own tests: a reader with keys and one without, the same EMV test card swiped.
    const SECURED: &str = "DFAE0278 72212907C9B93D919511254CA428CE061009857EC1F129D3DE63CBF9F7D5452C
        36C961C881A11E84EF2F7D6C223C12CF2CC55A87AFC2D097F57D07BFF787A997CA5DB3E0FE46AF9C7C37580459EE6F60
        65CAD8E1BDACAE01B8ED4E06D232485F3B7A72C88119E3DF27F3553284411FCC8DC25EFC8ECF4AFA
        DFAE030A 00000200000055400182
        DFAE2225 3B3437363137332A2A2A2A2A2A303031303D313531323230312A2A2A2A2A2A2A2A2A2A3F2A";

    #[test]
    fn a_swipe_of_the_vendors_tests_is_read() {
        let read = read(&unhex(SECURED), Entry::Magstripe, "04000203").unwrap();
        assert_eq!((read.brand, read.last4.as_str()), ("VISA", "0010"));
        assert_eq!(hex(&read.ksn), "00000200000055400182");
        assert_eq!(read.ciphertext.len(), 0x78);
        assert!(read.emv_tags.is_empty());
    }

    #[test]
    fn a_reader_without_keys_is_refused() {
        let track1 = b"%B4761739001010010^VISA ACQUIRER TEST CARD 05^15122011143800575000000?";
        let track2 = b";4761739001010010=15122011143857589?<";
        for (tag, track) in [(0x5F21, track1.as_slice()), (0x5F22, track2.as_slice())] {
            let mut data = unhex(SECURED);
            tlv::put(&mut data, tag, track);
            assert_eq!(read(&data, Entry::Magstripe, "").err(), Some(PayloadError::ClearCardData), "{tag:X}");
        }
    }

    /// Cipher text and masked track of a reader in the field, twice in one list; the card is an EMV test card.
    #[test]
    fn a_record_with_duplicates_is_read_by_its_first() {
        let record = unhex(
            "DFAE0218 85D6E511F8844CEA0DC72883180AC081AF4593A8A3C5FDD8 DFAE030A FFFF0102628D1100005E
             DFAE5713 476173FFFFFFFFF2234D151220114524040F00
             DFAE0218 92FC2C940487F43AC64AB3DFD54C7B72F445FE409D80FDF5 DFAE030A FFFF0102628D1100005F
             9F3403420300 8407A0000000031010 500A564953412044454249 54",
        );
        let read = read(&record, Entry::Chip, "04000203").unwrap();
        assert_eq!((read.brand, read.last4.as_str(), read.label.as_str()), ("VISA", "2234", "VISA DEBIT"));
        assert_eq!(hex(&read.ksn), "FFFF0102628D1100005E");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fall(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0_usize..180, flip in any::<u8>()) {
            let _ = read(&bytes, Entry::Chip, "");
            let mut near = unhex(SECURED);
            if let Some(byte) = near.get_mut(at) {
                *byte ^= flip;
            }
            let _ = read(&near, Entry::Magstripe, "");
        }
    }
}
