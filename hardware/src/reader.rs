//! Card readers: commands go in, events come out.
//!
//! The contract is wide enough for both families: MagTek's Quick Chip ([`mms`]) and Miura's start, continue with ARC
//! `Z3`, done. In both, one card session ends with an encrypted cryptogram that can be authorised now or later, and
//! only a refusal at the *first* GENERATE AC is a decline by the card. Invariants: at most one operation at a time;
//! every armed operation ends with exactly one of [`ReaderEvent::CardRead`], [`ReaderEvent::DeclinedByCard`] and
//! [`ReaderEvent::Ended`]; no clear card number or track ever leaves this crate. Start at [`ReaderLink`].

pub mod cards;
pub mod clear;
pub mod link;
pub mod miura;
pub mod mms;
pub mod session;
pub mod sim;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Commands and events that may wait; senders wait beyond that.
pub const QUEUE: usize = 32;

/// How long closing a connection may take: a daemon takes up to three seconds.
const CLOSE: Duration = Duration::from_secs(5);

/// Names one operation at the reader. Chosen by who commands; given back with every event about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Op(pub u64);

/// What a reader is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderCommand {
    /// Wait for a card and read it for this amount.
    Arm(ArmRequest),
    /// Stop waiting. A request: the operation's end still comes as an event, and may be a read.
    Cancel {
        /// Which.
        op: Op,
    },
    /// The holder's choice among several applications on the card.
    SelectApplication {
        /// Which operation.
        op: Op,
        /// Place in the list of [`ReaderEvent::ChooseApplication`], from 0; `None` gives up.
        index: Option<u8>,
    },
    /// Beep, or show a word: which of the readers on the table is it? Answered by [`ReaderEvent::Identified`].
    Identify,
}

/// What a card is read for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArmRequest {
    /// The operation.
    pub op: Op,
    /// Minor units of the currency, above 0. At most twelve digits, the room of tag 9F02.
    pub amount_minor: u64,
    /// ISO 4217, numeric.
    pub currency_numeric: u16,
    /// Decimals of the currency, ISO 4217.
    pub currency_exponent: u8,
    /// How long the reader waits for a card, seconds, 1 to 255.
    pub timeout_s: u8,
    /// Date and time at the doorstep; some readers have no clock that a card may be shown.
    pub local: LocalTime,
}

/// Two digits each, as a card is told them (EMV Book 3, tags 9A and 9F21).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// Year in the century, month, day.
    pub date: [u8; 3],
    /// Hour, minute, second.
    pub time: [u8; 3],
}

#[cfg(test)]
impl ArmRequest {
    /// 123.45 euros.
    pub(crate) fn one_for_tests(op: u64) -> ArmRequest {
        ArmRequest {
            op: Op(op),
            amount_minor: 12_345,
            currency_numeric: 978,
            currency_exponent: 2,
            timeout_s: 60,
            local: LocalTime { date: [26, 11, 24], time: [8, 30, 59] },
        }
    }
}

/// Which reader answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReaderInfo {
    /// Model, as the reader says it.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// Version of its firmware, if it says so.
    pub firmware: Option<String>,
    /// 0 to 100, if it says so.
    pub battery_percent: Option<u8>,
}

/// What a reader tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderEvent {
    /// It is there and ready.
    Connected(ReaderInfo),
    /// It is gone; it may come back by itself. An operation under way has ended before this.
    Lost,
    /// Its battery, 0 to 100.
    Battery(u8),
    /// It will restart for its daily self-test in so many minutes, and be gone for a moment.
    RestartsSoon {
        /// Minutes.
        minutes: u8,
    },
    /// It has beeped or shown its word, or could not.
    Identified(bool),
    /// The reader wants this shown, line by line; empty to clear.
    Prompt {
        /// The operation.
        op: Op,
        /// Printable text.
        text: String,
    },
    /// A card was put to it.
    CardSeen {
        /// The operation.
        op: Op,
    },
    /// The card holds several applications; answer with [`ReaderCommand::SelectApplication`].
    ChooseApplication {
        /// The operation.
        op: Op,
        /// Their labels.
        labels: Vec<String>,
    },
    /// The read is complete: cryptogram, batch data and the final notice are there.
    CardRead {
        /// The operation.
        op: Op,
        /// What was read.
        read: Box<CardRead>,
    },
    /// The card refused at the first GENERATE AC (AAC).
    DeclinedByCard {
        /// The operation.
        op: Op,
    },
    /// Ended without a read; nothing was kept.
    Ended {
        /// The operation.
        op: Op,
        /// Why.
        why: EndReason,
    },
}

/// Why an operation ended without a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum EndReason {
    /// As asked.
    #[error("cancelled")]
    Cancelled,
    /// No card came.
    #[error("no card was presented in time")]
    TimedOut,
    /// Another operation runs.
    #[error("the reader is busy: wait for it to finish, then try again")]
    Busy,
    /// 5 % or less.
    #[error("the reader's battery is too low: charge it")]
    LowBattery,
    /// The connection broke.
    #[error("the reader was lost: switch it on and bring it closer")]
    ReaderLost,
    /// The card could not be read, or the reader's answer not understood.
    #[error("the card could not be read: try again or use another card")]
    ReadError,
    /// The reader sent card data in clear. It was refused, and kept nowhere.
    #[error("the reader sent card data in clear: it was refused; have the reader's configuration repaired")]
    ClearCardData,
}

/// How the card met the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entry {
    /// Tapped.
    Contactless,
    /// Inserted.
    Chip,
    /// Swiped.
    Magstripe,
}

/// How the holder was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cvm {
    /// Not at all.
    None,
    /// By PIN at the reader.
    Pin,
    /// By signature.
    Signature,
    /// On the holder's own device.
    Device,
}

/// All that is known of a card after a read. The number itself is only in the reader's cipher text.
#[derive(Clone, PartialEq, Eq)]
pub struct CardRead {
    /// `VISA`, `MASTERCARD` …, by the first digits of the masked number.
    pub brand: &'static str,
    /// Four digits.
    pub last4: String,
    /// Application id, hex; empty for a swipe.
    pub aid: String,
    /// Application label; empty for a swipe.
    pub label: String,
    /// How the holder was verified.
    pub cvm: Cvm,
    /// How the card met the reader.
    pub entry: Entry,
    /// Year in the century and month to whose end it is good, where the masked track says so.
    pub expires: Option<(u8, u8)>,
    /// Key serial number: 10 bytes (TDES) or 12 (AES).
    pub ksn: Vec<u8>,
    /// How the cipher text was made: the reader's own byte.
    pub encryption_type: u8,
    /// Encrypted by the reader.
    pub ciphertext: Vec<u8>,
    /// Clear EMV tags of the allow-list, by upper-case hex tag, values in hex.
    pub emv_tags: BTreeMap<String, String>,
    /// The reader's serial number.
    pub serial: String,
}

impl fmt::Debug for CardRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardRead {{ {} {:?}, *** }}", self.brand, self.entry)
    }
}

/// A reader's two ends. Dropping it lets the reader's task end.
#[derive(Debug)]
pub struct ReaderLink {
    /// To the reader.
    pub commands: mpsc::Sender<ReaderCommand>,
    /// From the reader.
    pub events: mpsc::Receiver<ReaderEvent>,
    /// Ends when the connection is closed.
    task: Option<JoinHandle<()>>,
}

impl ReaderLink {
    /// Lets the reader go, so that another program may have it at once.
    pub async fn close(self) {
        let ReaderLink { commands, events, task } = self;
        drop((commands, events));
        if let Some(task) = task {
            // A connection that does not close in time is left to the daemon.
            let _ = tokio::time::timeout(CLOSE, task).await;
        }
    }
}
