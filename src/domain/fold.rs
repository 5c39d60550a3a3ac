//! What one journal row changes: a pure function, run on the handheld before it commits and in the office when the
//! row arrives, so that both hold the same facts.

mod books;
mod deposit;
mod shift;

use super::event::{Event, InvoiceCancelled, InvoiceIssued, LineAdded, LineRemoved, VisitMoved};
use super::id::{ItemId, RowId};
use super::invoice::{Invoice, InvoiceState, PaidSums};
use super::job::{MoneyState, VisitWork};
use super::ledger::{Entry, LedgerError};
use super::line::{Line, Quantity};
use super::money::{Money, MoneyError};
use super::payment::{IllegalTransition, Payment, Tender};
use super::refund::Refund;
use super::shift::{Shift, ShiftChange, ShiftError};
use super::stock::{Place, StockMove};

/// What is known before the row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The visit that the row speaks about; `None` when nobody touched it yet.
    pub visit: Option<VisitWork>,
    /// The visit's or the payment's invoice that is not cancelled.
    pub invoice: Option<Invoice>,
    /// The sums over that invoice's payments.
    pub sums: Option<PaidSums>,
    /// The payment.
    pub payment: Option<Payment>,
    /// The refund.
    pub refund: Option<Refund>,
    /// The cash shift that the row speaks about.
    pub shift: Option<Shift>,
    /// The deposit that the payment takes from; `None` on a handheld that did not take the deposit.
    pub deposit: Option<Invoice>,
    /// The sums over that deposit's own payments.
    pub deposit_sums: Option<PaidSums>,
}

/// What changes with the row. `None` and empty mean: as before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The visit's new state.
    pub visit: Option<VisitWork>,
    /// A new line.
    pub line_added: Option<Line>,
    /// A line that goes.
    pub line_removed: Option<Line>,
    /// The invoice's new state.
    pub invoice: Option<Invoice>,
    /// The payment's new state.
    pub payment: Option<Payment>,
    /// The refund's new state.
    pub refund: Option<Refund>,
    /// A ledger entry.
    pub entry: Option<Entry>,
    /// Stock moves.
    pub stock: Vec<StockMove>,
    /// The payment's blob is not needed any more on this side.
    pub erase_blob: bool,
    /// What happens to a cash shift.
    pub shift: Option<ShiftChange>,
    /// The new state of the deposit that the payment takes from.
    pub deposit: Option<Invoice>,
}

/// Why a row changes nothing: it cannot be true after what is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// A payment event in the wrong state.
    #[error(transparent)]
    Payment(#[from] IllegalTransition),
    /// A visit event in the wrong state.
    #[error("a visit cannot go from {from} to {to}")]
    Visit {
        /// What is known.
        from: &'static str,
        /// What was asked.
        to: &'static str,
    },
    /// Lines after the invoice.
    #[error("the invoice is issued: take it back before changing its lines")]
    Invoiced,
    /// Nothing to bill, or something that does not exist.
    #[error("the row speaks of {0} that does not exist here")]
    Missing(&'static str),
    /// Taking back an invoice with money on it.
    #[error("money has moved on this invoice: it cannot be taken back, only refunded")]
    MoneyMoved,
    /// More than there is of a deposit.
    #[error("only {0} of the deposit is left: take less")]
    DepositShort(Money),
    /// Money of a deposit that has paid an invoice.
    #[error("the deposit has paid an invoice: take that entry back first")]
    DepositSpent,
    /// Not a deposit.
    #[error("a deposit is an amount over zero, without lines and without tax")]
    NoDeposit,
    /// A shift event that does not fit its shift.
    #[error(transparent)]
    Shift(#[from] ShiftError),
    /// Arithmetic.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl FoldError {
    /// The same row never fits the same state.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

/// Where the row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowRef {
    /// The row's id.
    pub id: RowId,
    /// Its device time, Unix milliseconds.
    pub at_ms: i64,
}

/// What `event` changes, given what is known.
pub fn fold(event: &Event, known: &Known, row: RowRef) -> Result<Changes, FoldError> {
    match event {
        Event::JournalOpened(_)
        | Event::ManagerApproved(_)
        | Event::ReceiptQueued(_)
        | Event::ReceiptEnded(_)
        | Event::DrawerOpened(_) => Ok(Changes::default()),
        Event::ReceiptEmailRequested(e) => match &known.invoice {
            Some(invoice) if invoice.id == e.invoice => Ok(Changes::default()),
            Some(_) | None => Err(FoldError::Missing("an invoice")),
        },
        Event::VisitMoved(e) => visit_moved(e, known),
        Event::LineAdded(e) => line_added(e, known, row),
        Event::LineRemoved(e) => line_removed(e, known, row),
        Event::InvoiceIssued(e) => invoice_issued(e, known, row),
        Event::InvoiceCancelled(e) => invoice_cancelled(e, known, row),
        Event::PaymentIntended(_)
        | Event::PaymentAbandoned(_)
        | Event::PaymentCardDeclined(_)
        | Event::PaymentCardRead(_)
        | Event::PaymentRefused(_)
        | Event::PaymentRequested(_)
        | Event::PaymentAcceptedOffline(_)
        | Event::PaymentUnknown(_)
        | Event::PaymentPartTaken(_)
        | Event::PaymentVoidRequested(_)
        | Event::PaymentOutcomeSeen(_)
        | Event::PaymentCorrected(_)
        | Event::TenderRecorded(_)
        | Event::DepositUsed(_)
        | Event::CashRecorded(_) => payment_changed(event, known, row),
        Event::RefundRequested(_) | Event::RefundOutcomeSeen(_) | Event::CashRefunded(_) => {
            refund_changed(event, known, row)
        }
        Event::ShiftOpened(e) => shift::opened(e, known, row),
        Event::CashMoved(e) => shift::moved(e, known, row),
        Event::ShiftClosed(e) => shift::closed(e, known, row),
    }
}

fn visit_moved(e: &VisitMoved, known: &Known) -> Result<Changes, FoldError> {
    let visit = known.visit.unwrap_or(VisitWork::untouched(e.job, e.visit));
    if visit.state != e.from || !e.from.may_become(e.to) {
        return Err(FoldError::Visit { from: visit.state.word(), to: e.to.word() });
    }
    Ok(Changes { visit: Some(VisitWork { state: e.to, ..visit }), ..Changes::default() })
}

fn not_invoiced(known: &Known) -> Result<(), FoldError> {
    match known.invoice {
        Some(_) => Err(FoldError::Invoiced),
        None => Ok(()),
    }
}

fn moves(lines: &[Line], row: RowRef, visit: super::id::VisitId, from: Place, to: Place) -> Vec<StockMove> {
    let one = |item: ItemId, quantity: Quantity| StockMove { row: row.id, item, quantity, from, to, visit };
    lines.iter().filter(|l| l.stock_tracked).filter_map(|l| l.item.map(|item| one(item, l.quantity))).collect()
}

fn line_added(e: &LineAdded, known: &Known, row: RowRef) -> Result<Changes, FoldError> {
    not_invoiced(known)?;
    e.line.amount()?;
    Ok(Changes {
        visit: Some(known.visit.unwrap_or(VisitWork::untouched(e.job, e.visit))),
        stock: moves(std::slice::from_ref(&e.line), row, e.visit, Place::Van, Place::Visit),
        line_added: Some(e.line.clone()),
        ..Changes::default()
    })
}

fn line_removed(e: &LineRemoved, known: &Known, row: RowRef) -> Result<Changes, FoldError> {
    not_invoiced(known)?;
    Ok(Changes {
        stock: moves(std::slice::from_ref(&e.line), row, e.visit, Place::Visit, Place::Van),
        line_removed: Some(e.line.clone()),
        ..Changes::default()
    })
}

fn invoice_issued(e: &InvoiceIssued, known: &Known, row: RowRef) -> Result<Changes, FoldError> {
    if e.invoice.is_deposit() {
        return deposit::issued(&e.invoice, known);
    }
    not_invoiced(known)?;
    let visit = known.visit.unwrap_or(VisitWork::untouched(e.invoice.job, e.invoice.visit));
    let (state, money) = e.invoice.standing(PaidSums::NONE)?;
    Ok(Changes {
        visit: Some(VisitWork { money, ..visit }),
        entry: books::invoice_entry(&e.invoice, row, 1)?,
        invoice: Some(Invoice { state, ..e.invoice.clone() }),
        ..Changes::default()
    })
}

fn invoice_cancelled(e: &InvoiceCancelled, known: &Known, row: RowRef) -> Result<Changes, FoldError> {
    let invoice = known.invoice.as_ref().filter(|i| i.id == e.invoice).ok_or(FoldError::Missing("an invoice"))?;
    if known.sums.is_none_or(|sums| sums != PaidSums::NONE) || invoice.delivered {
        return Err(FoldError::MoneyMoved);
    }
    if invoice.is_deposit() {
        return deposit::cancelled(invoice);
    }
    let visit = known.visit.ok_or(FoldError::Missing("a visit"))?;
    Ok(Changes {
        visit: Some(VisitWork { money: MoneyState::None, ..visit }),
        entry: books::invoice_entry(invoice, row, -1)?,
        invoice: Some(Invoice { state: InvoiceState::Cancelled, ..invoice.clone() }),
        ..Changes::default()
    })
}

/// A payment's new state, and all that follows from it: invoice, visit, ledger and stock.
fn payment_changed(event: &Event, known: &Known, row: RowRef) -> Result<Changes, FoldError> {
    let payment = Payment::after(known.payment.as_ref(), event, row.at_ms)?;
    // The office's word is a fact; all else is somebody's wish.
    follows(payment, known, row, !matches!(event, Event::PaymentOutcomeSeen(_)))
}

/// A refund's new state, and what it makes of its payment.
fn refund_changed(event: &Event, known: &Known, row: RowRef) -> Result<Changes, FoldError> {
    let before = known.refund.as_ref();
    let refund = Refund::after(before, event, row.at_ms)?;
    let asked = !matches!(event, Event::RefundOutcomeSeen(_));
    let changes = match (&known.payment, refund.payment) {
        (Some(payment), Some(_)) => follows(payment.after_refund(before, &refund)?, known, row, asked)?,
        (None, Some(_)) => return Err(FoldError::Missing("a payment")),
        // Only what a deposit paid goes back to it.
        (_, None) if refund.tender == Tender::Deposit => return Err(FoldError::Missing("a payment")),
        (_, None) => Changes { entry: books::unlinked_entry(&refund, known, row)?, ..Changes::default() },
    };
    Ok(Changes { refund: Some(refund), ..changes })
}

/// What follows from a payment's new state. `asked`: somebody wants it so, and may be told that it cannot be.
fn follows(payment: Payment, known: &Known, row: RowRef, asked: bool) -> Result<Changes, FoldError> {
    let invoice = known.invoice.as_ref().ok_or(FoldError::Missing("an invoice"))?;
    let fits = invoice.id == payment.invoice && invoice.totals.currency == payment.amount.currency;
    if !fits || payment.amount.minor <= 0 || payment.extras.tip_minor < 0 || payment.base_minor()? < 0 {
        return Err(FoldError::Missing("an invoice of this payment"));
    }
    if invoice.is_deposit() {
        return deposit::paid(payment, invoice, known, row, asked);
    }
    let sums = sums_with(&payment, known)?;
    let (state, money) = invoice.standing(sums)?;
    let covered = sums.covered_minor()? >= invoice.totals.total_minor;
    let deliver = covered && !invoice.delivered;
    let visit = VisitWork { money, ..known.visit.unwrap_or(VisitWork::untouched(invoice.job, invoice.visit)) };
    let now = Invoice { state, delivered: invoice.delivered || deliver, ..invoice.clone() };
    Ok(Changes {
        // Most steps of a payment change neither; what is as before is not written again.
        visit: (known.visit != Some(visit)).then_some(visit),
        stock: if deliver {
            moves(&invoice.lines, row, invoice.visit, Place::Visit, Place::Customer)
        } else {
            Vec::new()
        },
        entry: books::payment_entry(known.payment.as_ref(), &payment, invoice, row)?,
        deposit: deposit::used(&payment, invoice, known, asked)?,
        invoice: (now != *invoice).then_some(now),
        erase_blob: is_over(&payment),
        payment: Some(payment),
        ..Changes::default()
    })
}

/// The sums over the invoice's payments with this one as it is now.
fn sums_with(payment: &Payment, known: &Known) -> Result<PaidSums, FoldError> {
    let was = known.payment.as_ref().map_or(Ok(PaidSums::NONE), Payment::covers)?;
    let now = payment.covers()?;
    let add = |sum: i64, now: i64, was: i64| {
        now.checked_sub(was).and_then(|delta| sum.checked_add(delta)).ok_or(MoneyError::Overflow)
    };
    let before = known.sums.unwrap_or(PaidSums::NONE);
    Ok(PaidSums {
        approved_minor: add(before.approved_minor, now.approved_minor, was.approved_minor)?,
        pending_minor: add(before.pending_minor, now.pending_minor, was.pending_minor)?,
    })
}

/// No card data is needed for it any more: every end, and every approval (captures need none).
fn is_over(payment: &Payment) -> bool {
    use super::payment::PaymentState as S;
    match payment.state {
        S::Abandoned
        | S::Declined
        | S::Refused
        | S::Approved
        | S::PartlyApproved
        | S::Voided
        | S::VoidFailed
        | S::LateDeclined
        | S::Expired
        | S::Captured
        | S::Settled
        | S::Disputed => payment.blob.is_some(),
        S::Draft
        | S::Presenting
        | S::CardRead
        | S::Requested
        | S::Stored
        | S::Unknown
        | S::VoidPending
        | S::Held
        | S::Tendered
        | S::Recorded
        | S::Corrected => false,
    }
}
