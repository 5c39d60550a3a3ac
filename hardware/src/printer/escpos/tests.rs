//! The encoder by its bytes, and read back by the simulated printer.

use super::*;
use crate::printer::codepage::{cells, printable};
use crate::printer::layout::{Block, layout};
use crate::printer::profile::Profile;
use crate::printer::sim::{Rendered, render};
use proptest::prelude::*;

fn clone58() -> ProfileData {
    Profile::named("generic-58").unwrap().data
}

fn line(text: &str) -> Line {
    Line::plain(text)
}

fn rendered(blocks: &[Block], printer: &ProfileData) -> Rendered {
    render(&encode(&layout(blocks, printer.columns, &printer.pages), printer, 1_024).bytes, printer)
}

#[test]
fn a_receipt_is_these_bytes() {
    let total = Line { right: "2 €".into(), bold: true, large: Size::Double, ..line("Tee") };
    let job = encode(&[Row::Text(total)], &clone58(), 1_024);
    let expected = b"\x1b@\x1c.\x1bt\x13\x1bE\x01\x1d!\x11Tee          2 \xd5\n\n\n\n\n";
    assert_eq!(job.bytes, expected);
    assert_eq!((job.rows, job.dots()), (1, 54 + 120));
    let mut epson = Profile::named("epson-tm").unwrap().data;
    assert!(encode(&[], &epson, 1_024).bytes.ends_with(b"\x1dVB\x00"));
    assert_eq!((drawer(&epson), fence(&epson)), (&b"\x10\x14\x01\0\x01"[..], &b"\x1dr\x01"[..]));
    epson.drawer = DrawerCommand::Stream;
    assert_eq!(drawer(&epson), b"\x1bp\0\x19\x7d");
}

#[test]
fn heat_pitch_and_busy_line_are_said_where_the_profile_wants_it() {
    let printer = Profile::named("adafruit-58").unwrap().data;
    assert!(encode(&[], &printer, 1_024).bytes.starts_with(b"\x1b@\x1da\x20\x1c.\x1b7\x07\x50\x02\x1b3\x1e"));
}

#[test]
fn each_row_takes_the_page_that_has_it_or_is_drawn() {
    let blocks = ["Größe 1 €", "Чай", "日本 5 €", "Łódź Чай"].map(|text| Block::Line(line(text)));
    let paper = rendered(&blocks, &clone58());
    assert_eq!(paper.texts()[..3], ["Größe 1 €", "Чай", ""]);
    assert_eq!((paper.unknown, paper.wrapped), (0, 0));
    // The third row is dots: what is on the paper is what the font draws.
    let japanese = font::draw("日本 5 €");
    let picture = paper.picture();
    let drawn = japanese.black().all(|(x, y)| picture.get(x, 60 + y));
    assert!(drawn, "the row is not on the paper");
}

#[test]
fn pictures_go_in_strips_and_hold_no_commands() {
    let mut image = Bitmap::new(384, 50);
    // 0x10 0x14 in every row.
    for y in 0..50 {
        for x in [3, 11, 13] {
            image.set(x, y);
        }
    }
    let printer = clone58();
    let job = encode(&[Row::Image(image)], &printer, 128);
    let strips = job.bytes.windows(4).filter(|window| *window == RASTER).count();
    assert_eq!((strips, job.pieces.len()), (25, 27));
    assert!(!job.bytes.windows(2).any(|pair| pair[0] == 0x10 && matches!(pair[1], 4 | 5 | 0x14)));
    let picture = render(&job.bytes, &printer).picture();
    assert!((0..50).all(|y| picture.get(3, y) && picture.get(13, y)));
    // A printer with room takes them in large strips.
    assert_eq!(encode(&[Row::Image(Bitmap::new(384, 50))], &printer, 4_096).pieces.len(), 5);
    // Wider than the paper.
    assert_eq!(render(&encode(&[Row::Image(Bitmap::new(2_000, 3))], &printer, 4_096).bytes, &printer).unknown, 0);
}

#[test]
fn a_square_is_drawn_by_whoever_can() {
    let (native, raster) = (clone58(), Profile::named("adafruit-58").unwrap().data);
    let black = |printer: &ProfileData| rendered(&[Block::Qr("D07-000412".into())], printer).picture().black().count();
    assert_eq!(black(&native), black(&raster));
    assert!(black(&native) > 21 * 21 * 36 / 3);
    assert_eq!(rendered(&[Block::Qr("D07-000412".into())], &native).qr, ["D07-000412"]);
}

fn any_text() -> impl Strategy<Value = String> {
    // Command bytes far more often than chance would bring them.
    let part = prop_oneof![any::<String>(), "[\\x00-\\x1f]{0,6}[a-z€日]{0,9}", "[ -~]{0,90}"];
    proptest::collection::vec(part, 0..4).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_text_breaks_a_column_or_opens_a_drawer(
        lines in proptest::collection::vec((any_text(), any_text(), any::<bool>(), any::<bool>(), 0..3_usize), 0..12),
        which in 0..4_usize,
        qr in any_text(),
    ) {
        let printer = Profile::library()[which].data.clone();
        let sizes = [Size::Normal, Size::Tall, Size::Double];
        let mut blocks: Vec<Block> = lines.into_iter().map(|(left, right, bold, centred, size)| {
            Block::Line(Line { left, right, bold, large: sizes[size], centred })
        }).collect();
        blocks.push(Block::Qr(qr));
        let rows = layout(&blocks, printer.columns, &printer.pages);
        let job = encode(&rows, &printer, 128);
        let paper = render(&job.bytes, &printer);
        prop_assert_eq!((paper.wrapped, paper.unknown, paper.drawer_pulses), (0, 0, 0));
        prop_assert_eq!(usize::from(job.rows), rows.len());
        prop_assert_eq!(paper.dots, job.dots());
        prop_assert_eq!(job.pieces.last().map(|piece| piece.end), Some(job.bytes.len()));
        let printed: Vec<String> = paper.texts();
        for row in &rows {
            let Row::Text(line) = row else { continue };
            let text = line.padded(printer.columns.into());
            prop_assert!(cells(&text) * line.large.breadth() <= usize::from(printer.columns));
            prop_assert_eq!(&printable(&text, &printer.pages), &text);
            if page_of(&text, &printer.pages).is_some() && !text.is_empty() {
                prop_assert!(printed.contains(&text), "{:?} not in {:?}", text, printed);
            }
        }
    }
}
