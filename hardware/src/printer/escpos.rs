//! Receipts as ESC/POS bytes, without a library. The `escpos` crate (0.20.1) was tried: its drawer command lacks two
//! bytes and eats what follows, its table of page 858 turns every hyphen into a soft one, characters without a byte go out
//! as raw UTF-8, control characters of a product's name go through, and `reset` is another command. What is left, a dozen
//! commands, is simpler than working round it.
//!
//! Sources: Epson's "ESC/POS Command Reference for TM Printers"; each constant names its command there. Commands of
//! clones: the CSN-A2 user manual, which Adafruit's library follows.
//!
//! Invariant: pure, and nothing of a row's text is ever a command: it was made [`printable`](super::codepage::printable)
//! and is written byte by byte through a code page or as dots. A row never wraps: it is cut at the columns.
//!
//! Start at [`encode`].

use super::bitmap::Bitmap;
use super::codepage::page_of;
use super::font;
use super::layout::{Line, Row, Size};
use super::profile::{Cut, DrawerCommand, FenceCommand, ProfileData, QrBy};
use super::qr;
use std::ops::Range;

/// `ESC @`, Initialize printer: clears the line buffer and sets weight, size and code page to their defaults.
pub const INITIALIZE: [u8; 2] = [0x1B, 0x40];

/// `FS .`, Cancel Kanji character mode: clones start in GBK, where bytes above 0x7F are the half of a hanzi.
pub const CANCEL_KANJI: [u8; 2] = [0x1C, 0x2E];

/// `ESC t n`, Select character code table; n follows.
pub const SELECT_PAGE: [u8; 2] = [0x1B, 0x74];

/// `ESC a n`, Select justification, at the beginning of a line only. n: 0 left, 1 centred.
pub const JUSTIFY: [u8; 2] = [0x1B, 0x61];

/// `ESC E n`, Turn emphasized mode on/off; n: 0 off, 1 on.
pub const EMPHASIZE: [u8; 2] = [0x1B, 0x45];

/// `GS ! n`, Select character size: bits 4-6 the width, bits 0-2 the height, each less one.
pub const CHARACTER_SIZE: [u8; 2] = [0x1D, 0x21];

/// `ESC 3 n`, Set line spacing; n follows.
pub const LINE_SPACING: [u8; 2] = [0x1B, 0x33];

/// `ESC 7 n1 n2 n3` (clones), heating: dots at once / 8 - 1, time in 10 us, pause in 10 us.
pub const HEAT: [u8; 2] = [0x1B, 0x37];

/// `LF`, Print and line feed.
pub const LINE_FEED: u8 = 0x0A;

/// `ESC p m t1 t2`, Generate pulse: drawer pin 2, on for 25 × 2 ms = 50 ms, then off for 125 × 2 ms = 250 ms.
pub const DRAWER_PULSE: [u8; 5] = [0x1B, 0x70, 0x00, 0x19, 0x7D];

/// `DLE DC4` function 1, Generate pulse in real-time: drawer pin 2, on and off for 1 × 100 ms.
pub const DRAWER_PULSE_NOW: [u8; 5] = [0x10, 0x14, 0x01, 0x00, 0x01];

/// `GS V m n`, Select cut mode and cut paper, function B: feed to the cutter and n = 0 steps more, cut but for a bridge.
pub const FEED_AND_CUT: [u8; 4] = [0x1D, 0x56, 0x42, 0x00];

/// `GS v 0 m xL xH yL yH`, Print raster bit image: x bytes across, y dots down; m = 0 is one dot for a dot.
pub const RASTER: [u8; 4] = [0x1D, 0x76, 0x30, 0x00];

/// `GS ( k`, QR Code (cn = 49): functions 165 model 2, 167 size, 169 correction level M, 180 store, 181 print.
pub const QR_MODEL_2: [u8; 9] = [0x1D, 0x28, 0x6B, 0x04, 0x00, 0x31, 0x41, 0x32, 0x00];
const QR_SIZE: [u8; 7] = [0x1D, 0x28, 0x6B, 0x03, 0x00, 0x31, 0x43];
const QR_LEVEL_M: [u8; 8] = [0x1D, 0x28, 0x6B, 0x03, 0x00, 0x31, 0x45, 0x31];
const QR_STORE: [u8; 3] = [0x31, 0x50, 0x30];
const QR_PRINT: [u8; 8] = [0x1D, 0x28, 0x6B, 0x03, 0x00, 0x31, 0x51, 0x30];

/// The first two bytes of `GS ( k`; a length of two bytes follows.
pub const SYMBOL: [u8; 3] = [0x1D, 0x28, 0x6B];

/// `GS r n`, Transmit status, n = 1 paper sensor. Queued: answered with one byte 0xx0xxxx when everything before it has
/// been worked off, and not at all while there is no paper. This makes it a fence.
pub const FENCE_GS_R: [u8; 3] = [0x1D, 0x72, 0x01];

/// `ESC v` (clones), Transmit paper sensor status: one byte, bit 2 set without paper. Queued too.
pub const FENCE_ESC_V: [u8; 2] = [0x1B, 0x76];

/// `GS a n`, Enable/disable Automatic Status Back; n: bits 1 online, 2 error, 3 paper.
pub const AUTOMATIC_STATUS: [u8; 3] = [0x1D, 0x61, 0x0E];

/// `GS ( H` function 48, Set process ID response: four bytes 0x20-0x7E follow and come back, between 37 22 and 00, when
/// the printing before has been completed.
pub const PROCESS_ID: [u8; 7] = [0x1D, 0x28, 0x48, 0x06, 0x00, 0x30, 0x30];

/// `DLE DC4` function 8, Clear buffer(s) in real-time; answered with [`CLEARED`].
pub const CLEAR_NOW: [u8; 10] = [0x10, 0x14, 0x08, 0x01, 0x03, 0x14, 0x01, 0x06, 0x02, 0x08];

/// The answer to [`CLEAR_NOW`].
pub const CLEARED: [u8; 3] = [0x37, 0x25, 0x00];

/// `DLE EOT n`, Transmit real-time status; n follows: 1 printer, 2 offline cause, 3 error cause, 4 paper.
pub const STATUS_NOW: [u8; 2] = [0x10, 0x04];

/// Dot rows of a picture that are sent under one header, so that a lost byte costs one strip.
pub const STRIP_ROWS_MAX: u32 = 24;

/// Dots of one module of a QR code on paper: 0.75 mm.
pub const QR_MODULE_DOTS: u8 = 6;

/// A job's bytes, in pieces that are never parted by another command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encoded {
    /// Everything from `ESC @` to the cut.
    pub bytes: Vec<u8>,
    /// In order; the last one ends with the bytes.
    pub pieces: Vec<Piece>,
    /// Commands with their arguments and data, in order: within one of them nothing else may be said, since it would be
    /// taken for a part of it.
    pub commands: Vec<Range<usize>>,
    /// Rows of the receipt.
    pub rows: u16,
}

/// A part of a job between which other commands may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// The offset behind it.
    pub end: usize,
    /// Rows that are complete with it.
    pub rows: u16,
    /// Dot lines by which it moves the paper.
    pub dots: u32,
}

impl Encoded {
    /// Dot lines by which the whole job moves the paper.
    pub fn dots(&self) -> u32 {
        self.pieces.iter().map(|piece| piece.dots).fold(0, u32::saturating_add)
    }

    fn piece(&mut self, dots: u32) {
        self.pieces.push(Piece { end: self.bytes.len(), rows: self.rows, dots });
    }

    fn say(&mut self, command: &[u8], arguments: &[u8]) {
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(command);
        self.bytes.extend_from_slice(arguments);
        self.commands.push(begin..self.bytes.len());
    }

    /// What was written since the last command belongs to it.
    fn belongs(&mut self) {
        let end = self.bytes.len();
        if let Some(last) = self.commands.last_mut() {
            last.end = end;
        }
    }
}

/// The bytes of a receipt for a printer. Pictures go in strips of at most `strip_bytes`, one dot row at least.
pub fn encode(rows: &[Row], printer: &ProfileData, strip_bytes: u32) -> Encoded {
    let mut job = Encoded::default();
    start(&mut job, printer);
    for row in rows {
        match row {
            Row::Text(line) => text(&mut job, line, printer, strip_bytes),
            Row::Image(image) => picture(&mut job, &centred(image, printer), printer, strip_bytes),
            Row::Qr(text) => square(&mut job, text, printer, strip_bytes),
        }
    }
    match printer.cut {
        Cut::Cut => job.say(&FEED_AND_CUT, &[]),
        // By line feeds: old firmware of 58 mm clones mishandles `ESC d n`.
        Cut::Tear => {
            let lines = printer.feed_dots().div_ceil(printer.line_dots.into());
            job.bytes.extend((0..lines).map(|_| LINE_FEED));
        }
    }
    job.piece(match printer.cut {
        Cut::Cut => printer.feed_dots(),
        Cut::Tear => printer.feed_dots().next_multiple_of(printer.line_dots.into()),
    });
    job
}

/// What opens the drawer on the printer's port; nothing if there is none.
pub fn drawer(printer: &ProfileData) -> &'static [u8] {
    match printer.drawer {
        DrawerCommand::None => &[],
        DrawerCommand::Stream => &DRAWER_PULSE,
        DrawerCommand::RealTime => &DRAWER_PULSE_NOW,
    }
}

/// The question that is answered once everything before has been worked off; nothing if there is none.
pub fn fence(printer: &ProfileData) -> &'static [u8] {
    match printer.fence {
        FenceCommand::None => &[],
        FenceCommand::GsR => &FENCE_GS_R,
        FenceCommand::EscV => &FENCE_ESC_V,
    }
}

fn start(job: &mut Encoded, printer: &ProfileData) {
    job.say(&INITIALIZE, &[]);
    job.say(&printer.busy_enable, &[]);
    if printer.automatic_status {
        job.say(&AUTOMATIC_STATUS, &[]);
    }
    if printer.double_byte {
        job.say(&CANCEL_KANJI, &[]);
    }
    if let Some(heat) = printer.heat {
        let byte = |value: u16| u8::try_from(value).unwrap_or(u8::MAX);
        job.say(&HEAT, &[byte((heat.dots / 8).saturating_sub(1)), byte(heat.time_us / 10), byte(heat.gap_us / 10)]);
    }
    if let Some(pitch) = printer.line_pitch {
        job.say(&LINE_SPACING, &[pitch]);
    }
    job.piece(0);
}

/// Page, weight and size are said anew for each row, so that one lost byte spoils one row and not the rest.
fn text(job: &mut Encoded, line: &Line, printer: &ProfileData, strip_bytes: u32) {
    let text = line.padded(printer.columns.into());
    let Some(page) = page_of(&text, &printer.pages) else {
        return picture(job, &drawn(&text, line), printer, strip_bytes);
    };
    let (size, lines) = match line.large {
        _ if text.is_empty() => (0x00, 1),
        Size::Normal => (0x00, 1),
        Size::Tall => (0x01, 2),
        Size::Double => (0x11, 2),
    };
    job.say(&SELECT_PAGE, &[page.number]);
    job.say(&EMPHASIZE, &[u8::from(line.bold)]);
    job.say(&CHARACTER_SIZE, &[size]);
    job.bytes.extend(text.chars().filter_map(|c| page.to_byte(c)));
    job.bytes.push(LINE_FEED);
    job.rows = job.rows.saturating_add(1);
    // A tall row is as high as its glyphs and the gap of a normal one.
    job.piece(u32::from(printer.line_dots) + (lines - 1) * u32::from(font::GLYPH_DOTS));
}

/// A row that no code page has, as dots.
fn drawn(text: &str, line: &Line) -> Bitmap {
    let row = font::draw(text);
    match line.large {
        Size::Normal => row,
        Size::Tall => row.scaled(row.width(), row.height() * 2),
        Size::Double => row.enlarged(2),
    }
}

fn square(job: &mut Encoded, text: &str, printer: &ProfileData, strip_bytes: u32) {
    let Some(code) = qr::code(text) else {
        job.rows = job.rows.saturating_add(1);
        return;
    };
    if printer.qr == QrBy::Raster {
        return picture(job, &centred(&code.enlarged(QR_MODULE_DOTS.into()), printer), printer, strip_bytes);
    }
    let length = u16::try_from(text.len() + QR_STORE.len()).unwrap_or(u16::MAX).to_le_bytes();
    job.say(&JUSTIFY, &[1]);
    job.say(&QR_MODEL_2, &[]);
    job.say(&QR_SIZE, &[QR_MODULE_DOTS]);
    job.say(&QR_LEVEL_M, &[]);
    job.say(&SYMBOL, &length);
    job.bytes.extend(QR_STORE.iter().chain(text.as_bytes()));
    job.belongs();
    job.say(&QR_PRINT, &[]);
    job.say(&JUSTIFY, &[0]);
    job.rows = job.rows.saturating_add(1);
    job.piece(code.height() * u32::from(QR_MODULE_DOTS));
}

/// With as much white before it as puts it in the middle: clones do not justify pictures.
fn centred(image: &Bitmap, printer: &ProfileData) -> Bitmap {
    let margin = u32::from(printer.dots).saturating_sub(image.width()) / 2;
    let mut placed = Bitmap::new(margin + image.width(), image.height());
    placed.draw(image, margin, 0);
    placed
}

/// Dots in strips, cut at the paper's right edge and padded to whole bytes.
fn picture(job: &mut Encoded, image: &Bitmap, printer: &ProfileData, strip_bytes: u32) {
    job.rows = job.rows.saturating_add(1);
    let across = image.stride().min(usize::from(printer.dots / 8));
    if across == 0 {
        return;
    }
    let fit = strip_bytes / u32::try_from(across).unwrap_or(u32::MAX);
    let height = fit.clamp(1, STRIP_ROWS_MAX);
    let mut top = 0;
    while top < image.height() {
        let rows = height.min(image.height() - top);
        let sizes = [u16::try_from(across).unwrap_or(u16::MAX), u16::try_from(rows).unwrap_or(u16::MAX)];
        job.say(&RASTER, &[]);
        job.bytes.extend(sizes.into_iter().flat_map(u16::to_le_bytes));
        let begin = job.bytes.len();
        for y in top..top + rows {
            job.bytes.extend(image.row(y).iter().take(across));
        }
        if let Some(dots) = job.bytes.get_mut(begin..) {
            defuse(dots);
        }
        job.belongs();
        job.piece(rows);
        top += rows;
    }
}

/// Printers obey real-time commands even among dots: such pairs lose their shape by one dot more.
fn defuse(dots: &mut [u8]) {
    const DLE: u8 = 0x10;
    for at in 1..dots.len() {
        let second = dots.get(at).copied().unwrap_or(0);
        if let (Some(first @ &mut DLE), 0x04 | 0x05 | 0x14) = (dots.get_mut(at - 1), second) {
            *first |= 0x01;
        }
    }
}

#[cfg(test)]
mod tests;
