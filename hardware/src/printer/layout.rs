//! A receipt's content to rows of a printer's width. Paper, screen, picture and file show the same rows.
//!
//! Invariant: pure; no row is wider than the paper, and its text is [`printable`] with the pages that it was laid out for.
//!
//! Start at [`layout`].

use super::bitmap::Bitmap;
use super::codepage::{Page, cells, cells_of, printable};

/// The deepest indent that continuations of a row keep, columns.
const INDENT_MAX: usize = 4;

/// The longest text of one QR code, bytes: version 10 at medium correction, 57 dots wide.
pub const QR_BYTES_MAX: usize = 200;

/// One piece of a receipt's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A text at the left and perhaps one at the right edge; either may be empty.
    Line(Line),
    /// A line across.
    Rule,
    /// A QR code; text beyond [`QR_BYTES_MAX`] bytes is cut.
    Qr(String),
    /// A picture, a logo say; cut at the paper's edge.
    Image(Bitmap),
}

/// A row of text before and after it was fitted to the paper.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// At the left, or in the middle.
    pub left: String,
    /// At the right edge: an amount.
    pub right: String,
    /// Bold.
    pub bold: bool,
    /// Twice as high, and twice as wide where it fits.
    pub large: Size,
    /// In the middle; for lines without a right text.
    pub centred: bool,
}

/// How large a row is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Size {
    /// As the printer's font is.
    #[default]
    Normal,
    /// Twice as high.
    Tall,
    /// Twice as high and wide.
    Double,
}

impl Size {
    /// How many columns one column of its text takes.
    pub fn breadth(self) -> usize {
        match self {
            Size::Normal | Size::Tall => 1,
            Size::Double => 2,
        }
    }
}

/// One row of a receipt as it will come out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// Text that fits.
    Text(Line),
    /// A QR code in the middle.
    Qr(String),
    /// A picture in the middle.
    Image(Bitmap),
}

impl Line {
    /// A plain text at the left.
    pub fn plain(text: impl Into<String>) -> Line {
        Line { left: text.into(), ..Line::default() }
    }

    /// The whole row on paper of so many columns, blanks at its end left out.
    pub fn padded(&self, columns: usize) -> String {
        let columns = columns / self.large.breadth();
        let (left, right) = (cells(&self.left), cells(&self.right));
        let text = if self.right.is_empty() {
            let indent = if self.centred { columns.saturating_sub(left) / 2 } else { 0 };
            format!("{:indent$}{}", "", self.left)
        } else {
            let gap = columns.saturating_sub(left + right);
            format!("{}{:gap$}{}", self.left, "", self.right)
        };
        fitting(&text, columns).trim_end().to_owned()
    }

    fn with(&self, left: &str, right: &str, large: Size) -> Row {
        Row::Text(Line { left: left.to_owned(), right: right.to_owned(), large, ..self.clone() })
    }
}

/// The rows of some content on paper of so many columns, one and more, printed with these code pages.
pub fn layout(blocks: &[Block], columns: u16, pages: &[Page]) -> Vec<Row> {
    let columns = usize::from(columns.max(1));
    let mut rows = Vec::with_capacity(blocks.len());
    for block in blocks {
        match block {
            Block::Line(line) => fit(line, columns, pages, &mut rows),
            Block::Rule => rows.push(Row::Text(Line::plain("-".repeat(columns)))),
            Block::Qr(text) => rows.push(Row::Qr(cut(text, QR_BYTES_MAX).to_owned())),
            Block::Image(image) => rows.push(Row::Image(image.clone())),
        }
    }
    rows
}

/// Both texts on one row if they fit, the right one alone on the last row otherwise.
fn fit(line: &Line, columns: usize, pages: &[Page], rows: &mut Vec<Row>) {
    let (left, right) = (printable(&line.left, pages), printable(line.right.trim(), pages));
    let needed = cells(left.trim_end()) + if right.is_empty() { 0 } else { 1 + cells(&right) };
    let large = match line.large {
        Size::Double if needed * 2 > columns => Size::Tall,
        size => size,
    };
    if needed <= columns {
        rows.push(line.with(left.trim_end(), &right, large));
        return;
    }
    let parts = wrapped(&left, columns, line.centred);
    rows.extend(parts.iter().map(|part| line.with(part, "", large)));
    for part in wrapped(&right, columns, true) {
        rows.push(line.with("", &part, large));
    }
}

/// Parts of at most the width, broken at blanks where there are any. Continuations hang one column deeper.
fn wrapped(text: &str, columns: usize, centred: bool) -> Vec<String> {
    let indent = text.chars().take_while(|c| *c == ' ').count().min(INDENT_MAX).min(columns.saturating_sub(2));
    let hang = if centred { 0 } else { (indent + 1).min(columns.saturating_sub(2)) };
    let mut parts = Vec::new();
    let mut part = " ".repeat(indent);
    let mut filled = false;
    for word in text.split_whitespace() {
        let mut word = word;
        while !word.is_empty() {
            let room = columns.saturating_sub(cells(&part) + usize::from(filled));
            if cells(word) > room && filled {
                parts.push(std::mem::replace(&mut part, " ".repeat(hang)));
                filled = false;
                continue;
            }
            // Longer than a row of its own: broken where the row ends. A row of one column takes a wide one all the same.
            let piece = match fitting(word, room.max(1)) {
                "" => word.chars().next().map_or("", |c| word.get(..c.len_utf8()).unwrap_or_default()),
                piece => piece,
            };
            if filled {
                part.push(' ');
            }
            part.push_str(piece);
            filled = true;
            word = word.get(piece.len()..).unwrap_or_default();
        }
    }
    if filled {
        parts.push(part);
    }
    parts
}

/// As much of the beginning as fits into so many columns.
fn fitting(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += cells_of(c);
        if used > columns {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

/// As much of the beginning as fits into so many bytes.
fn cut(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAGES: [Page; 1] = [Page { code: 858, number: 19 }];

    fn pair(left: &str, right: &str) -> Block {
        Block::Line(Line { left: left.into(), right: right.into(), ..Line::default() })
    }

    #[track_caller]
    fn check(block: Block, columns: u16, expected: &[&str]) {
        let rows = layout(&[block], columns, &PAGES);
        let shown: Vec<String> = rows.iter().map(|row| text_of(row, columns)).collect();
        assert_eq!(shown, expected);
    }

    fn text_of(row: &Row, columns: u16) -> String {
        match row {
            Row::Text(line) => line.padded(columns.into()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn amounts_stand_at_the_right_edge() {
        check(pair("Tea", "3,20 €"), 16, &["Tea       3,20 €"]);
        check(pair("A long name of a thing", "3.20"), 16, &["A long name of a", " thing", "            3.20"]);
        check(pair("123456789012", "3.20"), 16, &["123456789012", "            3.20"]);
        check(pair("", "3.20"), 16, &["            3.20"]);
        check(pair("日本茶", "3.20"), 16, &["日本茶      3.20"]);
    }

    #[test]
    fn long_words_are_broken_and_indents_kept() {
        check(pair("abcdefghijklmnopqrst", ""), 8, &["abcdefgh", " ijklmno", " pqrst"]);
        check(pair("  to be or not to be", ""), 8, &["  to be", "   or", "   not", "   to be"]);
        check(pair("日本日本日", ""), 5, &["日本", " 日本", " 日"]);
        check(pair("  ", ""), 8, &[""]);
    }

    #[test]
    fn a_total_is_as_large_as_it_can_be() {
        let total = |right: &str| Line { right: right.into(), bold: true, large: Size::Double, ..Line::plain("TOTAL") };
        check(Block::Line(total("5.00")), 32, &["TOTAL       5.00"]);
        check(Block::Line(total("EUR 12,345.00")), 32, &["TOTAL              EUR 12,345.00"]);
        let rows = layout(&[Block::Line(total("EUR 12,345.00"))], 32, &PAGES);
        assert!(matches!(&rows[..], [Row::Text(Line { large: Size::Tall, .. })]));
    }

    #[test]
    fn what_is_in_the_middle_stays_there() {
        let centred = |text: &str| Block::Line(Line { centred: true, ..Line::plain(text) });
        check(centred("Müller"), 10, &["  Müller"]);
        check(centred("Müller and Sons"), 10, &["Müller and", "   Sons"]);
    }

    proptest! {
        #[test]
        fn no_text_is_wider_than_the_paper(
            lines in proptest::collection::vec((any::<String>(), "[ -~日€]{0,30}", any::<bool>(), 0..3_usize), 0..10),
            columns in 2_u16..=64,
        ) {
            let sizes = [Size::Normal, Size::Tall, Size::Double];
            let blocks: Vec<Block> = lines.iter().map(|(left, right, centred, size)| {
                Block::Line(Line { left: left.clone(), right: right.clone(), bold: false, large: sizes[*size], centred: *centred })
            }).collect();
            for row in layout(&blocks, columns, &PAGES) {
                let Row::Text(line) = &row else { unreachable!() };
                let text = line.padded(columns.into());
                prop_assert!(cells(&text) * line.large.breadth() <= usize::from(columns), "{:?}", text);
                // Nothing is lost by the padding.
                prop_assert!(text.contains(line.left.trim_end()) && text.ends_with(line.right.trim_end()), "{:?}", line);
            }
        }
    }
}
