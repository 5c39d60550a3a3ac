//! Adapters to card processors. They hand on what the reader encrypted, with its KSN and an allow-list of tags; the
//! processor decrypts.
//!
//! Every adapter keeps the same promises, which one suite checks (`tests/conformance.rs`): the same operation with the
//! same key is one effect; a message that was not understood is [`ProcessorError::InDoubt`], never an approval; nothing
//! panics on any bytes. What an adapter cannot do it says in [`Abilities`], and the plan goes another way.
//!
//! Start at [`Processor`].

pub mod check;
pub mod iso8583;
pub mod rest;
pub mod simulated;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Late answers that may wait for the worker; more are dropped, since a reversal is repeated until it is answered.
pub const LATE_MAX: usize = 64;

/// What an adapter can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Tells what became of an attempt. Without it an attempt in doubt is reversed.
    pub look_up: bool,
    /// Takes what a card reader encrypted.
    pub card_present: bool,
    /// Keeps a card and charges it again without the card.
    pub on_file: bool,
    /// Makes links by which a customer pays.
    pub links: bool,
}

/// What is charged.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// A card that met a reader.
    Card(CardPresent),
    /// A card that the processor keeps, by its token. Its holder is there and wants this payment.
    OnFile(String),
    /// The same, charged without its holder, who agreed to that before.
    Agreed(Kept),
}

/// A card that the processor keeps, and what shows that its holder agreed.
#[derive(Clone, PartialEq, Eq)]
pub struct Kept {
    /// The processor's name for it.
    pub token: String,
    /// The card network's id of the payment with which the holder agreed, where the processor tells it.
    pub network: Option<String>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept(***)")
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::Card(_) => "Card(***)",
            Source::OnFile(_) => "OnFile(***)",
            Source::Agreed(_) => "Agreed(***)",
        })
    }
}

/// What a reader handed over.
#[derive(Clone, PartialEq, Eq)]
pub struct CardPresent {
    /// Encrypted by the reader, base64.
    pub ciphertext: String,
    /// Key serial number, hex.
    pub ksn: String,
    /// The reader's key set.
    pub key_id: String,
    /// The reader's encryption type, hex.
    pub encryption_type: String,
    /// EMV tags of the allow-list, hex by hex.
    pub emv: BTreeMap<String, String>,
}

impl fmt::Debug for CardPresent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardPresent(***)")
    }
}

/// One request for an authorisation. The same `key` again is the same request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorisation {
    /// Our name for this attempt, at most 64 characters; unique for ever.
    pub key: String,
    /// System trace audit number, 1 to 999 999.
    pub stan: u32,
    /// Retrieval reference number, 12 characters; carries the office's epoch.
    pub rrn: String,
    /// When it is sent the first time, Unix milliseconds; the same when it is repeated.
    pub at_ms: i64,
    /// The handheld's name.
    pub terminal: String,
    /// Minor units.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// Taken offline, sent later.
    pub deferred: bool,
    /// Part of the amount may be approved.
    pub allow_partial: bool,
    /// The customer agreed that the card is kept.
    pub keep_card: bool,
    /// The processor's own name for it, from [`Processor::prepare`].
    pub reference: Option<String>,
    /// What is charged.
    pub source: Source,
}

/// An attempt as it was sent, for whatever follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Our name for it.
    pub key: String,
    /// Its STAN.
    pub stan: u32,
    /// Its RRN.
    pub rrn: String,
    /// When it was sent the first time, Unix milliseconds.
    pub at_ms: i64,
    /// The handheld's name.
    pub terminal: String,
    /// What was asked for, minor units.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// Taken offline, sent later.
    pub deferred: bool,
    /// The bank's code, once it agreed.
    pub auth_code: Option<String>,
    /// The processor's own name for it, if it gave one.
    pub reference: Option<String>,
}

/// A reversal, capture or refund of an attempt. Its numbers stay the same however often it is repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// What it follows.
    pub of: Sent,
    /// Our name for this operation, at most 80 characters; unique for ever.
    pub key: String,
    /// Its own STAN.
    pub stan: u32,
    /// When it is sent the first time, Unix milliseconds.
    pub at_ms: i64,
    /// It was sent before, and no answer came.
    pub repeat: bool,
    /// How much, minor units.
    pub amount_minor: i64,
}

/// What a processor said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// It agreed, at least to a part.
    pub approved: bool,
    /// To how much, minor units.
    pub amount_minor: i64,
    /// ISO 8583 field 39, or the nearest to it.
    pub response_code: String,
    /// ISO 8583 field 38.
    pub auth_code: Option<String>,
    /// The kept card, where it was asked for and the processor agreed.
    pub token: Option<String>,
    /// The card network's id of the payment, where the processor tells it.
    pub network: Option<String>,
}

/// What a processor knows of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing: it never arrived.
    Nothing,
    /// It was reversed.
    Reversed,
    /// It is there, and has no effect yet: the next request goes on from it.
    Unfinished {
        /// The processor's own name for it.
        reference: String,
    },
    /// It was answered like this; captured so much.
    Answered {
        /// The answer.
        answer: Answer,
        /// Minor units.
        captured_minor: i64,
    },
}

/// What a processor said to a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refunded {
    /// Whether the money goes back.
    pub done: bool,
    /// ISO 8583 field 39, or the nearest to it.
    pub response_code: String,
}

/// An authorisation's answer that came after it was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// The RRN of the request.
    pub rrn: String,
    /// What it said.
    pub answer: Answer,
}

/// Captures and refunds of a period, for [`Processor::reconcile`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// How many captures.
    pub captures: u32,
    /// Their sum, minor units.
    pub captured_minor: i64,
    /// How many refunds.
    pub refunds: u32,
    /// Their sum, minor units.
    pub refunded_minor: i64,
}

/// What a processor holds of one payment, by its own books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booked {
    /// Our name for the attempt.
    pub key: String,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// Captured, minor units.
    pub captured_minor: i64,
    /// Refunded, minor units.
    pub refunded_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
}

/// Why there is no answer to go by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProcessorError {
    /// No usable answer came: nobody knows whether the request had an effect.
    #[error("the processor did not answer: {0}")]
    InDoubt(String),
    /// It was understood and refused, for good: it had no effect.
    #[error("the processor refused: {0}")]
    Refused(String),
    /// This adapter has no such operation, see [`Abilities`], or cannot carry what it was given. Nothing was sent.
    #[error("this processor cannot do that: {0}")]
    Unable(&'static str),
    /// Address or credentials are wrong.
    #[error("{0}")]
    Setting(String),
}

impl ProcessorError {
    /// The same where it was found before anything was sent, so that the payment can never be: `what` says so.
    #[must_use]
    pub fn unsent(self, what: &'static str) -> ProcessorError {
        match self {
            ProcessorError::Refused(why) => {
                tracing::warn!(error = why, what);
                ProcessorError::Unable(what)
            }
            ProcessorError::InDoubt(_) | ProcessorError::Unable(_) | ProcessorError::Setting(_) => self,
        }
    }

    /// Whether trying the same again is useless.
    pub fn is_permanent(&self) -> bool {
        match self {
            ProcessorError::InDoubt(_) => false,
            ProcessorError::Refused(_) | ProcessorError::Unable(_) | ProcessorError::Setting(_) => true,
        }
    }
}

/// An adapter's answer, some time.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, ProcessorError>> + Send + 'a>>;

/// A card processor. Every call ends within the time that the adapter was opened with.
pub trait Processor: Send + Sync + fmt::Debug {
    /// What it can do.
    fn abilities(&self) -> Abilities;

    /// Says hello: endpoint, credentials and sign-on are right. A sentence of who answered.
    fn hello(&self) -> Reply<'_, String>;

    /// Announces an authorisation without any effect, where the processor works in two steps; its own name for it is
    /// kept before [`Processor::authorise`]. `None` where one step is enough.
    fn prepare<'a>(&'a self, request: &'a Authorisation) -> Reply<'a, Option<String>>;

    /// Asks for an authorisation.
    fn authorise<'a>(&'a self, request: &'a Authorisation) -> Reply<'a, Answer>;

    /// Asks what became of an attempt.
    fn look_up<'a>(&'a self, of: &'a Sent) -> Reply<'a, Found>;

    /// Reverses an attempt, whether or not it arrived.
    fn reverse<'a>(&'a self, of: &'a FollowUp) -> Reply<'a, ()>;

    /// Captures so much of an attempt; what is captured now.
    fn capture<'a>(&'a self, of: &'a FollowUp) -> Reply<'a, i64>;

    /// Gives so much of a captured attempt back.
    fn refund<'a>(&'a self, of: &'a FollowUp) -> Reply<'a, Refunded>;

    /// Looks at a refund that was done: how much the processor has given back under its key beyond it, minor units.
    /// [`ProcessorError::Unable`] where a key is one refund, or nothing can be looked at.
    fn refunded_beyond<'a>(&'a self, of: &'a FollowUp) -> Reply<'a, i64>;

    /// Compares totals of the open batch; whether they agree.
    fn reconcile<'a>(&'a self, totals: &'a Totals) -> Reply<'a, bool>;

    /// What it has booked in a period, Unix milliseconds, the end excluded.
    fn booked(&self, from_ms: i64, until_ms: i64) -> Reply<'_, Vec<Booked>>;

    /// Forgets a kept card, by its token; done too when there is none any more.
    fn forget<'a>(&'a self, _token: &'a str) -> Reply<'a, ()> {
        Box::pin(async { Err(ProcessorError::Unable("this processor keeps no cards that it could forget")) })
    }

    /// A link by which a customer pays what a description says.
    fn link<'a>(&'a self, key: &'a str, amount_minor: i64, currency: &'a str, what: &'a str) -> Reply<'a, String>;
}

/// The processor at an address: `http://HOST:PORT` is tillroll's simulated one, `iso8583://HOST:PORT[?profile=NAME]` one
/// that speaks ISO 8583, `stripe+http://HOST:PORT?key_file=PATH` an API in the manner of Stripe's ([`rest::Rest::open`]).
///
/// # Errors
/// An address that names no processor.
pub fn open(address: &str, answer_ms: u64, late: mpsc::Sender<Late>) -> Result<Arc<dyn Processor>, ProcessorError> {
    match address.split_once(':') {
        Some(("http" | "https", _)) => Ok(Arc::new(simulated::Simulated::new(address, answer_ms)?)),
        Some((iso8583::SCHEME, _)) => Ok(Arc::new(iso8583::Iso8583::new(address, answer_ms, late)?)),
        Some(("stripe+http" | "stripe+https", _)) => Ok(Arc::new(rest::Rest::open(address, answer_ms)?)),
        _ => Err(ProcessorError::Setting(format!(
            "{address:?} names no processor: http://HOST:PORT, iso8583://HOST:PORT[?profile=NAME] or \
             stripe+http://HOST:PORT?key_file=PATH"
        ))),
    }
}
