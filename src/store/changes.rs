//! From facts to tables and back: what is known before a row, and writing what it changes.

use super::{StoreError, name, parse, record};
use crate::domain::event::Event;
use crate::domain::fold::{Changes, Known};
use crate::domain::id::{InvoiceId, PaymentId, VisitId};
use crate::domain::invoice::{Invoice, PaidSums};
use crate::domain::job::VisitWork;
use crate::domain::journal::Stamp;
use crate::domain::ledger::Entry;
use crate::domain::line::Line;
use crate::domain::payment::Payment;
use crate::domain::stock::StockMove;
use rusqlite::{Connection, OptionalExtension as _, Transaction};

/// What is known before `event`.
pub(super) fn known(db: &Connection, event: &Event) -> Result<Known, StoreError> {
    let about = event.about();
    let payment = about.payment.map(|id| payment(db, id)).transpose()?.flatten();
    let invoice = match (&payment, about.visit) {
        (Some(payment), _) => invoice(db, payment.invoice)?,
        (None, Some(visit)) => open_invoice(db, visit)?,
        (None, None) => None,
    };
    let sums = invoice.as_ref().map(|invoice| sums(db, invoice.id)).transpose()?;
    let visit = about.visit.map(|id| visit_work(db, id)).transpose()?.flatten();
    Ok(Known { visit, invoice, sums, payment })
}

/// One payment.
pub(super) fn payment(db: &Connection, id: PaymentId) -> Result<Option<Payment>, StoreError> {
    let text: Option<String> = db
        .prepare_cached("SELECT record FROM payment WHERE id = ?1")?
        .query_row([id.to_string()], |r| r.get(0))
        .optional()?;
    text.map(|text| parse(&text)).transpose()
}

/// One invoice.
pub(super) fn invoice(db: &Connection, id: InvoiceId) -> Result<Option<Invoice>, StoreError> {
    let text: Option<String> = db
        .prepare_cached("SELECT record FROM invoice WHERE id = ?1")?
        .query_row([id.to_string()], |r| r.get(0))
        .optional()?;
    text.map(|text| parse(&text)).transpose()
}

/// The visit's invoice that is not cancelled.
pub(super) fn open_invoice(db: &Connection, visit: VisitId) -> Result<Option<Invoice>, StoreError> {
    let text: Option<String> = db
        .prepare_cached("SELECT record FROM invoice WHERE visit = ?1 AND state <> 'cancelled'")?
        .query_row([visit.to_string()], |r| r.get(0))
        .optional()?;
    text.map(|text| parse(&text)).transpose()
}

/// Sums over an invoice's payments.
pub(super) fn sums(db: &Connection, id: InvoiceId) -> Result<PaidSums, StoreError> {
    let sql =
        "SELECT coalesce(sum(approved_minor), 0), coalesce(sum(pending_minor), 0) FROM payment WHERE invoice = ?1";
    let sums = db
        .prepare_cached(sql)?
        .query_row([id.to_string()], |r| Ok(PaidSums { approved_minor: r.get(0)?, pending_minor: r.get(1)? }))?;
    Ok(sums)
}

/// The device's side of a visit.
pub(super) fn visit_work(db: &Connection, id: VisitId) -> Result<Option<VisitWork>, StoreError> {
    let found: Option<(String, String, String)> = db
        .prepare_cached("SELECT job, state, money FROM visit_work WHERE visit = ?1")?
        .query_row([id.to_string()], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
        .optional()?;
    let Some((job, state, money)) = found else { return Ok(None) };
    let job = job.parse().map_err(|_| StoreError::Record(format!("{job} is no id")))?;
    Ok(Some(VisitWork { job, visit: id, state: parse(&quoted(&state))?, money: parse(&quoted(&money))? }))
}

/// The visit's lines, in the order of adding.
pub(super) fn lines(db: &Connection, visit: VisitId) -> Result<Vec<Line>, StoreError> {
    let mut statement = db.prepare_cached("SELECT record FROM line WHERE visit = ?1 ORDER BY seq")?;
    let texts = statement.query_map([visit.to_string()], |r| r.get::<_, String>(0))?;
    texts.map(|text| parse(&text?)).collect()
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// Writes what a row changes.
pub(super) fn write(tx: &Transaction<'_>, changes: &Changes, seq: u64, stamp: &Stamp) -> Result<(), StoreError> {
    if let Some(visit) = &changes.visit {
        tx.execute(
            "INSERT INTO visit_work (visit, job, state, money) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (visit) DO UPDATE SET state = excluded.state, money = excluded.money",
            (visit.visit.to_string(), visit.job.to_string(), name(&visit.state)?, name(&visit.money)?),
        )?;
    }
    if let (Some(line), Some(visit)) = (&changes.line_added, &changes.visit) {
        tx.execute(
            "INSERT INTO line (id, visit, seq, record) VALUES (?1, ?2, ?3, ?4)",
            (line.id.to_string(), visit.visit.to_string(), seq, record(line)?),
        )?;
    }
    if let Some(line) = &changes.line_removed {
        let gone = tx.execute("DELETE FROM line WHERE id = ?1", [line.id.to_string()])?;
        if gone != 1 {
            return Err(StoreError::Missing("the line"));
        }
    }
    if let Some(invoice) = &changes.invoice {
        write_invoice(tx, invoice)?;
    }
    if let Some(payment) = &changes.payment {
        write_payment(tx, payment, seq)?;
    }
    if let Some(entry) = &changes.entry {
        write_entry(tx, entry)?;
    }
    for (n, stock) in changes.stock.iter().enumerate() {
        write_stock(tx, n, stock)?;
    }
    if let (true, Some(payment)) = (changes.erase_blob, &changes.payment) {
        tx.execute("DELETE FROM blob WHERE payment = ?1", [payment.id.to_string()])?;
    }
    debug_assert!(stamp.at_ms >= 0, "the clock is past 1970");
    Ok(())
}

fn write_invoice(tx: &Transaction<'_>, invoice: &Invoice) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO invoice (id, document, job, visit, customer, currency, total_minor, state, delivered, issued_ms, record)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, delivered = excluded.delivered, record = excluded.record",
    )?
    .execute((
        invoice.id.to_string(),
        invoice.document.to_string(),
        invoice.job.to_string(),
        invoice.visit.to_string(),
        invoice.customer.to_string(),
        invoice.totals.currency.code(),
        invoice.totals.total_minor,
        name(&invoice.state)?,
        invoice.delivered,
        invoice.issued_ms,
        record(invoice)?,
    ))?;
    Ok(())
}

fn write_payment(tx: &Transaction<'_>, payment: &Payment, seq: u64) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO payment (id, invoice, job, visit, tender, currency, amount_minor, state, approved_minor,
                              pending_minor, deadline_ms, seq, record)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, approved_minor = excluded.approved_minor,
             pending_minor = excluded.pending_minor, deadline_ms = excluded.deadline_ms, record = excluded.record",
    )?
    .execute((
        payment.id.to_string(),
        payment.invoice.to_string(),
        payment.job.to_string(),
        payment.visit.to_string(),
        name(&payment.tender)?,
        payment.amount.currency.code(),
        payment.amount.minor,
        payment.state.name(),
        payment.approved_minor,
        payment.pending_minor,
        payment.deadline_ms,
        seq,
        record(payment)?,
    ))?;
    Ok(())
}

fn write_entry(tx: &Transaction<'_>, entry: &Entry) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO ledger_entry (id, at_ms, customer, currency) VALUES (?1, ?2, ?3, ?4)",
        (entry.id.to_string(), entry.at_ms, entry.customer.to_string(), entry.currency.code()),
    )?;
    let mut statement = tx.prepare_cached("INSERT INTO ledger_posting (entry, account, minor) VALUES (?1, ?2, ?3)")?;
    for posting in &entry.postings {
        statement.execute((entry.id.to_string(), posting.account.name(), posting.minor))?;
    }
    Ok(())
}

fn write_stock(tx: &Transaction<'_>, n: usize, stock: &StockMove) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO stock_move (row, n, item, quantity, from_place, to_place, visit)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (
            stock.row.to_string(),
            n,
            stock.item.to_string(),
            stock.quantity.0,
            stock.from.name(),
            stock.to.name(),
            stock.visit.to_string(),
        ),
    )?;
    Ok(())
}

/// Keeps count of a receipt's copies.
pub(super) fn write_receipt(tx: &Transaction<'_>, event: &Event) -> Result<(), StoreError> {
    let (invoice, copy, state) = match event {
        Event::ReceiptQueued(e) => (e.invoice, e.copy, "queued"),
        Event::ReceiptEnded(e) => (e.invoice, e.copy, if e.printed { "printed" } else { "failed" }),
        _ => return Ok(()),
    };
    tx.execute(
        "INSERT INTO receipt_print (invoice, copy, state) VALUES (?1, ?2, ?3)
         ON CONFLICT (invoice, copy) DO UPDATE SET state = excluded.state",
        (invoice.to_string(), copy, state),
    )?;
    Ok(())
}
