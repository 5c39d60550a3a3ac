//! Paper with what came out on it: as rows of text, for tests and files, and as dots.
//!
//! Invariant: never grows beyond [`ROWS_KEPT_MAX`] rows and [`SIDE_MAX`](crate::printer::bitmap::SIDE_MAX) dot lines.

use crate::printer::bitmap::Bitmap;
use crate::printer::codepage::cells_of;
use crate::printer::font::{self, CELL_DOTS, GLYPH_DOTS};
use crate::printer::qr;

/// Rows kept of one receipt; what comes after is counted only. 400 is a long receipt.
pub const ROWS_KEPT_MAX: usize = 4_096;

/// What paper and drawer saw of some bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The rows of text, top first; pictures and codes have an empty one.
    pub rows: Vec<PaperRow>,
    /// The paper itself, from the first row to the last feed.
    pub paper: Bitmap,
    /// Dot lines by which it was moved.
    pub dots: u32,
    /// Rows that the printer broke itself because they were longer than its columns.
    pub wrapped: u32,
    /// Rows printed beyond [`ROWS_KEPT_MAX`].
    pub rows_beyond: u32,
    /// Drawer pulses.
    pub drawer_pulses: u32,
    /// Cuts.
    pub cuts: u32,
    /// Texts of the QR codes.
    pub qr: Vec<String>,
    /// Commands, control characters and characters of a page that the printer has not, none of them understood.
    pub unknown: u32,
}

/// One row of text on paper.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaperRow {
    /// From the left edge, blanks at the end left out.
    pub text: String,
    /// Any of it bold.
    pub bold: bool,
    /// Columns that it takes; larger characters take more.
    pub columns: usize,
}

/// A character with its looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inked {
    pub(super) c: char,
    pub(super) bold: bool,
    /// Times as wide and as high, 1 to 8.
    pub(super) wide: u8,
    pub(super) high: u8,
}

impl Inked {
    /// Columns that it takes.
    pub(super) fn columns(self) -> usize {
        cells_of(self.c).max(1) * usize::from(self.wide)
    }
}

impl Rendered {
    /// The texts of the rows.
    pub fn texts(&self) -> Vec<String> {
        self.rows.iter().map(|row| row.text.clone()).collect()
    }

    /// The rows as text, each ended by a line feed, without empty rows at the end.
    pub fn text(&self) -> String {
        let filled = self.rows.iter().rposition(|row| !row.text.is_empty()).map_or(0, |at| at + 1);
        let mut text = String::new();
        for row in self.rows.iter().take(filled) {
            text.push_str(&row.text);
            text.push('\n');
        }
        if self.rows_beyond > 0 {
            text.push_str(&format!("[{} more rows]\n", self.rows_beyond));
        }
        text
    }

    /// Whether anything is on it.
    pub fn is_blank(&self) -> bool {
        self.rows.iter().all(|row| row.text.is_empty()) && self.paper.black().next().is_none()
    }

    /// A row of characters at a width of so many dots; how far it moves the paper.
    pub(super) fn ink(&mut self, line: &[Inked], centred: bool, dots: u32, spacing: u16) -> u32 {
        let columns: usize = line.iter().map(|inked| inked.columns()).sum();
        let room = usize::try_from(dots / u32::from(CELL_DOTS)).unwrap_or(usize::MAX);
        let indent = if centred { room.saturating_sub(columns) / 2 } else { 0 };
        let high = line.iter().map(|inked| inked.high).max().unwrap_or(1);
        let top = self.dots;
        let moved = self.feed(u32::from(spacing) + (u32::from(high) - 1) * u32::from(GLYPH_DOTS));
        self.widen(dots);
        let mut x = u32::try_from(indent).unwrap_or(0) * u32::from(CELL_DOTS);
        for inked in line {
            let glyph = font::draw(inked.c.encode_utf8(&mut [0; 4]));
            let glyph = glyph.scaled(glyph.width() * u32::from(inked.wide), glyph.height() * u32::from(inked.high));
            let down = top + u32::from(high - inked.high) * u32::from(GLYPH_DOTS);
            self.paper.draw(&glyph, x, down);
            if inked.bold {
                self.paper.draw(&glyph, x + 1, down);
            }
            x += glyph.width();
        }
        let text: String = std::iter::repeat_n(' ', indent).chain(line.iter().map(|inked| inked.c)).collect();
        let bold = line.iter().any(|inked| inked.bold);
        self.keep(PaperRow { text: text.trim_end().to_owned(), bold, columns: indent + columns });
        moved
    }

    /// A QR code in the middle or at the left; how far it moves the paper.
    pub(super) fn square(&mut self, text: &str, module_dots: u8, centred: bool, dots: u32) -> u32 {
        let Some(code) = qr::code(text) else {
            self.unknown = self.unknown.saturating_add(1);
            return 0;
        };
        let image = code.enlarged(module_dots.into());
        let top = self.dots;
        let moved = self.feed(image.height());
        self.widen(dots);
        let x = if centred { dots.saturating_sub(image.width()) / 2 } else { 0 };
        self.paper.draw(&image, x, top);
        self.qr.push(text.to_owned());
        self.keep(PaperRow::default());
        moved
    }

    /// Eight dots of the row that is printed next.
    pub(super) fn byte(&mut self, x: u32, byte: u8, dots: u32) {
        self.widen(dots);
        self.paper.grow(self.dots.saturating_add(1));
        for bit in (0..8).filter(|bit| byte & (0x80 >> bit) != 0) {
            self.paper.set(x + bit, self.dots);
        }
    }

    /// Moves the paper.
    pub(super) fn feed(&mut self, dots: u32) -> u32 {
        self.dots = self.dots.saturating_add(dots);
        self.paper.grow(self.dots);
        dots
    }

    pub(super) fn keep(&mut self, row: PaperRow) {
        if self.rows.len() < ROWS_KEPT_MAX {
            self.rows.push(row);
        } else {
            self.rows_beyond = self.rows_beyond.saturating_add(1);
        }
    }

    /// The paper gets its width with the first dots on it.
    fn widen(&mut self, dots: u32) {
        if self.paper.width() == 0 {
            self.paper = Bitmap::new(dots, self.dots);
        }
    }
}
