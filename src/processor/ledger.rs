//! The processor's book: one SQLite file, every change committed and on the disk before it is spoken of.
//!
//! Invariants, each held by a constraint or a trigger of `migrations/processor/0001_ledger.sql`: a key has one answer;
//! it is captured or reversed, never both; no capture above its authorisation; no more goes back than was captured.
//! Never stored: a card number, a track, a cipher text. Start at [`Ledger::authorise`].

mod error;
mod kept;
mod open;
mod read;
#[cfg(test)]
mod tests;

use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use sha2::{Digest as _, Sha256};

use super::answer::{self, Answer, CardRead, Delivery, History, Question, ResponseCode};
use super::card::CardFacts;

pub use error::LedgerError;
pub use kept::{Initiator, KeptOrder};
pub use read::{BOOK_ROWS, Book, Counts, Ending, Entry};

/// An authorisation request, checked, as the ledger takes it.
#[derive(Debug, Clone)]
pub struct Order {
    /// The caller's idempotency key.
    pub key: String,
    /// SHA-256 over everything in the request: what makes a repeat a repeat.
    pub content_sha256: [u8; 32],
    /// System trace audit number.
    pub stan: String,
    /// Retrieval reference number.
    pub rrn: String,
    /// The terminal that read the card.
    pub terminal: String,
    /// Amount asked for, in minor units, 1 to 999,999,999,999 (what tag 9F02 can hold).
    pub amount_minor: i64,
    /// ISO 4217 letters.
    pub currency: String,
    /// The card was read earlier, with no link.
    pub deferred: bool,
    /// The caller can take less.
    pub allow_partial: bool,
    /// Key serial number, upper-case hex.
    pub ksn: String,
    /// SHA-256 of the cipher text.
    pub ciphertext_sha256: [u8; 32],
    /// The holder agreed that the card is kept.
    pub keep_card: bool,
}

/// What became of an authorisation request.
#[derive(Debug)]
pub enum Authorised {
    /// Answered now, and committed.
    Fresh(Entry, Delivery),
    /// Answered before: the same answer, and nothing happened.
    Replayed(Entry),
    /// The key belongs to a request with other content. Nothing happened.
    OtherContent,
}

/// What became of a capture.
#[derive(Debug, PartialEq, Eq)]
pub enum Captured {
    /// The amount is captured, now or by an earlier call.
    Done,
    /// There is no authorisation under this key.
    UnknownKey,
    /// The authorisation was declined.
    Declined,
    /// The key was reversed, or what was captured went back.
    Reversed,
    /// More than the authorised amount, in minor units.
    TooMuch {
        /// What was authorised, in minor units.
        approved_minor: i64,
    },
    /// Captured before with another amount, in minor units.
    Otherwise {
        /// What was captured, in minor units.
        captured_minor: i64,
    },
}

/// What became of a refund.
#[derive(Debug, PartialEq, Eq)]
pub enum GivenBack {
    /// The amount goes back, now or by an earlier call.
    Done,
    /// There is no authorisation under this key.
    UnknownKey,
    /// The refund's key belongs to another refund.
    OtherContent,
    /// More than what is left of the capture, in minor units.
    TooMuch {
        /// What is left, in minor units.
        left_minor: i64,
    },
}

/// What became of a reversal. It always holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Reversal {
    /// Whether there is an authorisation under this key. If not, the reversal is remembered, and one that comes late
    /// is declined.
    pub found: bool,
    /// What went back to the card because it had been captured, in minor units.
    pub refunded_minor: Option<i64>,
}

/// An open ledger with its one connection.
#[derive(Debug)]
pub struct Ledger {
    connection: Connection,
}

impl Ledger {
    /// Answers an authorisation request, or finds the answer that was given before. On the disk when it returns.
    ///
    /// # Errors
    /// The file cannot be read or written; then nothing was booked.
    pub fn authorise(&mut self, order: &Order, card: &CardFacts) -> Result<Authorised, LedgerError> {
        let tx = self.begin()?;
        if let Some(content) = content_of(&tx, &order.key)? {
            if content != order.content_sha256 {
                return Ok(Authorised::OtherContent);
            }
            return Ok(Authorised::Replayed(read::must_entry(&tx, &order.key)?));
        }
        let pinned = session_of(&tx, &order.ksn)?;
        let history = History {
            reversed_before: ending_kind(&tx, &order.key)?.is_some(),
            other_ciphertext: pinned.is_some_and(|hash| hash != order.ciphertext_sha256),
            soft_declines: soft_declines(&tx, &order.ksn)?,
        };
        let question = Question {
            read: card.read,
            amount_minor: order.amount_minor,
            deferred: order.deferred,
            allow_partial: order.allow_partial,
        };
        let answer = answer::answer(&question, &history);
        let in_session = !history.other_ciphertext && card.read != CardRead::Unreadable;
        if in_session && pinned.is_none() {
            tx.prepare_cached("INSERT INTO card_sessions (ksn, ciphertext_sha256) VALUES (?1, ?2)")?
                .execute(params![order.ksn, order.ciphertext_sha256])?;
        }
        insert(&tx, order, card, answer, in_session)?;
        if order.keep_card && answer.approved_minor > 0 {
            kept::keep(&tx, &order.key, card)?;
        }
        let entry = read::must_entry(&tx, &order.key)?;
        tx.commit()?;
        Ok(Authorised::Fresh(entry, answer.delivery))
    }

    /// Captures `amount_minor` of an authorisation, once. On the disk when it returns.
    ///
    /// # Errors
    /// The file cannot be read or written; then nothing was booked.
    pub fn capture(&mut self, key: &str, amount_minor: i64) -> Result<Captured, LedgerError> {
        let tx = self.begin()?;
        let Some(entry) = read::entry(&tx, key)? else {
            let reversed = ending_kind(&tx, key)?.is_some();
            return Ok(if reversed { Captured::Reversed } else { Captured::UnknownKey });
        };
        match entry.ending {
            ended if ended.is_reversed() => return Ok(Captured::Reversed),
            Ending::Captured { captured_minor, .. } if captured_minor == amount_minor => {
                return Ok(Captured::Done);
            }
            Ending::Captured { captured_minor, .. } => {
                return Ok(Captured::Otherwise { captured_minor });
            }
            Ending::Reversed => return Ok(Captured::Reversed),
            Ending::Open => {}
        }
        if entry.approved_minor == 0 {
            return Ok(Captured::Declined);
        }
        if amount_minor > entry.approved_minor {
            return Ok(Captured::TooMuch { approved_minor: entry.approved_minor });
        }
        end(&tx, key, "captured", amount_minor)?;
        tx.commit()?;
        Ok(Captured::Done)
    }

    /// Reverses whatever stands or will stand under this key: an authorisation is undone, a capture is refunded in
    /// full, and an authorisation that has not come yet will be declined. On the disk when it returns.
    ///
    /// # Errors
    /// The file cannot be read or written; then nothing was booked.
    pub fn reverse(&mut self, key: &str) -> Result<Reversal, LedgerError> {
        let tx = self.begin()?;
        let entry = read::entry(&tx, key)?;
        let found = entry.is_some();
        let refunded_minor = match entry.map(|entry| entry.ending) {
            Some(Ending::Captured { captured_minor, refunded_minor }) => {
                if captured_minor > refunded_minor {
                    give_back(&tx, &format!("reversal of {key}"), key, captured_minor - refunded_minor)?;
                }
                Some(captured_minor)
            }
            Some(Ending::Reversed) => None,
            Some(Ending::Open) => {
                end(&tx, key, "reversed", 0)?;
                None
            }
            None => {
                if ending_kind(&tx, key)?.is_none() {
                    end(&tx, key, "reversed", 0)?;
                }
                None
            }
        };
        tx.commit()?;
        Ok(Reversal { found, refunded_minor })
    }

    /// Gives so much of a capture back, once for each refund's key. On the disk when it returns.
    ///
    /// # Errors
    /// The file cannot be read or written; then nothing was booked.
    pub fn refund(&mut self, key: &str, of: &str, amount_minor: i64) -> Result<GivenBack, LedgerError> {
        let tx = self.begin()?;
        let before: Option<(String, i64)> = tx
            .prepare_cached("SELECT of, amount_minor FROM refunds WHERE key = ?1")?
            .query_row([key], |r| Ok((r.get(0)?, r.get(1)?)))
            .optional()?;
        if let Some((was_of, was)) = before {
            let same = was_of == of && was == amount_minor;
            return Ok(if same { GivenBack::Done } else { GivenBack::OtherContent });
        }
        let left = match read::entry(&tx, of)?.map(|entry| entry.ending) {
            None => return Ok(GivenBack::UnknownKey),
            Some(Ending::Captured { captured_minor, refunded_minor }) => captured_minor - refunded_minor,
            Some(Ending::Open | Ending::Reversed) => 0,
        };
        if amount_minor > left {
            return Ok(GivenBack::TooMuch { left_minor: left });
        }
        give_back(&tx, key, of, amount_minor)?;
        tx.commit()?;
        Ok(GivenBack::Done)
    }

    /// Begins a transaction that holds the write lock from the start, so that what it reads is still so when it
    /// writes. Dropped without a commit, it leaves nothing.
    fn begin(&mut self) -> Result<Transaction<'_>, LedgerError> {
        Ok(self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }
}

fn insert(
    tx: &Transaction<'_>,
    order: &Order,
    card: &CardFacts,
    answer: Answer,
    in_session: bool,
) -> Result<(), LedgerError> {
    tx.prepare_cached(
        "INSERT INTO authorisations (key, content_sha256, received_at_ms, stan, rrn, terminal, amount_minor, currency,
             deferred, allow_partial, session_ksn, card, brand, last4, response_code, approved_minor, auth_code)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    )?
    .execute(params![
        order.key,
        order.content_sha256,
        now_ms(),
        order.stan,
        order.rrn,
        order.terminal,
        order.amount_minor,
        order.currency,
        order.deferred,
        order.allow_partial,
        in_session.then_some(&order.ksn),
        card.name,
        card.brand,
        card.last4,
        answer.code.digits(),
        answer.approved_minor,
        (answer.approved_minor > 0).then(|| auth_code(&order.key)),
    ])?;
    Ok(())
}

fn end(tx: &Transaction<'_>, key: &str, kind: &str, amount_minor: i64) -> Result<(), LedgerError> {
    tx.prepare_cached("INSERT INTO endings (key, kind, amount_minor, at_ms) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![key, kind, amount_minor, now_ms()])?;
    Ok(())
}

fn give_back(tx: &Transaction<'_>, key: &str, of: &str, amount_minor: i64) -> Result<(), LedgerError> {
    tx.prepare_cached("INSERT INTO refunds (key, of, amount_minor, at_ms) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![key, of, amount_minor, now_ms()])?;
    Ok(())
}

fn content_of(tx: &Transaction<'_>, key: &str) -> Result<Option<[u8; 32]>, LedgerError> {
    let mut query = tx.prepare_cached("SELECT content_sha256 FROM authorisations WHERE key = ?1")?;
    Ok(query.query_row([key], |row| row.get(0)).optional()?)
}

fn session_of(tx: &Transaction<'_>, ksn: &str) -> Result<Option<[u8; 32]>, LedgerError> {
    let mut query = tx.prepare_cached("SELECT ciphertext_sha256 FROM card_sessions WHERE ksn = ?1")?;
    Ok(query.query_row([ksn], |row| row.get(0)).optional()?)
}

fn soft_declines(tx: &Transaction<'_>, ksn: &str) -> Result<u32, LedgerError> {
    let mut query =
        tx.prepare_cached("SELECT count(*) FROM authorisations WHERE session_ksn = ?1 AND response_code = ?2")?;
    Ok(query.query_row([ksn, ResponseCode::NotSufficientFunds.digits()], |row| row.get(0))?)
}

fn ending_kind(tx: &Transaction<'_>, key: &str) -> Result<Option<String>, LedgerError> {
    let mut query = tx.prepare_cached("SELECT kind FROM endings WHERE key = ?1")?;
    Ok(query.query_row([key], |row| row.get(0)).optional()?)
}

/// Six digits, the same for the same key, so that a played day can be played again.
fn auth_code(key: &str) -> String {
    let hash = Sha256::new().chain_update(b"tillroll auth code\0").chain_update(key.as_bytes()).finalize();
    let number = hash.iter().take(4).fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    format!("{:06}", number % 1_000_000)
}

/// The network's id of an approved payment, fifteen digits, the same for the same key.
fn network_id(key: &str) -> String {
    let hash = Sha256::new().chain_update(b"tillroll network id\0").chain_update(key.as_bytes()).finalize();
    let number = hash.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    format!("{:015}", number % 1_000_000_000_000_000)
}

/// Milliseconds since 1970 by this machine's clock; 0 if it stands before that. For people; nothing is decided by it.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
