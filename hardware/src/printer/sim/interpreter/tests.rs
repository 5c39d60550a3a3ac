//! The interpreter byte by byte.

use super::*;
use crate::printer::profile::Profile;
use proptest::prelude::*;

fn narrow() -> ProfileData {
    ProfileData { columns: 16, dots: 192, double_byte: false, ..Profile::named("generic-58").unwrap().data }
}

#[track_caller]
fn check(bytes: &[u8], rows: &[&str], unknown: u32) {
    let paper = render(bytes, &narrow());
    assert_eq!((paper.texts(), paper.unknown), (rows.iter().map(ToString::to_string).collect(), unknown));
}

#[test]
fn text_is_shown_as_a_printer_would() {
    check(b"1234567890123456\n9\n", &["1234567890123456", "9"], 0);
    check(b"12345678901234567\n", &["1234567890123456", "7"], 0);
    check(b"never fed", &[], 0);
    check(b"\x1ba\x01ab\n\x1ba\x00c\nd\n", &["       ab", "c", "d"], 0);
    check(b"\x1bt\x13\xd5\n\x1b@\xd5\n", &["€", "╒"], 0);
    check(b"\x1bt\x55\xd5\n", &["\u{FFFD}"], 1);
    check(b"gone\x1b@stays\r\0\n", &["stays"], 0);
    check(b"\x1d!\x11123456789\n", &["12345678", "9"], 0);
    let clone = ProfileData { double_byte: true, ..narrow() };
    assert_eq!(render(b"\x1bt\x13\xd5\n", &clone).unknown, 1, "a hanzi's half");
    assert_eq!(render(b"\x1c.\x1bt\x13\xd5\n", &clone).unknown, 0);
}

#[test]
fn what_is_not_understood_is_counted() {
    check(b"a\x01b\x7f\n", &["ab"], 2);
    check(b"\x1bZx\x1d\x29k\n", &["xk"], 2);
    check(b"\x1b\x1b@ok\n", &["ok"], 1);
    check(b"\x1br\n\x1dr\x07\x1bp\x09\x01\x01", &[""], 3);
    check(b"unfinished\n\x1bp\x00", &["unfinished"], 0);
    check(b"\x10\x04\x01\x10\x14\x01\0\x01\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08x\n", &["x"], 0);
}

#[test]
fn pulses_cuts_and_questions_are_deeds() {
    let mut interpreter = Interpreter::new(&narrow());
    let bytes = b"a\n\x1bp\0\x19\x7d\x1dV\0\x1dVB\0\x1dr\x01\x1bv\x1d(H\x06\x00\x30\x30ABCD\x1da\x20";
    let deeds: Vec<Deed> = bytes.iter().filter_map(|&b| interpreter.feed(b)).collect();
    let (cut, fed) = (Deed::Cut(0), Deed::Cut(96));
    let asked = [Deed::Fence, Deed::Fence, Deed::ProcessId(*b"ABCD"), Deed::EnableBusy];
    assert_eq!(deeds, [&[Deed::Paper(30), Deed::Drawer, cut, fed][..], &asked].concat());
    let paper = interpreter.take();
    assert_eq!((paper.drawer_pulses, paper.cuts, paper.dots, paper.unknown), (1, 2, 126, 0));
    assert_eq!(interpreter.take(), Rendered::default());
}

#[test]
fn a_roll_full_of_rows_is_counted_and_not_kept() {
    let kept = crate::printer::sim::paper::ROWS_KEPT_MAX;
    let paper = render(&vec![b'\n'; kept + 7], &narrow());
    assert_eq!((paper.rows.len(), paper.rows_beyond, paper.text()), (kept, 7, "[7 more rows]\n".to_owned()));
}

proptest! {
    #[test]
    fn no_bytes_break_it(
        // Whole commands far more often than chance would bring them.
        parts in proptest::collection::vec(prop_oneof![
            any::<Vec<u8>>(),
            (proptest::sample::select(vec![DLE, ESC, FS, GS]), proptest::sample::select(b"@taE3p7v!Vr(.\x04\x14".to_vec()), any::<[u8; 6]>())
                .prop_map(|(lead, name, rest)| [&[lead, name][..], &rest[..]].concat()),
        ], 0..40),
    ) {
        let bytes = parts.concat();
        let mut interpreter = Interpreter::new(&narrow());
        for &byte in &bytes {
            interpreter.feed(byte);
            prop_assert!(interpreter.line.len() <= 16 && interpreter.symbol.len() <= SYMBOL_BYTES_MAX);
        }
        let paper = interpreter.take();
        prop_assert!(paper.rows.iter().all(|row| row.columns <= 16 || row.text.chars().count() == 1));
    }
}
