//! What of a card may be known, and what must never come in clear. One set of rules for every reader's protocol.
//!
//! Invariant: what passes holds no card number. Of the clear tags only an allow-list passes; a clear number, track or PIN
//! anywhere makes the whole message [`PayloadError::ClearCardData`].

use super::Cvm;
use super::cards::luhn;
use crate::bytes::hex;
use crate::tlv::{self, Tag, TlvError};
use std::collections::BTreeMap;

/// Clear card data: EMV Book 3, Annex A (57, 5A, 56, 9F6B, 9F1F, 9F20, PIN block 99), and the tracks of MMS (DFDF37 to
/// 3B) and of Miura (5F21, 5F22).
const FORBIDDEN: [Tag; 12] =
    [0x56, 0x57, 0x5A, 0x99, 0x5F21, 0x5F22, 0x9F1F, 0x9F20, 0x9F6B, 0xDF_DF37, 0xDF_DF39, 0xDF_DF3B];

/// Clear tags that a processor needs and that tell nothing of the number (EMV Book 3, Annex A; 9F6C and 9F6E EMV
/// contactless Book C-3).
const ALLOWED: [Tag; 24] = [
    0x82, 0x84, 0x95, 0x9A, 0x9C, 0x5F2A, 0x5F34, 0x9F02, 0x9F03, 0x9F06, 0x9F09, 0x9F10, 0x9F12, 0x9F1A, 0x9F1E,
    0x9F21, 0x9F26, 0x9F27, 0x9F33, 0x9F34, 0x9F35, 0x9F36, 0x9F37, 0x9F6C,
];

/// Longest application label (EMV Book 1, tag 50), characters.
pub const MAX_LABEL: usize = 16;

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

/// Looks for clear card data in every element at any depth. `within` says which templates are gone into, `masked` which
/// tags hold a masked track.
pub fn check(bytes: &[u8], within: impl Fn(Tag) -> bool, masked: impl Fn(Tag) -> bool) -> Result<(), PayloadError> {
    let mut clear = false;
    tlv::walk(bytes, within, |element| {
        let masked = masked(element.tag);
        clear |= FORBIDDEN.contains(&element.tag) || (!masked && holds_a_number(element.value));
        clear |= masked && unmask(element.value).is_none();
    })?;
    if clear { Err(PayloadError::ClearCardData) } else { Ok(()) }
}

/// The allowed tags on this level.
pub fn allowed(bytes: &[u8]) -> Result<BTreeMap<String, String>, TlvError> {
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

/// Brand and last four of a masked track: `;411111******1111=…`, or the same packed two digits a byte with F for what
/// is masked. `None` if nothing is masked: then it is clear data.
pub fn unmask(track: &[u8]) -> Option<(&'static str, String)> {
    let printed = track.iter().all(|byte| (0x20..0x7F).contains(byte));
    let number: Vec<u8> = if printed { track.to_vec() } else { unpacked(track) };
    let number: Vec<u8> = number
        .into_iter()
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

/// Year in the century and month after the separator of a masked track (ISO/IEC 7813: YYMM).
pub fn expiry(track: &[u8]) -> Option<(u8, u8)> {
    let printed = track.iter().all(|byte| (0x20..0x7F).contains(byte));
    let text: Vec<u8> = if printed { track.to_vec() } else { unpacked(track) };
    let mut digits = text.into_iter().skip_while(|byte| *byte != b'=').skip(1);
    let mut digit = || digits.next().filter(u8::is_ascii_digit).map(|byte| byte - b'0');
    let (year, month) = (digit()? * 10 + digit()?, digit()? * 10 + digit()?);
    (1..=12).contains(&month).then_some((year, month))
}

/// Packed digits as text: F is a mask, D the separator (EMV Book 3, tag 57).
fn unpacked(track: &[u8]) -> Vec<u8> {
    let nibbles = track.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
    nibbles
        .map(|nibble| match nibble {
            0..=9 => b'0' + nibble,
            0x0F => b'*',
            _ => b'=',
        })
        .collect()
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

/// CVM results (EMV Book 4, Annex A4), and the card's word that its holder's device did it (EMV Book C-3, tag 9F6C,
/// byte 2, bit 8).
pub fn cvm(results: Option<&[u8]>, qualifiers: Option<&[u8]>) -> Cvm {
    if qualifiers.is_some_and(|bytes| bytes.get(1).is_some_and(|byte| byte & 0x80 != 0)) {
        return Cvm::Device;
    }
    match results.and_then(<[u8]>::first).map(|code| code & 0x3F) {
        Some(0x01..=0x05) => Cvm::Pin,
        Some(0x1E) => Cvm::Signature,
        Some(_) | None => Cvm::None,
    }
}

/// Printable text of at most `most` characters, without what a terminal would obey and what fills it up.
pub fn printable(value: &[u8], most: usize) -> String {
    let text: String =
        value.iter().filter(|byte| (0x20..0x7F).contains(*byte)).take(most).map(|byte| char::from(*byte)).collect();
    text.trim().to_owned()
}
