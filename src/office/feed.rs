//! The feed: what changed, by channel, in the order of the commits.
//!
//! Invariant: a channel's head moves by `UPDATE … RETURNING` inside the writing transaction, so that a number is
//! never seen before the ones below it. An entry is a reference; its body is read when a page is built.

use super::{OfficeError, from_json, id_from, meta};
use crate::domain::customer::{Customer, Equipment, Site};
use crate::domain::decision::CollectAgain;
use crate::domain::id::DeviceId;
use crate::domain::job::Job;
use crate::domain::money::{Currency, Money};
use crate::domain::price::PriceItem;
use crate::domain::tax::default_rules;
use crate::facts::{self, named};
use crate::sync::wire::{Cursor, FEED_MAX_ENTRIES, FeedEntry, FeedOp};
use rusqlite::{Connection, OptionalExtension as _, Row};
use serde_json::Value;

/// The shared channel of the price book.
pub const PRICES: &str = "shared:prices";
/// The shared channel of policy, sealing key and merchant.
pub const POLICY: &str = "shared:policy";

/// The channel of one handheld.
pub fn channel_of(device: &str) -> String {
    format!("device:{device}")
}

/// Notes a change. `op` is `put`, `remove` or `delete`.
pub fn note(db: &Connection, channel: &str, kind: &str, entity: &str, op: &str) -> Result<(), rusqlite::Error> {
    let n: i64 = db
        .prepare_cached(
            "INSERT INTO feed_head (channel, n) VALUES (?1, 1)
             ON CONFLICT (channel) DO UPDATE SET n = n + 1 RETURNING n",
        )?
        .query_row([channel], |r| r.get(0))?;
    db.prepare_cached(
        "INSERT INTO feed_entry (channel, kind, entity, n, op) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (channel, kind, entity) DO UPDATE SET n = excluded.n, op = excluded.op",
    )?
    .execute((channel, kind, entity, n, op))
    .map(|_| ())
}

/// A page and whether more waits; `None` when the cursor is not one of this office.
pub fn page(
    db: &Connection,
    device: DeviceId,
    cursor: &Cursor,
) -> Result<Option<(Vec<FeedEntry>, Cursor, bool)>, OfficeError> {
    let channels = [POLICY.to_owned(), channel_of(&device.to_string()), PRICES.to_owned()];
    let mut entries = Vec::new();
    let mut next = Cursor::new();
    let mut more = false;
    for channel in channels {
        let after = cursor.get(&channel).copied().unwrap_or(0);
        let head: u64 = db
            .prepare_cached("SELECT n FROM feed_head WHERE channel = ?1")?
            .query_row([&channel], |r| r.get(0))
            .optional()?
            .unwrap_or(0);
        if after > head {
            return Ok(None);
        }
        let room = FEED_MAX_ENTRIES - entries.len();
        let found = references(db, &channel, after, room)?;
        let full = found.len() == room;
        let last = found.last().map_or(head, |(n, ..)| *n);
        for (n, kind, id, op) in found {
            let op: FeedOp = named(&op)?;
            let body = if op == FeedOp::Put { body(db, &kind, &id)? } else { None };
            entries.push(FeedEntry { channel: channel.clone(), n, op, kind, id, body });
        }
        next.insert(channel, if full { last.max(after) } else { head });
        more |= full && last < head;
    }
    Ok(Some((entries, next, more)))
}

type Reference = (u64, String, String, String);

fn references(db: &Connection, channel: &str, after: u64, room: usize) -> Result<Vec<Reference>, OfficeError> {
    let mut statement = db.prepare_cached(
        "SELECT n, kind, entity, op FROM feed_entry WHERE channel = ?1 AND n > ?2 ORDER BY n LIMIT ?3",
    )?;
    let found = statement.query_map((channel, after, room), |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn body(db: &Connection, kind: &str, id: &str) -> Result<Option<Value>, OfficeError> {
    let value = match kind {
        "job" => one(db, "SELECT * FROM job WHERE id = ?1", id, job)?.map(serde_json::to_value),
        "customer" => one(db, "SELECT * FROM customer WHERE id = ?1", id, customer)?.map(serde_json::to_value),
        "site" => one(db, "SELECT * FROM site WHERE id = ?1", id, site)?.map(serde_json::to_value),
        "equipment" => one(db, "SELECT * FROM equipment WHERE id = ?1", id, equipment)?.map(serde_json::to_value),
        "price" => one(db, "SELECT * FROM price_item WHERE id = ?1", id, price)?.map(serde_json::to_value),
        "outcome" => word(db, OUTCOME, id)?.map(Ok),
        "refund" => word(db, "SELECT word FROM refund_work WHERE refund = ?1", id)?.map(Ok),
        "deposit" => facts::deposit::one(db, id_from(id)?)?.map(serde_json::to_value),
        "collect_again" => one(db, COLLECT_AGAIN, id, collect_again)?.map(serde_json::to_value),
        name => meta(db, name)?.map(|text| serde_json::from_str(&text)),
    };
    value.transpose().map_err(|why| OfficeError::Record(why.to_string()))
}

const OUTCOME: &str = "SELECT outcome_record FROM card_payment WHERE payment = ?1
                       UNION ALL SELECT word FROM transfer WHERE payment = ?1";

/// The office's word as it was said.
fn word(db: &Connection, sql: &str, id: &str) -> Result<Option<Value>, OfficeError> {
    one(db, sql, id, |r| {
        let text: Option<String> = r.get(0)?;
        text.map_or(Ok(Value::Null), |text| from_json(&text))
    })
}

fn one<T>(
    db: &Connection,
    sql: &str,
    id: &str,
    read: impl FnOnce(&Row<'_>) -> Result<T, OfficeError>,
) -> Result<Option<T>, OfficeError> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(read).transpose()
}

fn id_of<T: std::str::FromStr>(row: &Row<'_>, column: &str) -> Result<T, OfficeError> {
    id_from(&row.get::<_, String>(column)?)
}

fn job(row: &Row<'_>) -> Result<Job, OfficeError> {
    let technician: Option<String> = row.get("technician")?;
    let review: String = row.get("review")?;
    Ok(Job {
        id: id_of(row, "id")?,
        visit: id_of(row, "visit")?,
        customer: id_of(row, "customer")?,
        site: id_of(row, "site")?,
        title: row.get("title")?,
        description: row.get("description")?,
        priority: row.get("priority")?,
        window_start_ms: row.get("window_start_ms")?,
        window_end_ms: row.get("window_end_ms")?,
        technician: technician.map(|_| id_of(row, "technician")).transpose()?,
        review: named(&review)?,
    })
}

/// The standing request to collect a payment again.
const COLLECT_AGAIN: &str = "SELECT p.id, p.job, p.visit, d.reason, d.at_ms
    FROM decision d JOIN payment p ON p.id = d.payment
    WHERE d.payment = ?1 AND d.action = 'recollect' AND d.undone_ms IS NULL ORDER BY d.at_ms DESC LIMIT 1";

fn collect_again(row: &Row<'_>) -> Result<CollectAgain, OfficeError> {
    Ok(CollectAgain {
        payment: id_of(row, "id")?,
        job: id_of(row, "job")?,
        visit: id_of(row, "visit")?,
        reason: row.get("reason")?,
        at_ms: row.get("at_ms")?,
    })
}

fn customer(row: &Row<'_>) -> Result<Customer, OfficeError> {
    let parts: [String; 4] = [row.get("street")?, row.get("postcode")?, row.get("city")?, row.get("country")?];
    let address: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Ok(Customer {
        id: id_of(row, "id")?,
        name: row.get("name")?,
        phone: row.get("phone")?,
        email: row.get("email")?,
        address: address.join(", "),
        tax_id: row.get("tax_id")?,
        note: row.get("note")?,
    })
}

fn site(row: &Row<'_>) -> Result<Site, OfficeError> {
    let (city, postcode): (String, String) = (row.get("city")?, row.get("postcode")?);
    Ok(Site {
        id: id_of(row, "id")?,
        customer: id_of(row, "customer")?,
        name: row.get("name")?,
        street: row.get("street")?,
        city: format!("{postcode} {city}").trim().to_owned(),
        country: row.get("country")?,
        access_note: row.get("access_note")?,
    })
}

fn equipment(row: &Row<'_>) -> Result<Equipment, OfficeError> {
    Ok(Equipment {
        id: id_of(row, "id")?,
        site: id_of(row, "site")?,
        name: row.get("name")?,
        model: row.get("model")?,
        serial: row.get("serial")?,
        warranty_until: row.get("warranty_until")?,
    })
}

fn price(row: &Row<'_>) -> Result<PriceItem, OfficeError> {
    let (kind, currency, code): (String, String, String) =
        (row.get("kind")?, row.get("currency")?, row.get("tax_code")?);
    let currency: Currency = currency.parse()?;
    let tax = default_rules().into_iter().find(|rule| rule.code == code);
    Ok(PriceItem {
        id: id_of(row, "id")?,
        code: row.get("external_id")?,
        kind: named(&kind)?,
        name: row.get("name")?,
        unit: row.get("unit")?,
        unit_price: Money::new(row.get("price_minor")?, currency),
        tax: tax.ok_or_else(|| OfficeError::Record(format!("{code} is no tax code")))?,
        stock_tracked: row.get("stock_tracked")?,
    })
}
