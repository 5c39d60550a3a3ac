//! What comes in to the screen program: keys, the clock and every answer of the runtime.
//!
//! Invariant: plain comparable data; times, ids and what the world answered come in here and nowhere else.

use crate::domain::id::PaymentId;
use crate::domain::payment::Payment;
use crate::domain::price::PriceItem;
use crate::domain::read::{JobDetail, SyncStatus, TodayRow};
use crate::domain::receipt::{PrintedReceipt, ReceiptPreview};
use crate::domain::shift::ShiftNow;
use crate::flow;
use uuid::Uuid;

/// Names one operation, so that a stale answer can be dropped. Counts up within one run of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpId(pub u64);

/// A key. Letters arrive as typed; commands take them in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A character.
    Char(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Backspace.
    Backspace,
    /// One up.
    Up,
    /// One down.
    Down,
    /// A page up, where there is such a key.
    PageUp,
    /// A page down, where there is such a key.
    PageDown,
    /// Ctrl-C, or a signal that asks the program to end.
    Interrupt,
}

/// The connection to the office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkView {
    /// The last exchange went through.
    pub online: bool,
    /// When the next try is due, Unix milliseconds by the device's clock.
    pub next_try_ms: Option<i64>,
    /// Why the last one failed, in a sentence.
    pub last_error: Option<String>,
}

/// The card reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderView {
    /// As printed on it.
    pub name: String,
    /// 0 to 100, if the reader says so.
    pub battery_percent: Option<u8>,
    /// Whether it answers.
    pub connected: bool,
    /// Its firmware, if it says so.
    pub firmware: Option<String>,
    /// It restarts for its daily self-test in so many minutes.
    pub restart_in: Option<u8>,
}

/// A card reader that was found or is paired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRow {
    /// Its address.
    pub address: String,
    /// As it calls itself.
    pub name: String,
    /// `ble` or `rfcomm`.
    pub kind: &'static str,
    /// Signal strength, dBm; absent when it was not heard just now.
    pub rssi_dbm: Option<i16>,
    /// Whether it is paired.
    pub paired: bool,
    /// Whether it is the one in use.
    pub used: bool,
}

/// What is known of card readers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DevicesNews {
    /// Paired ones first, then by signal.
    pub rows: Vec<DeviceRow>,
    /// Looking for more.
    pub scanning: bool,
    /// The reader in use was last heard, Unix milliseconds.
    pub last_seen_ms: Option<i64>,
    /// The passkey that worked last, six digits.
    pub passkey: Option<String>,
    /// A number that both sides must show, while pairing asks.
    pub compare: Option<u32>,
    /// Pairing is under way.
    pub pairing: bool,
    /// Why the last thing did not work, in a sentence.
    pub problem: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Msg {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted; taken by fields only.
    Paste(String),
    /// The terminal has this size, cells.
    Resize {
        /// Columns.
        columns: u16,
        /// Rows.
        rows: u16,
    },
    /// The time. Sent at the start, then every [`super::model::Model::clock_step_ms`].
    Clock {
        /// Unix milliseconds by the device's clock.
        now_ms: i64,
        /// Minutes to add to UTC for local time.
        offset_minutes: i32,
    },
    /// The handheld's own battery, 0 to 100; `None` when there is none.
    Battery(Option<u8>),
    /// New random ids (`UUIDv7`); answer to `NeedIds`.
    Ids(Vec<Uuid>),
    /// The day's list.
    Today(Vec<TodayRow>),
    /// All of one job.
    Job(Box<JobDetail>),
    /// Entries of the price book, best first.
    Prices {
        /// As asked.
        op: OpId,
        /// As asked.
        query: String,
        /// What fits it.
        items: Vec<PriceItem>,
    },
    /// How the exchange with the office stands.
    Sync(SyncStatus),
    /// The connection changed.
    Link(LinkView),
    /// The reader changed.
    Reader(ReaderView),
    /// What is known of readers changed.
    Devices(DevicesNews),
    /// Answer to `Commit`: on the disk, or why not in a sentence.
    Committed {
        /// As asked.
        op: OpId,
        /// The outcome.
        outcome: Result<(), String>,
    },
    /// Answer to `IssueInvoice`: the job with its invoice, or why not in a sentence.
    Invoiced {
        /// As asked.
        op: OpId,
        /// The outcome.
        outcome: Result<Box<JobDetail>, String>,
    },
    /// Something happened to a payment under way.
    Payment {
        /// Which.
        id: PaymentId,
        /// What.
        event: flow::payment::Event,
    },
    /// A payment changed by the office's word while no machine waited for it (it is committed already).
    PaymentChanged {
        /// The payment now.
        payment: Box<Payment>,
    },
    /// Payments that a stopped program left unfinished; sent once, at the start.
    Resume(Vec<Payment>),
    /// Answer to `RenderReceipt`.
    Receipt {
        /// As asked.
        op: OpId,
        /// The receipt, or why not in a sentence.
        outcome: Result<ReceiptPreview, String>,
    },
    /// Answer to `CheckPrinter`.
    PrinterChecked {
        /// As asked.
        op: OpId,
        /// What would stop a receipt, in a sentence.
        trouble: Option<String>,
    },
    /// How far the receipt under way is.
    Printing {
        /// Rows sent.
        sent: u16,
        /// Rows there are.
        rows: u16,
        /// What the printer waits for, in a word.
        waits: Option<String>,
    },
    /// Answer to `Print`: what became of it, or why it was not tried, in a sentence.
    Printed {
        /// As asked.
        op: OpId,
        /// The outcome.
        outcome: Result<PrintedReceipt, String>,
    },
    /// The cash shift.
    Shift(Box<ShiftNow>),
    /// Answer to `PrintShift`: whether somebody says that it is on paper, or why it is not, in a sentence.
    ShiftPrinted {
        /// As asked.
        op: OpId,
        /// The outcome.
        outcome: Result<bool, String>,
    },
    /// Answer to `CheckPin`: allowed and on the disk, or why not in a sentence.
    PinChecked {
        /// As asked.
        op: OpId,
        /// The outcome.
        outcome: Result<(), String>,
    },
    /// Answer to `CheckChain`.
    ChainChecked {
        /// As asked.
        op: OpId,
        /// Whether every hash agrees.
        ok: bool,
        /// How many rows were checked.
        rows: u64,
    },
    /// The demo's switches.
    DemoState {
        /// The link is cut.
        link_cut: bool,
        /// The card that the customer presents.
        card: String,
        /// Every card there is.
        cards: Vec<String>,
    },
    /// Something asked for could not be read; a sentence for a notice.
    Trouble(String),
    /// Something to be told, nothing more.
    Notice {
        /// Over it.
        title: String,
        /// What.
        text: String,
    },
}
