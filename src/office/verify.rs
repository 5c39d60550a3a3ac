//! Proving the office's books on a real database: `tillroll office verify`, and after every simulated run.

use super::{Office, OfficeError, id_from};
use crate::domain::id::Epoch;
use crate::domain::journal::{Hash, Row};
use crate::domain::money::Currency;
use crate::facts::{deposit, shift};
use rusqlite::Connection;

/// Card and cash money by the office's books, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    /// Captured at the processor, as recorded here.
    pub card_minor: i64,
    /// Cash that handhelds recorded.
    pub cash_minor: i64,
}

/// Each query counts what must not exist.
const NEVER: &[(&str, &str)] = &[
    (
        "a ledger entry does not balance",
        "SELECT count(*) FROM (SELECT entry FROM ledger_posting GROUP BY entry HAVING sum(minor) <> 0)",
    ),
    (
        "card clearing in the ledger differs from approved card payments",
        "SELECT coalesce((SELECT sum(minor) FROM ledger_posting WHERE account = 'card_clearing'), 0)
              <> coalesce((SELECT sum(approved_minor - refunded_minor) FROM payment WHERE tender = 'card'), 0)",
    ),
    (
        "a payment has two attempts that may both have an effect",
        "SELECT count(*) FROM (SELECT payment FROM attempt WHERE state NOT IN ('dead', 'declined')
                               GROUP BY payment HAVING count(*) > 1)",
    ),
    (
        "a payment was captured before the handheld saw the approval or accepted it offline",
        "SELECT count(*) FROM card_payment c WHERE captured_minor > 0 AND outcome_seen = 0 AND accepted_offline = 0
             AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.payment = c.payment AND d.action = 'at_processor')",
    ),
    (
        "refunds differ from what their payments say",
        "SELECT count(*) FROM payment p WHERE
             p.refunded_minor <> (SELECT coalesce(sum(amount_minor), 0) FROM refund r
                                  WHERE r.payment = p.id AND r.state = 'refunded')",
    ),
    (
        "an invoice says paid and is not, or the other way round",
        "SELECT count(*) FROM invoice i WHERE i.state <> 'cancelled' AND (i.state = 'paid') <>
            (i.total_minor <= (SELECT coalesce(sum(p.covers_minor), 0) FROM payment p WHERE p.invoice = i.id))",
    ),
    (
        "the account of what was written off differs from what people decided",
        "SELECT coalesce((SELECT sum(minor) FROM ledger_posting WHERE account = 'written_off'), 0)
              <> coalesce((SELECT sum(amount_minor) FROM decision WHERE action = 'write_off'), 0)",
    ),
    (
        "card data outlived its need",
        "SELECT count(*) FROM blob b JOIN card_payment c ON c.blob = b.sha256 WHERE c.over = 1",
    ),
];

impl Office {
    /// What is wrong, one sentence each; empty when all is well.
    pub fn verify(&self) -> Result<Vec<String>, OfficeError> {
        self.read(|db| {
            let mut violations = Vec::new();
            for (what, sql) in NEVER.iter().chain(shift::NEVER).chain(deposit::NEVER) {
                let count: i64 = db.query_row(sql, [], |r| r.get(0))?;
                if count != 0 {
                    violations.push((*what).to_owned());
                }
            }
            chains(db, &mut violations)?;
            Ok(violations)
        })
    }

    /// Money by the office's books.
    pub fn sums(&self, currency: Currency) -> Result<Sums, OfficeError> {
        self.read(|db| {
            let card_minor = db.query_row(
                "SELECT coalesce(sum(captured_minor - refunded_minor), 0) FROM card_payment WHERE currency = ?1",
                [currency.code()],
                |r| r.get(0),
            )?;
            let cash_minor = db.query_row(
                "SELECT coalesce(sum(approved_minor - refunded_minor), 0) FROM payment
                 WHERE tender = 'cash' AND currency = ?1",
                [currency.code()],
                |r| r.get(0),
            )?;
            Ok(Sums { card_minor, cash_minor })
        })
    }
}

/// Recomputes every journal's hashes.
fn chains(db: &Connection, violations: &mut Vec<String>) -> Result<(), OfficeError> {
    let mut epochs = db.prepare("SELECT device, epoch, acked_seq FROM device_epoch")?;
    let found = epochs.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?, r.get::<_, u64>(2)?)))?;
    for columns in found {
        let (device, epoch, acked) = columns?;
        let epoch_id: Epoch = id_from(&epoch)?;
        let mut previous = Hash::START;
        let mut expected = 1_u64;
        let mut statement = db.prepare(
            "SELECT seq, id, kind, v, subjects, at_ms, boot, mono_ms, offset_ms, actor, body, hash
             FROM journal WHERE device = ?1 AND epoch = ?2 ORDER BY seq",
        )?;
        let mut rows = statement.query((&device, &epoch))?;
        while let Some(r) = rows.next()? {
            let (id, boot, subjects): (String, String, String) = (r.get(1)?, r.get(6)?, r.get(4)?);
            let body: Vec<u8> = r.get(10)?;
            let row = Row {
                seq: r.get(0)?,
                id: id_from(&id)?,
                kind: r.get(2)?,
                v: r.get(3)?,
                subjects: super::from_json(&subjects)?,
                at_ms: r.get(5)?,
                boot: id_from(&boot)?,
                mono_ms: r.get(7)?,
                offset_ms: r.get(8)?,
                actor: r.get(9)?,
                body: String::from_utf8_lossy(&body).into_owned(),
            };
            let kept: String = r.get(11)?;
            previous = row.hash(epoch_id, previous);
            if row.seq != expected || kept != previous.to_string() {
                violations.push(format!("the chain of {device} breaks at row {expected}"));
                break;
            }
            expected += 1;
        }
        if expected <= acked && !violations.iter().any(|v| v.contains(&device)) {
            violations.push(format!("the chain of {device} ends at row {}, acknowledged to {acked}", expected - 1));
        }
    }
    Ok(())
}
