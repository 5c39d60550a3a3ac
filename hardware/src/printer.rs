//! Receipt printers: commands in, events out, over bounded channels.
//!
//! From content to paper, each step a module: [`layout`] fits a receipt's content to rows, [`codepage`], [`font`] and
//! [`qr`] say how characters become bytes or dots, [`escpos`] encodes the rows for a [`profile`], [`flow`] decides when
//! which byte may go (pure), [`driver`] runs it over a [`link`] and header pins, [`ports`] opens real ones, and [`sim`] is
//! a printer with physics to try all of it on. [`status`] takes a printer's answers apart.
//!
//! Whoever prints holds a [`PrinterLink`] and never sees bytes, pins or cables.
//!
//! Invariant: never says more about paper than the printer proved. A job that was stopped is `Interrupted`, a job
//! that was sent without an answer is `SentUnconfirmed`, and only proof makes it `Confirmed`. Nothing here prints a
//! job a second time by itself: that is for the caller to decide, with COPY on it.
//!
//! Start at [`PrinterLink`].

pub mod bitmap;
pub mod codepage;
pub mod driver;
pub mod escpos;
pub mod flow;
pub mod font;
pub mod layout;
pub mod link;
pub mod ports;
pub mod profile;
pub mod qr;
pub mod sim;
pub mod status;

use layout::Row;
use profile::ProfileData;
use tokio::sync::mpsc;

/// Commands that may wait for the printer; the next `send` waits.
pub const COMMANDS_MAX: usize = 8;

/// Events that may wait for the app. Progress is dropped when it is full, everything else waits.
pub const EVENTS_MAX: usize = 64;

/// The app's end of a printer. Dropping it ends the printer's task after the job in hand.
#[derive(Debug)]
pub struct PrinterLink {
    /// What the printer is to do, at most [`COMMANDS_MAX`] waiting.
    pub commands: mpsc::Sender<PrinterCommand>,
    /// What happened; whoever prints must keep reading it, or the printer waits.
    pub events: mpsc::Receiver<PrinterEvent>,
    /// What the printer can do; receipts are laid out for it.
    pub printer: ProfileData,
    /// Whether there is a drawer that it can open.
    pub drawer: bool,
}

/// The caller's number of a print job; comes back in every event about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

/// What a printer is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrinterCommand {
    /// Print one receipt. Ends with exactly one [`PrinterEvent::Ended`].
    Print {
        /// The caller's number.
        job: JobId,
        /// The rows, top first.
        rows: Vec<Row>,
        /// An earlier job may have stopped anywhere: whatever of it the printer still waits for is ended first.
        unclean: bool,
    },
    /// Stop the job in hand: it ends as interrupted. Nothing if there is none.
    Stop,
    /// Open the drawer, once. Answered by [`PrinterEvent::Drawer`].
    Drawer,
    /// Look whether it could print now. Answered by [`PrinterEvent::Health`].
    Check,
}

/// What a printer tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrinterEvent {
    /// How much of a job has been handed to the printer; not a promise that it is on paper. May be skipped.
    Progress {
        /// Which job.
        job: JobId,
        /// Rows sent whole.
        rows_sent: u16,
        /// Rows of the job.
        rows: u16,
        /// It waits for this, which goes away by itself.
        waits: Option<Interruption>,
    },
    /// A job is over.
    Ended {
        /// Which job.
        job: JobId,
        /// How.
        how: JobEnd,
    },
    /// The drawer was asked to open; `false` if that could not be sent.
    Drawer(bool),
    /// Answer to `Check`.
    Health(Health),
}

/// What a printer is known to be able to and what keeps it from printing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Health {
    /// What would stop a job now.
    pub stopped: Option<Interruption>,
    /// The level of the busy line, if there is one.
    pub busy: Option<bool>,
    /// What the paper sensor on the header says, if there is one.
    pub paper_out: Option<bool>,
    /// It answers when asked for its status; unknown before it was asked.
    pub answers: Option<bool>,
    /// It answers fences; unknown before it was asked.
    pub fences: Option<bool>,
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEnd {
    /// The printer proved it.
    Confirmed(Confirmation),
    /// Every byte was sent; the printer proved nothing.
    SentUnconfirmed,
    /// Stopped before it was complete. Part of it may be on paper.
    Interrupted(Interruption),
    /// Not begun: not one byte of it was sent, and it may be printed later as if nothing had been.
    Refused(Interruption),
}

impl JobEnd {
    /// Whether the receipt counts as printed: every byte reached the printer and nothing stopped it.
    pub fn is_sent(self) -> bool {
        match self {
            JobEnd::Confirmed(_) | JobEnd::SentUnconfirmed => true,
            JobEnd::Interrupted(_) | JobEnd::Refused(_) => false,
        }
    }

    /// What happened and what to do, for the technician.
    pub fn sentence(self) -> &'static str {
        match self {
            JobEnd::Confirmed(level) => level.sentence(),
            JobEnd::SentUnconfirmed => {
                "Sent, but the printer did not answer. Look at the paper: if the receipt is not whole, print a copy."
            }
            JobEnd::Interrupted(why) => why.sentence(),
            JobEnd::Refused(why) => why.refusal(),
        }
    }
}

/// What a confirmation rests on, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confirmation {
    /// Computed: the bytes left, and by the printer's speed the mechanism has had the time to print them.
    Model,
    /// A status request queued behind the last row was answered, so the printer has worked off everything before it.
    Fence,
    /// The printer named this job as printed (Epson `GS ( H`, process id response).
    ProcessId,
}

impl Confirmation {
    /// What happened and what to do, for the technician.
    pub fn sentence(self) -> &'static str {
        match self {
            Confirmation::Model => {
                "The receipt should be out by now; this printer does not report back. Look at it before you hand it over."
            }
            Confirmation::Fence => "The printer has worked off the whole receipt. Tear it off and hand it over.",
            Confirmation::ProcessId => "The printer reports the receipt as printed. Tear it off and hand it over.",
        }
    }
}

/// Why a job stopped, or was not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interruption {
    /// The roll is empty.
    PaperOut,
    /// The cover is open.
    CoverOpen,
    /// The cable or the supply is off, or it does not go on.
    Unplugged,
    /// The head is too hot, and did not cool down in time.
    Cooling,
    /// A jam, the cutter, or worse.
    Broken,
    /// The technician stopped it.
    Stopped,
}

impl Interruption {
    /// What happened in the middle of a receipt and what to do, for the technician.
    pub fn sentence(self) -> &'static str {
        match self {
            Interruption::PaperOut => {
                "The paper ran out, the receipt is not complete. Put in a new roll, then print the receipt again."
            }
            Interruption::CoverOpen => {
                "The printer's cover is open, the receipt is not complete. Close it, then print the receipt again."
            }
            Interruption::Unplugged => {
                "The printer is gone, the receipt is not complete. Check its cable and power, then print it again."
            }
            Interruption::Cooling => {
                "The printer is too hot, the receipt is not complete. Wait a minute, then print the receipt again."
            }
            Interruption::Broken => {
                "The printer reports a fault, the receipt is not complete. Look for a paper jam, switch it off and on, \
                 then print it again."
            }
            Interruption::Stopped => "Stopped, the receipt is not complete. Tear it off; it can be printed again.",
        }
    }

    /// Why a receipt was not begun and what to do, for the technician.
    pub fn refusal(self) -> &'static str {
        match self {
            Interruption::PaperOut => "There is no paper. Put in a new roll, then print the receipt.",
            Interruption::CoverOpen => "The printer's cover is open. Close it, then print the receipt.",
            Interruption::Unplugged => {
                "The printer does not answer. Check its cable and power, then print the receipt."
            }
            Interruption::Cooling => "The printer is too hot. Wait a minute, then print the receipt.",
            Interruption::Broken => {
                "The printer reports a fault. Look for a paper jam, switch it off and on, then print the receipt."
            }
            Interruption::Stopped => "Stopped before anything was printed.",
        }
    }

    /// The same in a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Interruption::PaperOut => "no paper",
            Interruption::CoverOpen => "cover open",
            Interruption::Unplugged => "not there",
            Interruption::Cooling => "cooling",
            Interruption::Broken => "fault",
            Interruption::Stopped => "stopped",
        }
    }
}

/// Every reason there is.
pub const INTERRUPTIONS: [Interruption; 6] = [
    Interruption::PaperOut,
    Interruption::CoverOpen,
    Interruption::Unplugged,
    Interruption::Cooling,
    Interruption::Broken,
    Interruption::Stopped,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_has_its_own_sentence_with_a_next_step() {
        let levels = [Confirmation::Model, Confirmation::Fence, Confirmation::ProcessId];
        let mut ends = vec![JobEnd::SentUnconfirmed];
        ends.extend(levels.map(JobEnd::Confirmed));
        ends.extend(INTERRUPTIONS.map(JobEnd::Interrupted));
        ends.extend(INTERRUPTIONS.map(JobEnd::Refused));
        let sentences: std::collections::BTreeSet<_> = ends.iter().map(|end| end.sentence()).collect();
        assert_eq!(sentences.len(), ends.len());
        assert!(sentences.iter().all(|s| s.ends_with('.') && s.len() > 30), "{sentences:?}");
    }

    #[test]
    fn only_a_whole_job_is_sent() {
        assert!(JobEnd::Confirmed(Confirmation::Fence).is_sent());
        assert!(JobEnd::SentUnconfirmed.is_sent());
        assert!(!JobEnd::Interrupted(Interruption::Cooling).is_sent());
        assert!(!JobEnd::Refused(Interruption::PaperOut).is_sent());
        assert!(Confirmation::Model < Confirmation::Fence && Confirmation::Fence < Confirmation::ProcessId);
    }
}
