//! What an import of a settlement file comes to.

use super::SettlementError;
use crate::domain::exception::ExceptionType;
use rusqlite::Connection;
use serde::Serialize;
use std::collections::BTreeSet;

/// Lines of one kind that are listed at the most.
const LISTED_MAX: u32 = 200;
const DAY_MS: i64 = 24 * 3_600_000;

/// What was imported, and what does not fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Lines that are new.
    pub added: u64,
    /// Lines that were imported before.
    pub unchanged: u64,
    /// Lines of all files that have a payment.
    pub matched: u64,
    /// Settled, and unknown or different here.
    pub unmatched: Vec<Unmatched>,
    /// Disputed by their cardholders, and not noted yet.
    pub disputed: Vec<Unmatched>,
    /// Captured here for longer than the days asked for, and not settled.
    pub unsettled: Vec<Unsettled>,
    /// The batches of this file.
    pub batches: Vec<Batch>,
}

/// Settled, and unknown or different here; or disputed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unmatched {
    /// Minor units at stake.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// What is wrong.
    pub note: String,
}

/// Captured here, and not settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unsettled {
    /// The payment.
    pub payment: String,
    /// The invoice's number.
    pub document: String,
    /// Captured, minor units.
    pub captured_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// When the bank agreed, Unix milliseconds.
    pub approved_at: i64,
}

/// One batch and what was paid out for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Batch {
    /// The processor's name for it.
    pub batch: String,
    /// ISO 4217.
    pub currency: String,
    /// Sales without refunds, chargebacks and fees, minor units.
    pub net_minor: i64,
    /// Paid out, minor units; `None` as long as nothing was.
    pub paid_out_minor: Option<i64>,
    /// Whether the two agree; true as long as nothing was paid out.
    pub agrees: bool,
}

impl Report {
    /// Whether everything that was settled fits.
    pub fn agrees(&self) -> bool {
        self.unmatched.is_empty() && self.batches.iter().all(|batch| batch.agrees)
    }
}

/// Reads it from the database.
pub(super) fn fill(
    db: &Connection,
    report: &mut Report,
    batches: &BTreeSet<String>,
    now_ms: i64,
    days: i64,
) -> Result<(), SettlementError> {
    let sql = "SELECT count(*) FROM settlement_line WHERE payment IS NOT NULL";
    report.matched = db.query_row(sql, [], |r| r.get(0))?;
    report.unmatched = listed(db, ExceptionType::UnmatchedPayment)?;
    report.disputed = listed(db, ExceptionType::Disputed)?;
    report.unsettled = unsettled(db, now_ms.saturating_sub(days.saturating_mul(DAY_MS)))?;
    for batch in batches {
        report.batches.extend(sums(db, batch)?);
    }
    Ok(())
}

fn listed(db: &Connection, kind: ExceptionType) -> rusqlite::Result<Vec<Unmatched>> {
    let sql = "SELECT amount_minor, currency, note FROM exception
               WHERE type = ?1 AND state = 'open' ORDER BY opened_ms, id LIMIT ?2";
    let read = |r: &rusqlite::Row<'_>| Ok(Unmatched { amount_minor: r.get(0)?, currency: r.get(1)?, note: r.get(2)? });
    db.prepare_cached(sql)?.query_map((kind.name(), LISTED_MAX), read)?.collect()
}

fn unsettled(db: &Connection, before_ms: i64) -> rusqlite::Result<Vec<Unsettled>> {
    let sql = "SELECT c.payment, p.document, c.captured_minor, c.currency, coalesce(c.approved_ms, p.at_ms)
               FROM card_payment c JOIN payment p ON p.id = c.payment
               WHERE c.captured_minor > 0 AND coalesce(c.approved_ms, p.at_ms) < ?1
                 AND NOT EXISTS (SELECT 1 FROM settlement_line s WHERE s.payment = c.payment AND s.type = 'sale')
               ORDER BY 5, 1 LIMIT ?2";
    let read = |r: &rusqlite::Row<'_>| {
        Ok(Unsettled {
            payment: r.get(0)?,
            document: r.get(1)?,
            captured_minor: r.get(2)?,
            currency: r.get(3)?,
            approved_at: r.get(4)?,
        })
    };
    db.prepare_cached(sql)?.query_map((before_ms, LISTED_MAX), read)?.collect()
}

/// A batch, one a currency.
fn sums(db: &Connection, batch: &str) -> rusqlite::Result<Vec<Batch>> {
    let sql = "SELECT currency,
                   coalesce(sum(CASE type WHEN 'sale' THEN amount_minor - fee_minor
                                          WHEN 'chargeback_reversed' THEN amount_minor - fee_minor
                                          WHEN 'payout' THEN 0 ELSE -amount_minor - fee_minor END), 0),
                   sum(amount_minor - fee_minor) FILTER (WHERE type = 'payout')
               FROM settlement_line WHERE batch = ?1 GROUP BY currency ORDER BY currency";
    let read = |r: &rusqlite::Row<'_>| {
        let (net_minor, paid_out_minor): (i64, Option<i64>) = (r.get(1)?, r.get(2)?);
        Ok(Batch {
            batch: batch.to_owned(),
            currency: r.get(0)?,
            net_minor,
            paid_out_minor,
            agrees: paid_out_minor.is_none_or(|paid| paid == net_minor),
        })
    };
    db.prepare_cached(sql)?.query_map([batch], read)?.collect()
}
