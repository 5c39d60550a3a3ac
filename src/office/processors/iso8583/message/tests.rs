//! The codec against bytes written by hand, and against bytes that nobody should send.

use super::super::profile::Profile;
use super::*;
use proptest::prelude::*;
use std::sync::LazyLock;

static ASCII: LazyLock<Profile> = LazyLock::new(|| Profile::load("ascii").unwrap());
static HEX: LazyLock<Profile> = LazyLock::new(|| Profile::load("ascii-hex").unwrap());

fn profile(name: &str) -> &'static Profile {
    if name == "ascii" { &ASCII } else { &HEX }
}

/// An approval with two bitmaps, in parts.
fn approval() -> (Message, Vec<u8>) {
    let mut message = Message::new(Mti(110));
    message.set(4, "000000001235");
    message.set(11, "000042");
    message.set(39, "00");
    message.set(55, [0x91, 0x02, 0xFF, 0x00]);
    message.set(90, "0".repeat(42));
    let mut bytes = b"0110".to_vec();
    bytes.extend([0x90, 0x20, 0, 0, 0x02, 0, 0x02, 0, 0, 0, 0, 0x40, 0, 0, 0, 0]);
    bytes.extend(b"00000000123500004200004\x91\x02\xFF\x00");
    bytes.extend([b'0'; 42]);
    (message, bytes)
}

#[test]
fn a_message_is_its_bytes_and_the_bytes_are_the_message() {
    let profile = profile("ascii");
    let (message, bytes) = approval();
    assert_eq!(profile.encode(&message).unwrap().escape_ascii().to_string(), bytes.escape_ascii().to_string());
    assert_eq!(profile.decode(&bytes).unwrap(), message);
}

#[test]
fn a_bitmap_may_be_hexadecimal_digits() {
    let profile = profile("ascii-hex");
    let mut message = Message::new(Mti(810));
    message.set(39, "00");
    assert_eq!(profile.encode(&message).unwrap(), b"0810000000000200000000");
    assert_eq!(profile.decode(b"0810000000000200000000").unwrap(), message);
    for bad in ["081000000000020000zz00", "0810+000000002000000", "08100000000002"] {
        assert_eq!(profile.decode(bad.as_bytes()).unwrap_err().place, Place::Bitmap, "{bad}");
    }
}

#[test]
fn a_message_that_is_cut_anywhere_is_an_error_that_says_where() {
    let profile = profile("ascii");
    let (_, bytes) = approval();
    for length in 0..bytes.len() {
        let why = profile.decode(&bytes[..length]).unwrap_err();
        let place = match length {
            0..4 => Place::Type,
            4..20 => Place::Bitmap,
            20..32 => Place::Field(4),
            32..38 => Place::Field(11),
            38..40 => Place::Field(39),
            40..47 => Place::Field(55),
            _ => Place::Field(90),
        };
        assert_eq!(why.place, place, "{length}: {why}");
    }
    let more = [bytes.as_slice(), b"0"].concat();
    assert_eq!(profile.decode(&more).unwrap_err().to_string(), "end, byte 89: 1 bytes too many");
}

#[test]
fn oversized_lengths_and_unknown_elements_are_errors() {
    let profile = profile("ascii");
    let with = |map: [u8; 8], rest: &[u8]| [b"0110".as_slice(), &map, rest].concat();
    let cases = [
        (with([0, 0, 0, 0, 0, 0, 0x02, 0], b"999"), "data element 55, byte 12: 999 bytes, the format says b...255"),
        (with([0, 0, 0, 0, 0, 0, 0x02, 0], b"255abc"), "data element 55, byte 12: 255 bytes expected, 3 left"),
        (with([0x40, 0, 0, 0, 0, 0, 0, 0], b"994111"), "data element 2, byte 12: 99 bytes, the format says n..19"),
        (with([0x80, 0, 0, 0, 0, 0, 0, 0], b""), "bitmap, byte 12: 8 bytes expected, 0 left"),
        (
            with([0x80, 0, 0, 0, 0, 0, 0, 0], &[0x80, 0, 0, 0, 0, 0, 0, 0]),
            "data element 65, byte 20: the profile does not know this data element",
        ),
        (with([0x10, 0, 0, 0, 0, 0, 0, 0], b"00000000-100"), "data element 4, byte 12: the content is not n12"),
        (b"01x0\0\0\0\0\0\0\0\0".to_vec(), "message type, byte 0: the content is not n4"),
    ];
    for (bytes, expect) in cases {
        assert_eq!(profile.decode(&bytes).unwrap_err().to_string(), expect);
    }
}

#[test]
fn what_a_format_cannot_hold_is_not_written() {
    let profile = profile("ascii");
    for (field, value) in [(4, "12"), (4, "00000000012x"), (0, "0"), (1, "0"), (65, "0"), (129, "0"), (44, "äöü")] {
        let mut message = Message::new(Mti(100));
        message.set(field, value);
        assert_eq!(profile.encode(&message).unwrap_err().place, Place::Field(field), "{field}");
    }
}

#[test]
fn what_is_in_a_message_is_not_shown() {
    let (message, _) = approval();
    assert_eq!(format!("{message:?}"), "Message { 0110 [4, 11, 39, 55, 90] }");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16_384))]

    #[test]
    fn arbitrary_bytes_are_a_message_or_an_error(
        typed: bool, bits in proptest::collection::vec(0_u32..64, 0..6), second: bool,
        rest in proptest::collection::vec(prop_oneof![any::<u8>(), b'0'..=b'9'], 0..400), hex: bool,
    ) {
        let profile = profile(if hex { "ascii-hex" } else { "ascii" });
        // Half of them get beyond the bitmap.
        let map = bits.iter().fold(u64::from(second) << 63, |map, bit| map | 1 << bit);
        let map = if hex { format!("{map:016X}").into_bytes() } else { map.to_be_bytes().to_vec() };
        let head = if typed { [b"0110".as_slice(), &map].concat() } else { Vec::new() };
        let bytes = [head, rest].concat();
        if let Ok(message) = profile.decode(&bytes) {
            prop_assert_eq!(profile.decode(&profile.encode(&message).unwrap()).unwrap(), message);
        }
    }

    #[test]
    fn a_message_with_bytes_changed_is_a_message_or_an_error(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let profile = profile("ascii");
        let (_, mut bytes) = approval();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(message) = profile.decode(&bytes) {
            prop_assert_eq!(profile.decode(&profile.encode(&message).unwrap()).unwrap(), message);
        }
    }
}
