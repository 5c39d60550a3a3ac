//! One job on its way: how far it is sent, what has been answered, and when the mechanism will be done.

use super::{CHUNK_BUSY, Policy};
use crate::printer::Confirmation;
use crate::printer::escpos::{Encoded, INITIALIZE, LINE_FEED, PROCESS_ID};
use crate::printer::profile::ProfileData;
use std::ops::Range;

/// What a command without a picture may still wait for, bytes.
const FILL_TEXT: usize = 8;

/// Where nothing but the clock tells, the mechanism counts as this slow, per cent of its time.
const OPEN_LOOP_PACE: u64 = 110;

/// The job in hand.
#[derive(Debug)]
pub(super) struct Job {
    stream: Vec<u8>,
    marks: Vec<Mark>,
    /// Where nothing else may be said.
    commands: Vec<Range<usize>>,
    /// Bytes given out.
    sent: usize,
    /// Marks that are behind `sent`.
    passed: usize,
    /// Marks whose fence was answered; those before count too.
    answered: usize,
    /// When the mechanism will have done what was sent.
    free_at: u64,
    /// When it began, or will begin, the piece that was sent last.
    last_begins: u64,
    unclean: bool,
    id: [u8; 4],
    id_seen: bool,
    asks_id: bool,
    armed: bool,
    /// How long the mechanism is taken to need, per cent.
    pace: u64,
}

/// The end of a piece in the stream.
#[derive(Debug, Clone, Copy)]
struct Mark {
    end: usize,
    rows: u16,
    dots: u32,
    /// A question stands at its end.
    fenced: bool,
}

impl Job {
    pub(super) fn new(encoded: &Encoded, unclean: bool, number: u32) -> Job {
        let pieces = encoded.pieces.iter();
        let marks = pieces.map(|p| Mark { end: p.end, rows: p.rows, dots: p.dots, fenced: false }).collect();
        Job {
            stream: encoded.bytes.clone(),
            marks,
            commands: encoded.commands.clone(),
            sent: 0,
            passed: 0,
            answered: 0,
            free_at: 0,
            last_begins: 0,
            unclean,
            id: id_of(number),
            id_seen: false,
            asks_id: false,
            armed: false,
            pace: 100,
        }
    }

    /// Puts the questions in, and before everything what ends an earlier job.
    pub(super) fn arm(&mut self, policy: Policy, fence: &[u8], process_id: bool) {
        if std::mem::replace(&mut self.armed, true) {
            return;
        }
        let fence_each = policy == Policy::Fence;
        if policy == Policy::OpenLoop {
            self.pace = OPEN_LOOP_PACE;
        }
        let mut stream = Vec::with_capacity(self.stream.len() + self.marks.len() * fence.len() + 64);
        if self.unclean {
            // Whatever it waits for, a picture's dots or a command's arguments: nothing and more nothing, then a new row.
            let longest = self.pieces().map(<[u8]>::len).max().unwrap_or(0).max(FILL_TEXT);
            stream.resize(longest, 0);
            stream.push(LINE_FEED);
            stream.extend_from_slice(&INITIALIZE);
        }
        let mut commands = std::mem::take(&mut self.commands).into_iter().peekable();
        let mut from = 0;
        let last = self.marks.len().saturating_sub(1);
        for (at, mark) in self.marks.iter_mut().enumerate() {
            let begin = stream.len();
            stream.extend_from_slice(self.stream.get(from..mark.end).unwrap_or_default());
            while let Some(command) = commands.next_if(|command| command.start < mark.end) {
                self.commands.push(begin + command.start - from..begin + command.end - from);
            }
            from = mark.end;
            if at == last && process_id {
                self.commands.push(stream.len()..stream.len() + PROCESS_ID.len() + self.id.len());
                stream.extend_from_slice(&PROCESS_ID);
                stream.extend_from_slice(&self.id);
                self.asks_id = true;
            }
            mark.fenced = !fence.is_empty() && (at == last || (fence_each && mark.dots > 0));
            if mark.fenced {
                self.commands.push(stream.len()..stream.len() + fence.len());
                stream.extend_from_slice(fence);
            }
            mark.end = stream.len();
        }
        self.stream = stream;
    }

    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.marks.iter().map(|mark| mark.end));
        starts.zip(&self.marks).filter_map(|(from, mark)| self.stream.get(from..mark.end))
    }

    pub(super) fn is_unclean(&self) -> bool {
        self.unclean
    }

    /// What has not been given out.
    pub(super) fn left(&self) -> &[u8] {
        self.stream.get(self.sent..).unwrap_or_default()
    }

    /// The next bytes, at most so many, that end where something else may be said; a command longer than a chunk is given
    /// out in parts.
    pub(super) fn chunk(&self, bytes: usize) -> &[u8] {
        let end = (self.sent + bytes).min(self.stream.len());
        let cut = match self.around(end) {
            Some(command) if command.len() > CHUNK_BUSY => end,
            Some(command) => command.start.max(self.sent),
            None => end,
        };
        self.stream.get(self.sent..cut).unwrap_or_default()
    }

    /// Whether something else may be said now.
    pub(super) fn is_between(&self) -> bool {
        self.around(self.sent).is_none()
    }

    /// The command that this offset is within.
    fn around(&self, at: usize) -> Option<&Range<usize>> {
        let before = self.commands.partition_point(|command| command.start < at);
        self.commands.get(before.checked_sub(1)?).filter(|command| at < command.end)
    }

    /// Whether any byte of the job itself was given out.
    pub(super) fn has_begun(&self) -> bool {
        self.sent > 0
    }

    /// Bytes, and dot lines.
    pub(super) fn size(&self) -> (usize, u32) {
        (self.stream.len(), self.marks.iter().map(|mark| mark.dots).fold(0, u32::saturating_add))
    }

    pub(super) fn rows_sent(&self) -> u16 {
        self.passed.checked_sub(1).and_then(|at| self.marks.get(at)).map_or(0, |mark| mark.rows)
    }

    /// When the mechanism will have done what was sent.
    pub(super) fn done_at(&self) -> u64 {
        self.free_at
    }

    /// So many bytes more were given out.
    pub(super) fn sent(&mut self, now: u64, count: usize, printer: &ProfileData) {
        let now = now + printer.bytes_us(count, printer.baud);
        self.sent = (self.sent + count).min(self.stream.len());
        while let Some(mark) = self.marks.get(self.passed).filter(|mark| mark.end <= self.sent) {
            self.last_begins = self.free_at.max(now);
            self.free_at = self.last_begins + printer.dots_us(mark.dots) * self.pace / 100;
            self.passed += 1;
        }
    }

    /// A fence was answered; `false` if none was owed.
    pub(super) fn fence_answered(&mut self) -> bool {
        let owed = self.marks.iter().take(self.passed).skip(self.answered).position(|mark| mark.fenced);
        match owed {
            Some(ahead) => {
                self.answered += ahead + 1;
                true
            }
            None => false,
        }
    }

    /// The printer has printed the job of this id.
    pub(super) fn printed(&mut self, id: [u8; 4]) {
        self.id_seen |= id == self.id;
    }

    /// What the printer will prove the job by, if it was asked to.
    pub(super) fn proof(&self) -> Option<Confirmation> {
        if self.asks_id {
            Some(Confirmation::ProcessId)
        } else {
            self.marks.last().is_some_and(|mark| mark.fenced).then_some(Confirmation::Fence)
        }
    }

    /// Whether it has.
    pub(super) fn is_proven(&self) -> bool {
        if self.asks_id { self.id_seen } else { self.answered == self.marks.len() }
    }

    /// Bytes that may be given out with at most half of the printer's buffer unanswered. A single piece may be larger: an
    /// idle printer takes it as it comes.
    pub(super) fn window(&self, buffer_bytes: u32) -> usize {
        let half = usize::try_from(buffer_bytes / 2).unwrap_or(usize::MAX);
        let Some(mark) = self.marks.get(self.passed) else { return 0 };
        let end_of = |count: usize| count.checked_sub(1).and_then(|at| self.marks.get(at)).map_or(0, |mark| mark.end);
        let behind = self.marks.get(self.answered..self.passed).unwrap_or_default();
        let held = behind.iter().position(|mark| mark.fenced).map(|ahead| mark.end - end_of(self.answered + ahead));
        // Within a piece that was begun, or the only one, or one that fits.
        if self.sent > self.piece_begin() || held.is_none_or(|held| held <= half) { mark.end - self.sent } else { 0 }
    }

    /// Bytes that may be given out when only the clock tells: a piece begins when the one before is being printed.
    pub(super) fn in_time(&self, now: u64, printer: &ProfileData) -> usize {
        let Some(mark) = self.marks.get(self.passed) else { return 0 };
        let fits = mark.end - self.piece_begin() <= usize::try_from(printer.buffer_bytes / 2).unwrap_or(usize::MAX);
        // One piece ahead if two of them fit, else when the mechanism is done.
        let begins = if fits { self.last_begins } else { self.free_at };
        if self.sent > self.piece_begin() || now >= begins { mark.end - self.sent } else { 0 }
    }

    fn piece_begin(&self) -> usize {
        self.passed.checked_sub(1).and_then(|at| self.marks.get(at)).map_or(0, |mark| mark.end)
    }
}

/// Four characters of 0x20-0x7E that count.
fn id_of(number: u32) -> [u8; 4] {
    let digit = |shift: u32| b'A' + u8::try_from((number >> shift) & 0x0F).unwrap_or(0);
    [digit(12), digit(8), digit(4), digit(0)]
}
