//! When which byte may go to a printer, and what is known of it afterwards. Pure: bytes, pin levels and the time come in,
//! bytes to write and an end come out.
//!
//! A printer holds a few hundred bytes, and what does not fit is gone without a word. Four ways to hold back, the best that
//! there is:
//!
//! | policy | there is | how |
//! |---|---|---|
//! | [`Policy::Line`] | CTS, or TCP | the line itself stops; a little is kept on the way |
//! | [`Policy::Busy`] | a busy line on a header pin | looked at before each chunk of 16 bytes, and the chunk before has left |
//! | [`Policy::Fence`] | answers | a question behind each piece; at most half the buffer is unanswered |
//! | [`Policy::OpenLoop`] | nothing | by the mechanism's speed, one piece ahead |
//!
//! Invariant: does no I/O; of a job that ends as `Refused` not one byte was given out; every job ends, at the latest when
//! nothing has moved for twice the time that the mechanism needs and [`STALL_US`] more.
//!
//! Start at [`Flow::begin`] and [`Flow::step`].

mod job;
mod probe;
mod send;
mod watch;

use super::escpos::{self, Encoded};
use super::profile::{FenceCommand, ProfileData, StatusCommand};
use super::status::{Causes, Demux, Said};
use super::{Health, Interruption, JobEnd};
use job::Job;

/// Bytes of one chunk where only a look at the busy line protects the printer: the FIFO of a PL011.
pub const CHUNK_BUSY: usize = 16;

/// Bytes that may be on the way where something else protects it.
pub const CHUNK: usize = 64;

/// How often pins and answers are looked at while something is under way.
pub const POLL_US: u64 = 1_000;

/// How long an answer to a real-time question may take. Printers answer within tens of milliseconds.
pub const ANSWER_US: u64 = 300_000;

/// How long nothing may move before a printer that answers is asked why.
pub const ASK_AFTER_US: u64 = 1_000_000;

/// Beside the mechanism's own time: how long nothing may move at all.
pub const STALL_US: u64 = 2_000_000;

/// How long a printer may cool down.
pub const COOLING_MAX_US: u64 = 120_000_000;

/// How a printer is kept from being sent too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// The line itself stops.
    Line,
    /// A busy line on a header pin.
    Busy,
    /// Questions that are answered in their turn.
    Fence,
    /// By the clock.
    OpenLoop,
}

/// What there is to hold back by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wiring {
    /// The line stops by itself: CTS, TCP.
    pub line: bool,
    /// There is a busy line.
    pub busy: bool,
}

/// What was seen at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// The busy line says so.
    pub busy: Option<bool>,
    /// The paper sensor says so.
    pub paper_out: Option<bool>,
    /// Bytes handed over that have not left.
    pub pending: usize,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action<'a> {
    /// Hand these over, then tell how many were taken.
    Write(&'a [u8]),
    /// Hand these over even if the line is stopped, then tell how many were taken.
    Ask(&'a [u8]),
    /// Look again after so many microseconds.
    Wait(u64),
    /// The job or the check is over.
    Done(JobEnd),
}

/// The machine.
#[derive(Debug)]
pub struct Flow {
    printer: ProfileData,
    wiring: Wiring,
    demux: Demux,
    phase: Phase,
    /// Whether real-time questions are answered; unknown before one was asked.
    answers: Option<bool>,
    /// Whether fences are answered.
    fences: Option<bool>,
    /// Answered fences that nobody had asked: its word is worth nothing.
    babbles: bool,
    /// Bytes of questions on their way out.
    asking: Vec<u8>,
    /// Real-time answers still owed, and since when.
    owed: Vec<u8>,
    owed_since: u64,
    causes: Causes,
    /// What it told by itself.
    automatic: Causes,
    asked_at: u64,
    began: u64,
    paper_out_since: Option<u64>,
    last_move: u64,
    cooling_since: Option<u64>,
    job: Option<Job>,
    ids: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    /// Is anybody there, and does it answer? `tries` left.
    Probing {
        tries: u8,
    },
    /// Does it answer fences?
    ProbingFence {
        since: u64,
    },
    /// Its buffers are being cleared.
    Clearing {
        since: u64,
    },
    Sending,
    /// Everything has left.
    Finishing,
}

impl Flow {
    /// For a printer that is wired so.
    pub fn new(printer: ProfileData, wiring: Wiring) -> Flow {
        let demux = Demux::new(printer.fence);
        let fences = (printer.fence == FenceCommand::None).then_some(false);
        let answers = (printer.status != StatusCommand::DleEot).then_some(false);
        Flow {
            printer,
            wiring,
            demux,
            phase: Phase::Idle,
            answers,
            fences,
            babbles: false,
            asking: Vec::new(),
            owed: Vec::new(),
            owed_since: 0,
            causes: Causes::default(),
            automatic: Causes::default(),
            asked_at: 0,
            began: 0,
            paper_out_since: None,
            last_move: 0,
            cooling_since: None,
            job: None,
            ids: 0,
        }
    }

    /// The best way to hold back that is there, as far as is known.
    pub fn policy(&self) -> Policy {
        match (self.wiring.line, self.wiring.busy, self.fences) {
            (true, ..) => Policy::Line,
            (false, true, _) => Policy::Busy,
            (false, false, Some(true)) => Policy::Fence,
            (false, false, Some(false) | None) => Policy::OpenLoop,
        }
    }

    /// Bytes of a picture that may go under one header.
    pub fn strip_bytes(&self) -> u32 {
        match self.policy() {
            Policy::Line | Policy::Busy => u32::MAX,
            Policy::Fence | Policy::OpenLoop => self.printer.buffer_bytes / 2,
        }
    }

    /// Whether the printer has not been looked at since it was there.
    pub fn is_unknown(&self) -> bool {
        self.answers.is_none() || self.fences.is_none()
    }

    /// Looks who is there. Ends with [`Action::Done`], whose end counts for nothing: ask [`Flow::health`].
    pub fn check(&mut self, now: u64) {
        self.fresh(now);
        self.probe(now);
    }

    /// Begins a job after a look at the printer. `unclean`: an earlier one may have stopped anywhere.
    pub fn begin(&mut self, now: u64, encoded: &Encoded, unclean: bool) {
        self.fresh(now);
        self.ids = self.ids.wrapping_add(1);
        self.job = Some(Job::new(encoded, unclean, self.ids));
        self.probe(now);
    }

    /// What is known of the printer.
    pub fn health(&self, seen: Seen) -> Health {
        Health {
            stopped: self.stopped_by(),
            busy: seen.busy,
            paper_out: seen.paper_out,
            answers: self.answers,
            fences: self.fences,
        }
    }

    /// Rows sent whole.
    pub fn rows_sent(&self) -> u16 {
        self.job.as_ref().map_or(0, Job::rows_sent)
    }

    /// What it waits for that goes away by itself.
    pub fn waits(&self) -> Option<Interruption> {
        self.cooling_since.map(|_| Interruption::Cooling)
    }

    /// Whether any byte of the job was given out.
    pub fn has_begun(&self) -> bool {
        self.job.as_ref().is_some_and(Job::has_begun)
    }

    /// The printer was seen to be gone: nothing that was known of it holds.
    pub fn lost(&mut self) {
        let (printer, wiring, ids) = (self.printer.clone(), self.wiring, self.ids);
        *self = Flow { ids, ..Flow::new(printer, wiring) };
    }

    /// A byte from the printer.
    pub fn heard(&mut self, now: u64, byte: u8) {
        let Some(said) = self.demux.take(byte) else { return };
        match said {
            Said::RealTime(byte) => {
                if !self.owed.is_empty() {
                    let n = self.owed.remove(0);
                    self.answers = Some(true);
                    self.learn(Causes::of(n, byte), n);
                }
            }
            Said::Automatic(bytes) => self.automatic = Causes::automatic(bytes),
            Said::Fence { paper_out } => {
                self.causes.paper_out |= paper_out;
                if let Phase::ProbingFence { .. } = self.phase {
                    self.fences = Some(true);
                } else if self.job.as_mut().is_some_and(Job::fence_answered) {
                    self.last_move = now;
                } else {
                    self.babbles = true;
                }
            }
            Said::Printed(id) => {
                if let Some(job) = &mut self.job {
                    job.printed(id);
                }
            }
            Said::Cleared => {
                if let Phase::Clearing { .. } = self.phase {
                    self.phase = Phase::Sending;
                    self.last_move = now;
                }
            }
            Said::Pause | Said::Resume => {}
        }
    }

    /// So many bytes of the last [`Action::Write`] were taken.
    pub fn wrote(&mut self, now: u64, count: usize) {
        if count == 0 {
            return;
        }
        self.last_move = now;
        if self.asking.is_empty() {
            if let Some(job) = &mut self.job {
                job.sent(now, count, &self.printer);
            }
        } else {
            self.asking.drain(..count.min(self.asking.len()));
        }
    }

    /// Nobody looked for so long: no answer is late for that.
    pub fn slept(&mut self, us: u64) {
        for timer in [&mut self.last_move, &mut self.owed_since, &mut self.asked_at, &mut self.began] {
            *timer = timer.saturating_add(us);
        }
        match &mut self.phase {
            Phase::ProbingFence { since } | Phase::Clearing { since } => *since = since.saturating_add(us),
            Phase::Idle | Phase::Probing { .. } | Phase::Sending | Phase::Finishing => {}
        }
    }

    /// What to do now.
    pub fn step(&mut self, now: u64, seen: Seen) -> Action<'_> {
        self.watch_paper(now, seen);
        if !self.asking.is_empty() {
            return self.asking(now, seen);
        }
        match self.phase {
            Phase::Idle => Action::Done(JobEnd::SentUnconfirmed),
            Phase::Probing { tries } => self.probing(now, tries),
            Phase::ProbingFence { since } => self.probing_fence(now, since),
            Phase::Clearing { since } if now.saturating_sub(since) > ANSWER_US => {
                self.phase = Phase::Sending;
                Action::Wait(0)
            }
            Phase::Clearing { .. } => Action::Wait(POLL_US),
            Phase::Sending => self.sending(now, seen),
            Phase::Finishing => self.finishing(now, seen),
        }
    }

    /// The printer could print: now the job, with what is known by now.
    fn start(&mut self, now: u64) -> Action<'_> {
        let policy = self.policy();
        let Some(job) = &mut self.job else { return self.end(JobEnd::SentUnconfirmed) };
        let process_id = self.printer.process_id && self.answers == Some(true);
        let fence = if self.fences == Some(true) { escpos::fence(&self.printer) } else { &[] };
        job.arm(policy, fence, process_id);
        self.last_move = now;
        self.phase = if job.is_unclean() && self.printer.real_time_clear && self.answers == Some(true) {
            self.asking = escpos::CLEAR_NOW.to_vec();
            self.asked_at = now;
            Phase::Clearing { since: now }
        } else {
            Phase::Sending
        };
        Action::Wait(0)
    }

    fn end(&mut self, how: JobEnd) -> Action<'_> {
        self.phase = Phase::Idle;
        Action::Done(how)
    }
}
