//! The office's conversation with the processor: one worker, many payments, each by the rules of [`plan`].

pub mod agreed;
pub mod doubled;
pub mod facts;
pub mod follow_up;
pub mod give_back;
pub mod overpaid;
pub mod plan;
pub mod publish;
pub mod reconcile;
mod record;
pub mod refunds;
pub mod settled;
mod source;
pub mod transfers;
pub mod worker;

use super::{OfficeError, ereceipts};
use rusqlite::{Connection, OptionalExtension as _};

/// What a change of its money means for an invoice: it may have too much, and a message about it may be overtaken.
pub fn moved(db: &Connection, invoice: &str, now_ms: i64) -> Result<(), OfficeError> {
    overpaid::check(db, invoice, now_ms)?;
    ereceipts::look_again(db, invoice)
}

/// The same for a payment's invoice.
pub fn moved_by(db: &Connection, payment: &str, now_ms: i64) -> Result<(), OfficeError> {
    let sql = "SELECT invoice FROM payment WHERE id = ?1";
    let invoice: Option<String> = db.prepare_cached(sql)?.query_row([payment], |r| r.get(0)).optional()?;
    invoice.map_or(Ok(()), |invoice| moved(db, &invoice, now_ms))
}

/// How the processor is waited for, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// An answer must come within this.
    pub answer_ms: u64,
    /// A request of a handheld older than this is not sent by itself.
    pub request_fresh_ms: i64,
    /// The first pause after a failed call; doubles up to a minute.
    pub retry_ms: i64,
    /// An approval that no handheld has seen for this long is an exception.
    pub unseen_ms: i64,
    /// An approval that is not captured for this long is given back.
    pub authorisation_ms: i64,
}

impl Timing {
    /// How long whoever has begun a call has it for itself, milliseconds: after a crash it is made again then, under the
    /// same name.
    pub fn lease_ms(&self) -> i64 {
        i64::try_from(self.answer_ms).unwrap_or(i64::MAX / 4).saturating_mul(3)
    }

    /// 15 s for an answer, 60 s for a request, an hour unseen, a day authorised.
    pub const STANDARD: Timing = Timing {
        answer_ms: 15_000,
        request_fresh_ms: 60_000,
        retry_ms: 1_000,
        unseen_ms: 3_600_000,
        authorisation_ms: 24 * 3_600_000,
    };
}
