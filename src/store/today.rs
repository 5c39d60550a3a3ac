//! The day's list and one job in full: what the feed brought, beside what was done with it.

use super::{Store, StoreError, deposit};
use crate::domain::customer::{Customer, Equipment, Site};
use crate::domain::decision::CollectAgain;
use crate::domain::id::{CustomerId, JobId, SiteId};
use crate::domain::invoice::{Invoice, PaidSums};
use crate::domain::job::{Job, MoneyState, VisitState, VisitWork};
use crate::domain::ledger::Account;
use crate::domain::money::Money;
use crate::domain::outcome::OutcomeState;
use crate::domain::payment::{Payment, Standing};
use crate::domain::read::{Bill, JobDetail, PaymentView, TodayRow};
use crate::domain::receipt::{ReceiptStanding, RefundLine, TenderLine};
use crate::domain::refund::Refund;
use crate::domain::rules::Rules;
use crate::domain::totals::{Extras, totals};
use crate::facts::{lines, named, open_invoice, parse, sums, visit_work};
use rusqlite::{Connection, OptionalExtension as _};

/// Visits in one list at the most.
pub const TODAY_MAX: usize = 500;

/// One job of the feed.
pub(super) fn job(db: &Connection, id: JobId) -> Result<Option<Job>, StoreError> {
    let text: Option<String> = db
        .prepare_cached("SELECT record FROM feed_job WHERE id = ?1")?
        .query_row([id.to_string()], |r| r.get(0))
        .optional()?;
    Ok(text.map(|text| parse(&text)).transpose()?)
}

fn by_id<T: serde::de::DeserializeOwned>(db: &Connection, table: &str, id: &str) -> Result<Option<T>, StoreError> {
    let text: Option<String> = db
        .prepare_cached(&format!("SELECT record FROM {table} WHERE id = ?1"))?
        .query_row([id], |r| r.get(0))
        .optional()?;
    Ok(text.map(|text| parse(&text)).transpose()?)
}

impl Store {
    /// The visits whose appointment begins in `[from_ms, until_ms)`, and those with money or work on them that are
    /// not finished; by time.
    pub fn today(&self, from_ms: i64, until_ms: i64) -> Result<Vec<TodayRow>, StoreError> {
        let db = self.read();
        let mut statement = db.prepare_cached(
            "SELECT j.record FROM feed_job j LEFT JOIN visit_work w ON w.visit = j.visit
             WHERE (j.window_start_ms >= ?1 AND j.window_start_ms < ?2
                    OR w.state IN ('en_route', 'on_site') OR w.money IN ('due', 'pending'))
               AND (j.hidden = 0 OR w.visit IS NOT NULL
                    OR EXISTS (SELECT 1 FROM invoice i WHERE i.job = j.id AND i.state <> 'cancelled'))
             ORDER BY j.window_start_ms, j.id LIMIT ?3",
        )?;
        let texts = statement.query_map((from_ms, until_ms, TODAY_MAX), |r| r.get::<_, String>(0))?;
        texts.map(|text| self.today_row(&parse(&text?)?)).collect()
    }

    fn today_row(&self, job: &Job) -> Result<TodayRow, StoreError> {
        let db = self.read();
        let customer: Option<Customer> = by_id(db, "feed_customer", &job.customer.to_string())?;
        let site: Option<Site> = by_id(db, "feed_site", &job.site.to_string())?;
        let work = visit_work(db, job.visit)?.unwrap_or(VisitWork {
            job: job.id,
            visit: job.visit,
            state: VisitState::New,
            money: MoneyState::None,
        });
        let invoice = open_invoice(db, job.visit)?;
        let open = match &invoice {
            Some(invoice) => Some(invoice.open(sums(db, invoice.id)?)?),
            None => None,
        };
        Ok(TodayRow {
            job: job.id,
            visit: job.visit,
            customer: job.customer,
            customer_name: customer.map_or_else(|| "customer not loaded yet".to_owned(), |c| c.name),
            title: job.title.clone(),
            address: site.map_or_else(String::new, |s| format!("{}, {}", s.street, s.city)),
            window_start_ms: job.window_start_ms,
            window_end_ms: job.window_end_ms,
            priority: job.priority,
            state: work.state,
            money: work.money,
            total: invoice.as_ref().map(|invoice| invoice.totals.total()),
            deposit: self.paid_ahead(job, invoice.is_some())?,
            open,
            back: if work.money == MoneyState::Paid { given_back(db, job.id, invoice.as_ref(), open)? } else { None },
            review: job.review,
        })
    }

    /// What was paid ahead for a job that has no invoice yet; of several currencies that of the oldest.
    fn paid_ahead(&self, job: &Job, invoiced: bool) -> Result<Option<Money>, StoreError> {
        if invoiced {
            return Ok(None);
        }
        let deposits = deposit::of_customer(self.read(), job.customer)?;
        let mut left: Option<Money> = None;
        for deposit in deposits.iter().filter(|deposit| deposit.job == job.id && deposit.left_minor > 0) {
            let one = Money::new(deposit.left_minor, deposit.total.currency);
            match &mut left {
                None => left = Some(one),
                Some(sum) if sum.currency == one.currency => sum.minor = sum.minor.saturating_add(one.minor),
                Some(_) => {}
            }
        }
        Ok(left)
    }

    /// All of one job.
    pub fn job_detail(&self, id: JobId) -> Result<JobDetail, StoreError> {
        let db = self.read();
        let job = job(db, id)?.ok_or(StoreError::Missing("the job"))?;
        let row = self.today_row(&job)?;
        let customer: Option<Customer> = by_id(db, "feed_customer", &job.customer.to_string())?;
        let site: Option<Site> = by_id(db, "feed_site", &job.site.to_string())?;
        let invoice = open_invoice(db, job.visit)?;
        let lines = match &invoice {
            Some(invoice) => invoice.lines.clone(),
            None => lines(db, job.visit)?,
        };
        let currency = lines.first().map_or(self.currency, |line| line.unit_price.currency);
        let totals = match &invoice {
            Some(invoice) => Some(invoice.totals.clone()),
            None if lines.is_empty() => None,
            None => Some(totals(&lines, currency, Extras::NONE)?),
        };
        let sums = invoice.as_ref().map_or(Ok(PaidSums::NONE), |invoice| sums(db, invoice.id))?;
        let payments = payments_of_job(db, id)?;
        let refunds = refunds_of_job(db, id)?;
        let due = invoice.as_ref().map(|invoice| self.receipt_due(invoice, sums, &payments, &refunds)).transpose()?;
        let (phone, email) = customer.map(|c| (c.phone, c.email)).unwrap_or_default();
        Ok(JobDetail {
            row,
            description: job.description.clone(),
            phone,
            email,
            place: site.as_ref().map(|site| site.country.clone()).unwrap_or_default(),
            access_note: site.map(|s| s.access_note).unwrap_or_default(),
            equipment: equipment(db, job.site)?,
            lines,
            totals,
            sums,
            collect_again: collect_again(db, id)?,
            payments,
            receipt_due: due.flatten(),
            customer_balance: customer_balance(db, job.customer, Money::zero(currency))?,
            refunds,
            bills: bills(db, id)?,
            deposits: deposit::of_customer(db, job.customer)?,
            rules: self.document("rules")?.unwrap_or(Rules::NONE),
            invoice,
        })
    }
}

/// What the office asks to collect again, unless a payment that is linked to it is under way, pending or paid.
fn collect_again(db: &Connection, id: JobId) -> Result<Option<CollectAgain>, StoreError> {
    let sql = "SELECT record FROM feed_collect_again WHERE job = ?1 ORDER BY payment";
    let mut statement = db.prepare_cached(sql)?;
    let asked = statement.query_map([id.to_string()], |r| r.get::<_, String>(0))?;
    let done = payments_of_job(db, id)?;
    for text in asked {
        let again: CollectAgain = parse(&text?)?;
        let linked = |view: &&PaymentView| view.payment.linked_to == Some(again.payment);
        if done.iter().filter(linked).all(|view| view.state().standing() == Standing::Failed) {
            return Ok(Some(again));
        }
    }
    Ok(None)
}

fn equipment(db: &Connection, site: SiteId) -> Result<Vec<String>, StoreError> {
    let mut statement = db.prepare_cached("SELECT record FROM feed_equipment WHERE site = ?1 ORDER BY id")?;
    let texts = statement.query_map([site.to_string()], |r| r.get::<_, String>(0))?;
    texts
        .map(|text| {
            let item: Equipment = parse(&text?)?;
            Ok(format!("{} {} {}", item.name, item.model, item.serial).trim().to_owned())
        })
        .collect()
}

/// What refunds have made of a paid invoice, in a receipt's word for it.
fn given_back(
    db: &Connection,
    job: JobId,
    invoice: Option<&Invoice>,
    open: Option<Money>,
) -> Result<Option<ReceiptStanding>, StoreError> {
    let refunds = refunds_of_job(db, job)?;
    let (Some(invoice), Some(open), false) = (invoice, open, refunds.is_empty()) else { return Ok(None) };
    let payments = payments_of_job(db, job)?;
    let refunds = RefundLine::all(&refunds, &payments, invoice);
    let standing = ReceiptStanding::of(&TenderLine::all(&payments, invoice.id), &refunds, open);
    Ok(Some(standing).filter(|standing| standing.is_refund()))
}

/// The job's documents that were not taken back: deposits and the invoice.
fn bills(db: &Connection, id: JobId) -> Result<Vec<Bill>, StoreError> {
    let sql = "SELECT record FROM invoice WHERE job = ?1 AND state <> 'cancelled' ORDER BY issued_ms, id";
    let mut statement = db.prepare_cached(sql)?;
    let texts = statement.query_map([id.to_string()], |r| r.get::<_, String>(0))?;
    texts
        .map(|text| {
            let invoice: Invoice = parse(&text?)?;
            Ok(Bill { sums: sums(db, invoice.id)?, invoice })
        })
        .collect()
}

fn refunds_of_job(db: &Connection, id: JobId) -> Result<Vec<Refund>, StoreError> {
    let mut statement = db.prepare_cached("SELECT record FROM refund WHERE job = ?1 ORDER BY id")?;
    let texts = statement.query_map([id.to_string()], |r| r.get::<_, String>(0))?;
    texts.map(|text| Ok(parse(&text?)?)).collect()
}

/// The job's payments, oldest first, with what the office said of them.
fn payments_of_job(db: &Connection, id: JobId) -> Result<Vec<PaymentView>, StoreError> {
    let sql = "SELECT p.record, o.state FROM payment p LEFT JOIN feed_outcome o ON o.payment = p.id
               WHERE p.job = ?1 ORDER BY p.seq";
    let mut statement = db.prepare_cached(sql)?;
    let found = statement.query_map([id.to_string()], |r| Ok((r.get::<_, String>(0)?, r.get(1)?)))?;
    found
        .map(|columns| {
            let (record, state): (String, Option<String>) = columns?;
            payment_view(parse(&record)?, state)
        })
        .collect()
}

pub(super) fn payment_view(payment: Payment, outcome: Option<String>) -> Result<PaymentView, StoreError> {
    let outcome: Option<OutcomeState> = outcome.map(|state| named(&state)).transpose()?;
    Ok(PaymentView {
        payment,
        went_on: outcome.and_then(OutcomeState::since_approval),
        not_sent: outcome == Some(OutcomeState::NotSent),
    })
}

fn customer_balance(db: &Connection, customer: CustomerId, zero: Money) -> Result<Money, StoreError> {
    let minor: i64 = db
        .prepare_cached(
            "SELECT coalesce(sum(p.minor), 0) FROM ledger_posting p JOIN ledger_entry e ON e.id = p.entry
             WHERE e.customer = ?1 AND e.currency = ?2 AND p.account = ?3",
        )?
        .query_row((customer.to_string(), zero.currency.code(), Account::Receivable.name()), |r| r.get(0))?;
    Ok(Money::new(minor, zero.currency))
}
