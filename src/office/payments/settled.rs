//! How far a captured payment has come in the processor's settlement: a word of the feed that is shown and journals nothing.
//! It follows from all the lines there are, so that a later line takes back what an earlier one said.
//!
//! Start at [`said`].

use crate::domain::outcome::{Outcome, OutcomeState};
use crate::facts::name;
use crate::office::{OfficeError, feed, from_json, to_json};
use rusqlite::{Connection, OptionalExtension as _};

/// What settlement lines say of a payment, minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Captured here.
    pub captured_minor: i64,
    /// Sales.
    pub sold_minor: i64,
    /// Refunds.
    pub refunded_minor: i64,
    /// Charged back because the cardholder disputes it, without what was reversed since.
    pub disputed_minor: i64,
}

/// The sums of one payment's lines.
pub fn sums(db: &Connection, payment: &str) -> Result<Sums, OfficeError> {
    let sql = "SELECT c.captured_minor,
                   coalesce(sum(s.amount_minor) FILTER (WHERE s.type = 'sale'), 0),
                   coalesce(sum(s.amount_minor) FILTER (WHERE s.type = 'refund'), 0),
                   coalesce(sum(CASE s.type WHEN 'chargeback' THEN s.amount_minor
                                            WHEN 'chargeback_reversed' THEN -s.amount_minor ELSE 0 END), 0)
               FROM card_payment c LEFT JOIN settlement_line s ON s.payment = c.payment
               WHERE c.payment = ?1 GROUP BY c.payment";
    let found = db.prepare_cached(sql)?.query_row([payment], |r| {
        Ok(Sums {
            captured_minor: r.get(0)?,
            sold_minor: r.get(1)?,
            refunded_minor: r.get(2)?,
            disputed_minor: r.get(3)?,
        })
    });
    Ok(found.optional()?.unwrap_or_default())
}

/// The word for it.
fn word(sums: Sums) -> OutcomeState {
    if sums.disputed_minor > 0 {
        OutcomeState::Disputed
    } else if sums.captured_minor > 0 && sums.sold_minor == sums.captured_minor {
        OutcomeState::Settled
    } else {
        OutcomeState::Captured
    }
}

/// Tells the handheld how far it is, where that is news; only what was said to be captured goes on from there.
pub fn said(db: &Connection, payment: &str, now_ms: i64) -> Result<(), OfficeError> {
    let sql = "SELECT device, outcome_record, outcome_n + 1 FROM card_payment
               WHERE payment = ?1 AND outcome IN ('captured', 'settled', 'disputed') AND captured_minor > 0";
    let found: Option<(String, String, u32)> =
        db.prepare_cached(sql)?.query_row([payment], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).optional()?;
    let Some((device, before, n)) = found else { return Ok(()) };
    let (before, state): (Outcome, _) = (from_json(&before)?, word(sums(db, payment)?));
    if before.state == state {
        return Ok(());
    }
    let reason = (state == OutcomeState::Disputed).then(|| "the cardholder disputes it".to_owned());
    let outcome = Outcome { state, reason, at_ms: now_ms, n, ..before };
    db.execute(
        "UPDATE card_payment SET outcome = ?2, outcome_n = ?3, outcome_record = ?4 WHERE payment = ?1",
        (payment, name(&state)?, n, to_json(&outcome)?),
    )?;
    Ok(feed::note(db, &feed::channel_of(&device), "outcome", payment, "put")?)
}
