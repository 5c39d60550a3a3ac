//! Money paid ahead: a document for it, and what of it can pay an invoice here.

use super::identity::next_number;
use super::{Store, StoreError, today};
use crate::domain::deposit::{Deposit, For, usable};
use crate::domain::event::{DepositUsed, Event, InvoiceIssued};
use crate::domain::fold::{Changes, FoldError, Known};
use crate::domain::id::{CustomerId, InvoiceId, JobId, PaymentId, VisitId};
use crate::domain::invoice::{Invoice, InvoiceState};
use crate::domain::journal::Stamp;
use crate::domain::money::Money;
use crate::facts::{self, FactsError, parse};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

/// What a customer has paid ahead, here and on other handhelds, oldest first. What only the office knows of a deposit
/// counts, and what only this handheld knows of it.
pub(super) fn of_customer(db: &Connection, customer: CustomerId) -> Result<Vec<Deposit>, StoreError> {
    let own = facts::deposit::of_customer(db, customer)?;
    let mut told = told(db, customer)?;
    let mut found = Vec::new();
    for deposit in own {
        let office = told.iter().position(|other| other.id == deposit.id).map(|at| told.remove(at));
        let uses = office.map(|office| office.uses).unwrap_or_default();
        let others = others(db, &uses)?;
        found.push(deposit.less(&others));
    }
    for deposit in told {
        let here = facts::deposit::uses(db, deposit.id)?;
        found.push(deposit.less(&here));
    }
    found.sort_by_key(|deposit| (deposit.at_ms, deposit.id.0));
    Ok(found)
}

fn told(db: &Connection, customer: CustomerId) -> Result<Vec<Deposit>, StoreError> {
    let sql = "SELECT record FROM feed_deposit WHERE customer = ?1 ORDER BY at_ms, id";
    let mut statement = db.prepare_cached(sql)?;
    let texts = statement.query_map([customer.to_string()], |r| r.get::<_, String>(0))?;
    texts.map(|text| Ok(parse(&text?)?)).collect()
}

/// Those uses that are not this handheld's: its own are in its own figures, and taken back there first.
fn others(db: &Connection, uses: &[(PaymentId, i64)]) -> Result<Vec<(PaymentId, i64)>, FactsError> {
    let mut others = Vec::new();
    for (payment, minor) in uses {
        let sql = "SELECT 1 FROM payment WHERE id = ?1";
        let here = db.prepare_cached(sql)?.query_row([payment.to_string()], |_| Ok(())).optional()?;
        if here.is_none() {
            others.push((*payment, *minor));
        }
    }
    Ok(others)
}

/// What another handheld has used by the office's word is not there to be taken back or used again here: the office
/// would not take that row. Looked at after the row's changes are written, and before they stay.
pub(super) fn check_used_elsewhere(
    db: &Connection,
    event: &Event,
    known: &Known,
    changed: &Changes,
) -> Result<(), StoreError> {
    let is_word = matches!(event, Event::PaymentOutcomeSeen(_) | Event::RefundOutcomeSeen(_));
    let after = changed.invoice.iter().chain(&changed.deposit).find_map(|now| now.deposit.map(|of| (now.id, of)));
    let Some((id, after)) = after.filter(|_| !is_word) else { return Ok(()) };
    let before = match known.invoice.as_ref().filter(|invoice| invoice.id == id) {
        Some(invoice) => invoice.deposit.zip(known.sums),
        None => known.deposit.as_ref().and_then(|invoice| invoice.deposit).zip(known.deposit_sums),
    };
    let Some((before, sums)) = before else { return Ok(()) };
    let sql = "SELECT record FROM feed_deposit WHERE id = ?1";
    let told = db.prepare_cached(sql)?.query_row([id.to_string()], |r| r.get::<_, String>(0)).optional()?;
    let uses = told.map(|text| parse::<Deposit>(&text)).transpose()?.map(|told| told.uses).unwrap_or_default();
    let elsewhere = others(db, &uses)?.iter().fold(0_i64, |sum, (_, minor)| sum.saturating_add(*minor));
    let (was, left) = (before.left_minor(sums)?, after.left_minor(facts::sums(db, id)?)?);
    let cancelled = changed.invoice.as_ref().is_some_and(|invoice| invoice.state == InvoiceState::Cancelled);
    match (left < was || cancelled) && left < elsewhere {
        true => Err(FoldError::DepositSpent.into()),
        false => Ok(()),
    }
}

impl Store {
    /// Makes a document for a deposit of `amount` under the next number.
    pub fn issue_deposit(
        &mut self,
        job: JobId,
        visit: VisitId,
        amount: Money,
        id: InvoiceId,
        stamp: &Stamp,
    ) -> Result<Invoice, StoreError> {
        let identity = self.identity()?;
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if facts::open_invoice(&tx, visit)?.is_some() {
            return Err(FoldError::Invoiced.into());
        }
        let customer = today::job(&tx, job)?.ok_or(StoreError::Missing("the job"))?.customer;
        let document = next_number(&tx, &identity.series)?;
        let invoice = Invoice::for_deposit(id, document, For { job, visit, customer }, amount, stamp.at_ms);
        super::apply(&tx, &Event::InvoiceIssued(InvoiceIssued { invoice: invoice.clone() }), stamp, None)?;
        tx.commit()?;
        Ok(invoice)
    }

    /// What a deposit that was taken for this job pays of its invoice next; nothing when all is paid or used.
    pub fn deposit_for(&self, invoice: &Invoice, payment: PaymentId) -> Result<Option<DepositUsed>, StoreError> {
        let db = self.read();
        let open = invoice.open(facts::sums(db, invoice.id)?)?;
        let mut deposits = of_customer(db, invoice.customer)?;
        deposits.retain(|deposit| deposit.job == invoice.job);
        Ok(usable(&deposits, invoice.job, open)
            .map(|(deposit, amount)| DepositUsed::of(deposit, invoice, amount, payment)))
    }
}
