//! A day's card money by three books side by side: what the handhelds say, what the processor says, what was settled;
//! and the office's own between them. Every difference has a sentence.
//!
//! A payment belongs to the day on which it began by its handheld's clock. [`compare`] is pure; start at
//! [`read`].

mod compare;

pub use compare::{Books, Row, Sums, compare};

use super::OfficeError;
use super::import::settlement::named_in;
use super::processors::Booked;
use crate::domain::money::Currency;
use rusqlite::{Connection, OptionalExtension as _};

/// Payments of one day that are compared at the most.
pub const ROWS_MAX: usize = 20_000;

/// Reads the payments that began in `[from_ms, until_ms)`, with what the processor has booked for them.
///
/// `booked`: what the processor has for a span around that day, or `None` when it cannot tell.
///
/// # Errors
/// The database, or a record that cannot be read.
pub fn read(
    db: &Connection,
    from_ms: i64,
    until_ms: i64,
    booked: Option<&[Booked]>,
) -> Result<(Vec<Row>, Vec<Booked>), OfficeError> {
    let mut rows = rows(db, from_ms, until_ms)?;
    let mut strangers = Vec::new();
    for one in booked.unwrap_or_default() {
        match payment_of(db, &one.key)? {
            Some(payment) => {
                if let Some(row) = rows.iter_mut().find(|row| row.payment == payment) {
                    row.processor_minor = Some(row.processor_minor.unwrap_or(0).saturating_add(one.captured_minor));
                    row.given_back_minor = row.given_back_minor.saturating_add(one.refunded_minor);
                    row.charges += 1;
                }
            }
            None if (from_ms..until_ms).contains(&one.at_ms) => strangers.push(one.clone()),
            None => {}
        }
    }
    if booked.is_some() {
        for row in &mut rows {
            row.processor_minor.get_or_insert(0);
        }
    }
    Ok((rows, strangers))
}

fn payment_of(db: &Connection, key: &str) -> Result<Option<String>, OfficeError> {
    let sql = "SELECT payment FROM (SELECT payment FROM attempt WHERE key = ?1
                                    UNION SELECT payment FROM card_payment WHERE payment = ?2) LIMIT 1";
    Ok(db.prepare_cached(sql)?.query_row((key, named_in(key)), |r| r.get(0)).optional()?)
}

fn rows(db: &Connection, from_ms: i64, until_ms: i64) -> Result<Vec<Row>, OfficeError> {
    let sql = "SELECT p.id, p.document, coalesce(d.name, '?'), p.currency, p.state, p.approved_minor,
                   coalesce(c.captured_minor, 0), coalesce(c.approved_ms, p.at_ms), coalesce(c.over, 1),
                   (SELECT sum(s.amount_minor) FROM settlement_line s WHERE s.payment = p.id AND s.type = 'sale'),
                   (SELECT coalesce(sum(s.amount_minor), 0) FROM settlement_line s
                    WHERE s.payment = p.id AND s.type = 'refund')
               FROM payment p LEFT JOIN card_payment c ON c.payment = p.id LEFT JOIN device d ON d.id = p.device
               WHERE p.tender = 'card' AND p.at_ms >= ?1 AND p.at_ms < ?2 ORDER BY p.at_ms, p.id LIMIT ?3";
    let mut statement = db.prepare_cached(sql)?;
    let mut found = statement.query((from_ms, until_ms, ROWS_MAX))?;
    let mut rows = Vec::new();
    while let Some(r) = found.next()? {
        let currency: String = r.get(3)?;
        let currency: Currency = currency.parse()?;
        rows.push(Row {
            payment: r.get(0)?,
            document: r.get(1)?,
            handheld: r.get(2)?,
            currency,
            state: r.get(4)?,
            handheld_minor: r.get(5)?,
            office_minor: r.get(6)?,
            approved_at: r.get(7)?,
            over: r.get(8)?,
            processor_minor: None,
            given_back_minor: 0,
            charges: 0,
            settled_minor: r.get(9)?,
            settled_back_minor: r.get(10)?,
        });
    }
    Ok(rows)
}
