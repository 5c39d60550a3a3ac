//! A technician's cash shift: what went into the drawer and out of it, what should be in it, and what was counted.
//!
//! Invariants: what should be in the drawer is said by [`Drawer::expected_minor`] alone, for the X report, the close
//! and the office. A difference is kept as it is. A closed shift never changes; what the bank says later of its
//! payments stands beside it as [`Late`]. Start at [`Report`].

mod number;
pub mod words;

pub use number::ZNumber;

use super::document::DocumentNumber;
use super::id::{MoveId, PaymentId, ShiftId};
use super::money::{Currency, Money, MoneyError};
use super::payment::{PaymentState, Tender};
use serde::{Deserialize, Serialize};

/// The longest reason of a move, characters.
pub const REASON_MAX_CHARS: usize = 60;

/// The largest float, move or count, minor units: what twelve digits can say. Sums of a shift stay far from 64 bits.
pub const CASH_MAX_MINOR: i64 = 999_999_999_999;

/// Which way cash went beside the payments, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveKind {
    /// Into the drawer: change, own money.
    PaidIn,
    /// Out of the drawer: something was bought.
    PaidOut,
    /// Out of the drawer, to the office or the bank.
    Drop,
}

impl MoveKind {
    /// As it stands in the databases.
    pub fn name(self) -> &'static str {
        match self {
            MoveKind::PaidIn => "paid_in",
            MoveKind::PaidOut => "paid_out",
            MoveKind::Drop => "drop",
        }
    }

    /// Whether it leaves the drawer.
    pub fn goes_out(self) -> bool {
        match self {
            MoveKind::PaidIn => false,
            MoveKind::PaidOut | MoveKind::Drop => true,
        }
    }
}

/// Cash that went into or out of the drawer beside the payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashMove {
    /// Its id.
    pub id: MoveId,
    /// Which way, and what for.
    pub kind: MoveKind,
    /// How much, more than zero.
    pub amount: Money,
    /// Why.
    pub reason: String,
    /// When, Unix milliseconds by the device's clock.
    pub at_ms: i64,
}

/// A shift as a row meets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Its id.
    pub id: ShiftId,
    /// The drawer's currency.
    pub currency: Currency,
    /// When it was opened, Unix milliseconds by the device's clock.
    pub opened_ms: i64,
    /// What was put in at the start, minor units.
    pub float_minor: i64,
    /// Cash from outside a shift that was in the drawer at the start, minor units.
    pub carried_minor: i64,
    /// Its Z report's number, once closed.
    pub closed: Option<ZNumber>,
}

/// What a row does to a shift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShiftChange {
    /// It begins.
    Opened(Shift),
    /// Cash moved.
    Moved {
        /// In which shift.
        shift: ShiftId,
        /// The move.
        cash: CashMove,
    },
    /// It ends.
    Closed {
        /// Which shift.
        shift: ShiftId,
        /// How.
        closed: Closed,
        /// The Z report's figures.
        figures: Box<Figures>,
    },
}

/// The flows of one drawer in one shift, each zero or more but `carried_minor`; minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawer {
    /// Put in at the start.
    pub float_minor: i64,
    /// From outside a shift, in the drawer at the start; below zero when more was given back than taken.
    pub carried_minor: i64,
    /// Taken from customers.
    pub taken_minor: i64,
    /// Given back to customers.
    pub refunded_minor: i64,
    /// Paid in.
    pub paid_in_minor: i64,
    /// Paid out.
    pub paid_out_minor: i64,
    /// Dropped.
    pub dropped_minor: i64,
}

impl Drawer {
    /// What should be in the drawer.
    pub fn expected_minor(&self) -> Result<i64, MoneyError> {
        let flows = [
            i128::from(self.float_minor),
            i128::from(self.carried_minor),
            i128::from(self.taken_minor),
            -i128::from(self.refunded_minor),
            i128::from(self.paid_in_minor),
            -i128::from(self.paid_out_minor),
            -i128::from(self.dropped_minor),
        ];
        i64::try_from(flows.into_iter().sum::<i128>()).map_err(|_| MoneyError::Overflow)
    }
}

/// What became of payments, as far as a drawer's report tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Certain money.
    Paid,
    /// Accepted, not certain.
    Pending,
    /// Under way, or nobody knows.
    Unknown,
    /// Taken back.
    Voided,
    /// No money from these.
    NotPaid,
}

impl Class {
    /// The class of a payment's state.
    pub fn of(state: PaymentState) -> Class {
        match state {
            // A void that came too late is money until it is refunded.
            PaymentState::Approved
            | PaymentState::Captured
            | PaymentState::Settled
            | PaymentState::Disputed
            | PaymentState::Recorded
            | PaymentState::VoidFailed => Class::Paid,
            PaymentState::Stored | PaymentState::Held | PaymentState::PartlyApproved => Class::Pending,
            PaymentState::Draft
            | PaymentState::Presenting
            | PaymentState::CardRead
            | PaymentState::Requested
            | PaymentState::Unknown
            | PaymentState::VoidPending
            | PaymentState::Tendered => Class::Unknown,
            PaymentState::Voided | PaymentState::Corrected => Class::Voided,
            PaymentState::Abandoned
            | PaymentState::Declined
            | PaymentState::Refused
            | PaymentState::LateDeclined
            | PaymentState::Expired => Class::NotPaid,
        }
    }

    /// What counts of a payment in this class, minor units.
    pub fn counts(self, approved_minor: i64, amount_minor: i64) -> i64 {
        match self {
            Class::Paid => approved_minor,
            Class::Pending | Class::Unknown | Class::Voided | Class::NotPaid => amount_minor,
        }
    }
}

/// Payments of one tender and class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenderTotal {
    /// Card or cash.
    pub tender: Tender,
    /// What became of them.
    pub class: Class,
    /// How many.
    pub count: u32,
    /// How much, minor units.
    pub minor: i64,
}

/// The figures of a report, in the shift's currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// The drawer.
    pub drawer: Drawer,
    /// Payments by tender and class, in a fixed order, none of zero payments.
    pub tenders: Vec<TenderTotal>,
    /// Tips on the invoices of the shift, minor units.
    pub tips_minor: i64,
}

/// How a shift ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// The number of its Z report.
    pub number: ZNumber,
    /// When, Unix milliseconds by the device's clock.
    pub at_ms: i64,
    /// What was counted, minor units.
    pub counted_minor: i64,
    /// What was expected, minor units.
    pub expected_minor: i64,
    /// Counted less expected: negative is short.
    pub difference_minor: i64,
    /// Rows that the office did not have yet.
    pub unsent_rows: u64,
}

/// What became of a shift's payment after the shift was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Late {
    /// The closed shift's number.
    pub number: ZNumber,
    /// The payment.
    pub payment: PaymentId,
    /// What it pays.
    pub document: DocumentNumber,
    /// What it came to.
    pub state: PaymentState,
    /// How much, minor units of the shift's currency.
    pub minor: i64,
    /// When the device heard of it, Unix milliseconds by its clock.
    pub at_ms: i64,
}

/// An X report while the shift is open, its Z report afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The shift.
    pub shift: ShiftId,
    /// The drawer's currency.
    pub currency: Currency,
    /// When it was opened, Unix milliseconds by the device's clock.
    pub opened_ms: i64,
    /// The figures: as they are now, or as they were at the close.
    pub figures: Figures,
    /// What moved beside the payments, oldest first.
    pub moves: Vec<CashMove>,
    /// How it ended.
    pub closed: Option<Closed>,
    /// What came after the close, oldest first.
    pub late: Vec<Late>,
}

/// All that the shift's screen shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftNow {
    /// The open shift.
    pub open: Option<Report>,
    /// The shift that was closed last.
    pub last: Option<Report>,
    /// News of shifts closed before that one, the newest first.
    pub late: Vec<Late>,
    /// Cash taken outside a shift since the last close.
    pub outside: Money,
    /// Rows that the office does not have yet.
    pub unsent_rows: u64,
}

/// Why something cannot be done to a shift.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShiftError {
    /// There is none.
    #[error("no shift is open: open one with its float first")]
    NotOpen,
    /// There is one.
    #[error("a shift is open already: close it before another one is opened")]
    AlreadyOpen,
    /// It has ended.
    #[error("this shift is closed as {0} and stays as it is: open the next one")]
    Closed(ZNumber),
    /// A float or a count below zero, or beyond what can be counted.
    #[error("an amount of cash is between zero and twelve digits")]
    OutOfRange,
    /// A move of nothing, backwards, or beyond what can be counted.
    #[error("an amount that moves is more than zero and has at most twelve digits")]
    NothingMoves,
    /// No reason, or a novel.
    #[error("say why, in 1 to {REASON_MAX_CHARS} characters")]
    Reason,
    /// More than there is.
    #[error("the drawer holds {0}: no more than that can be taken out")]
    NotThatMuch(Money),
    /// Counted, expected and difference contradict each other.
    #[error("the figures of the close do not add up")]
    Figures,
}

impl ShiftError {
    /// The same thing is never possible in the same state.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_is_the_sum_of_the_flows() {
        let check = |flows: [i64; 7], expect: Result<i64, MoneyError>| {
            let [float_minor, carried_minor, taken_minor, refunded_minor, paid_in_minor, paid_out_minor, dropped_minor] =
                flows;
            let drawer = Drawer {
                float_minor,
                carried_minor,
                taken_minor,
                refunded_minor,
                paid_in_minor,
                paid_out_minor,
                dropped_minor,
            };
            assert_eq!(drawer.expected_minor(), expect, "{flows:?}");
        };
        check([0; 7], Ok(0));
        check([10_000, 0, 12_000, 0, 0, 0, 0], Ok(22_000));
        check([10_000, 500, 12_000, 2_000, 700, 300, 20_000], Ok(900));
        check([0, -500, 0, 0, 0, 0, 0], Ok(-500));
        check([i64::MAX, 0, i64::MAX, i64::MAX, 0, 0, 0], Ok(i64::MAX));
        check([i64::MAX, 0, 1, 0, 0, 0, 0], Err(MoneyError::Overflow));
        check([0, 0, 0, i64::MAX, 0, 2, 0], Err(MoneyError::Overflow));
    }
}
