//! What the simulated reader makes of a card: clear tags, cipher text, batch data.

use crate::bytes::unhex;
use crate::reader::cards::{Presented, TestCard};
use crate::reader::mms::payload::{AES128_DATA, TDES_DATA, seal, tag};
use crate::reader::sim::{Cipher, Keys};
use crate::tlv::{self, Tag};

/// The cryptogram message of a card, or the same message for a swiped one.
pub(super) fn arqc(
    serial: [u8; 4],
    card: &TestCard,
    transaction: &[u8],
    cipher: &Cipher,
    ksn: &[u8],
    swiped: bool,
) -> Vec<u8> {
    let secret = cipher.seal(ksn, &plaintext(card, transaction, cipher, ksn, swiped));
    let mut sealed = Vec::new();
    tlv::put(&mut sealed, tag::CIPHERTEXT, &secret.ciphertext);
    tlv::put(&mut sealed, tag::KSN, &secret.ksn);
    let kind = match cipher.keys() {
        Keys::Tdes => TDES_DATA,
        Keys::Aes128 => AES128_DATA,
    };
    tlv::put(&mut sealed, tag::ENCRYPTION_TYPE, &[kind]);
    tlv::put(&mut sealed, tag::PADDING, &[secret.padding]);
    let mut data = Vec::new();
    tlv::put(&mut data, if swiped { tag::MASKED_SWIPE } else { tag::MASKED_CHIP }, card.masked_track().as_bytes());
    tlv::put(&mut data, tag::CARD_TYPE, &[card_type(card, swiped)]);
    if !swiped {
        tlv::put(&mut data, 0x82, &[0x19, 0x80]);
        tlv::put(&mut data, 0x9F36, &counter(ksn));
    }
    tlv::put(&mut data, tag::ENCRYPTED, &sealed);
    wrapped(serial, tag::ARQC, &data)
}

/// The batch message: how it ended, and what a merchant may keep.
pub(super) fn batch(serial: [u8; 4], card: &TestCard, transaction: &[u8], accepted: bool) -> Vec<u8> {
    let mut result = Vec::new();
    tlv::put(&mut result, tag::DECISION, &[u8::from(!accepted)]);
    let mut merchant = Vec::new();
    copy(&mut merchant, transaction, 0x9F02);
    tlv::put(&mut merchant, 0x9F06, &unhex(card.aid));
    tlv::put(&mut merchant, 0x9F12, card.label.as_bytes());
    tlv::put(&mut merchant, 0x95, &card.results());
    tlv::put(&mut merchant, 0x9F34, &card.verification());
    if card.presented == Presented::Wallet {
        tlv::put(&mut merchant, 0x9F6C, &[0x00, 0x80]);
    }
    tlv::put(&mut merchant, tag::MASKED_CHIP, card.masked_track().as_bytes());
    let mut data = Vec::new();
    tlv::put(&mut data, tag::RESULT, &result);
    tlv::put(&mut data, tag::MERCHANT, &merchant);
    wrapped(serial, tag::BATCH, &data)
}

/// What a reader with encryption switched off would send for a swipe.
pub(super) fn clear_track(serial: [u8; 4], card: &TestCard) -> Vec<u8> {
    let mut stripe = Vec::new();
    tlv::put(&mut stripe, tag::TRACK2, card.track2().as_bytes());
    let mut data = Vec::new();
    tlv::put(&mut data, tag::CARD_TYPE, &[1]);
    tlv::put(&mut data, tag::STRIPE, &stripe);
    wrapped(serial, tag::ARQC, &data)
}

fn wrapped(serial: [u8; 4], template: Tag, data: &[u8]) -> Vec<u8> {
    let mut outer = Vec::new();
    tlv::put(&mut outer, template, data);
    seal(&serial, &outer)
}

/// What the reader encrypts: number, track 2 equivalent, amount and currency, cryptogram and its counter; of a swipe,
/// the track.
fn plaintext(card: &TestCard, transaction: &[u8], cipher: &Cipher, ksn: &[u8], swiped: bool) -> Vec<u8> {
    let mut inner = Vec::new();
    tlv::put(&mut inner, 0x5A, &card.packed_number());
    tlv::put(&mut inner, 0x57, &card.track2_equivalent());
    copy(&mut inner, transaction, 0x9C);
    copy(&mut inner, transaction, 0x9F02);
    copy(&mut inner, transaction, 0x5F2A);
    if swiped {
        let mut stripe = Vec::new();
        tlv::put(&mut stripe, tag::TRACK2, card.track2().as_bytes());
        tlv::put(&mut inner, tag::STRIPE, &stripe);
    } else {
        tlv::put(&mut inner, 0x5F34, &[1]);
        tlv::put(&mut inner, 0x9F27, &[0x80]);
        // Stands for the card's MAC: it depends on the key, as a real one would.
        let stand_in = cipher.seal(ksn, &[0x5A; 8]).ciphertext;
        tlv::put(&mut inner, 0x9F26, stand_in.get(..8).unwrap_or_default());
        tlv::put(&mut inner, 0x9F36, &counter(ksn));
    }
    let mut out = Vec::new();
    tlv::put(&mut out, tag::PLAINTEXT, &inner);
    out
}

fn copy(out: &mut Vec<u8>, from: &[u8], tag: Tag) {
    if let Some(value) = tlv::find(from, tag) {
        tlv::put(out, tag, value);
    }
}

/// The transaction counter, two bytes: of the card in reality, of the reader here.
fn counter(ksn: &[u8]) -> [u8; 2] {
    ksn.last_chunk::<2>().copied().unwrap_or_default()
}

fn card_type(card: &TestCard, swiped: bool) -> u8 {
    match card.presented {
        Presented::ChipUnreadable if swiped => 7,
        _ if swiped => 1,
        Presented::Chip | Presented::ChipRefuses | Presented::ChipUnreadable | Presented::TwoApplications => 5,
        Presented::Contactless | Presented::Wallet => 6,
        Presented::Swipe | Presented::ClearTrack => 1,
    }
}
