//! Receipts by e-mail: asked for on a handheld, made here from the office's own facts, handed to an outbox.
//!
//! Invariants: a message's id is that of its request and number, so that one which goes out twice after a crash can be
//! told; what is pending is said to be, and after a late word another one follows by itself and says which it replaces.
//! Nothing that a person typed stands in a message's head as it came. Start at [`step`].

mod compose;
pub mod mail;
pub mod outbox;

use super::{Office, OfficeError};
use crate::domain::email::EmailAddress;
use crate::domain::event::ReceiptEmailRequested;
use crate::domain::id::{InvoiceId, RowId};
use crate::domain::receipt::{Receipt, ReceiptStanding};
use crate::facts::named;
use compose::compose;
use mail::Mail;
use outbox::Outbox;
use rusqlite::{Connection, OptionalExtension as _};
use std::future::Future;
use std::time::Duration;

/// Messages in one step at the most.
const AT_ONCE: usize = 16;
/// The pause after the first failure, milliseconds; it doubles.
const RETRY_MIN_MS: i64 = 30_000;
/// After so many failures, more than a day, nobody tries any more.
const TRIES_MAX: u32 = 12;
/// How often what failed is looked at again.
const WAKE: Duration = Duration::from_secs(30);

/// Where a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The row that asked for it.
    pub request: String,
    /// 1 for what was asked for; more for what followed.
    pub n: u32,
    /// Where to.
    pub address: String,
    /// `queued`, `sent` or `failed`.
    pub state: String,
    /// Where the money stood in it, once sent.
    pub standing: Option<ReceiptStanding>,
    /// When it was sent, Unix milliseconds.
    pub sent_ms: Option<i64>,
    /// Why it did not go out, in a sentence.
    pub error: Option<String>,
}

/// A handheld asks for one.
pub(super) fn request(
    db: &Connection,
    device: &str,
    row: RowId,
    e: &ReceiptEmailRequested,
    now_ms: i64,
) -> Result<(), OfficeError> {
    queue(db, device, &row.to_string(), 1, e.invoice, e.to.as_str(), now_ms)
}

fn queue(
    db: &Connection,
    device: &str,
    request: &str,
    n: u32,
    invoice: InvoiceId,
    address: &str,
    now_ms: i64,
) -> Result<(), OfficeError> {
    db.execute(
        "INSERT INTO ereceipt (request, n, device, invoice, address, state, asked_ms, next_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, 'queued', ?6, ?6)",
        (request, n, device, invoice.to_string(), address, now_ms),
    )?;
    Ok(())
}

/// Every message about an invoice, in the order of asking.
pub fn of_invoice(db: &Connection, invoice: &str) -> Result<Vec<Entry>, OfficeError> {
    let mut statement = db.prepare_cached(
        "SELECT request, n, address, state, standing, sent_ms, error FROM ereceipt WHERE invoice = ?1
         ORDER BY asked_ms, request, n",
    )?;
    let mut rows = statement.query([invoice])?;
    let mut found = Vec::new();
    while let Some(r) = rows.next()? {
        let standing: Option<String> = r.get(4)?;
        found.push(Entry {
            request: r.get(0)?,
            n: r.get(1)?,
            address: r.get(2)?,
            state: r.get(3)?,
            standing: standing.map(|name| named(&name)).transpose()?,
            sent_ms: r.get(5)?,
            error: r.get(6)?,
        });
    }
    Ok(found)
}

/// Sends what is due until `stop` resolves.
pub async fn run(office: Office, outbox: Outbox, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    loop {
        let news = office.news.clone();
        let heard = news.notified();
        tokio::pin!(heard);
        // What is committed from here on is not missed.
        heard.as_mut().enable();
        let (of, to) = (office.clone(), outbox.clone());
        match tokio::task::spawn_blocking(move || step(&of, &to)).await {
            Ok(Ok(_)) => {}
            Ok(Err(why)) => tracing::error!(error = %why, "receipts by e-mail were not looked after; tried again"),
            Err(why) => tracing::error!(error = %why, "sending a receipt by e-mail broke off; tried again"),
        }
        tokio::select! {
            () = &mut stop => return,
            () = heard => {}
            () = tokio::time::sleep(WAKE) => {}
        }
    }
}

/// What is to be sent.
struct Due {
    request: String,
    n: u32,
    invoice: InvoiceId,
    address: EmailAddress,
    tries: u32,
}

/// Queues what follows late words, then sends what is due; how many went out.
pub fn step(office: &Office, outbox: &Outbox) -> Result<usize, OfficeError> {
    let now = office.now_ms();
    follow(office, now)?;
    let mut sent = 0;
    for one in office.read(|db| due(db, now))? {
        let (receipt, before) = office.read(|db| {
            let before = before(db, &one.request, one.n)?;
            Ok::<_, OfficeError>((compose(office, db, one.invoice, before, now)?, before))
        })?;
        let mail = Mail::of(&receipt, &one.request, one.n, &one.address, before.is_some(), now);
        let handed = outbox.hand_over(&mail);
        office.write(|tx| note(tx, &one, &receipt, handed.err().map(|why| why.to_string()), now, &mut sent))?;
    }
    Ok(sent)
}

/// Something has happened to an invoice: the messages about it are looked at again.
pub(super) fn look_again(db: &Connection, invoice: &str) -> Result<(), OfficeError> {
    let sql = "UPDATE ereceipt SET look = 1 WHERE invoice = ?1 AND superseded = 0 AND look = 0";
    db.prepare_cached(sql)?.execute([invoice])?;
    Ok(())
}

/// The same for a visit's invoice.
pub(super) fn look_again_at(db: &Connection, visit: &str) -> Result<(), OfficeError> {
    let sql = "SELECT id FROM invoice WHERE visit = ?1 AND kind = 'invoice' AND state <> 'cancelled'";
    let invoice: Option<String> = db.prepare_cached(sql)?.query_row([visit], |r| r.get(0)).optional()?;
    invoice.map_or(Ok(()), |invoice| look_again(db, &invoice))
}

/// Whether a message that said `was` is overtaken by what a new one would say: an awaited word has come, money goes back,
/// or what was paid is not any more. That more was paid since is no such news: whoever pays is there.
fn overtaken(was: ReceiptStanding, is: ReceiptStanding) -> bool {
    let less = matches!(is, ReceiptStanding::Due | ReceiptStanding::PartPaid);
    was.is_open() || is.is_refund() || (was == ReceiptStanding::Paid && less)
}

/// A customer who was told that something is pending, not known or not released hears of what it came to; one who was told
/// that it is paid hears when money goes back.
fn follow(office: &Office, now_ms: i64) -> Result<(), OfficeError> {
    let open = office.read(|db| {
        let mut statement = db.prepare_cached(
            "SELECT request, n, device, invoice, address, said, standing FROM ereceipt WHERE look = 1 AND state = 'sent'",
        )?;
        let found = statement.query_map([], |r| {
            Ok((
                r.get::<_, String>(0)?,
                r.get::<_, u32>(1)?,
                r.get::<_, String>(2)?,
                r.get::<_, String>(3)?,
                r.get::<_, String>(4)?,
                r.get::<_, String>(5)?,
                r.get::<_, String>(6)?,
            ))
        })?;
        found.collect::<rusqlite::Result<Vec<_>>>()
    })?;
    for (request, n, device, invoice, address, said, standing) in open {
        let id: InvoiceId = invoice.parse().map_err(|_| OfficeError::Record(format!("{invoice} is no id")))?;
        let was: ReceiptStanding = named(&standing)?;
        office.write(|tx| {
            let now = compose(office, tx, id, None, now_ms)?;
            let due = now.said() != said && overtaken(was, now.standing());
            let first = tx.execute(
                "UPDATE ereceipt SET superseded = ?3, look = 0 WHERE request = ?1 AND n = ?2 AND superseded = 0",
                (&request, n, due),
            )?;
            if due && first == 1 { queue(tx, &device, &request, n + 1, id, &address, now_ms) } else { Ok(()) }
        })?;
    }
    Ok(())
}

fn due(db: &Connection, now_ms: i64) -> Result<Vec<Due>, OfficeError> {
    let mut statement = db.prepare_cached(
        "SELECT request, n, invoice, address, tries FROM ereceipt WHERE state = 'queued' AND next_ms <= ?1
         ORDER BY next_ms, request, n LIMIT ?2",
    )?;
    let mut rows = statement.query((now_ms, AT_ONCE))?;
    let mut found = Vec::new();
    while let Some(r) = rows.next()? {
        let (invoice, address): (String, String) = (r.get(2)?, r.get(3)?);
        found.push(Due {
            request: r.get(0)?,
            n: r.get(1)?,
            invoice: invoice.parse().map_err(|_| OfficeError::Record(format!("{invoice} is no id")))?,
            address: address.parse().map_err(|_| OfficeError::Record("an address is none".to_owned()))?,
            tries: r.get(4)?,
        });
    }
    Ok(found)
}

/// When the message before this one was sent, Unix milliseconds.
fn before(db: &Connection, request: &str, n: u32) -> Result<Option<i64>, OfficeError> {
    let sql = "SELECT sent_ms FROM ereceipt WHERE request = ?1 AND n = ?2";
    Ok(db.query_row(sql, (request, n.saturating_sub(1)), |r| r.get(0)).optional()?.flatten())
}

fn note(
    db: &Connection,
    of: &Due,
    receipt: &Receipt,
    error: Option<String>,
    now_ms: i64,
    sent: &mut usize,
) -> Result<(), OfficeError> {
    let Some(error) = error else {
        *sent += 1;
        db.execute(
            "UPDATE ereceipt SET state = 'sent', standing = ?3, said = ?4, sent_ms = ?5, error = NULL
             WHERE request = ?1 AND n = ?2",
            (&of.request, of.n, receipt.standing().name(), receipt.said(), now_ms),
        )?;
        return Ok(());
    };
    let tries = of.tries.saturating_add(1);
    let state = if tries >= TRIES_MAX { "failed" } else { "queued" };
    let pause = RETRY_MIN_MS.saturating_mul(1_i64.checked_shl(of.tries).unwrap_or(i64::MAX));
    tracing::warn!(request = of.request, n = of.n, tries, error, "a receipt by e-mail was not handed over");
    db.execute(
        "UPDATE ereceipt SET state = ?3, tries = ?4, next_ms = ?5, error = ?6 WHERE request = ?1 AND n = ?2",
        (&of.request, of.n, state, tries, now_ms.saturating_add(pause), &error),
    )?;
    Ok(())
}
