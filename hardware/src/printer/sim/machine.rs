//! The printer as physics: bytes come in by the baud rate, wait in a buffer that can overflow, and leave it when the
//! mechanism has moved the paper for those before.
//!
//! Time is an argument: whoever asks says how late it is, and everything up to then happens first. Nothing is drawn at
//! random.
//!
//! Invariant: pure; a byte is printed, still waiting, or counted as lost.
//!
//! Start at [`Machine::new`] and [`Machine::advance`].

mod answers;
mod hands;

use super::interpreter::{Deed, Interpreter};
use super::paper::Rendered;
use crate::printer::Interruption;
use crate::printer::profile::{DOTS_PER_MM, Level, ProfileData};
use std::collections::VecDeque;

/// Bytes of one receipt that are kept.
const BYTES_KEPT_MAX: usize = 1 << 20;

/// Bytes that the line takes before it says "no more": the kernel's own buffer.
pub const LINE_BYTES: usize = 4_096;

/// Answers that wait for whoever reads them; a reader that never reads loses the oldest.
const ANSWERS_MAX: usize = 1_024;

/// A roll, dots: 30 m.
const ROLL_DOTS: u32 = 30_000 * DOTS_PER_MM;

/// How the printer hangs on its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachineConfig {
    /// Bits a second.
    pub baud: u32,
    /// Busy rises when so many bytes are free, or fewer.
    pub busy_at_free: u32,
    /// Busy falls when so many bytes are free, or more.
    pub ready_at_free: u32,
    /// The line stops by itself while the printer is busy (CTS).
    pub cts: bool,
    /// Answers to what it is asked; many clones do not.
    pub answers: bool,
}

impl MachineConfig {
    /// As the profile says, busy in the last quarter of the buffer.
    pub fn of(printer: &ProfileData) -> MachineConfig {
        MachineConfig::with_busy_at(printer, printer.buffer_bytes / 4)
    }

    /// The same with this threshold; ready again an eighth of the buffer later.
    pub fn with_busy_at(printer: &ProfileData, busy_at_free: u32) -> MachineConfig {
        MachineConfig {
            baud: printer.baud,
            busy_at_free,
            ready_at_free: busy_at_free + (printer.buffer_bytes / 8).clamp(8, 128),
            cts: false,
            answers: true,
        }
    }
}

/// How a piece of paper came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaperEnd {
    /// By the cutter.
    Cut,
    /// By a hand.
    Torn,
    /// Another job was begun behind it.
    Followed,
}

/// A piece of paper that came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strip {
    /// What is on it.
    pub paper: Rendered,
    /// How it ended.
    pub end: PaperEnd,
    /// The bytes since the last one.
    pub bytes: Vec<u8>,
}

/// The printer.
#[derive(Debug)]
pub struct Machine {
    printer: ProfileData,
    config: MachineConfig,
    now: u64,
    line: VecDeque<u8>,
    /// When the first byte of the line has arrived.
    arrives_at: u64,
    buffer: VecDeque<u8>,
    /// The last bytes that came in, for real-time commands.
    tail: Vec<u8>,
    free_at: u64,
    interpreter: Interpreter,
    bytes: Vec<u8>,
    busy: bool,
    drives_busy: bool,
    answers: VecDeque<(u64, u8)>,
    /// Tells by itself when its state changes.
    automatic: bool,
    /// Bytes at the head of the line that pass although it is stopped.
    urgent: usize,
    faults: Faults,
    roll_dots: u32,
    plan: Option<Plan>,
    arrived: u64,
    lost: u64,
    drawer_pulses: u32,
    strips: Vec<Strip>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Faults {
    unplugged: bool,
    cover_open: bool,
    hot: bool,
    broken: bool,
}

/// A fault that begins by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// When so many bytes have come in.
    AfterBytes(u64, Interruption),
    /// When the paper has moved by so many dot lines more.
    AfterDots(u32, Interruption),
}

impl Machine {
    /// A printer with a new roll, switched on.
    pub fn new(printer: ProfileData, config: MachineConfig) -> Machine {
        let interpreter = Interpreter::new(&printer);
        let drives_busy = printer.busy_enable.is_empty();
        Machine {
            printer,
            config,
            now: 0,
            line: VecDeque::new(),
            arrives_at: 0,
            buffer: VecDeque::new(),
            tail: Vec::new(),
            free_at: 0,
            interpreter,
            bytes: Vec::new(),
            busy: false,
            drives_busy,
            answers: VecDeque::new(),
            automatic: false,
            urgent: 0,
            faults: Faults::default(),
            roll_dots: ROLL_DOTS,
            plan: None,
            arrived: 0,
            lost: 0,
            drawer_pulses: 0,
            strips: Vec::new(),
        }
    }

    /// What kind it is.
    pub fn printer(&self) -> &ProfileData {
        &self.printer
    }

    /// Lets everything happen up to now.
    pub fn advance(&mut self, now: u64) {
        loop {
            let held = self.config.cts && self.is_busy() && self.urgent == 0;
            let arrival = (!self.line.is_empty() && !held).then(|| self.arrives_at.max(self.now));
            let work = (!self.buffer.is_empty() && self.stopped().is_none()).then(|| self.free_at.max(self.now));
            let next = match (arrival, work) {
                (Some(arrival), Some(work)) => Some(arrival.min(work)),
                (one, None) | (None, one) => one,
            };
            let Some(at) = next.filter(|at| *at <= now) else { break };
            self.now = at;
            // Work first: it makes room for what arrives in the same moment.
            if work == Some(at) { self.work() } else { self.arrive() }
        }
        self.now = self.now.max(now);
    }

    /// Hands bytes to the line; how many it took.
    pub fn receive(&mut self, now: u64, bytes: &[u8]) -> usize {
        self.advance(now);
        if self.line.is_empty() {
            self.arrives_at = now + self.printer.bytes_us(1, self.config.baud);
        }
        let count = bytes.len().min(LINE_BYTES - self.line.len().min(LINE_BYTES));
        self.line.extend(bytes.iter().take(count));
        count
    }

    /// The same past a line that is stopped; only when nothing is on it.
    pub fn receive_urgent(&mut self, now: u64, bytes: &[u8]) -> usize {
        self.advance(now);
        if !self.line.is_empty() {
            return 0;
        }
        self.urgent = bytes.len();
        self.receive(now, bytes)
    }

    /// Bytes that are on the line.
    pub fn on_the_line(&mut self, now: u64) -> usize {
        self.advance(now);
        self.line.len()
    }

    /// Bytes on the line are gone before they arrived.
    pub fn discard(&mut self, now: u64) {
        self.advance(now);
        self.line.clear();
        self.urgent = 0;
    }

    /// What it says, up to now.
    pub fn say(&mut self, now: u64, into: &mut [u8]) -> usize {
        self.advance(now);
        let mut count = 0;
        for slot in into {
            match self.answers.front() {
                Some((at, byte)) if *at <= now => *slot = *byte,
                Some(_) | None => break,
            }
            self.answers.pop_front();
            count += 1;
        }
        count
    }

    /// The level of its busy line says "do not send". A disconnected one is pulled to that.
    pub fn is_busy(&self) -> bool {
        self.faults.unplugged || (self.drives_busy && (self.busy || self.stopped().is_some()))
    }

    /// The level of its busy line.
    pub fn busy_level(&self) -> bool {
        self.is_busy() == (self.printer.busy == Level::High)
    }

    /// Whether its line stops by itself.
    pub fn is_paced(&self) -> bool {
        self.config.cts
    }

    /// The level of its paper sensor says "none".
    pub fn is_paper_out(&self) -> bool {
        self.faults.unplugged || self.roll_dots == 0
    }

    /// What keeps it from printing; the gravest if there are several.
    pub fn stopped(&self) -> Option<Interruption> {
        // Asked at every byte: no list is walked.
        let faults = &self.faults;
        match (faults.unplugged, faults.cover_open, self.roll_dots == 0, faults.broken, faults.hot) {
            (true, ..) => Some(Interruption::Unplugged),
            (_, true, ..) => Some(Interruption::CoverOpen),
            (_, _, true, ..) => Some(Interruption::PaperOut),
            (_, _, _, true, _) => Some(Interruption::Broken),
            (.., true) => Some(Interruption::Cooling),
            (false, false, false, false, false) => None,
        }
    }

    /// The pieces of paper so far, oldest first.
    pub fn strips(&self) -> &[Strip] {
        &self.strips
    }

    /// Takes the pieces of paper away.
    pub fn take_strips(&mut self) -> Vec<Strip> {
        std::mem::take(&mut self.strips)
    }

    /// Bytes that did not fit and are gone.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Drawer pulses.
    pub fn drawer_pulses(&self) -> u32 {
        self.drawer_pulses
    }

    /// When the mechanism stands still, as far as is known.
    pub fn still_at(&self) -> u64 {
        self.free_at
    }

    /// Whether nothing is on its way or waits, and the mechanism stands still.
    pub fn is_idle(&mut self, now: u64) -> bool {
        self.advance(now);
        self.line.is_empty() && self.buffer.is_empty() && self.free_at <= now
    }

    fn arrive(&mut self) {
        let Some(byte) = self.line.pop_front() else { return };
        self.urgent = self.urgent.saturating_sub(1);
        self.arrives_at = self.now + self.printer.bytes_us(1, self.config.baud);
        self.arrived += 1;
        if let Some(Plan::AfterBytes(count, why)) = self.plan
            && self.arrived > count
        {
            self.plan = None;
            self.fault(self.now, why, true);
        }
        if self.faults.unplugged {
            return;
        }
        self.real_time(byte);
        let room = usize::try_from(self.printer.buffer_bytes).unwrap_or(usize::MAX);
        if self.buffer.len() < room {
            self.buffer.push_back(byte);
        } else {
            self.lost += 1;
        }
        self.look_at_busy();
    }

    fn work(&mut self) {
        let Some(byte) = self.buffer.pop_front() else { return };
        if self.bytes.len() < BYTES_KEPT_MAX {
            self.bytes.push(byte);
        }
        self.look_at_busy();
        match self.interpreter.feed(byte) {
            None => {}
            Some(Deed::Paper(dots)) => self.move_paper(dots),
            Some(Deed::Cut(dots)) => {
                self.move_paper(dots);
                self.part(PaperEnd::Cut);
            }
            Some(Deed::Initialize) => {
                // What is read is the beginning of the next receipt.
                let begin = self.bytes.len().saturating_sub(2);
                let next = self.bytes.split_off(begin);
                self.part(PaperEnd::Followed);
                self.bytes = next;
            }
            Some(Deed::Drawer) => self.kick(),
            Some(Deed::EnableBusy) => self.drives_busy = true,
            Some(Deed::Automatic(on)) => {
                self.automatic = on;
                self.tell();
            }
            Some(Deed::Fence) => self.answer(&[self.paper_answer()]),
            Some(Deed::ProcessId([a, b, c, d])) => self.answer_later(&[0x37, 0x22, a, b, c, d, 0x00]),
        }
    }

    fn move_paper(&mut self, dots: u32) {
        if let Some(Plan::AfterDots(left, why)) = self.plan {
            self.plan = Some(Plan::AfterDots(left.saturating_sub(dots), why));
            if left <= dots {
                self.plan = None;
                self.fault(self.now, why, true);
                return;
            }
        }
        self.free_at = self.free_at.max(self.now) + self.printer.dots_us(dots);
        self.roll_dots = self.roll_dots.saturating_sub(dots);
        if self.roll_dots == 0 {
            self.tell();
        }
    }

    fn part(&mut self, end: PaperEnd) {
        let bytes = std::mem::take(&mut self.bytes);
        if self.interpreter.paper().is_blank() && end != PaperEnd::Cut {
            return;
        }
        let paper = self.interpreter.take();
        self.strips.push(Strip { paper, end, bytes });
    }

    fn kick(&mut self) {
        self.drawer_pulses = self.drawer_pulses.saturating_add(1);
    }

    fn look_at_busy(&mut self) {
        let held = u32::try_from(self.buffer.len()).unwrap_or(u32::MAX);
        let free = self.printer.buffer_bytes.saturating_sub(held);
        if free <= self.config.busy_at_free {
            self.busy = true;
        } else if free >= self.config.ready_at_free {
            self.busy = false;
        }
    }
}
