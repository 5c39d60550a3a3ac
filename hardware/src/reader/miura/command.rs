//! What the host asks of a Miura reader, and what an answer's status word means (names and numbers of the vendor's SDK).

use super::apdu::{Command, GOOD, instruction};
use crate::reader::ArmRequest;
use crate::reader::mms::command::bcd;
use crate::tlv::{self, Tag};

/// Tags of the SDK's own templates.
pub mod tag {
    use crate::tlv::Tag;
    /// Data of a command.
    pub const COMMAND: Tag = 0xE0;
    /// Data of an answer.
    pub const ANSWER: Tag = 0xE1;
    /// Approved, without asking anyone.
    pub const APPROVED: Tag = 0xE3;
    /// The card wants the issuer asked: a cryptogram.
    pub const ONLINE: Tag = 0xE4;
    /// Declined.
    pub const DECLINED: Tag = 0xE5;
    /// What the device does, unsolicited.
    pub const DEVICE: Tag = 0xE6;
    /// Number of what the device does.
    pub const STATUS: Tag = 0xC3;
    /// The same in words, as on its display.
    pub const TEXT: Tag = 0xC4;
    /// Card in the slot, data of a swipe.
    pub const CARD_STATUS: Tag = 0x48;
    /// One part of the device: name and version.
    pub const PART: Tag = 0xEF;
    /// A part's name.
    pub const NAME: Tag = 0xDF_0D;
    /// A part's version.
    pub const VERSION: Tag = 0xDF_7F;
    /// Battery: 0 discharging, 1 charging, 2 charged.
    pub const CHARGING: Tag = 0xDF_A209;
    /// Battery, percent.
    pub const BATTERY: Tag = 0xDF_A20A;
    /// The reader itself lets the holder choose among applications.
    pub const SELECT_ON_READER: Tag = 0xDF_A204;
    /// Terminal risk management.
    pub const RISK_MANAGEMENT: Tag = 0xDF_A203;
}

/// Transaction type 00: goods and services.
const PURCHASE: u8 = 0x00;

/// Authorisation response code "unable to go online, declined" (EMV Book 4, table 36): the card's session ends, its
/// cryptogram is kept.
const UNABLE_TO_GO_ONLINE: [u8; 2] = *b"Z3";

/// Unsolicited card status with all three tracks: bits 01, 04, 08 and 10.
const TELL_OF_CARDS: u8 = 0x1D;

/// Soft reset; the answer names the device.
pub fn reset() -> Command {
    Command::bare(instruction::RESET, 0, 0)
}

/// Battery status, and no sleep.
pub fn battery() -> Command {
    Command::bare(instruction::BATTERY, 0, 0)
}

/// From now on the reader tells of cards that are put in or swiped, or no longer.
pub fn tell_of_cards(on: bool) -> Command {
    Command::bare(instruction::CARD_STATUS, if on { TELL_OF_CARDS } else { 0 }, 0)
}

/// Stop.
pub fn abort() -> Command {
    Command::bare(instruction::ABORT, 0, 0)
}

/// Text on the display, four rows, with light.
pub fn display(text: &str) -> Command {
    let (cla, ins) = instruction::DISPLAY_TEXT;
    Command { cla, ins, p1: 0, p2: 1, data: text.bytes().take(80).collect(), le: None }
}

/// A card is in the slot: the transaction up to its first cryptogram.
pub fn start(request: &ArmRequest) -> Command {
    let mut data = transaction(request);
    tlv::put(&mut data, tag::SELECT_ON_READER, &[1]);
    tlv::put(&mut data, tag::RISK_MANAGEMENT, &[0]);
    with(instruction::START, &data)
}

/// Waits for a card to be tapped.
pub fn start_contactless(request: &ArmRequest) -> Command {
    with(instruction::START_CONTACTLESS, &transaction(request))
}

/// Ends the card's session: the answer of the issuer comes later, or never.
pub fn finish() -> Command {
    let mut data = Vec::new();
    tlv::put(&mut data, 0x8A, &UNABLE_TO_GO_ONLINE);
    with(instruction::CONTINUE, &data)
}

fn transaction(request: &ArmRequest) -> Vec<u8> {
    let digits = |three: [u8; 3]| three.map(|two| bcd::<1>(u64::from(two))[0]);
    let mut out = Vec::new();
    tlv::put(&mut out, 0x9C, &[PURCHASE]);
    tlv::put(&mut out, 0x9F02, &bcd::<6>(request.amount_minor));
    tlv::put(&mut out, 0x9A, &digits(request.local.date));
    tlv::put(&mut out, 0x9F21, &digits(request.local.time));
    tlv::put(&mut out, 0x5F2A, &bcd::<2>(u64::from(request.currency_numeric)));
    out
}

fn with((cla, ins): (u8, u8), inside: &[u8]) -> Command {
    let mut data = Vec::new();
    tlv::put(&mut data, tag::COMMAND, inside);
    Command { cla, ins, p1: 0, p2: 0, data, le: None }
}

/// How a transaction's command ended without its data; the second byte of the status word says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nobody came, or the reader gave up waiting.
    TimedOut,
    /// By the host or at the reader.
    Cancelled,
    /// A card was put into the slot while a tap was waited for.
    Inserted,
    /// A card was swiped while a tap was waited for.
    Swiped,
    /// Not by tapping: insert, or swipe.
    UseAnotherWay,
    /// The chip cannot be used: swipe.
    UseStripe,
    /// Anything else: the read failed.
    Failed,
}

/// What a status word means; `None` for a good one.
pub fn failure(status: u16) -> Option<Failure> {
    let [_, second] = status.to_be_bytes();
    match (status, second) {
        (GOOD, _) => None,
        (_, 0x41) => Some(Failure::Cancelled),
        (_, 0x42) => Some(Failure::TimedOut),
        (_, 0x43) => Some(Failure::Inserted),
        (_, 0x44) => Some(Failure::Swiped),
        (_, 0xC1..=0xC3) => Some(Failure::UseAnotherWay),
        (_, 0x28 | 0x30) => Some(Failure::UseStripe),
        _ => Some(Failure::Failed),
    }
}

/// What is in tag 48: is a chip card in the slot, and is there data of a swipe?
pub fn card_status(value: &[u8]) -> (bool, bool) {
    let bit = |at: usize, bits: u8| value.get(at).is_some_and(|byte| byte & bits == bits);
    (bit(0, 0x03), bit(1, 0x01))
}

/// The value of a tag at the end of a path of templates.
pub fn within<'a>(bytes: &'a [u8], path: &[Tag]) -> Option<&'a [u8]> {
    path.iter().try_fold(bytes, |level, tag| tlv::find(level, *tag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::hex;

    #[test]
    fn a_transaction_is_asked_for_with_the_sdks_tags_in_its_order() {
        let request = ArmRequest::one_for_tests(1);
        let common = "9C0100 9F0206000000012345 9A03261124 9F2103083059 5F2A020978".replace(' ', "");
        let tap = start_contactless(&request);
        assert_eq!((tap.cla, tap.ins, hex(&tap.data)), (0xDE, 0xC1, format!("E01C{common}")));
        let chip = start(&request);
        assert_eq!((chip.cla, chip.ins), (0xDE, 0xD1));
        assert_eq!(hex(&chip.data), format!("E026{common}DFA20401 01DFA2030100").replace(' ', ""));
        assert_eq!(hex(&finish().encode().unwrap()), "DED2000006E0048A025A33");
    }

    #[test]
    fn status_words_are_told_apart_by_their_second_byte() {
        for (status, failed) in [
            (0x9000, None),
            (0x9F41, Some(Failure::Cancelled)),
            (0x9F43, Some(Failure::Inserted)),
            (0x9F44, Some(Failure::Swiped)),
            (0x9FC2, Some(Failure::UseAnotherWay)),
            (0x9F30, Some(Failure::UseStripe)),
            (0x9FCF, Some(Failure::Failed)),
        ] {
            assert_eq!(failure(status), failed, "{status:04X}");
        }
    }

    #[test]
    fn a_card_in_the_slot_and_a_swipe_are_the_sdks_bits() {
        assert_eq!(card_status(&[0x03, 0x02]), (true, false));
        assert_eq!(card_status(&[0x00, 0x07]), (false, true));
        assert_eq!(card_status(&[]), (false, false));
    }
}
