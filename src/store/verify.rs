//! Proving the books: the chain of the journal, and the facts against the ledger.

use super::{Identity, Store, StoreError};
use crate::domain::journal::Hash;
use crate::facts::{deposit, shift};

/// Rows read at a time, so that a long journal needs little memory.
const STEP: usize = 500;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Rows whose hash was recomputed.
    pub rows: u64,
    /// What is wrong, one sentence each; empty when all is well.
    pub violations: Vec<String>,
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
        "pending card money in the ledger differs from stored payments",
        "SELECT coalesce((SELECT sum(minor) FROM ledger_posting WHERE account = 'card_pending'), 0)
              <> coalesce((SELECT sum(pending_minor) FROM payment), 0)",
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
        "a visit's money differs from its invoice",
        "SELECT count(*) FROM invoice i JOIN visit_work w ON w.visit = i.visit
         WHERE i.kind = 'invoice' AND i.state <> 'cancelled' AND (i.state = 'paid') <> (w.money = 'paid')",
    ),
    (
        "card data outlived its need",
        "SELECT count(*) FROM blob b JOIN payment p ON p.id = b.payment
         WHERE p.state NOT IN ('card_read', 'requested', 'stored', 'unknown', 'void_pending', 'held')",
    ),
    (
        "a document number is missing",
        "SELECT count(*) FROM document_counter c
         WHERE c.last <> (SELECT count(*) FROM invoice i WHERE i.document LIKE c.series || '-%')",
    ),
];

/// What the X report expects is what the ledger holds.
const DRAWER: (&str, &str) = (
    "the drawer of the open shift differs from cash in the ledger",
    "SELECT count(*) FROM shift s WHERE s.state = 'open' AND s.float_minor + s.carried_minor
         + (SELECT coalesce(sum(CASE kind WHEN 'paid_in' THEN amount_minor ELSE -amount_minor END), 0)
            FROM cash_move m WHERE m.shift = s.id)
         + (SELECT coalesce(sum(p.minor), 0) FROM shift_entry o
            JOIN ledger_posting p ON p.entry = o.entry AND p.account = 'cash' WHERE o.shift = s.id)
         <> (SELECT coalesce(sum(minor), 0) FROM ledger_posting WHERE account = 'cash')",
);

impl Store {
    /// Recomputes the chain and checks the books.
    pub fn verify(&self) -> Result<Verified, StoreError> {
        let identity: Identity = self.identity()?;
        let mut found = Verified { rows: 0, violations: Vec::new() };
        let mut previous = Hash::START;
        loop {
            let rows = self.rows(found.rows + 1, STEP)?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                found.rows += 1;
                previous = row.hash(identity.epoch, previous);
                let kept: [u8; 32] =
                    self.read().query_row("SELECT hash FROM journal WHERE seq = ?1", [row.seq], |r| r.get(0))?;
                if row.seq != found.rows || kept != previous.0 {
                    found.violations.push(format!("the chain breaks at row {}", found.rows));
                    return Ok(found);
                }
            }
        }
        for (what, sql) in NEVER.iter().chain(shift::NEVER).chain(deposit::NEVER).chain([&DRAWER]) {
            let count: i64 = self.read().query_row(sql, [], |r| r.get(0))?;
            if count != 0 {
                found.violations.push((*what).to_owned());
            }
        }
        Ok(found)
    }
}
