//! What the office says: a page of the feed and its cursor, applied in one transaction.

use super::identity::{office_epoch, set_meta};
use super::{Store, StoreError};
use crate::domain::customer::{Customer, Equipment, Site};
use crate::domain::decision::CollectAgain;
use crate::domain::deposit::Deposit;
use crate::domain::job::Job;
use crate::domain::outcome::{Outcome, OutcomeState};
use crate::domain::price::PriceItem;
use crate::domain::refund::RefundWord;
use crate::facts::{name, parse, record};
use rusqlite::{Transaction, TransactionBehavior};
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// One entry, as much of it as the store needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedApplied {
    /// What kind of entity.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// The entity; `None` for gone or no longer this device's.
    pub body: Option<Value>,
}

impl Store {
    /// Where this device is in each channel, with the office's epoch that the numbers belong to.
    pub fn feed_cursor(&self) -> Result<(Option<Uuid>, BTreeMap<String, u64>), StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT channel, n FROM feed_cursor")?;
        let found = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
        Ok((office_epoch(&self.connection)?, found.collect::<rusqlite::Result<_>>()?))
    }

    /// Applies a page and moves the cursor.
    pub fn apply_feed(
        &mut self,
        entries: &[FeedApplied],
        cursor: &BTreeMap<String, u64>,
        office_epoch: Uuid,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for entry in entries {
            apply(&tx, entry)?;
        }
        for (channel, n) in cursor {
            tx.prepare_cached(
                "INSERT INTO feed_cursor (channel, n) VALUES (?1, ?2)
                 ON CONFLICT (channel) DO UPDATE SET n = excluded.n",
            )?
            .execute((channel, n))?;
        }
        set_meta(&tx, "office_epoch", &office_epoch)?;
        set_meta(&tx, "last_contact_ms", &now_ms)?;
        tx.commit()?;
        Ok(())
    }

    /// Forgets the cursor, so that the next page begins anew. What is shown stays until it is replaced.
    pub fn restart_feed(&mut self) -> Result<(), StoreError> {
        self.connection.execute("DELETE FROM feed_cursor", [])?;
        Ok(())
    }

    /// The office's words that the device has not acted on yet.
    pub fn unseen_outcomes(&self) -> Result<Vec<Outcome>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT record FROM feed_outcome WHERE seen = 0 ORDER BY payment")?;
        let texts = statement.query_map([], |r| r.get::<_, String>(0))?;
        texts.map(|text| Ok(parse(&text?)?)).collect()
    }

    /// The device has done what follows from this word.
    pub fn outcome_seen(&mut self, outcome: &Outcome) -> Result<(), StoreError> {
        self.connection.execute(
            "UPDATE feed_outcome SET seen = 1 WHERE payment = ?1 AND n = ?2",
            (outcome.payment.to_string(), outcome.n),
        )?;
        Ok(())
    }

    /// The office's words on refunds that the device has not acted on yet.
    pub fn unseen_refunds(&self) -> Result<Vec<RefundWord>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT record FROM feed_refund WHERE seen = 0 ORDER BY refund")?;
        let texts = statement.query_map([], |r| r.get::<_, String>(0))?;
        texts.map(|text| Ok(parse(&text?)?)).collect()
    }

    /// The device has done what follows from this word.
    pub fn refund_seen(&mut self, word: &RefundWord) -> Result<(), StoreError> {
        let sql = "UPDATE feed_refund SET seen = 1 WHERE refund = ?1 AND n = ?2";
        self.connection.execute(sql, (word.refund.id.to_string(), word.n))?;
        Ok(())
    }

    /// A document of the office by name: `policy`, `sealing_key`, `merchant`, `rules`.
    pub fn document<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        use rusqlite::OptionalExtension as _;
        let text: Option<String> = self
            .connection
            .prepare_cached("SELECT record FROM feed_document WHERE name = ?1")?
            .query_row([name], |r| r.get(0))
            .optional()?;
        Ok(text.map(|text| parse(&text)).transpose()?)
    }
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, StoreError> {
    serde_json::from_value(value.clone()).map_err(|why| StoreError::Record(format!("the feed: {why}")))
}

/// Kinds that this program does not know are passed over: they are a newer office's.
fn apply(tx: &Transaction<'_>, entry: &FeedApplied) -> Result<(), StoreError> {
    match (entry.kind.as_str(), &entry.body) {
        ("job", Some(body)) => put_job(tx, &read(body)?),
        ("job", None) => {
            tx.execute("UPDATE feed_job SET hidden = 1 WHERE id = ?1", [&entry.id])?;
            Ok(())
        }
        ("customer", Some(body)) => put(tx, "feed_customer", &entry.id, &read::<Customer>(body)?),
        ("site", Some(body)) => put(tx, "feed_site", &entry.id, &read::<Site>(body)?),
        ("equipment", Some(body)) => {
            let equipment: Equipment = read(body)?;
            tx.prepare_cached(
                "INSERT INTO feed_equipment (id, site, record) VALUES (?1, ?2, ?3)
                 ON CONFLICT (id) DO UPDATE SET site = excluded.site, record = excluded.record",
            )?
            .execute((&entry.id, equipment.site.to_string(), record(&equipment)?))?;
            Ok(())
        }
        ("price", Some(body)) => {
            let item: PriceItem = read(body)?;
            let search = format!("{} {}", item.code, item.name).to_lowercase();
            tx.prepare_cached(
                "INSERT INTO feed_price (id, search, record) VALUES (?1, ?2, ?3)
                 ON CONFLICT (id) DO UPDATE SET search = excluded.search, record = excluded.record",
            )?
            .execute((&entry.id, search, record(&item)?))?;
            Ok(())
        }
        ("price", None) => {
            tx.execute("DELETE FROM feed_price WHERE id = ?1", [&entry.id])?;
            Ok(())
        }
        ("outcome", Some(body)) => put_outcome(tx, &read(body)?),
        ("refund", Some(body)) => put_refund(tx, &read(body)?),
        ("deposit", Some(body)) => {
            let deposit: Deposit = read(body)?;
            tx.prepare_cached(
                "INSERT INTO feed_deposit (id, customer, at_ms, record) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (id) DO UPDATE SET record = excluded.record",
            )?
            .execute((&entry.id, deposit.customer.to_string(), deposit.at_ms, record(&deposit)?))?;
            Ok(())
        }
        ("deposit", None) => {
            tx.execute("DELETE FROM feed_deposit WHERE id = ?1", [&entry.id])?;
            Ok(())
        }
        ("collect_again", Some(body)) => {
            let again: CollectAgain = read(body)?;
            tx.execute(
                "INSERT INTO feed_collect_again (payment, job, record) VALUES (?1, ?2, ?3)
                 ON CONFLICT (payment) DO UPDATE SET record = excluded.record",
                (&entry.id, again.job.to_string(), record(&again)?),
            )?;
            Ok(())
        }
        ("collect_again", None) => {
            tx.execute("DELETE FROM feed_collect_again WHERE payment = ?1", [&entry.id])?;
            Ok(())
        }
        ("policy" | "sealing_key" | "merchant" | "rules", Some(body)) => {
            tx.execute(
                "INSERT INTO feed_document (name, record) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET record = excluded.record",
                (&entry.kind, body.to_string()),
            )?;
            Ok(())
        }
        _ => Ok(()),
    }
}

fn put<T: serde::Serialize>(tx: &Transaction<'_>, table: &str, id: &str, value: &T) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO {table} (id, record) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET record = excluded.record"
    );
    tx.prepare_cached(&sql)?.execute((id, record(value)?))?;
    Ok(())
}

fn put_job(tx: &Transaction<'_>, job: &Job) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO feed_job (id, visit, window_start_ms, hidden, record) VALUES (?1, ?2, ?3, 0, ?4)
         ON CONFLICT (id) DO UPDATE SET visit = excluded.visit, window_start_ms = excluded.window_start_ms,
             hidden = 0, record = excluded.record",
    )?
    .execute((job.id.to_string(), job.visit.to_string(), job.window_start_ms, record(job)?))?;
    Ok(())
}

/// A later word replaces an earlier one; the same one again changes nothing.
fn put_refund(tx: &Transaction<'_>, word: &RefundWord) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO feed_refund (refund, n, seen, record) VALUES (?1, ?2, 0, ?3)
         ON CONFLICT (refund) DO UPDATE SET n = excluded.n, seen = 0, record = excluded.record
         WHERE excluded.n > feed_refund.n",
    )?
    .execute((word.refund.id.to_string(), word.n, record(word)?))?;
    Ok(())
}

/// A later word replaces an earlier one; the same one again changes nothing.
fn put_outcome(tx: &Transaction<'_>, outcome: &Outcome) -> Result<(), StoreError> {
    // What is only shown asks nothing of the device.
    let shown_only = outcome.state == OutcomeState::NotSent;
    tx.prepare_cached(
        "INSERT INTO feed_outcome (payment, n, state, seen, record) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (payment) DO UPDATE SET n = excluded.n, state = excluded.state, seen = excluded.seen,
             record = excluded.record
         WHERE excluded.n > feed_outcome.n",
    )?
    .execute((outcome.payment.to_string(), outcome.n, name(&outcome.state)?, shown_only, record(outcome)?))?;
    Ok(())
}
