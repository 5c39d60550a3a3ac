//! What the screen program asks for. Plain comparable data; the runtime does it and answers with a `Msg`.
//!
//! Invariant: nothing here is done by the screen program itself.

use super::msg::OpId;
use crate::domain::event::{DrawerOpened, Event, ManagerApproved};
use crate::domain::id::{InvoiceId, JobId, MoveId, PaymentId, ShiftId, VisitId};
use crate::domain::money::Money;
use crate::domain::pin::Pin;
use crate::domain::receipt::ReceiptOf;
use crate::domain::shift::MoveKind;
use crate::flow;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Draw ids; answer `Ids` with [`IDS_WANTED`].
    NeedIds,
    /// Read the day's list; answer `Today`.
    LoadToday,
    /// Read one job; answer `Job`.
    LoadJob(JobId),
    /// Read how the exchange stands; answer `Sync`.
    LoadSync,
    /// Search the price book; answer `Prices`.
    SearchPrices {
        /// To be given back.
        op: OpId,
        /// What to look for; empty for the entries used most.
        query: String,
    },
    /// Write this row; answer `Committed`.
    Commit {
        /// To be given back.
        op: OpId,
        /// The row.
        event: Event,
    },
    /// Give the visit's lines a document number; answer `Invoiced`.
    IssueInvoice {
        /// To be given back.
        op: OpId,
        /// The job.
        job: JobId,
        /// The visit.
        visit: VisitId,
    },
    /// The first step of a payment: write its intent, do nothing else; answer `Payment`.
    StoreIntent {
        /// The payment.
        payment: PaymentId,
        /// Always the commit of the intent.
        effect: flow::payment::Effect,
    },
    /// A later step of a payment; answer `Payment`.
    Payment {
        /// The payment.
        id: PaymentId,
        /// What to do.
        effect: flow::payment::Effect,
    },
    /// Give a deposit a document number; answer `Invoiced`.
    IssueDeposit {
        /// To be given back.
        op: OpId,
        /// The job.
        job: JobId,
        /// The visit.
        visit: VisitId,
        /// The document's id.
        id: InvoiceId,
        /// How much is to be paid ahead.
        amount: Money,
    },
    /// Lay out a receipt; answer `Receipt`.
    RenderReceipt {
        /// To be given back.
        op: OpId,
        /// Which.
        of: ReceiptOf,
        /// How wide the screen is, columns.
        columns: u16,
    },
    /// Look whether the printer could print; answer `PrinterChecked`.
    CheckPrinter {
        /// To be given back.
        op: OpId,
    },
    /// Print it; answer `Printed`, and `Printing` meanwhile.
    Print {
        /// To be given back.
        op: OpId,
        /// Which.
        of: ReceiptOf,
    },
    /// Stop what is printed.
    StopPrint,
    /// Check a manager's PIN and write down what it allows; answer `PinChecked`.
    CheckPin {
        /// To be given back.
        op: OpId,
        /// As typed.
        pin: Pin,
        /// What it is to allow; the runtime adds which PIN it was.
        what: ManagerApproved,
    },
    /// Open the drawer for a payment; a `Notice` if it does not.
    OpenDrawer(DrawerOpened),
    /// Read the cash shift; answer `Shift`.
    LoadShift,
    /// Do something to the cash shift; answer `Committed`.
    Shift {
        /// To be given back.
        op: OpId,
        /// What.
        command: ShiftCommand,
    },
    /// Print a shift's report; answer `ShiftPrinted`.
    PrintShift {
        /// To be given back.
        op: OpId,
        /// Which shift.
        shift: ShiftId,
    },
    /// Talk to the office now.
    SyncNow,
    /// Check the journal's hashes; answer `ChainChecked`.
    CheckChain {
        /// To be given back.
        op: OpId,
    },
    /// Something about card readers; answer `Devices`, and `Reader` when the one in use changes.
    Devices(DeviceCommand),
    /// A switch of the demo; answer `DemoState`.
    Demo(DemoCommand),
    /// End the program.
    Quit,
}

/// How many ids an answer to [`Effect::NeedIds`] brings.
pub const IDS_WANTED: usize = 32;

/// Something about card readers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceCommand {
    /// Look for readers, or stop.
    Scan(bool),
    /// Pair if need be, and use it from now on.
    Pair {
        /// Its address.
        address: String,
        /// Six digits.
        passkey: u32,
    },
    /// Both sides show the same number, or not.
    Answer(bool),
    /// Unpair.
    Forget {
        /// Its address.
        address: String,
    },
    /// The reader in use beeps.
    Beep,
}

/// Something to be done to the cash shift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShiftCommand {
    /// Open one.
    Open {
        /// Its id.
        shift: ShiftId,
        /// What was put into the drawer.
        float: Money,
    },
    /// Move cash beside the payments.
    Move {
        /// The open shift.
        shift: ShiftId,
        /// The move's id.
        movement: MoveId,
        /// Which way, and what for.
        kind: MoveKind,
        /// How much.
        amount: Money,
        /// Why.
        reason: String,
    },
    /// Close it for ever.
    Close {
        /// The open shift.
        shift: ShiftId,
        /// What was counted.
        counted: Money,
    },
}

/// A switch of the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DemoCommand {
    /// Cut the link, or restore it.
    ToggleLink,
    /// The customer presents this card from now on.
    PresentCard(String),
}
