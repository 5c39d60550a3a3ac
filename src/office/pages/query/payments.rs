//! Payments as a dispatcher sees them: what the handheld has said, and what the office knows since.

use super::{record, record_if_any};
use crate::domain::invoice::{Invoice, PaidSums};
use crate::domain::job::MoneyState;
use crate::domain::outcome::Outcome;
use crate::domain::payment::{Payment, PaymentState, Standing, Tender};
use rusqlite::{Connection, params};

/// The most payments that one page reads.
pub(in crate::office::pages) const PAYMENTS_MAX: u32 = 2_000;

/// The office's side of a card payment.
pub(in crate::office::pages) struct OfficeSide {
    /// Its last word.
    pub(in crate::office::pages) outcome: Option<Outcome>,
    /// Captured at the processor, minor units.
    pub(in crate::office::pages) captured_minor: i64,
    /// Whether the handheld has said that it saw the word.
    pub(in crate::office::pages) seen: bool,
    /// Who released it when it was held.
    pub(in crate::office::pages) released_by: Option<String>,
    /// Who gave it up.
    pub(in crate::office::pages) voided_by: Option<String>,
    /// Whether rows about it could not be applied.
    pub(in crate::office::pages) frozen: bool,
    /// Until when it can be forwarded, Unix milliseconds.
    pub(in crate::office::pages) deadline_ms: Option<i64>,
    /// Whether nothing more will be done.
    pub(in crate::office::pages) over: bool,
}

/// One payment.
pub(in crate::office::pages) struct Seen {
    /// The handheld's record with the office's last word applied: the handheld will come to the same.
    pub(in crate::office::pages) payment: Payment,
    /// When the office first heard of it, Unix milliseconds.
    pub(in crate::office::pages) received_ms: i64,
    pub(in crate::office::pages) device_name: String,
    pub(in crate::office::pages) customer: String,
    /// It pays a deposit, not an invoice.
    pub(in crate::office::pages) ahead: bool,
    /// None for cash and for a card payment that never left the handheld.
    pub(in crate::office::pages) office: Option<OfficeSide>,
}

impl Seen {
    /// Whether a dispatcher can release it.
    pub(in crate::office::pages) fn waits_for_release(&self) -> bool {
        self.payment.state == PaymentState::Held
            && self.office.as_ref().is_some_and(|office| !office.over && office.released_by.is_none())
    }

    /// What it is counted as.
    pub(in crate::office::pages) fn class(&self) -> Class {
        match self.payment.state {
            PaymentState::Captured | PaymentState::Settled => Class::Captured,
            PaymentState::Recorded => Class::ByHand,
            PaymentState::VoidFailed | PaymentState::Disputed | PaymentState::VoidPending => Class::Unknown,
            state => match state.standing() {
                Standing::Open => Class::UnderWay,
                Standing::Paid => Class::Approved,
                Standing::Pending => Class::Pending,
                Standing::Unknown => Class::Unknown,
                Standing::Failed => Class::Failed,
            },
        }
    }

    /// The money that it is counted with, minor units: what was taken without what went back, as in the books.
    pub(in crate::office::pages) fn counted_minor(&self) -> i64 {
        let payment = &self.payment;
        match self.class() {
            Class::Captured | Class::Approved | Class::ByHand => {
                payment.approved_minor.saturating_sub(payment.refunded_minor)
            }
            Class::Pending if self.payment.pending_minor > 0 => self.payment.pending_minor,
            Class::Pending | Class::Unknown | Class::Failed | Class::UnderWay => self.payment.amount.minor,
        }
    }
}

/// What payments are summed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::office::pages) enum Class {
    Captured,
    Approved,
    /// Cash and cheques.
    ByHand,
    Pending,
    Unknown,
    UnderWay,
    Failed,
}

impl Class {
    pub(in crate::office::pages) const ALL: [Class; 7] = [
        Class::Captured,
        Class::Approved,
        Class::ByHand,
        Class::Pending,
        Class::Unknown,
        Class::UnderWay,
        Class::Failed,
    ];

    /// The name in the page's address.
    pub(in crate::office::pages) fn name(self) -> &'static str {
        match self {
            Class::Captured => "captured",
            Class::Approved => "approved",
            Class::ByHand => "cash",
            Class::Pending => "pending",
            Class::Unknown => "unknown",
            Class::UnderWay => "open",
            Class::Failed => "failed",
        }
    }
}

/// Which payments; every `None` means all.
#[derive(Default)]
pub(in crate::office::pages) struct Filter {
    pub(in crate::office::pages) job: Option<String>,
    pub(in crate::office::pages) payment: Option<String>,
    pub(in crate::office::pages) device: Option<String>,
    pub(in crate::office::pages) tender: Option<Tender>,
    /// Begun in this span of the handhelds' time, or not certain yet.
    pub(in crate::office::pages) day_or_pending: Option<(i64, i64)>,
    /// Of jobs whose appointment begins in this span.
    pub(in crate::office::pages) jobs_of: Option<(i64, i64)>,
}

/// The payments, newest first, at most [`PAYMENTS_MAX`].
pub(in crate::office::pages) fn payments(db: &Connection, filter: &Filter) -> rusqlite::Result<Vec<Seen>> {
    let sql = "SELECT p.record, coalesce((SELECT max(received_ms) FROM journal r WHERE r.device = p.device AND r.seq = p.seq),
                                    p.at_ms), coalesce(d.name, '?'), coalesce(c.name, ''),
             cp.payment, cp.outcome_record, cp.captured_minor, cp.outcome_seen = 1 OR cp.seen_n >= cp.outcome_n, cp.released_by, cp.frozen,
             cp.deadline_ms, cp.over, cp.voided_by, coalesce(i.kind = 'deposit', 0)
         FROM payment p
         LEFT JOIN invoice i ON i.id = p.invoice
         LEFT JOIN card_payment cp ON cp.payment = p.id
         LEFT JOIN device d ON d.id = p.device
         LEFT JOIN job j ON j.id = p.job
         LEFT JOIN customer c ON c.id = j.customer
         WHERE (?1 IS NULL OR p.job = ?1) AND (?2 IS NULL OR p.id = ?2) AND (?3 IS NULL OR p.device = ?3)
           AND (?4 IS NULL OR p.tender = ?4)
           AND (?5 IS NULL OR p.pending_minor > 0 OR (p.at_ms >= ?5 AND p.at_ms < ?6))
           AND (?7 IS NULL OR (j.window_start_ms >= ?7 AND j.window_start_ms < ?8))
         ORDER BY p.at_ms DESC, p.id DESC LIMIT ?9";
    let tender = filter.tender.map(|tender| match tender {
        Tender::Card => "card",
        Tender::Cash => "cash",
        Tender::Cheque => "cheque",
        Tender::Transfer => "transfer",
        Tender::Deposit => "deposit",
    });
    let (day, jobs) = (filter.day_or_pending.unzip(), filter.jobs_of.unzip());
    let bound = params![filter.job, filter.payment, filter.device, tender, day.0, day.1, jobs.0, jobs.1, PAYMENTS_MAX];
    db.prepare_cached(sql)?.query_map(bound, seen)?.collect()
}

fn seen(row: &rusqlite::Row<'_>) -> rusqlite::Result<Seen> {
    let on_device: Payment = record(row, 0)?;
    let at_office: Option<String> = row.get(4)?;
    let office = match at_office {
        None => None,
        Some(_) => Some(OfficeSide {
            outcome: record_if_any(row, 5)?,
            captured_minor: row.get(6)?,
            seen: row.get(7)?,
            released_by: row.get(8)?,
            frozen: row.get(9)?,
            deadline_ms: row.get(10)?,
            over: row.get(11)?,
            voided_by: row.get(12)?,
        }),
    };
    Ok(Seen {
        payment: now(on_device, office.as_ref()),
        received_ms: row.get(1)?,
        device_name: row.get(2)?,
        customer: row.get(3)?,
        ahead: row.get(13)?,
        office,
    })
}

/// The handheld's record with what the office has learnt since.
fn now(payment: Payment, office: Option<&OfficeSide>) -> Payment {
    let Some(office) = office else { return payment };
    let mut payment = match &office.outcome {
        Some(outcome) if outcome.state.since_approval().is_none() => payment.after_outcome(outcome).unwrap_or(payment),
        Some(_) | None => payment,
    };
    if payment.state == PaymentState::Approved && office.captured_minor > 0 {
        let went_on = office.outcome.as_ref().and_then(|outcome| outcome.state.since_approval());
        payment.state = went_on.unwrap_or(PaymentState::Captured);
    }
    payment
}

/// Sums over those of a visit's payments that pay its invoice, not a deposit.
pub(in crate::office::pages) fn sums<'a>(
    invoice: Option<&Invoice>,
    payments: impl IntoIterator<Item = &'a Seen>,
) -> PaidSums {
    let mut sums = PaidSums::NONE;
    let pays = |one: &&Seen| invoice.is_some_and(|invoice| invoice.id == one.payment.invoice);
    for one in payments.into_iter().filter(pays) {
        // What cannot be counted covers nothing.
        let covers = one.payment.covers().unwrap_or(PaidSums::NONE);
        sums.approved_minor = sums.approved_minor.saturating_add(covers.approved_minor);
        sums.pending_minor = sums.pending_minor.saturating_add(covers.pending_minor);
    }
    sums
}

/// Where a visit's money stands with what the office knows now.
pub(in crate::office::pages) fn money_of<'a>(
    invoice: Option<&Invoice>,
    payments: impl IntoIterator<Item = &'a Seen>,
) -> MoneyState {
    invoice
        .and_then(|invoice| invoice.standing(sums(Some(invoice), payments)).ok())
        .map_or(MoneyState::None, |(_, money)| money)
}
