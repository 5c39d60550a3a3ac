//! Receipt printers: commands go in, events come out.
//!
//! Invariants: one job at a time; every job ends with exactly one [`PrinterEvent::Ended`]; a printer that cannot
//! confirm what it printed is never said to have. Start at [`PrinterLink`]; [`escpos`] makes the bytes, [`sim`] is a
//! printer without paper dust. Serial lines, busy pins and profiles come next, below the same contract.

pub mod escpos;
pub mod sim;

use tokio::sync::mpsc;

/// Commands and events that may wait; senders wait beyond that.
pub const QUEUE: usize = 16;

/// Names one job. Chosen by who commands; given back with every event about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub u64);

/// One row of a receipt, at most as long as the printer is wide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintRow {
    /// Its text.
    pub text: String,
    /// Heavier.
    pub bold: bool,
    /// In the middle.
    pub centred: bool,
}

/// What a printer is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrinterCommand {
    /// Print these rows, then cut or feed to the tear bar.
    Print {
        /// The job.
        job: JobId,
        /// The rows.
        rows: Vec<PrintRow>,
        /// Open the cash drawer first, once.
        drawer: bool,
    },
}

/// What a printer tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrinterEvent {
    /// It is there.
    Ready,
    /// It is gone. A job under way has ended before this.
    Gone,
    /// How a job goes on.
    Progress {
        /// The job.
        job: JobId,
        /// Bytes that the printer took.
        sent: usize,
        /// Bytes in all.
        total: usize,
    },
    /// A job is over.
    Ended {
        /// The job.
        job: JobId,
        /// How.
        how: JobEnd,
    },
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobEnd {
    /// The printer confirmed it.
    Confirmed(Confirmation),
    /// Everything was sent; the printer confirms nothing.
    SentUnconfirmed,
    /// Not all of it is on paper.
    Interrupted(Interruption),
}

/// How far a confirmation goes, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Confirmation {
    /// By a job number that the printer gives back when it is on paper (Epson process id).
    ProcessId,
    /// By a status request behind the last byte: everything before it was processed.
    Fence,
    /// By arithmetic over speed and buffer.
    Model,
}

/// Why a job did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Interruption {
    /// No paper.
    PaperOut,
    /// The cover is open.
    CoverOpen,
    /// The head is too hot.
    Cooling,
    /// No answer.
    Unplugged,
}

impl Interruption {
    /// For the technician: what happened and what to do.
    pub fn sentence(self) -> &'static str {
        match self {
            Interruption::PaperOut => "The printer is out of paper: put in a new roll, then print again.",
            Interruption::CoverOpen => "The printer's cover is open: close it, then print again.",
            Interruption::Cooling => "The printer's head is too hot: wait a minute, then print again.",
            Interruption::Unplugged => "The printer does not answer: check its cable and power, then print again.",
        }
    }
}

/// A printer's two ends. Dropping it lets the printer's task end.
#[derive(Debug)]
pub struct PrinterLink {
    /// To the printer.
    pub commands: mpsc::Sender<PrinterCommand>,
    /// From the printer.
    pub events: mpsc::Receiver<PrinterEvent>,
    /// Characters on a row.
    pub columns: u16,
}
