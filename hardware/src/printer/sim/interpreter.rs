//! A printer's understanding of ESC/POS bytes, as a pure machine: one byte in, at most one deed out.
//!
//! Invariant: does no I/O, never panics and never grows beyond [`ROWS_KEPT_MAX`] rows of the printer's columns, whatever
//! the bytes. Commands that it does not know are counted, and their arguments print as text, as on a real printer.
//!
//! Sources: the command names of Epson's "ESC/POS Command Reference for TM Printers", as in [`escpos`].
//!
//! Start at [`render_text`] or [`Interpreter::feed`].

use crate::printer::codepage;
use crate::printer::escpos::{self, PAGE_CP858_EPSON};
use crate::printer::{COLUMNS_MAX, COLUMNS_MIN};

/// Rows kept of one receipt; what comes after is counted only. 400 is a long receipt.
pub const ROWS_KEPT_MAX: usize = 4_096;

const ESC: u8 = 0x1B;
const GS: u8 = 0x1D;

/// The longest run of arguments of a known command (`ESC p`).
const ARGUMENTS_MAX: usize = 3;

/// The code page after `ESC @`: PC437. Its upper half is not drawn here, so a job must select its page.
const PAGE_DEFAULT: u8 = 0;

/// What paper and drawer saw of some bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The rows, top first, centred ones padded at the left; at most [`ROWS_KEPT_MAX`].
    pub rows: Vec<String>,
    /// For each of `rows`, whether any of it is bold.
    pub bold: Vec<bool>,
    /// Rows that the printer broke itself because they were longer than its columns.
    pub wrapped: u32,
    /// Rows printed beyond [`ROWS_KEPT_MAX`].
    pub rows_beyond: u32,
    /// Drawer pulses.
    pub drawer_pulses: u32,
    /// Cuts.
    pub cuts: u32,
    /// Fences that were asked.
    pub fences: u32,
    /// Commands, control characters and characters of an unselected page that were not understood.
    pub unknown: u32,
}

impl Rendered {
    /// The rows as text, each ended by a line feed, without trailing spaces and without empty rows at the end.
    pub fn text(&self) -> String {
        let filled = self.rows.iter().rposition(|row| !row.trim_end().is_empty()).map_or(0, |at| at + 1);
        let mut text = String::new();
        for row in self.rows.iter().take(filled) {
            text.push_str(row.trim_end());
            text.push('\n');
        }
        if self.rows_beyond > 0 {
            text.push_str(&format!("[{} more rows]\n", self.rows_beyond));
        }
        text
    }
}

/// What a byte made the printer do, where others must act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// A row came out.
    Row,
    /// The drawer was kicked.
    Drawer,
    /// The paper was cut.
    Cut,
    /// The fence asks for an answer.
    Fence,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    SelectPage,
    Justify,
    Emphasize,
    Pulse,
    Cut,
    CutFed,
    Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    Escape,
    Group,
    Arguments { command: Command, needed: usize, got: usize },
}

/// The machine. Bytes that end in the middle of a command leave it waiting for the rest.
#[derive(Debug, Clone)]
pub struct Interpreter {
    columns: usize,
    state: State,
    arguments: [u8; ARGUMENTS_MAX],
    page: u8,
    centred: bool,
    bold: bool,
    /// The row in the making; at most `columns` characters.
    line: String,
    line_cells: usize,
    line_bold: bool,
    line_centred: bool,
    paper: Rendered,
}

/// What a printer of so many columns makes of these bytes. An unfinished last row is not shown, as on paper.
pub fn render_text(bytes: &[u8], columns: u16) -> Rendered {
    let mut interpreter = Interpreter::new(columns);
    for &byte in bytes {
        interpreter.feed(byte);
    }
    interpreter.take()
}

impl Interpreter {
    /// A printer just switched on. `columns` is brought into [`COLUMNS_MIN`]..=[`COLUMNS_MAX`].
    pub fn new(columns: u16) -> Interpreter {
        Interpreter {
            columns: usize::from(columns.clamp(COLUMNS_MIN, COLUMNS_MAX)),
            state: State::Text,
            arguments: [0; ARGUMENTS_MAX],
            page: PAGE_DEFAULT,
            centred: false,
            bold: false,
            line: String::new(),
            line_cells: 0,
            line_bold: false,
            line_centred: false,
            paper: Rendered::default(),
        }
    }

    /// Takes away what came out so far, counters included; settings and an unfinished row stay.
    pub fn take(&mut self) -> Rendered {
        std::mem::take(&mut self.paper)
    }

    /// One byte.
    pub fn feed(&mut self, byte: u8) -> Option<Deed> {
        match self.state {
            State::Text => self.text(byte),
            State::Escape => {
                self.state = State::Text;
                self.escape(byte)
            }
            State::Group => {
                self.state = State::Text;
                self.group(byte)
            }
            State::Arguments { command, needed, got } => {
                if let Some(slot) = self.arguments.get_mut(got) {
                    *slot = byte;
                }
                if got + 1 < needed {
                    self.state = State::Arguments { command, needed, got: got + 1 };
                    return None;
                }
                self.state = State::Text;
                self.run(command)
            }
        }
    }

    fn text(&mut self, byte: u8) -> Option<Deed> {
        match byte {
            ESC => self.state = State::Escape,
            GS => self.state = State::Group,
            escpos::LINE_FEED => return Some(self.end_row()),
            b'\r' => {} // ignored while "automatic line feed" is off, which is the default
            0..b' ' | 0x7F => self.count_unknown(),
            b' '.. => return self.character(byte),
        }
        None
    }

    fn character(&mut self, byte: u8) -> Option<Deed> {
        let shown = match codepage::to_char(byte) {
            Some(c) if byte.is_ascii() || self.page == PAGE_CP858_EPSON => c,
            Some(_) | None => {
                self.count_unknown();
                char::REPLACEMENT_CHARACTER
            }
        };
        // A full row leaves only when one more character comes: a line feed right behind it makes no empty row.
        let deed = (self.line_cells == self.columns).then(|| {
            self.paper.wrapped = self.paper.wrapped.saturating_add(1);
            self.end_row()
        });
        if self.line_cells == 0 {
            self.line_centred = self.centred;
        }
        self.line.push(shown);
        self.line_cells += 1;
        self.line_bold |= self.bold;
        deed
    }

    fn escape(&mut self, byte: u8) -> Option<Deed> {
        match byte {
            b'@' => self.initialize(),
            b't' => self.expect(Command::SelectPage, 1),
            b'a' => self.expect(Command::Justify, 1),
            b'E' => self.expect(Command::Emphasize, 1),
            b'p' => self.expect(Command::Pulse, 3),
            ESC => {
                self.count_unknown();
                self.state = State::Escape;
            }
            _ => self.count_unknown(),
        }
        None
    }

    fn group(&mut self, byte: u8) -> Option<Deed> {
        match byte {
            b'V' => self.expect(Command::Cut, 1),
            b'r' => self.expect(Command::Status, 1),
            _ => self.count_unknown(),
        }
        None
    }

    fn run(&mut self, command: Command) -> Option<Deed> {
        let [first, _, _] = self.arguments;
        match (command, first) {
            (Command::SelectPage, page) => self.page = page,
            (Command::Justify, 0 | b'0') => self.centred = false,
            (Command::Justify, 1 | b'1') => self.centred = true,
            (Command::Emphasize, n) => self.bold = n & 1 == 1,
            (Command::Pulse, 0 | 1 | b'0' | b'1') => {
                self.paper.drawer_pulses = self.paper.drawer_pulses.saturating_add(1);
                return Some(Deed::Drawer);
            }
            // Function A cuts where the paper is; function B has a byte more, the feed before the cut.
            (Command::Cut, 65 | 66) => self.expect(Command::CutFed, 1),
            (Command::Cut, 0 | 1 | b'0' | b'1') | (Command::CutFed, _) => {
                self.paper.cuts = self.paper.cuts.saturating_add(1);
                return Some(Deed::Cut);
            }
            (Command::Status, 1 | b'1') => {
                self.paper.fences = self.paper.fences.saturating_add(1);
                return Some(Deed::Fence);
            }
            (Command::Justify | Command::Pulse | Command::Cut | Command::Status, _) => self.count_unknown(),
        }
        None
    }

    fn expect(&mut self, command: Command, needed: usize) {
        self.state = State::Arguments { command, needed, got: 0 };
    }

    fn initialize(&mut self) {
        self.page = PAGE_DEFAULT;
        self.centred = false;
        self.bold = false;
        self.clear_line();
    }

    fn end_row(&mut self) -> Deed {
        if self.paper.rows.len() < ROWS_KEPT_MAX {
            let pad = if self.line_centred { (self.columns - self.line_cells) / 2 } else { 0 };
            self.paper.rows.push(format!("{:pad$}{}", "", self.line));
            self.paper.bold.push(self.line_bold);
        } else {
            self.paper.rows_beyond = self.paper.rows_beyond.saturating_add(1);
        }
        self.clear_line();
        Deed::Row
    }

    fn clear_line(&mut self) {
        self.line.clear();
        self.line_cells = 0;
        self.line_bold = false;
        self.line_centred = false;
    }

    fn count_unknown(&mut self) {
        self.paper.unknown = self.paper.unknown.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(bytes: &[u8], rows: &[&str], unknown: u32) {
        let paper = render_text(bytes, 8);
        let shown: Vec<&str> = paper.rows.iter().map(String::as_str).collect();
        assert_eq!((shown.as_slice(), paper.unknown), (rows, unknown));
    }

    #[test]
    fn text_is_shown_as_a_printer_would() {
        check(b"12345678\n9\n", &["12345678", "9"], 0);
        check(b"123456789\n", &["12345678", "9"], 0);
        check(b"never fed", &["never fe"], 0);
        check(b"\x1ba\x01ab\x1ba\x00c\nd\n", &["  abc", "d"], 0);
        check(b"\x1bt\x13\xd5\n\x1b@\xd5\n", &["€", "\u{FFFD}"], 1);
        check(b"gone\x1b@stays\r\n", &["stays"], 0);
    }

    #[test]
    fn what_is_not_understood_is_counted() {
        check(b"a\0b\x7f\n", &["ab"], 2);
        check(b"\x1bZx\x1d\x28k\n", &["xk"], 2);
        check(b"\x1b\x1b@ok\n", &["ok"], 1);
        check(b"\x1br\n\x1dr\x07\x1bp\x09\x01\x01", &[""], 3);
        check(b"unfinished\n\x1bp\x00", &["unfinish", "ed"], 0);
    }

    #[test]
    fn pulses_cuts_and_fences_are_deeds() {
        let mut interpreter = Interpreter::new(32);
        let deeds: Vec<Deed> =
            b"a\n\x1bp\0\x19\x7d\x1dV\0\x1dVA\0\x1dr\x01".iter().filter_map(|&b| interpreter.feed(b)).collect();
        assert_eq!(deeds, [Deed::Row, Deed::Drawer, Deed::Cut, Deed::Cut, Deed::Fence]);
        let paper = interpreter.take();
        assert_eq!((paper.drawer_pulses, paper.cuts, paper.fences, paper.unknown), (1, 2, 1, 0));
        assert_eq!(interpreter.take(), Rendered::default());
    }

    #[test]
    fn a_roll_full_of_rows_is_counted_and_not_kept() {
        let paper = render_text(&[b'\n'; ROWS_KEPT_MAX + 7], 32);
        assert_eq!((paper.rows.len(), paper.bold.len(), paper.rows_beyond), (ROWS_KEPT_MAX, ROWS_KEPT_MAX, 7));
        assert_eq!(paper.text(), "[7 more rows]\n");
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(
            // Whole commands far more often than chance would bring them.
            parts in proptest::collection::vec(prop_oneof![
                any::<Vec<u8>>(),
                (prop_oneof![Just(ESC), Just(GS)], proptest::sample::select(b"@taEpVr(!".to_vec()), any::<[u8; 3]>())
                    .prop_map(|(lead, name, rest)| [&[lead, name][..], &rest[..]].concat()),
            ], 0..40),
            columns: u16,
        ) {
            let bytes = parts.concat();
            let mut interpreter = Interpreter::new(columns);
            for &byte in &bytes {
                interpreter.feed(byte);
                prop_assert!(interpreter.line_cells <= interpreter.columns);
                prop_assert!(interpreter.line.len() <= usize::from(COLUMNS_MAX) * 3);
            }
            let paper = interpreter.take();
            prop_assert!(paper.rows.len() <= bytes.len() && paper.rows.len() == paper.bold.len());
            prop_assert!(paper.rows.iter().all(|row| row.chars().count() <= usize::from(COLUMNS_MAX)));
        }
    }
}
