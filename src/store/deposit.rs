//! Money paid ahead: a document for it, and what of it can pay an invoice here.

use super::identity::next_number;
use super::{Store, StoreError, today};
use crate::domain::deposit::{Deposit, For, usable};
use crate::domain::event::{DepositUsed, Event, InvoiceIssued};
use crate::domain::fold::FoldError;
use crate::domain::id::{CustomerId, InvoiceId, JobId, PaymentId, VisitId};
use crate::domain::invoice::Invoice;
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
