//! A printer's understanding of ESC/POS bytes, as a pure machine: one byte in, at most one deed out.
//!
//! Invariant: does no I/O, never panics and keeps no more than [`Rendered`] does, whatever the bytes. Commands that it does
//! not know are counted, and their arguments print as text, as on a real printer.
//!
//! Sources: the command names of Epson's "ESC/POS Command Reference for TM Printers", as in
//! [`escpos`](crate::printer::escpos).
//!
//! Start at [`render`] or [`Interpreter::feed`].

use super::paper::{Inked, PaperRow, Rendered};
use crate::printer::escpos::LINE_FEED;
use crate::printer::profile::ProfileData;

const DLE: u8 = 0x10;
const ESC: u8 = 0x1B;
const FS: u8 = 0x1C;
const GS: u8 = 0x1D;

/// Line spacing after `ESC @`, dots (3.75 mm).
const SPACING: u16 = 30;

/// Bytes kept of one symbol's data.
const SYMBOL_BYTES_MAX: usize = 1_024;

/// What a byte made the printer do, where others must act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// The paper moves by so many dot lines.
    Paper(u32),
    /// The drawer is kicked.
    Drawer,
    /// The paper moves and is cut.
    Cut(u32),
    /// A new job begins.
    Initialize,
    /// The fence asks for an answer.
    Fence,
    /// Drives its busy line from now on.
    EnableBusy,
    /// Tells by itself when its state changes, or no more.
    Automatic(bool),
    /// Tells when everything before is on paper.
    ProcessId([u8; 4]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Initialize,
    SelectPage,
    Justify,
    Emphasize,
    CharacterSize,
    Spacing,
    DefaultSpacing,
    Pulse,
    Heat,
    AskPaper,
    Cut,
    CutFed,
    Status,
    Automatic,
    Raster,
    Function,
    CancelKanji,
    RealTime,
    RealTimeFunction,
    RealTimeRest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    Lead(u8),
    Arguments {
        command: Command,
        needed: usize,
    },
    /// Dots of a picture: bytes across, the next byte's place, dot rows left.
    Dots {
        across: u32,
        at: u32,
        rows: u32,
    },
    /// The data of `GS (` with this letter.
    Data {
        letter: u8,
        left: usize,
    },
}

/// The machine. Bytes that end in the middle of a command leave it waiting for the rest.
#[derive(Debug, Clone)]
pub struct Interpreter {
    printer: ProfileData,
    state: State,
    arguments: Vec<u8>,
    page: u8,
    kanji: bool,
    centred: bool,
    bold: bool,
    wide: u8,
    high: u8,
    spacing: u16,
    module_dots: u8,
    symbol: Vec<u8>,
    /// What the next QR code says.
    stored: Vec<u8>,
    /// The row in the making; at most the paper's columns.
    line: Vec<Inked>,
    paper: Rendered,
}

/// What a printer makes of these bytes. An unfinished last row is not shown, as on paper.
pub fn render(bytes: &[u8], printer: &ProfileData) -> Rendered {
    let mut interpreter = Interpreter::new(printer);
    for &byte in bytes {
        interpreter.feed(byte);
    }
    interpreter.take()
}

impl Interpreter {
    /// A printer just switched on.
    pub fn new(printer: &ProfileData) -> Interpreter {
        Interpreter {
            printer: printer.clone(),
            state: State::Text,
            arguments: Vec::new(),
            page: 0,
            kanji: printer.double_byte,
            centred: false,
            bold: false,
            wide: 1,
            high: 1,
            spacing: SPACING,
            module_dots: 3,
            symbol: Vec::new(),
            stored: Vec::new(),
            line: Vec::new(),
            paper: Rendered::default(),
        }
    }

    /// Takes away what came out so far, counters included; settings and an unfinished row stay.
    pub fn take(&mut self) -> Rendered {
        std::mem::take(&mut self.paper)
    }

    /// Puts paper back that another one had begun.
    pub(super) fn keep(&mut self, paper: Rendered) {
        self.paper = paper;
    }

    /// What came out so far.
    pub fn paper(&self) -> &Rendered {
        &self.paper
    }

    /// One byte.
    pub fn feed(&mut self, byte: u8) -> Option<Deed> {
        match self.state {
            State::Text => self.text(byte),
            State::Lead(lead) => {
                self.state = State::Text;
                self.lead(lead, byte)
            }
            State::Arguments { command, needed } => {
                self.arguments.push(byte);
                if self.arguments.len() < needed {
                    return None;
                }
                self.state = State::Text;
                self.run(command)
            }
            State::Dots { across, at, rows } => {
                self.paper.byte(at * 8, byte, self.printer.dots.into());
                if at + 1 < across {
                    self.state = State::Dots { across, at: at + 1, rows };
                    return None;
                }
                self.state = if rows > 1 { State::Dots { across, at: 0, rows: rows - 1 } } else { State::Text };
                if rows == 1 {
                    self.paper.keep(PaperRow::default());
                }
                Some(Deed::Paper(self.paper.feed(1)))
            }
            State::Data { letter, left } => {
                if self.symbol.len() < SYMBOL_BYTES_MAX {
                    self.symbol.push(byte);
                }
                if left > 1 {
                    self.state = State::Data { letter, left: left - 1 };
                    return None;
                }
                self.state = State::Text;
                self.function(letter)
            }
        }
    }

    fn text(&mut self, byte: u8) -> Option<Deed> {
        match byte {
            DLE | ESC | FS | GS => self.state = State::Lead(byte),
            LINE_FEED => return Some(self.end_row()),
            // Ignored while "automatic line feed" is off, which is the default; NUL is what recovery fills with.
            b'\r' | 0 => {}
            1..b' ' | 0x7F => self.count_unknown(),
            b' '.. => return self.character(byte),
        }
        None
    }

    fn character(&mut self, byte: u8) -> Option<Deed> {
        let page = self.printer.pages.iter().find(|page| page.number == self.page);
        let shown = match page.and_then(|page| page.to_char(byte)) {
            Some(c) if byte.is_ascii() || !self.kanji => c,
            None if byte.is_ascii() => char::from(byte),
            Some(_) | None => {
                self.count_unknown();
                char::REPLACEMENT_CHARACTER
            }
        };
        let inked = Inked { c: shown, bold: self.bold, wide: self.wide, high: self.high };
        let used: usize = self.line.iter().map(|inked| inked.columns()).sum();
        // A full row leaves only when one more character comes: a line feed right behind it makes no empty row.
        let deed = (used + inked.columns() > usize::from(self.printer.columns) && used > 0).then(|| {
            self.paper.wrapped = self.paper.wrapped.saturating_add(1);
            self.end_row()
        });
        self.line.push(inked);
        deed
    }

    fn lead(&mut self, lead: u8, byte: u8) -> Option<Deed> {
        let (command, needed) = match (lead, byte) {
            (ESC, b'@') => (Command::Initialize, 0),
            (ESC, b't') => (Command::SelectPage, 1),
            (ESC, b'a') => (Command::Justify, 1),
            (ESC, b'E') => (Command::Emphasize, 1),
            (ESC, b'3') => (Command::Spacing, 1),
            (ESC, b'2') => (Command::DefaultSpacing, 0),
            (ESC, b'p') => (Command::Pulse, 3),
            (ESC, b'7') => (Command::Heat, 3),
            (ESC, b'v') => (Command::AskPaper, 0),
            (GS, b'!') => (Command::CharacterSize, 1),
            (GS, b'V') => (Command::Cut, 1),
            (GS, b'r') => (Command::Status, 1),
            (GS, b'a') => (Command::Automatic, 1),
            (GS, b'v') => (Command::Raster, 6),
            (GS, b'(') => (Command::Function, 3),
            (FS, b'.') => (Command::CancelKanji, 0),
            (DLE, 0x04 | 0x05) => (Command::RealTime, 1),
            (DLE, 0x14) => (Command::RealTimeFunction, 1),
            (_, DLE | ESC | FS | GS) => {
                self.count_unknown();
                self.state = State::Lead(byte);
                return None;
            }
            _ => {
                self.count_unknown();
                return None;
            }
        };
        self.expect(command, needed)
    }

    fn expect(&mut self, command: Command, needed: usize) -> Option<Deed> {
        self.arguments.clear();
        if needed == 0 {
            return self.run(command);
        }
        self.state = State::Arguments { command, needed };
        None
    }

    fn run(&mut self, command: Command) -> Option<Deed> {
        let of = |at: usize| self.arguments.get(at).copied().unwrap_or(0);
        let (first, pair) = (of(0), |at: usize| u32::from(of(at)) | u32::from(of(at + 1)) << 8);
        match (command, first) {
            (Command::Initialize, _) => {
                self.initialize();
                return Some(Deed::Initialize);
            }
            (Command::SelectPage, page) => self.page = page,
            (Command::Justify, 0 | b'0') => self.centred = false,
            (Command::Justify, 1 | b'1') => self.centred = true,
            (Command::Emphasize, n) => self.bold = n & 1 == 1,
            (Command::CharacterSize, n) if n & 0x88 == 0 => (self.wide, self.high) = ((n >> 4) + 1, (n & 7) + 1),
            (Command::Spacing, n) => self.spacing = n.into(),
            (Command::DefaultSpacing, _) => self.spacing = SPACING,
            (Command::Pulse, 0 | 1 | b'0' | b'1') => {
                self.paper.drawer_pulses = self.paper.drawer_pulses.saturating_add(1);
                return Some(Deed::Drawer);
            }
            // Function A cuts where the paper is; function B has a byte more, the feed before the cut.
            (Command::Cut, 65 | 66) => return self.expect(Command::CutFed, 1),
            (Command::Cut, 0 | 1 | b'0' | b'1') | (Command::CutFed, _) => {
                self.paper.cuts = self.paper.cuts.saturating_add(1);
                let fed = if command == Command::CutFed { self.printer.feed_dots() } else { 0 };
                return Some(Deed::Cut(self.paper.feed(fed)));
            }
            (Command::Status, 1 | b'1') | (Command::AskPaper, _) => return Some(Deed::Fence),
            // A clone's bit for the busy line.
            (Command::Automatic, n) if n & 0x20 != 0 => return Some(Deed::EnableBusy),
            (Command::Automatic, n) => return Some(Deed::Automatic(n & 0x0E != 0)),
            (Command::Raster, b'0') if pair(2) > 0 && pair(4) > 0 => {
                self.state = State::Dots { across: pair(2), at: 0, rows: pair(4) };
            }
            (Command::Function, letter) if pair(1) > 0 => {
                self.state = State::Data { letter, left: usize::try_from(pair(1)).unwrap_or(usize::MAX) };
                self.symbol.clear();
            }
            (Command::CancelKanji, _) => self.kanji = false,
            // Obeyed when they came in.
            (Command::RealTimeFunction, 1 | 2) => return self.expect(Command::RealTimeRest, 2),
            (Command::RealTimeFunction, 8) => return self.expect(Command::RealTimeRest, 7),
            (Command::Heat | Command::RealTime | Command::RealTimeRest, _) => {}
            (
                Command::Justify
                | Command::CharacterSize
                | Command::Pulse
                | Command::Cut
                | Command::Status
                | Command::Raster
                | Command::Function
                | Command::RealTimeFunction,
                _,
            ) => self.count_unknown(),
        }
        None
    }

    /// `GS ( k` for QR codes, `GS ( H` for process ids.
    fn function(&mut self, letter: u8) -> Option<Deed> {
        let data = std::mem::take(&mut self.symbol);
        match (letter, data.as_slice()) {
            (b'k', [49, 65, 50, 0] | [49, 69, _]) => {}
            (b'k', [49, 67, dots @ 1..=16]) => self.module_dots = *dots,
            (b'k', [49, 80, 48, text @ ..]) => self.stored = text.to_vec(),
            (b'k', [49, 81, 48]) => {
                let text = String::from_utf8_lossy(&std::mem::take(&mut self.stored)).into_owned();
                let dots = self.paper.square(&text, self.module_dots, self.centred, self.printer.dots.into());
                return Some(Deed::Paper(dots));
            }
            (b'H', &[48, 48, a, b, c, d]) => return Some(Deed::ProcessId([a, b, c, d])),
            _ => self.count_unknown(),
        }
        None
    }

    fn initialize(&mut self) {
        self.page = 0;
        self.centred = false;
        self.bold = false;
        (self.wide, self.high) = (1, 1);
        self.spacing = SPACING;
        self.line.clear();
    }

    fn end_row(&mut self) -> Deed {
        let line = std::mem::take(&mut self.line);
        Deed::Paper(self.paper.ink(&line, self.centred, self.printer.dots.into(), self.spacing))
    }

    fn count_unknown(&mut self) {
        self.paper.unknown = self.paper.unknown.saturating_add(1);
    }
}

#[cfg(test)]
mod tests;
