//! What the simulated reader makes of a card: clear tags, cipher text, batch data.

use crate::bytes::unhex;
use crate::dukpt::{self, ANSI_TEST_BDK, Ksn};
use crate::reader::cards::{Presented, TestCard};
use crate::reader::mms::payload::{TDES_DATA, seal, tag};
use crate::tlv::{self, Tag};

/// Expiry December 2029, service code 201: chip, no restriction (ISO/IEC 7813).
const EXPIRY_AND_SERVICE: &str = "2912201";

/// The cryptogram message of a chip or contactless card.
pub(super) fn arqc(serial: [u8; 4], card: &TestCard, transaction: &[u8], ksn: Ksn) -> Vec<u8> {
    let mut clear = plaintext(card, transaction, ksn);
    let padding = clear.len().next_multiple_of(8) - clear.len();
    clear.resize(clear.len() + padding, 0);
    // Whole blocks by the line above.
    let ciphertext = dukpt::encrypt_data(&ANSI_TEST_BDK, &ksn.0, &clear).unwrap_or_default();
    let mut sealed = Vec::new();
    tlv::put(&mut sealed, tag::CIPHERTEXT, &ciphertext);
    tlv::put(&mut sealed, tag::KSN, &ksn.0);
    tlv::put(&mut sealed, tag::ENCRYPTION_TYPE, &[TDES_DATA]);
    tlv::put(&mut sealed, tag::PADDING, &[u8::try_from(padding).unwrap_or(0)]);
    let mut data = Vec::new();
    tlv::put(&mut data, tag::MASKED_CHIP, masked(card).as_bytes());
    tlv::put(&mut data, tag::CARD_TYPE, &[card_type(card)]);
    tlv::put(&mut data, 0x82, &[0x19, 0x80]);
    tlv::put(&mut data, 0x9F36, &counter(ksn));
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
    tlv::put(&mut merchant, 0x9F34, &verification(card));
    if card.presented == Presented::Wallet {
        tlv::put(&mut merchant, 0x9F6C, &[0x00, 0x80]);
    }
    tlv::put(&mut merchant, tag::MASKED_CHIP, masked(card).as_bytes());
    let mut data = Vec::new();
    tlv::put(&mut data, tag::RESULT, &result);
    tlv::put(&mut data, tag::MERCHANT, &merchant);
    wrapped(serial, tag::BATCH, &data)
}

/// What a reader with encryption switched off would send for a swipe.
pub(super) fn clear_track(serial: [u8; 4], card: &TestCard) -> Vec<u8> {
    let mut stripe = Vec::new();
    let track = format!(";{}={EXPIRY_AND_SERVICE}0000000000?", card.pan);
    tlv::put(&mut stripe, tag::TRACK2, track.as_bytes());
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

/// What the reader encrypts: number, track 2 equivalent, amount and currency, cryptogram and its counter.
fn plaintext(card: &TestCard, transaction: &[u8], ksn: Ksn) -> Vec<u8> {
    let mut inner = Vec::new();
    tlv::put(&mut inner, 0x5A, &packed(card.pan));
    tlv::put(&mut inner, 0x57, &packed(&format!("{}D{EXPIRY_AND_SERVICE}", card.pan)));
    tlv::put(&mut inner, 0x5F34, &[1]);
    copy(&mut inner, transaction, 0x9C);
    copy(&mut inner, transaction, 0x9F02);
    copy(&mut inner, transaction, 0x5F2A);
    tlv::put(&mut inner, 0x9F27, &[0x80]);
    // Stands for the card's MAC: it depends on the key, as a real one would.
    let cryptogram = dukpt::encrypt_data(&ANSI_TEST_BDK, &ksn.0, &[0x5A; 8]).unwrap_or_default();
    tlv::put(&mut inner, 0x9F26, &cryptogram);
    tlv::put(&mut inner, 0x9F36, &counter(ksn));
    let mut out = Vec::new();
    tlv::put(&mut out, tag::PLAINTEXT, &inner);
    out
}

fn copy(out: &mut Vec<u8>, from: &[u8], tag: Tag) {
    if let Some(value) = tlv::find(from, tag) {
        tlv::put(out, tag, value);
    }
}

/// Hex digits packed two a byte; an odd one is followed by F (EMV Book 3, format cn).
fn packed(digits: &str) -> Vec<u8> {
    if digits.len().is_multiple_of(2) { unhex(digits) } else { unhex(&format!("{digits}F")) }
}

/// The transaction counter, two bytes: of the card in reality, of the reader here.
fn counter(ksn: Ksn) -> [u8; 2] {
    let [.., high, low] = ksn.counter().to_be_bytes();
    [high, low]
}

fn masked(card: &TestCard) -> String {
    let (first6, rest) = card.pan.split_at(6);
    let (middle, last4) = rest.split_at(rest.len() - 4);
    format!(";{first6}{}{last4}=2912*********?", "*".repeat(middle.len()))
}

fn card_type(card: &TestCard) -> u8 {
    match card.presented {
        Presented::Chip | Presented::ChipRefuses => 5,
        Presented::Contactless | Presented::Wallet => 6,
        Presented::ClearTrack => 1,
    }
}

/// CVM results (EMV Book 4, Annex A4): plain PIN checked by the chip and good, or none needed.
fn verification(card: &TestCard) -> [u8; 3] {
    match card.presented {
        Presented::Chip | Presented::ChipRefuses => [0x01, 0x03, 0x02],
        Presented::Contactless | Presented::Wallet | Presented::ClearTrack => [0x1F, 0x03, 0x02],
    }
}
