//! What customers have paid ahead: told to the handhelds that can use it, and listed for the bookkeeper.
//!
//! Start at [`changed`].

use super::exceptions::{Trouble, raise, settle};
use super::{OfficeError, feed};
use crate::domain::deposit::Deposit;
use crate::domain::exception::ExceptionType;
use crate::domain::fold::Changes;
use crate::domain::invoice::{Invoice, InvoiceState};
use crate::domain::money::Money;
use crate::facts::{self, parse};
use rusqlite::Connection;

/// Deposits on one list at the most.
pub const LIST_MAX: u32 = 500;

/// A row changed deposits: the handhelds of the technicians who have a job of the customer hear of it, and the one that took
/// it; the dispatcher hears when less is left than was used.
pub fn changed(db: &Connection, changes: &Changes, now_ms: i64) -> Result<(), OfficeError> {
    for invoice in changes.invoice.iter().chain(&changes.deposit).filter(|invoice| invoice.is_deposit()) {
        note(db, invoice)?;
        short(db, invoice, changes, now_ms)?;
    }
    Ok(())
}

fn note(db: &Connection, invoice: &Invoice) -> Result<(), OfficeError> {
    let sql = "SELECT d.id FROM device d JOIN job j ON j.technician = d.technician WHERE j.customer = ?1
               UNION SELECT device FROM invoice WHERE id = ?2";
    let id = invoice.id.to_string();
    let op = if invoice.state == InvoiceState::Cancelled { "delete" } else { "put" };
    let mut statement = db.prepare_cached(sql)?;
    let devices = statement.query_map((invoice.customer.to_string(), &id), |r| r.get::<_, String>(0))?;
    for device in devices.collect::<rusqlite::Result<Vec<_>>>()? {
        feed::note(db, &feed::channel_of(&device), "deposit", &id, op)?;
    }
    Ok(())
}

fn short(db: &Connection, invoice: &Invoice, changes: &Changes, now_ms: i64) -> Result<(), OfficeError> {
    let Some(deposit) = invoice.deposit else { return Ok(()) };
    let left = deposit.left_minor(facts::sums(db, invoice.id)?)?;
    if left >= 0 {
        let sql = "SELECT id FROM payment WHERE invoice = ?1";
        let mut statement = db.prepare_cached(sql)?;
        let payments = statement.query_map([invoice.id.to_string()], |r| r.get::<_, String>(0))?;
        for payment in payments.collect::<rusqlite::Result<Vec<_>>>()? {
            settle(db, ExceptionType::DepositShort, &payment, "the deposit is there again", now_ms)?;
        }
        return Ok(());
    }
    let Some(payment) = changes.payment.as_ref().filter(|payment| payment.invoice == invoice.id) else { return Ok(()) };
    let (subject, job) = (payment.id.to_string(), invoice.job.to_string());
    let trouble = Trouble {
        kind: ExceptionType::DepositShort,
        subject: &subject,
        device: None,
        job: Some(&job),
        amount: Money::new(left.saturating_neg(), invoice.totals.currency),
        note: &format!("deposit {} has paid an invoice, and is not paid itself any more", invoice.document),
        deadline_ms: None,
    };
    raise(db, &trouble, now_ms)
}

/// A deposit with whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The deposit.
    pub deposit: Deposit,
    /// Its document, with what became of it.
    pub invoice: Invoice,
    /// The customer's name.
    pub customer: String,
}

/// What has been paid ahead and is neither used nor given back, and what is promised, newest first; `all`: also what is
/// over. At most [`LIST_MAX`].
pub fn list(db: &Connection, all: bool) -> Result<Vec<Listed>, OfficeError> {
    let sql = "SELECT i.record, coalesce(c.name, '?') FROM invoice i LEFT JOIN customer c ON c.id = i.customer
               WHERE i.kind = 'deposit' AND i.state <> 'cancelled'
                 AND (?1 OR EXISTS (SELECT 1 FROM payment p WHERE p.invoice = i.id
                                    AND p.promises_minor > 0)
                      OR (SELECT coalesce(sum(p.covers_minor), 0) FROM payment p WHERE p.invoice = i.id) <> i.used_minor)
               ORDER BY i.issued_ms DESC, i.id LIMIT ?2";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query((all, LIST_MAX))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let invoice: Invoice = parse(&row.get::<_, String>(0)?)?;
        if let Some(deposit) = facts::deposit::of(db, &invoice)? {
            found.push(Listed { deposit, invoice, customer: row.get(1)? });
        }
    }
    Ok(found)
}
