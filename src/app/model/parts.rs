//! The parts of the model: what each screen holds, what lies on top, what is awaited.
//!
//! Invariant: plain data.

mod pin;
mod receipt;
mod shift;

pub use pin::{PinThen, PinView};
pub use receipt::{EmailField, Printing, ReceiptView};
pub use shift::{ShiftStage, ShiftView};

use crate::app::command::CommandId;
use crate::app::msg::{DeviceRow, DevicesNews, OpId};
use crate::domain::event::DrawerOpened;
use crate::domain::id::{InvoiceId, PaymentId};
use crate::domain::line::Line;
use crate::domain::mode::Mode;
use crate::domain::money::{Currency, Money};
use crate::domain::payment::Tender;
use crate::domain::price::PriceItem;
use crate::domain::read::TodayRow;
use crate::domain::receipt::Dots;
use crate::domain::shift::MoveKind;
use crate::flow::payment::{Machine, Phase, Timing};

/// Which characters lines and marks are drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GlyphChoice {
    /// Box drawing and ticks.
    Unicode,
    /// What the IBM PC font has.
    Cp437,
    /// Seven bits.
    Ascii,
}

/// Whether colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThemeChoice {
    /// The 16 colours of the terminal.
    Colour,
    /// Bold and reverse only; also what NO_COLOR asks for.
    Mono,
}

/// What does not change while the program runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The currency of this handheld.
    pub currency: Currency,
    /// This handheld's name.
    pub device_name: String,
    /// Who works with it.
    pub technician_name: String,
    /// Characters.
    pub glyphs: GlyphChoice,
    /// Colours.
    pub theme: ThemeChoice,
    /// How long a payment waits.
    pub timing: Timing,
    /// Whether what is done counts.
    pub mode: Mode,
    /// Simulated hardware, with switches for it.
    pub demo: bool,
    /// Known to an office; otherwise only the welcome page is shown.
    pub enrolled: bool,
    /// Columns at the start.
    pub columns: u16,
    /// Rows at the start.
    pub rows: u16,
}

/// The screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// How to enrol or to try the demo.
    Welcome,
    /// The day's list.
    Today,
    /// One job.
    Job,
    /// From the price book to a line.
    AddLine,
    /// What is to be paid, and how.
    Checkout,
    /// Whether the card is kept.
    Consent,
    /// A card payment under way, or what it came to.
    Card,
    /// Cash is counted.
    Cash,
    /// An amount is typed: a tip, a part, a cheque, a refund.
    Entry,
    /// The receipt, before it is printed.
    Receipt,
    /// A card payment whose result is not known.
    Unknown,
    /// The exchange with the office.
    Sync,
    /// Card readers.
    Devices,
    /// The cash shift.
    Shift,
    /// Keys and marks.
    Help,
}

/// The card readers' screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicesView {
    /// What the runtime knows.
    pub news: DevicesNews,
    /// Which of the readers.
    pub selected: usize,
    /// What is being done.
    pub stage: DevicesStage,
}

/// What the card readers' screen is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DevicesStage {
    /// Looking at the list.
    List,
    /// The passkey of a reader is typed.
    Passkey {
        /// Of which reader.
        address: String,
        /// As typed so far.
        digits: String,
    },
    /// Pairing is under way.
    Pairing {
        /// With which reader.
        address: String,
    },
    /// Does the reader show the same number?
    Compare {
        /// Six digits.
        number: u32,
    },
}

/// The day's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TodayView {
    /// Every visit; `None` until loaded.
    pub rows: Option<Vec<TodayRow>>,
    /// Which of the shown ones.
    pub selected: usize,
    /// Only rows that contain this.
    pub find: String,
    /// Keys go into the find field.
    pub finding: bool,
}

/// From the price book to a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddLineView {
    /// What is looked for.
    pub query: String,
    /// The search that is awaited or was answered last.
    pub op: Option<OpId>,
    /// Its answer; `None` until it came.
    pub items: Option<Vec<PriceItem>>,
    /// Which of them.
    pub selected: usize,
    /// The entry taken, once there is one.
    pub picked: Option<PriceItem>,
    /// How many units, as typed.
    pub quantity: String,
}

/// What is shown of the check of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainView {
    /// Not asked for yet.
    Unchecked,
    /// Under way.
    Checking(OpId),
    /// Every hash agrees.
    Good {
        /// Rows checked.
        rows: u64,
    },
    /// It does not.
    Bad {
        /// Rows checked.
        rows: u64,
    },
}

/// The card payment in front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Active {
    /// Its id.
    pub id: PaymentId,
    /// Where it is.
    pub machine: Machine,
    /// The first tick of the clock in this phase, Unix milliseconds.
    pub since_ms: Option<i64>,
}

impl Active {
    /// Whether it would be wrong to leave it or to quit: something answers within a minute, or a person must.
    pub fn is_busy(&self) -> bool {
        match self.machine.phase() {
            Phase::Intending
            | Phase::Presenting { .. }
            | Phase::Sealing
            | Phase::Assessing
            | Phase::NeedsManager { .. }
            | Phase::ConfirmOffline { .. }
            | Phase::Writing
            | Phase::Waiting => true,
            Phase::Unknown { .. } | Phase::PartOffered | Phase::Resting | Phase::Failed { .. } => false,
        }
    }
}

/// A change on its way to the disk. One at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saving {
    /// The operation.
    pub op: OpId,
    /// What follows when it is there.
    pub then: AfterSaving,
}

/// What follows a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterSaving {
    /// Stay.
    Stay,
    /// Leave the add-line screen.
    LineAdded,
    /// Open the drawer, and on to the receipt.
    CashTaken(DrawerOpened),
    /// The receipt came out: somebody says so.
    ReceiptFound,
    /// Leave the entry screen.
    Entered,
    /// The receipt goes to the customer by e-mail.
    ReceiptMailed,
    /// On to checkout.
    Invoiced,
    /// On to checkout with this deposit.
    DepositIssued(InvoiceId),
    /// Back to the shift's report.
    ShiftWritten,
}

/// Something on top of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overlay {
    /// The command list.
    Palette(PaletteView),
    /// A question that Enter does not answer.
    Confirm(Question),
    /// The receipt's code, over everything.
    Code(Dots),
    /// A manager's PIN is typed.
    Pin(PinView),
}

/// The command list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaletteView {
    /// What is looked for.
    pub query: String,
    /// Which of the shown ones.
    pub selected: usize,
}

/// One entry of the command list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaletteItem {
    /// A command of the table.
    Command(CommandId),
    /// The demo: the customer presents this card from now on.
    PresentCard(String),
}

/// A question whose answer moves money or throws something away. The letter answers it, Enter never does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Take the selected line off?
    DeleteLine(Line),
    /// Take the invoice back?
    Reopen,
    /// Void the payment in front?
    Void,
    /// Unpair this reader?
    Forget(DeviceRow),
    /// Accept the unknown payment in front as pending?
    AcceptUnknown,
    /// Take less cash than is open?
    PartCash {
        /// What was received.
        received: Money,
    },
    /// Begin another tender while one is not known?
    SecondTender {
        /// The one that is not known.
        blocking: PaymentId,
        /// The one that was asked for.
        tender: Tender,
    },
    /// Take cash out of the drawer?
    CashOut {
        /// What for.
        kind: MoveKind,
        /// How much.
        amount: Money,
        /// Why.
        reason: String,
    },
    /// Close the shift with this count?
    CloseShift {
        /// What was counted.
        counted: Money,
    },
    /// Pay by credit card with the surcharge?
    Surcharge {
        /// How much more.
        surcharge: Money,
        /// With it.
        total: Money,
        /// The tender that the payment is linked to.
        linked_to: Option<PaymentId>,
    },
    /// Quit while a payment is under way?
    Quit,
}

/// Something the technician must be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Two or three words.
    pub title: String,
    /// Sentences.
    pub text: String,
    /// Came by itself: waits until no payment or field is in front.
    pub background: bool,
}

/// The demo's switches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoView {
    /// The link is cut.
    pub link_cut: bool,
    /// The card that the customer presents.
    pub card: String,
    /// Every card there is.
    pub cards: Vec<String>,
}

impl AddLineView {
    /// Nothing looked for yet.
    pub fn empty() -> AddLineView {
        AddLineView { query: String::new(), op: None, items: None, selected: 0, picked: None, quantity: String::new() }
    }
}
