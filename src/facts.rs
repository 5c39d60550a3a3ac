//! The facts that follow from the journal, as tables: the same in the handheld's and in the office's database, so
//! that one piece of SQL serves both. [`known`] reads what a row builds on, [`write()`] writes what it changes.
//!
//! Invariant: decides nothing; what changes is `domain::fold`'s word.

pub mod deposit;
pub mod shift;

use crate::domain::deposit::DepositUse;
use crate::domain::event::Event;
use crate::domain::fold::{Changes, Known};
use crate::domain::id::{InvoiceId, PaymentId, RefundId, VisitId};
use crate::domain::invoice::{Invoice, InvoiceState, PaidSums};
use crate::domain::job::VisitWork;
use crate::domain::ledger::Entry;
use crate::domain::line::Line;
use crate::domain::payment::Payment;
use crate::domain::refund::Refund;
use crate::domain::stock::StockMove;
use rusqlite::{Connection, OptionalExtension as _};

/// Why facts cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// SQLite said no.
    #[error("the database says: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A record cannot be read.
    #[error("a record in the database cannot be read: {0}")]
    Record(String),
    /// A line that should go is not there.
    #[error("the line is not there any more")]
    NoLine,
    /// A shift that should end has ended.
    #[error("the shift is not open any more")]
    NotOpen,
}

impl FactsError {
    /// Whether trying the same again is useless.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, FactsError::Sqlite(_))
    }
}

/// Which row of whose journal makes the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The handheld.
    pub device: &'a str,
    /// Which of its journals.
    pub epoch: &'a str,
    /// The row's place.
    pub seq: u64,
    /// The row's device time, Unix milliseconds.
    pub at_ms: i64,
}

/// What is known before `event`.
pub fn known(db: &Connection, event: &Event) -> Result<Known, FactsError> {
    let about = event.about();
    let payment = about.payment.map(|id| payment(db, id)).transpose()?.flatten();
    // The payment's document, else the one that is named, else the visit's invoice.
    let named = match (&payment, about.invoice) {
        (Some(payment), _) => invoice(db, payment.invoice)?,
        (None, Some(id)) => {
            // An id is given once, whatever became of it.
            let new = matches!(event, Event::InvoiceIssued(_));
            let here = |found: &Invoice| Some(found.visit) == about.visit && found.state != InvoiceState::Cancelled;
            let stands = |found: &Invoice| new || here(found);
            invoice(db, id)?.filter(stands)
        }
        (None, None) => None,
    };
    let invoice = match (named, &payment, about.visit) {
        (None, None, Some(visit)) => open_invoice(db, visit)?,
        (named, ..) => named,
    };
    let sums = invoice.as_ref().map(|invoice| sums(db, invoice.id)).transpose()?;
    let visit = about.visit.map(|id| visit_work(db, id)).transpose()?.flatten();
    let refund = about.refund.map(|id| refund(db, id)).transpose()?.flatten();
    let shift = about.shift.map(|id| shift::one(db, id)).transpose()?.flatten();
    let taken_from = about.deposit.or(payment.as_ref().and_then(|payment| payment.deposit));
    let deposit = taken_from.map(|id| self::invoice(db, id)).transpose()?.flatten();
    let deposit_sums = deposit.as_ref().map(|deposit| self::sums(db, deposit.id)).transpose()?;
    Ok(Known { visit, invoice, sums, payment, refund, shift, deposit, deposit_sums })
}

/// One payment.
pub fn payment(db: &Connection, id: PaymentId) -> Result<Option<Payment>, FactsError> {
    let text: Option<String> = db
        .prepare_cached("SELECT record FROM payment WHERE id = ?1")?
        .query_row([id.to_string()], |r| r.get(0))
        .optional()?;
    text.map(|text| parse(&text)).transpose()
}

/// One refund.
pub fn refund(db: &Connection, id: RefundId) -> Result<Option<Refund>, FactsError> {
    let text: Option<String> = db
        .prepare_cached("SELECT record FROM refund WHERE id = ?1")?
        .query_row([id.to_string()], |r| r.get(0))
        .optional()?;
    text.map(|text| parse(&text)).transpose()
}

/// One invoice.
pub fn invoice(db: &Connection, id: InvoiceId) -> Result<Option<Invoice>, FactsError> {
    let text: Option<String> = db
        .prepare_cached("SELECT record FROM invoice WHERE id = ?1")?
        .query_row([id.to_string()], |r| r.get(0))
        .optional()?;
    text.map(|text| parse(&text)).transpose()
}

/// The visit's invoice that is not cancelled; never a deposit.
pub fn open_invoice(db: &Connection, visit: VisitId) -> Result<Option<Invoice>, FactsError> {
    let text: Option<String> = db
        .prepare_cached("SELECT record FROM invoice WHERE visit = ?1 AND kind = 'invoice' AND state <> 'cancelled'")?
        .query_row([visit.to_string()], |r| r.get(0))
        .optional()?;
    text.map(|text| parse(&text)).transpose()
}

/// Sums over an invoice's payments.
pub fn sums(db: &Connection, id: InvoiceId) -> Result<PaidSums, FactsError> {
    let sql = "SELECT coalesce(sum(covers_minor), 0), coalesce(sum(promises_minor), 0) FROM payment WHERE invoice = ?1";
    let sums = db
        .prepare_cached(sql)?
        .query_row([id.to_string()], |r| Ok(PaidSums { approved_minor: r.get(0)?, pending_minor: r.get(1)? }))?;
    Ok(sums)
}

/// The device's side of a visit.
pub fn visit_work(db: &Connection, id: VisitId) -> Result<Option<VisitWork>, FactsError> {
    let found: Option<(String, String, String)> = db
        .prepare_cached("SELECT job, state, money FROM visit_work WHERE visit = ?1")?
        .query_row([id.to_string()], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
        .optional()?;
    let Some((job, state, money)) = found else { return Ok(None) };
    let job = job.parse().map_err(|_| FactsError::Record(format!("{job} is no id")))?;
    Ok(Some(VisitWork { job, visit: id, state: named(&state)?, money: named(&money)? }))
}

/// The visit's lines, in the order of adding.
pub fn lines(db: &Connection, visit: VisitId) -> Result<Vec<Line>, FactsError> {
    let mut statement = db.prepare_cached("SELECT record FROM line WHERE visit = ?1 ORDER BY seq")?;
    let texts = statement.query_map([visit.to_string()], |r| r.get::<_, String>(0))?;
    texts.map(|text| parse(&text?)).collect()
}

/// A snake-case enum's value by its name.
pub fn named<T: serde::de::DeserializeOwned>(name: &str) -> Result<T, FactsError> {
    serde_json::from_value(serde_json::Value::String(name.to_owned()))
        .map_err(|why| FactsError::Record(why.to_string()))
}

/// A snake-case enum's name, as serde writes it.
pub fn name<T: serde::Serialize>(value: &T) -> Result<String, FactsError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => Ok(name),
        Ok(other) => Err(FactsError::Record(format!("{other} is no name"))),
        Err(why) => Err(FactsError::Record(why.to_string())),
    }
}

/// A value as it stands in a `record` column.
pub fn record<T: serde::Serialize>(value: &T) -> Result<String, FactsError> {
    serde_json::to_string(value).map_err(|why| FactsError::Record(why.to_string()))
}

/// A value from a `record` column.
pub fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, FactsError> {
    serde_json::from_str(text).map_err(|why| FactsError::Record(why.to_string()))
}

/// Writes what a row changes.
pub fn write(db: &Connection, changes: &Changes, origin: Origin<'_>) -> Result<(), FactsError> {
    if let Some(visit) = &changes.visit {
        db.prepare_cached(
            "INSERT INTO visit_work (visit, job, device, state, money, changed_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (visit) DO UPDATE SET device = excluded.device, state = excluded.state,
                 money = excluded.money, changed_ms = excluded.changed_ms",
        )?
        .execute((
            visit.visit.to_string(),
            visit.job.to_string(),
            origin.device,
            name(&visit.state)?,
            name(&visit.money)?,
            origin.at_ms,
        ))?;
    }
    if let (Some(line), Some(visit)) = (&changes.line_added, &changes.visit) {
        db.prepare_cached("INSERT INTO line (id, visit, device, seq, record) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute((line.id.to_string(), visit.visit.to_string(), origin.device, origin.seq, record(line)?))?;
    }
    if let Some(line) = &changes.line_removed {
        let gone = db.prepare_cached("DELETE FROM line WHERE id = ?1")?.execute([line.id.to_string()])?;
        if gone != 1 {
            return Err(FactsError::NoLine);
        }
    }
    for invoice in changes.invoice.iter().chain(&changes.deposit) {
        write_invoice(db, invoice, origin)?;
    }
    if let Some(payment) = &changes.payment {
        write_payment(db, payment, origin)?;
    }
    if let Some(refund) = &changes.refund {
        write_refund(db, refund, origin)?;
    }
    if let Some(entry) = &changes.entry {
        write_entry(db, entry, origin)?;
    }
    for (n, stock) in changes.stock.iter().enumerate() {
        write_stock(db, n, stock, origin)?;
    }
    if let Some(change) = &changes.shift {
        shift::write(db, change, origin)?;
    }
    shift::attribute(db, changes, origin)
}

fn write_invoice(db: &Connection, invoice: &Invoice, origin: Origin<'_>) -> Result<(), FactsError> {
    let use_of = invoice.deposit.unwrap_or(DepositUse::NONE);
    let back_minor = use_of.back_minor().map_err(|why| FactsError::Record(why.to_string()))?;
    db.prepare_cached(
        "INSERT INTO invoice (id, device, kind, document, job, visit, customer, currency, total_minor, paid_minor,
                              used_minor, back_minor, state, delivered, issued_ms, record)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
         ON CONFLICT (id) DO UPDATE SET paid_minor = excluded.paid_minor, used_minor = excluded.used_minor, back_minor = excluded.back_minor,
             state = excluded.state, delivered = excluded.delivered, record = excluded.record",
    )?
    .execute(rusqlite::params![
        invoice.id.to_string(),
        origin.device,
        if invoice.is_deposit() { "deposit" } else { "invoice" },
        invoice.document.to_string(),
        invoice.job.to_string(),
        invoice.visit.to_string(),
        invoice.customer.to_string(),
        invoice.totals.currency.code(),
        invoice.totals.total_minor,
        use_of.paid_minor,
        use_of.used_minor,
        back_minor,
        name(&invoice.state)?,
        invoice.delivered,
        invoice.issued_ms,
        record(invoice)?,
    ])?;
    Ok(())
}

fn write_payment(db: &Connection, payment: &Payment, origin: Origin<'_>) -> Result<(), FactsError> {
    let wrong = |why: crate::domain::money::MoneyError| FactsError::Record(why.to_string());
    let (base, covers) = (payment.base_minor().map_err(wrong)?, payment.covers().map_err(wrong)?);
    db.prepare_cached(
        "INSERT INTO payment (id, device, invoice, document, job, visit, tender, currency, amount_minor, base_minor, state,
                              approved_minor, pending_minor, covers_minor, promises_minor, refunded_minor,
                              refund_open_minor, deposit, deadline_ms, seq, at_ms, record)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, approved_minor = excluded.approved_minor,
             pending_minor = excluded.pending_minor, covers_minor = excluded.covers_minor,
             promises_minor = excluded.promises_minor, refunded_minor = excluded.refunded_minor,
             refund_open_minor = excluded.refund_open_minor, deadline_ms = excluded.deadline_ms,
             record = excluded.record",
    )?
    .execute(rusqlite::params![
        payment.id.to_string(),
        origin.device,
        payment.invoice.to_string(),
        payment.document.to_string(),
        payment.job.to_string(),
        payment.visit.to_string(),
        name(&payment.tender)?,
        payment.amount.currency.code(),
        payment.amount.minor,
        base,
        payment.state.name(),
        payment.approved_minor,
        payment.pending_minor,
        covers.approved_minor,
        covers.pending_minor,
        payment.refunded_minor,
        payment.refund_open_minor,
        payment.deposit.map(|id| id.to_string()),
        payment.deadline_ms,
        origin.seq,
        payment.at_ms,
        record(payment)?,
    ])?;
    Ok(())
}

fn write_refund(db: &Connection, refund: &Refund, origin: Origin<'_>) -> Result<(), FactsError> {
    db.prepare_cached(
        "INSERT INTO refund (id, device, payment, job, visit, tender, currency, amount_minor, state, at_ms, record)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, record = excluded.record",
    )?
    .execute((
        refund.id.to_string(),
        origin.device,
        refund.payment.map(|id| id.to_string()),
        refund.job.to_string(),
        refund.visit.to_string(),
        name(&refund.tender)?,
        refund.amount.currency.code(),
        refund.amount.minor,
        refund.state.name(),
        refund.at_ms,
        record(refund)?,
    ))?;
    Ok(())
}

/// Writes one ledger entry.
pub fn write_entry(db: &Connection, entry: &Entry, origin: Origin<'_>) -> Result<(), FactsError> {
    db.prepare_cached("INSERT INTO ledger_entry (id, device, at_ms, customer, currency) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((
            entry.id.to_string(),
            origin.device,
            entry.at_ms,
            entry.customer.map(|id| id.to_string()),
            entry.currency.code(),
        ))?;
    let mut statement = db.prepare_cached("INSERT INTO ledger_posting (entry, account, minor) VALUES (?1, ?2, ?3)")?;
    for posting in &entry.postings {
        statement.execute((entry.id.to_string(), posting.account.name(), posting.minor))?;
    }
    Ok(())
}

fn write_stock(db: &Connection, n: usize, stock: &StockMove, origin: Origin<'_>) -> Result<(), FactsError> {
    db.prepare_cached(
        "INSERT INTO stock_move (row, n, device, item, quantity, from_place, to_place, visit)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute((
        stock.row.to_string(),
        n,
        origin.device,
        stock.item.to_string(),
        stock.quantity.0,
        stock.from.name(),
        stock.to.name(),
        stock.visit.to_string(),
    ))?;
    Ok(())
}
