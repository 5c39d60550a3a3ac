//! Whose each line is, and whether the sums fit. What does not fit goes onto the dispatcher's list, and leaves it when
//! a later file makes it fit.

use super::SettlementError;
use crate::domain::exception::ExceptionType;
use crate::domain::money::{Currency, Money};
use crate::office::OfficeError;
use crate::office::exceptions::{Trouble, raise, settle};
use crate::office::payments::{moved_by, reconcile, settled};
use rusqlite::{Connection, OptionalExtension as _};

const UNMATCHED: ExceptionType = ExceptionType::UnmatchedPayment;

/// Matches every line that has no payment yet, and compares the sums of all that have one.
pub(super) fn matched(db: &Connection, now_ms: i64) -> Result<(), SettlementError> {
    let sql = "SELECT line, reference, type, amount_minor, currency, settled_on, batch FROM settlement_line
               WHERE payment IS NULL AND type <> 'payout' ORDER BY line";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(r) = rows.next()? {
        let (line, reference, kind): (String, String, String) = (r.get(0)?, r.get(1)?, r.get(2)?);
        let (minor, currency): (i64, String) = (r.get(3)?, r.get(4)?);
        let subject = format!("settlement {line}");
        if let Some(payment) = payment_of(db, &reference, &currency)? {
            db.execute("UPDATE settlement_line SET payment = ?2 WHERE line = ?1", (&line, &payment))?;
            settle(db, UNMATCHED, &subject, "it belongs to a payment that came in since", now_ms)?;
            if kind == "sale" && reconcile::at_processor(db, &payment, minor, now_ms)? {
                let why = "the settlement file has it";
                settle(db, ExceptionType::PaymentReconcile, &payment, why, now_ms)?;
            }
            continue;
        }
        let (day, batch): (String, String) = (r.get(5)?, r.get(6)?);
        let note = format!("line {line}: a {kind} settled on {day} in batch {batch} as {reference}, unknown here");
        let currency: Currency = currency.parse().map_err(OfficeError::from)?;
        raise_once(db, (UNMATCHED, &subject), None, Money::new(minor, currency), &note, now_ms)?;
    }
    sums(db, now_ms)
}

/// The payment that a line is about: by our key or RRN, the processor's own name, or the payment within our key.
fn payment_of(db: &Connection, reference: &str, currency: &str) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT payment FROM (
                   SELECT payment FROM attempt WHERE key = ?1 OR rrn = ?1 OR reference = ?1
                   UNION SELECT payment FROM follow_up WHERE key = ?1
                   UNION SELECT payment FROM card_payment WHERE payment = ?2)
               JOIN card_payment USING (payment) WHERE currency = ?3 LIMIT 1";
    db.prepare_cached(sql)?.query_row((reference, named_in(reference), currency), |r| r.get(0)).optional()
}

/// The payment's id within a key of ours, `EPOCH-PAYMENT-N`; the key is perhaps that of a lost office.
pub(in crate::office) fn named_in(key: &str) -> Option<&str> {
    let (epoch, rest) = key.split_once('-')?;
    let payment = rest.get(..36)?;
    let ours = epoch.len() == 8 && rest.get(36..37) == Some("-") && payment.parse::<uuid::Uuid>().is_ok();
    ours.then_some(payment)
}

/// Settled sales are what was captured, and no more goes back than came; what the cardholder disputes is on the list
/// until the bank gives it back. The handheld hears how far each is.
fn sums(db: &Connection, now_ms: i64) -> Result<(), SettlementError> {
    let sql = "SELECT DISTINCT c.payment, c.currency, p.job FROM settlement_line s
               JOIN card_payment c ON c.payment = s.payment JOIN payment p ON p.id = c.payment ORDER BY c.payment";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(r) = rows.next()? {
        let (payment, currency, job): (String, String, String) = (r.get(0)?, r.get(1)?, r.get(2)?);
        let currency: Currency = currency.parse().map_err(OfficeError::from)?;
        let of = settled::sums(db, &payment)?;
        settled::said(db, &payment, now_ms)?;
        moved_by(db, &payment, now_ms)?;
        disputed(db, (&payment, &job), Money::new(of.disputed_minor, currency), now_ms)?;
        let plain = |minor| Money::new(minor, currency).plain();
        if of.sold_minor == of.captured_minor && of.refunded_minor <= of.captured_minor {
            settle(db, UNMATCHED, &payment, "settled as captured", now_ms)?;
            continue;
        }
        let note = format!(
            "settled {}, given back {}, captured here {} {currency}",
            plain(of.sold_minor),
            plain(of.refunded_minor),
            plain(of.captured_minor)
        );
        let back = of.refunded_minor.saturating_sub(of.captured_minor).max(0).unsigned_abs();
        let apart = of.sold_minor.abs_diff(of.captured_minor).max(back);
        let apart = Money::new(i64::try_from(apart).unwrap_or(i64::MAX), currency);
        raise_once(db, (UNMATCHED, &payment), Some(&job), apart, &note, now_ms)?;
    }
    Ok(())
}

fn disputed(db: &Connection, (payment, job): (&str, &str), amount: Money, now_ms: i64) -> Result<(), SettlementError> {
    let kind = ExceptionType::Disputed;
    if amount.minor <= 0 {
        return Ok(settle(db, kind, payment, "the bank has given it back", now_ms)?);
    }
    let note = format!("{amount} was charged back");
    raise_once(db, (kind, payment), Some(job), amount, &note, now_ms)
}

fn raise_once(
    db: &Connection,
    (kind, subject): (ExceptionType, &str),
    job: Option<&str>,
    amount: Money,
    note: &str,
    now_ms: i64,
) -> Result<(), SettlementError> {
    // Once somebody has dealt with it, the next file does not bring it back.
    let sql = "SELECT EXISTS (SELECT 1 FROM exception e JOIN decision d ON d.exception = e.id
               WHERE e.type = ?1 AND e.subject = ?2 AND e.note = ?3 AND d.undone_ms IS NULL)";
    if db.query_row(sql, (kind.name(), subject, note), |r| r.get(0))? {
        return Ok(());
    }
    let trouble = Trouble { kind, subject, device: None, job, amount, note, deadline_ms: None };
    Ok(raise(db, &trouble, now_ms)?)
}

#[cfg(test)]
mod tests {
    use super::named_in;

    #[test]
    fn a_key_of_ours_names_its_payment() {
        let id = "0198a1b2-0000-7000-8000-000000000001";
        assert_eq!(named_in(&format!("deadbeef-{id}-1")), Some(id));
        for other in ["", "x", id, &format!("deadbeef-{id}"), &format!("dead-{id}-1"), "deadbeef-ééééééééééééééééééé-1"]
        {
            assert_eq!(named_in(other), None, "{other}");
        }
    }
}
