//! What bytes do to paper: a small interpreter of the commands that [`escpos`](crate::printer::escpos) writes. Any
//! other byte sequence is counted as unknown, never obeyed; memory is bounded by what is printed.

use crate::printer::escpos::char_of;

/// Rows that are remembered at the most.
const MAX_ROWS: usize = 4_000;

/// What came out of a printer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The rows as they stand on the paper, with spaces in front where centred.
    pub rows: Vec<String>,
    /// Which of them are bold.
    pub bold: Vec<bool>,
    /// How often the drawer was opened.
    pub drawer_pulses: u32,
    /// Bytes that were no known command.
    pub unknown: u32,
}

impl Rendered {
    /// The rows as one text.
    pub fn text(&self) -> String {
        self.rows.iter().flat_map(|row| [row.as_str(), "\n"]).collect()
    }
}

/// A state machine over the bytes of a job.
#[derive(Debug)]
pub struct Paper {
    columns: usize,
    pending: Vec<u8>,
    row: String,
    bold: bool,
    row_bold: bool,
    centred: bool,
    done: Rendered,
}

impl Paper {
    /// Blank paper of this width, characters.
    pub fn new(columns: usize) -> Paper {
        Paper {
            columns: columns.max(1),
            pending: Vec::new(),
            row: String::new(),
            bold: false,
            row_bold: false,
            centred: false,
            done: Rendered::default(),
        }
    }

    /// Takes bytes; how many status requests were among them.
    pub fn take(&mut self, bytes: &[u8]) -> u32 {
        let mut asked = 0;
        for byte in bytes {
            self.pending.push(*byte);
            match self.pending.as_slice() {
                [0x1B | 0x1D] | [0x1B, 0x74 | 0x61 | 0x45 | 0x64] | [0x1D, 0x72] => continue,
                [0x1B, 0x70] | [0x1B, 0x70, _] | [0x1B, 0x70, _, _] => continue,
                [0x1B, 0x40] => (self.bold, self.centred) = (false, false),
                [0x1B, 0x74, _] => {}
                [0x1B, 0x61, how] => self.centred = how & 1 == 1,
                [0x1B, 0x45, on] => self.bold = on & 1 == 1,
                [0x1B, 0x64, lines] => (0..*lines).for_each(|_| self.feed()),
                [0x1B, 0x70, _, _, _] => self.done.drawer_pulses = self.done.drawer_pulses.saturating_add(1),
                [0x1D, 0x72, _] => asked += 1,
                [b'\n'] => self.feed(),
                [printable] if *printable >= 0x20 && *printable != 0x7F => self.put(char_of(*printable)),
                _ => self.done.unknown = self.done.unknown.saturating_add(1),
            }
            self.pending.clear();
        }
        asked
    }

    fn put(&mut self, c: char) {
        // A full row goes on in the next one, as in a real printer.
        if self.row.chars().count() >= self.columns {
            self.feed();
        }
        self.row_bold |= self.bold;
        self.row.push(c);
    }

    fn feed(&mut self) {
        let text = std::mem::take(&mut self.row);
        let room = self.columns - text.chars().count().min(self.columns);
        let before = if self.centred && !text.trim().is_empty() { room / 2 } else { 0 };
        if self.done.rows.len() < MAX_ROWS {
            self.done.rows.push(format!("{}{}", " ".repeat(before), text.trim_end()));
            self.done.bold.push(self.row_bold);
        }
        self.row_bold = false;
    }

    /// What is on the paper.
    pub fn tear(mut self) -> Rendered {
        if !self.row.is_empty() {
            self.feed();
        }
        while self.done.rows.last().is_some_and(String::is_empty) {
            self.done.rows.pop();
            self.done.bold.pop();
        }
        self.done
    }
}

/// What `bytes` put on paper of this width.
pub fn render_text(bytes: &[u8], columns: usize) -> Rendered {
    let mut paper = Paper::new(columns);
    paper.take(bytes);
    paper.tear()
}
