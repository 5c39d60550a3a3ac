//! Receipt printers: commands in, events out, over bounded channels.
//!
//! Whoever prints holds a [`PrinterLink`] and never sees bytes, pins or cables; whatever drives a printer (today the
//! simulated one of [`sim`]) owns the other ends of the channels.
//!
//! Invariant: never says more about paper than the printer proved. A job that was stopped is `Interrupted`, a job
//! that was sent without an answer is `SentUnconfirmed`, and only an answer makes it `Confirmed`. Nothing here prints a
//! job a second time by itself: that is for the caller to decide, with COPY on it.
//!
//! Start at [`PrinterLink`], then [`escpos::encode`].

pub mod codepage;
pub mod escpos;
pub mod sim;

use tokio::sync::mpsc;

/// Jobs that may wait for the printer; the next `send` waits.
pub const COMMANDS_MAX: usize = 8;

/// Events that may wait for the app. Progress is dropped when it is full, everything else waits.
pub const EVENTS_MAX: usize = 64;

/// The narrowest paper that is driven, in characters.
pub const COLUMNS_MIN: u16 = 8;

/// The widest paper that is driven, in characters (80 mm in the small font is 64).
pub const COLUMNS_MAX: u16 = 64;

/// The app's end of a printer. Dropping it ends the printer's tasks after the job in hand.
#[derive(Debug)]
pub struct PrinterLink {
    /// What the printer is to do, at most [`COMMANDS_MAX`] waiting.
    pub commands: mpsc::Sender<PrinterCommand>,
    /// What happened; whoever prints must keep reading it, or the printer waits.
    pub events: mpsc::Receiver<PrinterEvent>,
    /// Characters in a row, [`COLUMNS_MIN`]..=[`COLUMNS_MAX`]: 32 on 58 mm paper, 42 or 48 on 80 mm.
    pub columns: u16,
}

/// One row of a receipt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrintRow {
    /// The text; what is longer than the printer's columns is cut. Run it through [`codepage::printable`] before
    /// aligning columns, since transliteration may lengthen it.
    pub text: String,
    /// Bold.
    pub bold: bool,
    /// Centred by the printer.
    pub centred: bool,
}

impl PrintRow {
    /// A plain row, at the left.
    pub fn plain(text: impl Into<String>) -> PrintRow {
        PrintRow { text: text.into(), bold: false, centred: false }
    }
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
        rows: Vec<PrintRow>,
        /// Whether the drawer is kicked, once, before the first row. A cash sale's first receipt and nothing else.
        drawer: bool,
    },
}

/// What a printer tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrinterEvent {
    /// Jobs can be printed from now on.
    Ready,
    /// Nothing can be printed until the next `Ready`: unplugged, out of paper, open or too hot. A job sent meanwhile
    /// ends at once as interrupted, with the reason.
    Gone,
    /// How much of a job has been handed to the printer; not a promise that it is on paper. May be skipped.
    Progress {
        /// Which job.
        job: JobId,
        /// Rows sent whole.
        rows_sent: u16,
        /// Rows of the job.
        rows: u16,
    },
    /// A job is over.
    Ended {
        /// Which job.
        job: JobId,
        /// How.
        how: JobEnd,
    },
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
}

impl JobEnd {
    /// Whether the receipt counts as printed: every byte reached the printer and nothing stopped it.
    pub fn is_sent(self) -> bool {
        match self {
            JobEnd::Confirmed(_) | JobEnd::SentUnconfirmed => true,
            JobEnd::Interrupted(_) => false,
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

/// Why a job stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interruption {
    /// The roll is empty.
    PaperOut,
    /// The cover is open.
    CoverOpen,
    /// The cable or the supply is off.
    Unplugged,
    /// The head is too hot.
    Cooling,
}

impl Interruption {
    /// What happened and what to do, for the technician.
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_has_its_own_sentence_with_a_next_step() {
        let ends = [
            JobEnd::Confirmed(Confirmation::Model),
            JobEnd::Confirmed(Confirmation::Fence),
            JobEnd::Confirmed(Confirmation::ProcessId),
            JobEnd::SentUnconfirmed,
            JobEnd::Interrupted(Interruption::PaperOut),
            JobEnd::Interrupted(Interruption::CoverOpen),
            JobEnd::Interrupted(Interruption::Unplugged),
            JobEnd::Interrupted(Interruption::Cooling),
        ];
        let sentences: std::collections::BTreeSet<_> = ends.iter().map(|end| end.sentence()).collect();
        assert_eq!(sentences.len(), ends.len());
        assert!(sentences.iter().all(|s| s.ends_with('.') && s.len() > 40), "{sentences:?}");
    }

    #[test]
    fn only_an_interrupted_job_is_not_sent() {
        assert!(JobEnd::Confirmed(Confirmation::Fence).is_sent());
        assert!(JobEnd::SentUnconfirmed.is_sent());
        assert!(!JobEnd::Interrupted(Interruption::Cooling).is_sent());
        assert!(Confirmation::Model < Confirmation::Fence && Confirmation::Fence < Confirmation::ProcessId);
    }
}
