//! Who this handheld is, and small facts that are not journalled because they are not the device's work.

use super::{Store, StoreError, journal};
use crate::domain::document::{DocumentNumber, Series};
use crate::domain::event::{Event, JournalOpened};
use crate::domain::id::{DeviceId, Epoch, InvoiceId, JobId, TechnicianId, VisitId};
use crate::domain::invoice::{Invoice, InvoiceState};
use crate::domain::journal::Stamp;
use crate::domain::mode::Mode;
use crate::domain::totals::{Extras, totals};
use crate::facts;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Who this handheld is since its enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its id at the office.
    pub device: DeviceId,
    /// Its name.
    pub name: Series,
    /// This database's journal.
    pub epoch: Epoch,
    /// The label of this epoch's documents.
    pub series: Series,
    /// Who carries it.
    pub technician: Option<TechnicianId>,
    /// That person's name.
    pub technician_name: String,
    /// Where the office is.
    pub office_url: String,
    /// The office's Ed25519 key, hex.
    pub office_key: String,
    /// Whether what is done counts; as the office was when this handheld was enrolled.
    #[serde(default)]
    pub mode: Mode,
}

impl Store {
    /// Who this is; an error that names the next step before enrolment.
    pub fn identity(&self) -> Result<Identity, StoreError> {
        self.meta("identity")?.ok_or(StoreError::NotEnrolled)
    }

    /// Begins the journal of a newly enrolled handheld.
    pub fn enrol(&mut self, identity: &Identity, program: &str, stamp: &Stamp) -> Result<(), StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let rows: i64 = tx.query_row("SELECT count(*) FROM journal", [], |r| r.get(0))?;
        if rows > 0 {
            return Err(StoreError::Record("this handheld is enrolled already".to_owned()));
        }
        set_meta(&tx, "identity", identity)?;
        let opened = JournalOpened { series: identity.series.clone(), program: program.to_owned(), previous: None };
        journal::append(&tx, identity, &Event::JournalOpened(opened), stamp)?;
        tx.commit()?;
        Ok(())
    }

    /// A small fact by name.
    pub fn meta<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        meta(&self.connection, name)
    }

    /// Keeps a small fact.
    pub fn set_meta<T: Serialize>(&mut self, name: &str, value: &T) -> Result<(), StoreError> {
        set_meta(&self.connection, name, value)
    }

    /// Makes an invoice of the visit's lines under the next number, or gives back the one that is there.
    pub fn issue_invoice(
        &mut self,
        job: JobId,
        visit: VisitId,
        id: InvoiceId,
        stamp: &Stamp,
    ) -> Result<Invoice, StoreError> {
        let identity = self.identity()?;
        let currency = self.currency;
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(invoice) = facts::open_invoice(&tx, visit)? {
            return Ok(invoice);
        }
        let lines = facts::lines(&tx, visit)?;
        let currency = lines.first().map_or(currency, |line| line.unit_price.currency);
        let totals = totals(&lines, currency, Extras::NONE)?;
        if totals.total_minor <= 0 {
            return Err(StoreError::NothingToBill);
        }
        let customer = super::today::job(&tx, job)?.ok_or(StoreError::Missing("the job"))?.customer;
        let invoice = Invoice {
            id,
            document: next_number(&tx, &identity.series)?,
            job,
            visit,
            customer,
            lines,
            totals,
            issued_ms: stamp.at_ms,
            state: InvoiceState::Issued,
            delivered: false,
            deposit: None,
        };
        let event = Event::InvoiceIssued(crate::domain::event::InvoiceIssued { invoice: invoice.clone() });
        super::apply(&tx, &event, stamp, None)?;
        tx.commit()?;
        Ok(invoice)
    }
}

pub(super) fn next_number(db: &Connection, series: &Series) -> Result<DocumentNumber, StoreError> {
    let number: u32 = db.query_row(
        "INSERT INTO document_counter (series, last) VALUES (?1, 1)
         ON CONFLICT (series) DO UPDATE SET last = last + 1 RETURNING last",
        [series.to_string()],
        |r| r.get(0),
    )?;
    Ok(DocumentNumber { series: series.clone(), number })
}

pub(super) fn meta<T: serde::de::DeserializeOwned>(db: &Connection, name: &str) -> Result<Option<T>, StoreError> {
    let text: Option<String> =
        db.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row([name], |r| r.get(0)).optional()?;
    Ok(text.map(|text| facts::parse(&text)).transpose()?)
}

pub(super) fn set_meta<T: Serialize>(db: &Connection, name: &str, value: &T) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?
    .execute((name, facts::record(value)?))?;
    Ok(())
}

/// The office's epoch that this handheld last heard of.
pub(super) fn office_epoch(db: &Connection) -> Result<Option<Uuid>, StoreError> {
    meta(db, "office_epoch")
}
