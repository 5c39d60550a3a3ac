//! Paper with what came out on it: as rows of text, for tests and files, and as dots, which are drawn when somebody asks
//! for them.
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
    /// Dots that came as such, from the first to the lowest of them.
    raster: Bitmap,
    /// Characters and codes, where they are.
    inked: Vec<Placed>,
    /// Dots across; 0 before the first of them.
    width: u32,
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

/// Ink on the paper, its upper left corner so many dots from the left and from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Placed {
    x: u32,
    y: u32,
    what: Ink,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Ink {
    Row(Vec<Inked>),
    Code { code: Bitmap, module_dots: u8 },
}

/// A character with its looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

    /// Whether nothing is on it.
    pub fn is_blank(&self) -> bool {
        self.rows.iter().all(|row| row.text.is_empty()) && self.qr.is_empty() && self.raster.black().next().is_none()
    }

    /// The paper itself, from the first row to the last feed.
    pub fn picture(&self) -> Bitmap {
        let mut paper = Bitmap::new(self.width, self.dots);
        paper.grow(self.raster.height());
        paper.draw(&self.raster, 0, 0);
        for Placed { x, y, what } in &self.inked {
            match what {
                Ink::Row(line) => draw(&mut paper, line, *x, *y),
                Ink::Code { code, module_dots } => paper.draw(&code.enlarged(u32::from(*module_dots)), *x, *y),
            }
        }
        paper
    }

    /// A row of characters at a width of so many dots; how far it moves the paper.
    pub(super) fn ink(&mut self, line: &[Inked], centred: bool, dots: u32, spacing: u16) -> u32 {
        let columns: usize = line.iter().map(|inked| inked.columns()).sum();
        let room = usize::try_from(dots / u32::from(CELL_DOTS)).unwrap_or(usize::MAX);
        let indent = if centred { room.saturating_sub(columns) / 2 } else { 0 };
        let x = u32::try_from(indent).unwrap_or(0) * u32::from(CELL_DOTS);
        self.place(x, Ink::Row(line.to_vec()), dots);
        let text: String = std::iter::repeat_n(' ', indent).chain(line.iter().map(|inked| inked.c)).collect();
        let bold = line.iter().any(|inked| inked.bold);
        self.keep(PaperRow { text: text.trim_end().to_owned(), bold, columns: indent + columns });
        self.feed(u32::from(spacing) + (u32::from(highest(line)) - 1) * u32::from(GLYPH_DOTS))
    }

    /// A QR code in the middle or at the left; how far it moves the paper.
    pub(super) fn square(&mut self, text: &str, module_dots: u8, centred: bool, dots: u32) -> u32 {
        let Some(code) = qr::code(text) else {
            self.unknown = self.unknown.saturating_add(1);
            return 0;
        };
        let side = code.width().saturating_mul(module_dots.into());
        let x = if centred { dots.saturating_sub(side) / 2 } else { 0 };
        self.place(x, Ink::Code { code, module_dots }, dots);
        self.qr.push(text.to_owned());
        self.keep(PaperRow::default());
        self.feed(side)
    }

    /// Eight dots of the row that is printed next.
    pub(super) fn byte(&mut self, x: u32, byte: u8, dots: u32) {
        self.width = dots;
        if self.raster.width() == 0 {
            self.raster = Bitmap::new(dots, self.dots);
        }
        self.raster.grow(self.dots.saturating_add(1));
        for bit in (0..8).filter(|bit| byte & (0x80 >> bit) != 0) {
            self.raster.set(x + bit, self.dots);
        }
    }

    /// Ink on the row that is printed next; what nobody keeps as a row is not kept as dots either.
    fn place(&mut self, x: u32, what: Ink, dots: u32) {
        self.width = dots;
        if self.rows.len() < ROWS_KEPT_MAX {
            self.inked.push(Placed { x, y: self.dots, what });
        }
    }

    /// Moves the paper.
    pub(super) fn feed(&mut self, dots: u32) -> u32 {
        self.dots = self.dots.saturating_add(dots);
        dots
    }

    pub(super) fn keep(&mut self, row: PaperRow) {
        if self.rows.len() < ROWS_KEPT_MAX {
            self.rows.push(row);
        } else {
            self.rows_beyond = self.rows_beyond.saturating_add(1);
        }
    }
}

/// How many times as high as a plain character the highest is.
fn highest(line: &[Inked]) -> u8 {
    line.iter().map(|inked| inked.high).max().unwrap_or(1)
}

/// Characters stand on one foot, however high each is.
fn draw(paper: &mut Bitmap, line: &[Inked], mut x: u32, y: u32) {
    let high = highest(line);
    for inked in line {
        let glyph = font::draw(inked.c.encode_utf8(&mut [0; 4]));
        let glyph = glyph.scaled(glyph.width() * u32::from(inked.wide), glyph.height() * u32::from(inked.high));
        let down = y.saturating_add(u32::from(high - inked.high) * u32::from(GLYPH_DOTS));
        paper.draw(&glyph, x, down);
        if inked.bold {
            paper.draw(&glyph, x + 1, down);
        }
        x += glyph.width();
    }
}
