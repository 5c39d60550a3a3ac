//! A day's visits, and the day's three figures.

use super::payments::{Filter, PAYMENTS_MAX, Seen, money_of, payments};
use super::{name, name_if_any, record_if_any};
use crate::domain::invoice::Invoice;
use crate::domain::job::{MoneyState, Review, VisitState};
use crate::domain::money::{Currency, Money};
use crate::domain::payment::Tender;
use crate::office::pages::words::Sums;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;

/// The most visits that one page shows.
pub(in crate::office::pages) const JOBS_MAX: u32 = 600;

/// One visit.
pub(in crate::office::pages) struct Visit {
    pub(in crate::office::pages) job: String,
    pub(in crate::office::pages) number: String,
    pub(in crate::office::pages) title: String,
    pub(in crate::office::pages) customer: String,
    pub(in crate::office::pages) city: String,
    pub(in crate::office::pages) priority: u8,
    pub(in crate::office::pages) start_ms: i64,
    pub(in crate::office::pages) end_ms: i64,
    pub(in crate::office::pages) technician: Option<String>,
    pub(in crate::office::pages) technician_name: Option<String>,
    pub(in crate::office::pages) review: Review,
    pub(in crate::office::pages) state: VisitState,
    pub(in crate::office::pages) changed_ms: Option<i64>,
    pub(in crate::office::pages) money: MoneyState,
    pub(in crate::office::pages) total: Option<Money>,
    /// Open exceptions.
    pub(in crate::office::pages) exceptions: i64,
}

/// Which visits.
pub(in crate::office::pages) enum Which {
    /// Those that begin in this span, Unix milliseconds.
    Day(i64, i64),
    /// Those that are finished and not approved.
    ToReview,
}

/// The visits, by time.
pub(in crate::office::pages) fn visits(db: &Connection, which: &Which) -> rusqlite::Result<Vec<Visit>> {
    let (where_, from_ms, to_ms) = match which {
        Which::Day(from, to) => ("j.window_start_ms >= ?1 AND j.window_start_ms < ?2", *from, *to),
        Which::ToReview => ("?1 = ?2 AND w.state = 'done' AND j.review = 'open'", 0, 0),
    };
    let sql = format!(
        "SELECT j.id, j.external_id, j.title, c.name, s.city, j.priority, j.window_start_ms, j.window_end_ms,
             j.technician, t.name, j.review, w.state, w.changed_ms, i.record, j.visit,
             (SELECT count(*) FROM exception e WHERE e.job = j.id AND e.state = 'open')
         FROM job j JOIN customer c ON c.id = j.customer JOIN site s ON s.id = j.site
         LEFT JOIN technician t ON t.id = j.technician
         LEFT JOIN visit_work w ON w.visit = j.visit
         LEFT JOIN invoice i ON i.visit = j.visit AND i.kind = 'invoice' AND i.state <> 'cancelled'
         WHERE {where_} ORDER BY j.window_start_ms, j.external_id LIMIT ?3"
    );
    let mut money = Money4Visits::of(db, which)?;
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params![from_ms, to_ms, JOBS_MAX], |row| {
        let invoice: Option<Invoice> = record_if_any(row, 13)?;
        let visit: String = row.get(14)?;
        Ok(Visit {
            job: row.get(0)?,
            number: row.get(1)?,
            title: row.get(2)?,
            customer: row.get(3)?,
            city: row.get(4)?,
            priority: row.get(5)?,
            start_ms: row.get(6)?,
            end_ms: row.get(7)?,
            technician: row.get(8)?,
            technician_name: row.get(9)?,
            review: name(row, 10)?,
            state: name_if_any(row, 11)?.unwrap_or(VisitState::New),
            changed_ms: row.get(12)?,
            money: money.state(db, invoice.as_ref(), &visit)?,
            total: invoice.map(|invoice| invoice.totals.total()),
            exceptions: row.get(15)?,
        })
    })?;
    rows.collect()
}

/// The payments of a day's visits, read at once; of other visits, one by one.
struct Money4Visits {
    by_visit: Option<HashMap<String, Vec<Seen>>>,
}

impl Money4Visits {
    fn of(db: &Connection, which: &Which) -> rusqlite::Result<Self> {
        let Which::Day(from, to) = which else { return Ok(Self { by_visit: None }) };
        let all = payments(db, &Filter { jobs_of: Some((*from, *to)), ..Filter::default() })?;
        if all.len() >= PAYMENTS_MAX as usize {
            return Ok(Self { by_visit: None });
        }
        let mut by_visit: HashMap<String, Vec<Seen>> = HashMap::new();
        for one in all {
            by_visit.entry(one.payment.visit.to_string()).or_default().push(one);
        }
        Ok(Self { by_visit: Some(by_visit) })
    }

    fn state(&mut self, db: &Connection, invoice: Option<&Invoice>, visit: &str) -> rusqlite::Result<MoneyState> {
        let Some(known) = invoice else { return Ok(MoneyState::None) };
        match &self.by_visit {
            Some(by_visit) => Ok(money_of(invoice, by_visit.get(visit).into_iter().flatten())),
            None => {
                let job = Some(known.job.to_string());
                Ok(money_of(invoice, &payments(db, &Filter { job, ..Filter::default() })?))
            }
        }
    }
}

/// One technician's row.
pub(in crate::office::pages) struct Technician {
    pub(in crate::office::pages) id: String,
    pub(in crate::office::pages) name: String,
    /// The names of the handhelds, joined.
    pub(in crate::office::pages) devices: String,
    /// The last word from any of them, Unix milliseconds.
    pub(in crate::office::pages) heard_ms: Option<i64>,
    /// Rows that the handhelds say they have and the office does not.
    pub(in crate::office::pages) unsent: i64,
}

/// All technicians, by name.
pub(in crate::office::pages) fn technicians(db: &Connection) -> rusqlite::Result<Vec<Technician>> {
    let sql = "SELECT t.id, t.name, coalesce(group_concat(d.name, ', '), ''), max(d.last_heard_ms),
             coalesce(sum((SELECT max(e.stated_seq - e.acked_seq, 0) FROM device_epoch e
                           WHERE e.device = d.id ORDER BY e.since_ms DESC LIMIT 1)), 0)
         FROM technician t LEFT JOIN device d ON d.technician = t.id AND d.revoked_ms IS NULL
         GROUP BY t.id ORDER BY t.name, t.id";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(Technician {
            id: row.get(0)?,
            name: row.get(1)?,
            devices: row.get(2)?,
            heard_ms: row.get(3)?,
            unsent: row.get(4)?,
        })
    })?;
    rows.collect()
}

/// The three figures on top of the board.
#[derive(Default)]
pub(in crate::office::pages) struct Figures {
    /// Certain money of the day.
    pub(in crate::office::pages) collected: Sums,
    pub(in crate::office::pages) card: Sums,
    pub(in crate::office::pages) cash: Sums,
    pub(in crate::office::pages) collected_count: usize,
    /// Money that nobody has agreed to yet, of any day.
    pub(in crate::office::pages) pending: Sums,
    pub(in crate::office::pages) pending_count: usize,
    pub(in crate::office::pages) first_deadline_ms: Option<i64>,
    /// Money at stake in open exceptions.
    pub(in crate::office::pages) at_stake: Sums,
    pub(in crate::office::pages) exception_count: usize,
}

/// Reads them for the day from `from_ms` to `to_ms`.
pub(in crate::office::pages) fn figures(db: &Connection, from_ms: i64, to_ms: i64) -> rusqlite::Result<Figures> {
    let mut figures = Figures::default();
    for one in payments(db, &Filter { day_or_pending: Some((from_ms, to_ms)), ..Filter::default() })? {
        let (payment, currency) = (&one.payment, one.payment.amount.currency);
        if payment.pending_minor > 0 {
            figures.pending.add(currency, payment.pending_minor);
            figures.pending_count += 1;
            let first = [figures.first_deadline_ms, payment.deadline_ms].into_iter().flatten().min();
            figures.first_deadline_ms = first;
        }
        // What a deposit pays was collected when the deposit was.
        let collected = payment.approved_minor > 0 && payment.tender != Tender::Deposit;
        if collected && (from_ms..to_ms).contains(&payment.at_ms) {
            figures.collected_count += 1;
            figures.collected.add(currency, payment.approved_minor);
            match payment.tender {
                Tender::Card => figures.card.add(currency, payment.approved_minor),
                Tender::Cash => figures.cash.add(currency, payment.approved_minor),
                // In the sum of what was collected.
                Tender::Cheque | Tender::Transfer | Tender::Deposit => {}
            }
        }
    }
    let sql = "SELECT amount_minor, currency FROM exception WHERE state = 'open'";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, name::<Currency>(row, 1)?)))?;
    for row in rows {
        let (minor, currency) = row?;
        figures.exception_count += 1;
        figures.at_stake.add(currency, minor);
    }
    Ok(figures)
}

/// When the appointment nearest to a span begins, Unix milliseconds; `from_ms` itself when one is within.
pub(in crate::office::pages) fn nearest_job_ms(
    db: &Connection,
    from_ms: i64,
    to_ms: i64,
) -> rusqlite::Result<Option<i64>> {
    let one = |sql: &str, by: i64| -> rusqlite::Result<Option<i64>> {
        db.prepare_cached(sql)?.query_row([by], |row| row.get(0)).optional().map(Option::flatten)
    };
    let next = one("SELECT min(window_start_ms) FROM job WHERE window_start_ms >= ?1", from_ms)?;
    let last = one("SELECT max(window_start_ms) FROM job WHERE window_start_ms < ?1", from_ms)?;
    Ok(match (next, last) {
        (Some(next), _) if next < to_ms => Some(from_ms),
        (Some(next), Some(last)) if next.saturating_sub(to_ms) > from_ms.saturating_sub(last) => Some(last),
        (Some(next), _) => Some(next),
        (None, last) => last,
    })
}
