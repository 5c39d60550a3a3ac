//! Deposits as they stand: what customers have paid ahead, and what is left of it.

use super::{FactsError, invoice, parse, sums};
use crate::domain::deposit::Deposit;
use crate::domain::id::{CustomerId, InvoiceId, PaymentId};
use crate::domain::invoice::Invoice;
use rusqlite::Connection;

/// Each query counts what must not exist.
pub const NEVER: &[(&str, &str)] = &[
    (
        "what was used of a deposit differs from the payments that use it",
        "SELECT count(*) FROM invoice i WHERE i.kind = 'deposit' AND i.used_minor <>
             (SELECT coalesce(sum(p.approved_minor - p.refunded_minor), 0) FROM payment p WHERE p.deposit = i.id)",
    ),
    (
        "what customers have paid ahead differs in the ledger",
        "SELECT coalesce((SELECT sum(minor) FROM ledger_posting WHERE account = 'deposits'), 0) <>
             (SELECT coalesce(sum(approved_minor - refunded_minor), 0) FROM payment WHERE tender = 'deposit')
             - (SELECT coalesce(sum(p.covers_minor), 0) FROM payment p JOIN invoice i ON i.id = p.invoice
                WHERE i.kind = 'deposit')",
    ),
];

/// The payments that use a deposit, with how much each, minor units.
pub fn uses(db: &Connection, id: InvoiceId) -> Result<Vec<(PaymentId, i64)>, FactsError> {
    let sql = "SELECT id, approved_minor - refunded_minor FROM payment
               WHERE deposit = ?1 AND approved_minor > refunded_minor ORDER BY seq, id";
    let mut statement = db.prepare_cached(sql)?;
    let found = statement.query_map([id.to_string()], |r| Ok((r.get::<_, String>(0)?, r.get(1)?)))?;
    found
        .map(|columns| {
            let (payment, minor) = columns?;
            Ok((payment.parse().map_err(|_| FactsError::Record(format!("{payment} is no id")))?, minor))
        })
        .collect()
}

/// One deposit; `None` when there is none, or it was taken back.
pub fn one(db: &Connection, id: InvoiceId) -> Result<Option<Deposit>, FactsError> {
    invoice(db, id)?.map(|invoice| of(db, &invoice)).transpose().map(Option::flatten)
}

/// A customer's deposits, oldest first.
pub fn of_customer(db: &Connection, customer: CustomerId) -> Result<Vec<Deposit>, FactsError> {
    let sql = "SELECT record FROM invoice WHERE customer = ?1 AND kind = 'deposit' AND state <> 'cancelled'
               ORDER BY issued_ms, id";
    let mut statement = db.prepare_cached(sql)?;
    let texts = statement.query_map([customer.to_string()], |r| r.get::<_, String>(0))?;
    let found = texts.map(|text| of(db, &parse(&text?)?)).filter_map(Result::transpose);
    found.collect()
}

/// The deposit of a document; `None` for an invoice, and for one that was taken back.
pub fn of(db: &Connection, invoice: &Invoice) -> Result<Option<Deposit>, FactsError> {
    let wrong = |why: crate::domain::money::MoneyError| FactsError::Record(why.to_string());
    Deposit::of(invoice, sums(db, invoice.id)?, uses(db, invoice.id)?).map_err(wrong)
}
