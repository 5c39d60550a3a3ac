//! The processor is asked to forget a card whose holder has ended the consent. Our own deletion never waits for it: only the
//! token that the question needs stays, in a table of its own, until the processor has answered.
//!
//! Start at [`due`].

use crate::office::processors::{Processor, ProcessorError};
use crate::office::{Office, OfficeError};
use rusqlite::Connection;
use std::sync::Arc;
use tokio::task::JoinSet;

/// The first pause after a call without an answer, milliseconds; doubles up to [`RETRY_MAX_MS`].
const RETRY_MS: i64 = 2_000;
/// The longest pause, milliseconds.
const RETRY_MAX_MS: i64 = 3_600_000;

/// From now on the processor is asked to forget a card that is kept.
pub(super) fn ask(db: &Connection, card: &str, now_ms: i64) -> Result<(), OfficeError> {
    db.execute(
        "INSERT INTO card_to_forget (card, token, next_ms)
         SELECT id, token, ?2 FROM kept_card WHERE id = ?1 AND ended_ms IS NULL",
        (card, now_ms),
    )?;
    Ok(())
}

struct Due {
    card: String,
    token: String,
    tries: u32,
}

/// Asks for each card whose turn it is, until the processor has answered.
pub fn due(office: &Office, processor: &Arc<dyn Processor>, tasks: &mut JoinSet<()>, at_once: usize) {
    let now = office.now_ms();
    let until = now.saturating_add(office.settings().timing.lease_ms());
    // Most of the time there is nothing, and nothing is written.
    if !office.read(|db| waits(db, now)).unwrap_or(false) {
        return;
    }
    let found = match office.write(|tx| take(tx, now, until, at_once.saturating_sub(tasks.len()))) {
        Ok(found) => found,
        Err(why) => {
            tracing::error!(error = %why, "cards that are to be forgotten were not read; they are tried again");
            return;
        }
    };
    for one in found {
        let (office, processor) = (office.clone(), processor.clone());
        tasks.spawn(async move {
            let answer = processor.forget(&one.token).await;
            if let Err(why) = office.write(|tx| note(tx, &one, answer, office.now_ms())) {
                tracing::error!(card = one.card, error = %why, "a forgotten card was not written down; it is asked again");
            }
        });
    }
}

fn waits(db: &Connection, now_ms: i64) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT EXISTS (SELECT 1 FROM card_to_forget WHERE next_ms <= ?1)")?
        .query_row([now_ms], |r| r.get(0))
}

fn take(db: &Connection, now_ms: i64, until_ms: i64, limit: usize) -> Result<Vec<Due>, OfficeError> {
    let sql = "UPDATE card_to_forget SET next_ms = ?2, tries = tries + 1
               WHERE card IN (SELECT card FROM card_to_forget WHERE next_ms <= ?1 ORDER BY next_ms LIMIT ?3)
               RETURNING card, token, tries";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement
        .query_map((now_ms, until_ms, limit), |r| Ok(Due { card: r.get(0)?, token: r.get(1)?, tries: r.get(2)? }))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn note(db: &Connection, of: &Due, answer: Result<(), ProcessorError>, now_ms: i64) -> Result<(), OfficeError> {
    match answer {
        Ok(()) => {}
        // It has no such card any more, or cannot forget one.
        Err(why @ (ProcessorError::Refused(_) | ProcessorError::Unable(_))) => {
            tracing::warn!(card = of.card, error = %why, "the processor was asked once to forget a card, and is not again");
        }
        Err(why @ (ProcessorError::InDoubt(_) | ProcessorError::Setting(_))) => {
            tracing::warn!(card = of.card, error = %why, "the processor is asked again to forget a card");
            let pause = RETRY_MS.saturating_mul(1 << of.tries.min(16)).min(RETRY_MAX_MS);
            let sql = "UPDATE card_to_forget SET next_ms = ?2 WHERE card = ?1";
            db.execute(sql, (&of.card, now_ms.saturating_add(pause)))?;
            return Ok(());
        }
    }
    db.execute("DELETE FROM card_to_forget WHERE card = ?1", [&of.card])?;
    Ok(())
}
