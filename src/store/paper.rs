//! Which sheets of which receipts were printed, and which one is next.
//!
//! Invariant: follows from the journal's rows about receipts and the drawer, in their transaction. A receipt that says
//! the same as the last one is a copy of it; one that says something else is a new edition, which replaces it.

use super::{Store, StoreError};
use crate::domain::event::{DrawerOpened, Event, ReceiptEnded, ReceiptQueued};
use crate::domain::id::InvoiceId;
use crate::domain::invoice::{Invoice, PaidSums};
use crate::domain::outcome::Outcome;
use crate::domain::read::{PaymentView, ReceiptDue};
use crate::domain::receipt::standing::said;
use crate::domain::receipt::{Party, ReceiptStanding, RefundLine, Sheet, TenderLine};
use crate::domain::refund::Refund;
use crate::facts::{named, parse};
use rusqlite::{Connection, OptionalExtension as _, Transaction};
use std::collections::HashMap;

/// The sheet that would be printed next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextSheet {
    /// Which.
    pub sheet: Sheet,
    /// When the receipt that it replaces was printed, Unix milliseconds by the device's clock.
    pub replaces_ms: Option<i64>,
}

/// Keeps count of sheets and of the drawer's kicks.
pub(super) fn write(tx: &Transaction<'_>, event: &Event, seq: u64, at_ms: i64) -> Result<(), StoreError> {
    match event {
        Event::ReceiptQueued(e) => queued(tx, e, seq, at_ms),
        Event::ReceiptEnded(e) => ended(tx, e),
        Event::DrawerOpened(e) => drawer(tx, e),
        _ => Ok(()),
    }
}

fn queued(tx: &Transaction<'_>, e: &ReceiptQueued, seq: u64, at_ms: i64) -> Result<(), StoreError> {
    // A sheet that was not begun gives its place to the next one.
    tx.prepare_cached(
        "INSERT INTO receipt_print (invoice, party, edition, copy, state, standing, said, at_ms, seq)
         VALUES (?1, ?2, ?3, ?4, 'queued', ?5, ?6, ?7, ?8)
         ON CONFLICT (invoice, party, edition, copy) DO UPDATE SET state = excluded.state,
             standing = excluded.standing, said = excluded.said, at_ms = excluded.at_ms, seq = excluded.seq",
    )?
    .execute((
        e.invoice.to_string(),
        e.sheet.party.name(),
        e.sheet.edition,
        e.sheet.copy,
        e.standing.name(),
        &e.said,
        at_ms,
        seq,
    ))?;
    Ok(())
}

fn ended(tx: &Transaction<'_>, e: &ReceiptEnded) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE receipt_print SET state = ?5 WHERE invoice = ?1 AND party = ?2 AND edition = ?3 AND copy = ?4",
    )?
    .execute((e.invoice.to_string(), e.sheet.party.name(), e.sheet.edition, e.sheet.copy, e.state.name()))?;
    Ok(())
}

fn drawer(tx: &Transaction<'_>, e: &DrawerOpened) -> Result<(), StoreError> {
    // A second one breaks the table's rule, and with it the whole transaction.
    tx.prepare_cached("INSERT INTO drawer_kick (payment) VALUES (?1)")?.execute([e.payment.to_string()])?;
    Ok(())
}

/// What was printed last of an invoice for a party, begun ones only.
struct Last {
    edition: u32,
    copy: u32,
    said: String,
    standing: ReceiptStanding,
    at_ms: i64,
}

fn last(db: &Connection, invoice: InvoiceId, party: Party, before: u32) -> Result<Option<Last>, StoreError> {
    let sql = "SELECT edition, copy, said, standing, at_ms FROM receipt_print
               WHERE invoice = ?1 AND party = ?2 AND edition < ?3 AND state <> 'refused'
               ORDER BY edition DESC, copy DESC LIMIT 1";
    let found: Option<(u32, u32, String, String, i64)> = db
        .prepare_cached(sql)?
        .query_row((invoice.to_string(), party.name(), before), |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?))
        })
        .optional()?;
    let Some((edition, copy, said, standing, at_ms)) = found else { return Ok(None) };
    Ok(Some(Last { edition, copy, said, standing: named(&standing)?, at_ms }))
}

impl Store {
    /// The sheet that a receipt saying `said` would be.
    pub fn next_sheet(&self, invoice: InvoiceId, party: Party, said: &str) -> Result<NextSheet, StoreError> {
        let db = self.read();
        let (edition, copy) = match last(db, invoice, party, u32::MAX)? {
            None => (1, 1),
            Some(last) if last.said == said => (last.edition, last.copy + 1),
            Some(last) => (last.edition + 1, 1),
        };
        let replaces_ms = last(db, invoice, party, edition)?.map(|before| before.at_ms);
        Ok(NextSheet { sheet: Sheet { party, edition, copy }, replaces_ms })
    }

    /// Whether a receipt of an invoice was begun.
    pub fn receipt_begun(&self, invoice: InvoiceId) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM receipt_print WHERE invoice = ?1 AND state <> 'refused')";
        Ok(self.read().query_row(sql, [invoice.to_string()], |r| r.get(0))?)
    }

    /// The sheet of a receipt that a stopped program left at the printer: nobody knows whether it came out.
    pub fn unfinished_sheet(&self, invoice: InvoiceId) -> Result<Option<Sheet>, StoreError> {
        let sql = "SELECT party, edition, copy, state = 'queued' FROM receipt_print WHERE invoice = ?1
                   ORDER BY seq DESC LIMIT 1";
        let found: Option<(String, u32, u32, bool)> = self
            .read()
            .query_row(sql, [invoice.to_string()], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))
            .optional()?;
        let Some((party, edition, copy, _)) = found.filter(|row| row.3) else { return Ok(None) };
        Ok(Some(Sheet { party: named(&party)?, edition, copy }))
    }

    /// Numbers of the invoices whose receipts a stopped program left at the printer.
    pub fn unfinished_receipts(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT i.document FROM receipt_print r JOIN invoice i ON i.id = r.invoice
                   WHERE r.state = 'queued'
                   AND r.seq = (SELECT max(last.seq) FROM receipt_print last WHERE last.invoice = r.invoice)
                   ORDER BY i.document";
        let mut statement = self.read().prepare_cached(sql)?;
        let found = statement.query_map([], |r| r.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The bank's answers to an invoice's payments, by payment: ISO 8583 field 39.
    pub fn response_codes(&self, invoice: InvoiceId) -> Result<HashMap<String, String>, StoreError> {
        let mut statement = self.read().prepare_cached(
            "SELECT o.record FROM feed_outcome o JOIN payment p ON p.id = o.payment WHERE p.invoice = ?1",
        )?;
        let texts = statement.query_map([invoice.to_string()], |r| r.get::<_, String>(0))?;
        let mut codes = HashMap::new();
        for text in texts {
            let outcome: Outcome = parse(&text?)?;
            codes.extend(outcome.response_code.map(|code| (outcome.payment.to_string(), code)));
        }
        Ok(codes)
    }

    /// Whether a customer holds a receipt that somebody's late word or a refund has overtaken.
    pub(super) fn receipt_due(
        &self,
        invoice: &Invoice,
        sums: PaidSums,
        payments: &[PaymentView],
        refunds: &[Refund],
    ) -> Result<Option<ReceiptDue>, StoreError> {
        let Some(last) = last(self.read(), invoice.id, Party::Customer, u32::MAX)? else { return Ok(None) };
        let (tenders, open) = (TenderLine::all(payments, invoice.id), invoice.open(sums)?);
        let refunds = RefundLine::all(refunds, payments, invoice);
        let is = ReceiptStanding::of(&tenders, &refunds, open);
        let waited = last.standing.is_open() || is.is_refund();
        let overtaken = waited && last.said != said(&tenders, &refunds, open);
        Ok(overtaken.then_some(ReceiptDue { printed_ms: last.at_ms, was: last.standing, is }))
    }
}
