//! The technician's cash shift on the handheld: opening, moving cash, closing, and the reports.
//!
//! Invariant: each is one transaction with its row of the journal; the figures of a close are summed inside it, and
//! the number of the Z report is taken inside it, so that a stop in the middle leaves neither a gap nor half a close.

use super::identity::{Identity, meta};
use super::{Store, StoreError, apply};
use crate::domain::event::{CashMoved, Event, ShiftClosed, ShiftOpened};
use crate::domain::id::{MoveId, ShiftId};
use crate::domain::journal::Stamp;
use crate::domain::ledger::Account;
use crate::domain::money::Money;
use crate::domain::shift::{MoveKind, Report, Shift, ShiftError, ShiftNow, ZNumber};
use crate::facts::shift;
use rusqlite::{Connection, TransactionBehavior};

impl Store {
    /// Opens a shift with what was put into the drawer. Cash taken outside a shift is in the drawer too, on top.
    pub fn open_shift(&mut self, id: ShiftId, float: Money, stamp: &Stamp) -> Result<(), StoreError> {
        Money::zero(self.currency).checked_add(float)?;
        let carried_minor = self.balance(Account::Cash)?;
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if current(&tx)?.is_some() {
            return Err(ShiftError::AlreadyOpen.into());
        }
        apply(&tx, &Event::ShiftOpened(ShiftOpened { shift: id, float, carried_minor }), stamp, None)?;
        tx.commit()?;
        Ok(())
    }

    /// Moves cash in the open shift; no more goes out than the drawer holds.
    pub fn move_cash(
        &mut self,
        id: ShiftId,
        movement: MoveId,
        kind: MoveKind,
        amount: Money,
        reason: &str,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let open = open(&tx, id)?;
        let holds = Money::new(shift::figures(&tx, &open)?.drawer.expected_minor()?, open.currency);
        if kind.goes_out() && amount.minor > holds.minor {
            return Err(ShiftError::NotThatMuch(Money::new(holds.minor.max(0), holds.currency)).into());
        }
        let reason = reason.trim().to_owned();
        apply(&tx, &Event::CashMoved(CashMoved { shift: id, movement, kind, amount, reason }), stamp, None)?;
        tx.commit()?;
        Ok(())
    }

    /// Closes the shift with what was counted, whatever was expected and whatever is unsent; its Z report's number.
    pub fn close_shift(&mut self, id: ShiftId, counted: Money, stamp: &Stamp) -> Result<ZNumber, StoreError> {
        let series = self.identity()?.series;
        let unsent_rows = self.unsent_rows()?;
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let open = open(&tx, id)?;
        let figures = shift::figures(&tx, &open)?;
        let expected = Money::new(figures.drawer.expected_minor()?, open.currency);
        let number = tx.query_row("SELECT coalesce(max(z), 0) + 1 FROM shift", [], |r| r.get(0))?;
        let number = ZNumber { series, number };
        let event = Event::ShiftClosed(ShiftClosed {
            shift: id,
            number: number.clone(),
            counted,
            expected,
            difference_minor: counted.checked_sub(expected)?.minor,
            unsent_rows,
            figures,
        });
        apply(&tx, &event, stamp, None)?;
        tx.commit()?;
        Ok(number)
    }

    /// The open shift, the one before it, and what came late.
    pub fn shift_now(&self) -> Result<ShiftNow, StoreError> {
        let db = self.read();
        let identity = self.identity()?;
        let report = |shift: Option<Shift>| shift.map(|shift| shift::report(db, &shift)).transpose();
        let last = shift::last_closed(db, &identity.device.to_string(), &identity.epoch.to_string())?;
        let open = current(db)?;
        let outside = if open.is_some() { 0 } else { self.balance(Account::Cash)? };
        Ok(ShiftNow {
            late: shift::late_but(db, last.as_ref().map(|last| last.id))?,
            open: report(open)?,
            last: report(last)?,
            outside: Money::new(outside, self.currency),
            unsent_rows: self.unsent_rows()?,
        })
    }

    /// One shift's report: X while it is open, Z afterwards.
    pub fn shift_report(&self, id: ShiftId) -> Result<Report, StoreError> {
        let shift = shift::one(self.read(), id)?.ok_or(StoreError::Missing("the shift"))?;
        Ok(shift::report(self.read(), &shift)?)
    }

    /// Whether a shift is open.
    pub fn has_open_shift(&self) -> Result<bool, StoreError> {
        Ok(self.read().query_row("SELECT EXISTS (SELECT 1 FROM shift WHERE state = 'open')", [], |r| r.get(0))?)
    }

    fn unsent_rows(&self) -> Result<u64, StoreError> {
        let (head, _) = super::journal::head(self.read())?;
        Ok(head.saturating_sub(self.acked()?))
    }
}

fn current(db: &Connection) -> Result<Option<Shift>, StoreError> {
    let identity: Identity = meta(db, "identity")?.ok_or(StoreError::NotEnrolled)?;
    Ok(shift::open(db, &identity.device.to_string(), &identity.epoch.to_string())?)
}

/// The shift, which must be open.
fn open(db: &Connection, id: ShiftId) -> Result<Shift, StoreError> {
    let shift = shift::one(db, id)?.ok_or(ShiftError::NotOpen)?;
    match shift.closed {
        None => Ok(shift),
        Some(number) => Err(ShiftError::Closed(number).into()),
    }
}
