//! What goes into the machine and what comes out of it: plain data.

use crate::domain::event::Event as Row;
use crate::domain::payment::{CardSummary, Payment};

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// The reader waits this long for a card, milliseconds.
    pub present_ms: u64,
    /// Without an answer for this long, the outcome is unknown, milliseconds.
    pub unknown_ms: u64,
}

impl Timing {
    /// A minute for the card, 45 seconds for the bank.
    pub const STANDARD: Timing = Timing { present_ms: 60_000, unknown_ms: 45_000 };
}

/// Where the machine is. Finer than the payment's state: it also says what is being waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// The intent is being written.
    Intending,
    /// The reader waits for a card.
    Presenting {
        /// The reader was asked to cancel and has not answered.
        cancelling: bool,
        /// What the reader wants shown.
        prompt: String,
        /// Applications on the card, while the holder is to choose one; empty otherwise.
        choices: Vec<String>,
    },
    /// The encrypted read is being sealed and written.
    Sealing,
    /// Looking at link, backlog and policy.
    Assessing,
    /// No link: the technician must take the risk or not.
    ConfirmOffline {
        /// When it must have been forwarded, Unix milliseconds.
        deadline_ms: i64,
        /// The policy that allows it.
        policy: u32,
    },
    /// No link, and over a soft limit of the policy: a manager's PIN or nothing.
    NeedsManager {
        /// When it must have been forwarded, Unix milliseconds.
        deadline_ms: i64,
        /// The policy that allows it.
        policy: u32,
        /// The limit, in words.
        why: String,
    },
    /// A row is being written.
    Writing,
    /// The bank is being asked.
    Waiting,
    /// No answer. The technician may wait, take the risk, or void.
    Unknown {
        /// Whether the policy lets the technician take the risk; the reason if not.
        offline: Option<Offline>,
    },
    /// The bank agreed to a part; the technician takes it or not.
    PartOffered,
    /// Nothing more to do here now: the payment's state says what it came to.
    Resting,
    /// The row could not be written; nothing changed.
    Failed {
        /// Why, in a sentence.
        why: String,
    },
}

/// Whether a payment may be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offline {
    /// Yes, until then.
    Allowed {
        /// When it must have been forwarded, Unix milliseconds.
        deadline_ms: i64,
        /// The policy that allows it.
        policy: u32,
    },
    /// Only with a manager's PIN.
    NeedsManager {
        /// When it must have been forwarded, Unix milliseconds.
        deadline_ms: i64,
        /// The policy that allows it.
        policy: u32,
        /// The limit, in words.
        why: String,
    },
    /// No, because.
    Refused(String),
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The row is on the disk; this is the payment now.
    Committed(Box<Payment>),
    /// The row could not be written, or did not fit what the disk holds.
    CommitFailed(String),
    /// The reader wants something shown.
    Prompt(String),
    /// The card holds several applications: the holder chooses.
    Applications(Vec<String>),
    /// The holder's choice, from 0.
    Choose(u8),
    /// The encrypted read is complete; the runtime holds it until it is sealed.
    CardRead(Box<ReadFacts>),
    /// The encrypted read is complete, and this card costs another amount, which the customer is asked about first.
    OtherPrice,
    /// AAC at the first GENERATE AC.
    CardDeclined,
    /// The reader ended without a read: cancelled, timed out, lost, failed.
    ReaderEnded(String),
    /// The reader sent card data in the clear: refused, and kept nowhere.
    ClearCardData,
    /// Answer to [`Effect::Assess`].
    Assessed {
        /// Link up, and the backlog fits one batch.
        online: bool,
        /// Whether it may be stored.
        offline: Offline,
    },
    /// The technician wants out.
    Cancel,
    /// A manager's PIN was given, and that is on the disk.
    ManagerAllows,
    /// The technician takes the risk.
    AcceptOffline,
    /// The technician takes the offered part.
    TakePart,
    /// The technician takes the payment back.
    Void(String),
    /// [`Effect::StartTimer`] ran out.
    OutcomeOverdue,
    /// The link went while the bank was being asked.
    LinkLost,
    /// The office's word was committed; this is the payment now.
    Settled(Box<Payment>),
}

/// What may be known of a read outside its sealed blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFacts {
    /// The card.
    pub card: CardSummary,
    /// Key serial number, hex.
    pub ksn: String,
    /// SHA-256 of the ciphertext, hex.
    pub ciphertext_sha256: String,
}

/// What is to be done. Plain data; the runtime does it and answers with an [`Event`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a handful of effects a payment; a box would only hide the row")]
pub enum Effect {
    /// Write this row; answer `Committed` or `CommitFailed`.
    Commit(Row),
    /// Seal the read that the reader handed over, write `payment.card_read` with its blob in one transaction, and
    /// answer `Committed` or `CommitFailed`.
    CommitRead(Box<ReadFacts>),
    /// Arm the reader for this amount.
    Arm {
        /// How long the reader waits, milliseconds.
        timeout_ms: u64,
    },
    /// Ask the reader to cancel.
    CancelReader,
    /// Tell the reader which application the holder chose, from 0.
    SelectApplication(u8),
    /// Throw away a read that the reader may have handed over.
    DropRead,
    /// Look at link, backlog and policy; answer `Assessed`.
    Assess,
    /// Push the journal now.
    Push,
    /// Start the outcome timer; answer `OutcomeOverdue`.
    StartTimer {
        /// Milliseconds.
        ms: u64,
    },
}

impl Phase {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Phase::Intending => "being written down",
            Phase::Presenting { .. } => "waiting for a card",
            Phase::Sealing => "being sealed",
            Phase::Assessing => "being assessed",
            Phase::NeedsManager { .. } => "waiting for a manager",
            Phase::ConfirmOffline { .. } => "waiting for the technician",
            Phase::Writing => "being written",
            Phase::Waiting => "waiting for the bank",
            Phase::Unknown { .. } => "not known",
            Phase::PartOffered => "partly approved",
            Phase::Resting => "at rest",
            Phase::Failed { .. } => "failed",
        }
    }
}

impl Event {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Event::Committed(_) => "a commit",
            Event::CommitFailed(_) => "a failed commit",
            Event::Prompt(_) => "a prompt",
            Event::Applications(_) => "a card with several applications",
            Event::Choose(_) => "a choice of an application",
            Event::CardRead(_) => "a card read",
            Event::OtherPrice => "another price",
            Event::CardDeclined => "a decline by the card",
            Event::ReaderEnded(_) => "the end of the read",
            Event::ClearCardData => "clear card data",
            Event::Assessed { .. } => "an assessment",
            Event::Cancel => "cancel",
            Event::ManagerAllows => "a manager's word",
            Event::AcceptOffline => "accept offline",
            Event::TakePart => "take the part",
            Event::Void(_) => "void",
            Event::OutcomeOverdue => "an overdue outcome",
            Event::LinkLost => "a lost link",
            Event::Settled(_) => "an outcome",
        }
    }
}
