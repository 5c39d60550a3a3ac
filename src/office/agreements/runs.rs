//! The runs of agreements: a due date becomes a bill and one payment, which the worker of payments takes from there.
//!
//! Invariants: run, bill and payment come about in one transaction, with a payment id that follows from agreement and
//! date, so that a restored office asks the processor for the same payment and does not make another; what the office
//! says of the payment changes payment, bill and ledger at once, by the same fold as a handheld's rows.
//! Start at [`begin_due`].

mod by_hand;

pub use by_hand::{again, try_now};

use super::schedule::Every;
use super::{OFFICE_DEVICE, OFFICE_NAME, suspend, tax, waits};
use crate::domain::document::DocumentNumber;
use crate::domain::event::{
    Event, InvoiceCancelled, InvoiceIssued, PaymentCardRead, PaymentIntended, PaymentOutcomeSeen, PaymentRequested,
    RefundOutcomeSeen,
};
use crate::domain::exception::ExceptionType;
use crate::domain::fold::{RowRef, fold};
use crate::domain::id::{InvoiceId, JobId, LineId, PaymentId, RowId, VisitId};
use crate::domain::invoice::{Invoice, InvoiceState};
use crate::domain::line::{Line, LineKind, Quantity};
use crate::domain::money::Money;
use crate::domain::outcome::{Outcome, OutcomeState};
use crate::domain::payment::{CardEntry, CardSummary, Extras, Payment};
use crate::domain::refund::RefundWord;
use crate::domain::totals::{Extras as NoExtras, totals};
use crate::facts::{self, Origin, known, write};
use crate::office::payments::agreed::{Agreed, Force};
use crate::office::payments::facts::CardPayment;
use crate::office::payments::publish::trouble;
use crate::office::{Office, OfficeError, id_from, meta};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension as _};
use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

/// Agreements that are begun in one go at the most.
const AT_ONCE: usize = 100;
/// Due dates that may have passed unseen; more are counted with the next go.
const PASSED_MAX: usize = 400;
const DAY_MS: i64 = 86_400_000;
/// The office's own journal, which has no rows: its changes are in its database, and nothing is sent.
const OFFICE_EPOCH: &str = "00000000-0000-0000-0000-000000000000";

/// An agreement as far as a run needs it.
struct Due {
    id: String,
    what: String,
    amount: Money,
    tax: String,
    every: Every,
    first: Date,
    dues: u32,
    next: Date,
    card: String,
    job: JobId,
    customer: String,
    brand: String,
    last4: String,
}

/// The office's date.
pub fn today(now_ms: i64) -> Date {
    let at = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    TimeZone::system().to_datetime(at).date()
}

/// Begins the runs that are due. One that cannot be begun suspends its agreement and holds up no other.
///
/// # Errors
/// The database.
pub fn begin_due(office: &Office) -> Result<(), OfficeError> {
    let now_ms = office.now_ms();
    let today = today(now_ms);
    let due: Vec<String> = office.read(|db| -> rusqlite::Result<_> {
        let sql = "SELECT id FROM agreement WHERE state = 'active' AND next_due <= ?1 ORDER BY next_due, id LIMIT ?2";
        let mut statement = db.prepare_cached(sql)?;
        statement.query_map((today.to_string(), AT_ONCE), |r| r.get(0))?.collect()
    })?;
    for agreement in due {
        let begun: Result<(), OfficeError> = office.write(|tx| begin(tx, &agreement, today, now_ms));
        match begun {
            Err(why) if why.is_permanent() => {
                tracing::error!(agreement, error = %why, "an agreement's run cannot be begun");
                let note = format!("its run cannot be begun: {why}");
                office.write(|tx| suspend(tx, Some(&agreement), &note, now_ms))?;
            }
            done => done?,
        }
    }
    Ok(())
}

/// Begins the newest run that is due. Dates before it are charged only where a lost office may have done that: they
/// are looked up, and never sent by themselves. The others are told, and not charged all at once.
fn begin(db: &Connection, agreement: &str, today: Date, now_ms: i64) -> Result<(), OfficeError> {
    let Some(due) = load(db, agreement)?.filter(|due| due.next <= today) else { return Ok(()) };
    let out = || OfficeError::Record(format!("agreement {agreement} is due after the end of the calendar"));
    let (mut date, mut dues, mut passed) = (due.next, due.dues, Vec::new());
    let next = loop {
        dues += 1;
        let next = due.every.due(due.first, dues).ok_or_else(out)?;
        if next > today || passed.len() >= PASSED_MAX {
            break next;
        }
        passed.push(date);
        date = next;
    };
    let mut missed = Vec::new();
    for date in passed {
        if may_be_lost(db, date)? {
            run(db, &due, date, now_ms)?;
            continue;
        }
        let sql = "INSERT INTO agreement_run (agreement, due, created_ms) VALUES (?1, ?2, ?3)";
        db.execute(sql, (&due.id, date.to_string(), now_ms))?;
        missed.push(date);
    }
    if let Some(first) = missed.first() {
        let note =
            format!("{} due dates from {first} passed without a charge: bill them, or let them go", missed.len());
        waits(db, &due.id, due.amount, &note, now_ms)?;
    }
    let sql = "UPDATE agreement SET dues = ?2, next_due = ?3 WHERE id = ?1";
    db.execute(sql, (&due.id, dues, next.to_string()))?;
    run(db, &due, date, now_ms)
}

/// The bill, the payment and the run of one due date.
fn run(db: &Connection, due: &Due, date: Date, now_ms: i64) -> Result<(), OfficeError> {
    let invoice = bill(db, due, date, now_ms)?;
    let payment = payment_id(&due.id, date, 0);
    charge(db, due, &invoice, (payment, None), date, now_ms)?;
    let sql = "INSERT INTO agreement_run (agreement, due, payment, created_ms) VALUES (?1, ?2, ?3, ?4)";
    db.execute(sql, (&due.id, date.to_string(), payment.to_string(), now_ms))?;
    Ok(())
}

/// Whether an office that was lost may have charged this date: it ended on that day or later.
fn may_be_lost(db: &Connection, date: Date) -> Result<bool, OfficeError> {
    let day = TimeZone::system().to_timestamp(date.at(0, 0, 0, 0)).unwrap_or(Timestamp::MIN).as_millisecond();
    let sql = "SELECT EXISTS (SELECT 1 FROM former_epoch WHERE ended_ms >= ?1)";
    Ok(db.query_row(sql, [day], |r| r.get(0))?)
}

fn load(db: &Connection, agreement: &str) -> Result<Option<Due>, OfficeError> {
    let mut statement = db.prepare_cached(
        "SELECT a.id, a.what, a.amount_minor, a.currency, a.tax, a.every, a.unit, a.first_due, a.dues, a.next_due,
                a.kept_card, p.job, a.customer, k.brand, k.last4
         FROM agreement a JOIN kept_card k ON k.id = a.kept_card JOIN payment p ON p.id = k.payment
         WHERE a.id = ?1 AND a.state = 'active' AND k.ended_ms IS NULL",
    )?;
    let mut rows = statement.query([agreement])?;
    let Some(r) = rows.next()? else { return Ok(None) };
    let bad = |what: &str| OfficeError::Record(format!("agreement {agreement} has no readable {what}"));
    let (currency, unit, job): (String, String, String) = (r.get(3)?, r.get(6)?, r.get(11)?);
    let (first, next): (String, String) = (r.get(7)?, r.get(9)?);
    let every = Every::new(r.get(5)?, unit.parse().map_err(|_| bad("unit"))?).ok_or_else(|| bad("interval"))?;
    Ok(Some(Due {
        id: r.get(0)?,
        what: r.get(1)?,
        amount: Money::new(r.get(2)?, currency.parse()?),
        tax: r.get(4)?,
        every,
        first: first.parse().map_err(|_| bad("first day"))?,
        dues: r.get(8)?,
        next: next.parse().map_err(|_| bad("next day"))?,
        card: r.get(10)?,
        job: id_from(&job)?,
        customer: r.get(12)?,
        brand: r.get(13)?,
        last4: r.get(14)?,
    }))
}

/// The id of the payment of a due date; `n` counts those that a person asked for after the first.
fn payment_id(agreement: &str, due: Date, n: u32) -> PaymentId {
    let hash = Sha256::new_with_prefix(b"tillroll agreement run\0").chain_update(format!("{agreement} {due} {n}"));
    let mut bytes = [0_u8; 16];
    bytes.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    PaymentId(Builder::from_custom_bytes(bytes).into_uuid())
}

/// The bill of a due date, of a visit of its own so that it stands beside the job's other bills.
fn bill(db: &Connection, due: &Due, date: Date, now_ms: i64) -> Result<Invoice, OfficeError> {
    office_device(db, now_ms)?;
    let rule = tax(&due.tax).ok_or_else(|| OfficeError::Record(format!("{} is no tax", due.tax)))?;
    let line = Line {
        id: LineId(Uuid::now_v7()),
        kind: LineKind::Fee,
        item: None,
        name: format!("{}, {date}", due.what),
        quantity: Quantity::ONE,
        unit: String::new(),
        unit_price: due.amount,
        tax: Some(rule),
        stock_tracked: false,
    };
    let lines = vec![line];
    let sums =
        totals(&lines, due.amount.currency, NoExtras::NONE).map_err(|why| OfficeError::Record(why.to_string()))?;
    let invoice = Invoice {
        id: InvoiceId(Uuid::now_v7()),
        document: document(db)?,
        job: due.job,
        visit: VisitId(Uuid::now_v7()),
        customer: id_from(&due.customer)?,
        lines,
        totals: sums,
        issued_ms: now_ms,
        state: InvoiceState::Issued,
        deposit: None,
        delivered: false,
    };
    apply(db, &Event::InvoiceIssued(InvoiceIssued { invoice: invoice.clone() }), now_ms)?;
    Ok(invoice)
}

/// The next number of the office's series, which is another one in each of its epochs.
fn document(db: &Connection) -> Result<DocumentNumber, OfficeError> {
    let epoch = meta(db, "epoch")?.unwrap_or_default().to_ascii_uppercase();
    let series = format!("OF{}", epoch.get(..4).unwrap_or("0000"));
    let sql = "SELECT count(*) + 1 FROM invoice WHERE device = ?1 AND document LIKE ?2";
    let number = db.query_row(sql, (OFFICE_DEVICE, format!("{series}-%")), |r| r.get(0))?;
    Ok(DocumentNumber { series: series.parse()?, number })
}

/// The office stands among the handhelds as the one whose payments have no handheld.
fn office_device(db: &Connection, now_ms: i64) -> Result<(), OfficeError> {
    db.execute(
        "INSERT INTO device (id, name, created_ms) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING",
        (OFFICE_DEVICE, OFFICE_NAME, now_ms),
    )?;
    db.execute(
        "INSERT INTO device_epoch (device, epoch, acked_seq, acked_hash, stated_seq, since_ms)
         VALUES (?1, ?2, 0, '', 0, ?3) ON CONFLICT (device, epoch) DO NOTHING",
        (OFFICE_DEVICE, OFFICE_EPOCH, now_ms),
    )?;
    Ok(())
}

/// One payment of a bill by the kept card. What a lost office may have begun is in question from the start.
fn charge(
    db: &Connection,
    due: &Due,
    invoice: &Invoice,
    (payment, linked_to): (PaymentId, Option<PaymentId>),
    date: Date,
    now_ms: i64,
) -> Result<(), OfficeError> {
    let (job, visit, amount) = (invoice.job, invoice.visit, invoice.totals.total());
    let intended = PaymentIntended {
        payment,
        invoice: invoice.id,
        document: invoice.document.clone(),
        job,
        visit,
        amount,
        extras: Extras::NONE,
        linked_to,
        keep: None,
    };
    let card = CardSummary {
        brand: due.brand.clone(),
        last4: due.last4.clone(),
        aid: String::new(),
        label: String::new(),
        cvm: String::new(),
        entry: CardEntry::OnFile,
        marks: Default::default(),
    };
    let none = String::new;
    let read = PaymentCardRead {
        payment,
        job,
        visit,
        card,
        blob: none(),
        sealing_key: none(),
        ksn: none(),
        ciphertext_sha256: none(),
        salt: none(),
    };
    apply(db, &Event::PaymentIntended(intended), now_ms)?;
    apply(db, &Event::PaymentCardRead(read), now_ms)?;
    apply(db, &Event::PaymentRequested(PaymentRequested { payment, job, visit, amount, blob: none() }), now_ms)?;
    // There is no ciphertext; its place in the index of card reads is taken by the payment's own id.
    db.execute(
        "INSERT INTO card_payment (payment, device, epoch, currency, amount_minor, blob, ksn, ciphertext_sha256,
                                   kept_card, requested_seq, outcome_seen, outcome, outcome_n, next_ms, in_question)
         VALUES (?1, ?2, ?3, ?4, ?5, '', '', ?1, ?6, 0, 1, 'none', 0, ?7, ?8)",
        (
            payment.to_string(),
            OFFICE_DEVICE,
            OFFICE_EPOCH,
            amount.currency.code(),
            amount.minor,
            &due.card,
            now_ms,
            may_be_lost(db, date)?,
        ),
    )?;
    Ok(())
}

/// What follows from one event, in every table: as if a handheld had journalled it.
fn apply(db: &Connection, event: &Event, at_ms: i64) -> Result<(), OfficeError> {
    let row = RowRef { id: RowId(Uuid::now_v7()), at_ms };
    let changes = fold(event, &known(db, event)?, row).map_err(|why| OfficeError::Record(why.to_string()))?;
    Ok(write(db, &changes, Origin { device: OFFICE_DEVICE, epoch: OFFICE_EPOCH, seq: 0, at_ms })?)
}

/// The run of a payment, for the plan; `None` for a payment of a handheld.
pub fn agreed(db: &Connection, payment: PaymentId) -> Result<Option<Agreed>, OfficeError> {
    let sql = "SELECT a.state, a.tries, a.retry_days, r.now_after,
                      (SELECT count(*) FROM attempt t WHERE t.payment = r.payment AND t.state = 'declined'),
                      (SELECT max(created_ms) FROM attempt t WHERE t.payment = r.payment AND t.state = 'declined')
               FROM agreement_run r JOIN agreement a ON a.id = r.agreement WHERE r.payment = ?1";
    let found = db.prepare_cached(sql)?.query_row([payment.to_string()], |r| {
        let (state, retry_days): (String, i64) = (r.get(0)?, r.get(2)?);
        let (now_after, declines): (Option<u32>, u32) = (r.get(3)?, r.get(4)?);
        let last_ms: Option<i64> = r.get(5)?;
        let force = match state.as_str() {
            "active" => Force::Active,
            "suspended" => Force::Suspended,
            _ => Force::Stopped,
        };
        let waits = last_ms.filter(|_| now_after != Some(declines));
        let not_before_ms = waits.map_or(0, |last| last.saturating_add(retry_days.saturating_mul(DAY_MS)));
        Ok(Agreed { force, declines, tries: r.get(1)?, not_before_ms })
    });
    Ok(found.optional()?)
}

/// The office's word on a payment that it began itself: there is no handheld to journal it.
pub fn heard(db: &Connection, payment: &CardPayment, outcome: &Outcome) -> Result<(), OfficeError> {
    let Some(record) = facts::payment(db, payment.id)? else { return Ok(()) };
    let (job, visit) = (record.job, record.visit);
    if record.after_outcome(outcome).is_some() {
        let seen = PaymentOutcomeSeen { payment: payment.id, job, visit, outcome: outcome.clone() };
        apply(db, &Event::PaymentOutcomeSeen(seen), outcome.at_ms)?;
    }
    match outcome.state {
        OutcomeState::Declined => {
            let why = outcome.reason.as_deref().unwrap_or("the bank declined it");
            trouble(db, payment, ExceptionType::AgreementFailed, why, outcome.at_ms)
        }
        // Nothing was charged, and nothing is owed for a date that the customer has stopped.
        OutcomeState::Voided => cancel(db, &record, outcome),
        OutcomeState::Approved
        | OutcomeState::PartlyApproved
        | OutcomeState::LateDeclined
        | OutcomeState::Expired
        | OutcomeState::Held
        | OutcomeState::NotSent
        | OutcomeState::VoidFailed
        | OutcomeState::Captured
        | OutcomeState::Settled
        | OutcomeState::Disputed => Ok(()),
    }
}

/// Money of such a payment goes back: the same.
pub fn given_back(db: &Connection, word: &RefundWord, now_ms: i64) -> Result<(), OfficeError> {
    apply(db, &Event::RefundOutcomeSeen(RefundOutcomeSeen::of(&word.refund)), now_ms)
}

fn cancel(db: &Connection, payment: &Payment, outcome: &Outcome) -> Result<(), OfficeError> {
    let Some(invoice) = facts::invoice(db, payment.invoice)?.filter(|one| one.state == InvoiceState::Issued) else {
        return Ok(());
    };
    let why = outcome.reason.clone().unwrap_or_default();
    let cancelled = InvoiceCancelled { invoice: invoice.id, job: payment.job, visit: payment.visit, why };
    apply(db, &Event::InvoiceCancelled(cancelled), outcome.at_ms)
}
