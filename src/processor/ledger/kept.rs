//! Cards that the processor keeps: one for each approval that asked for it, and charges of them.
//!
//! Invariants: a card is kept only with an approval; a charge without its holder names the network's id of the payment
//! with which the holder agreed, or is declined; a card that was forgotten is never charged. Start at
//! [`Ledger::charge_kept`].

use super::{Authorised, Ledger, LedgerError, content_of, ending_kind, network_id, now_ms, read};
use crate::processor::answer::{self, Answer, CardRead, History, Question, ResponseCode};
use crate::processor::card::{CARDS, CardFacts};
use rusqlite::{OptionalExtension as _, Transaction, params};
use sha2::{Digest as _, Sha256};

/// Who asks for a charge of a kept card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initiator {
    /// Its holder, who is there.
    Customer,
    /// The merchant, by an agreement with the holder.
    Merchant,
}

impl Initiator {
    /// The name on the wire and in the ledger.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Merchant => "merchant",
        }
    }
}

/// A charge of a kept card, checked, as the ledger takes it.
#[derive(Debug, Clone)]
pub struct KeptOrder {
    /// The caller's idempotency key.
    pub key: String,
    /// SHA-256 over everything in the request.
    pub content_sha256: [u8; 32],
    /// System trace audit number.
    pub stan: String,
    /// Retrieval reference number.
    pub rrn: String,
    /// The terminal.
    pub terminal: String,
    /// Amount asked for, in minor units, 1 to 999,999,999,999.
    pub amount_minor: i64,
    /// ISO 4217 letters.
    pub currency: String,
    /// The kept card.
    pub token: String,
    /// Who asks.
    pub initiator: Initiator,
    /// The network's id of the payment with which the holder agreed.
    pub follows: Option<String>,
}

/// A kept card as the ledger has it.
struct Kept {
    facts: CardFacts,
    network_id: String,
}

impl Ledger {
    /// Charges a kept card, or finds the answer that was given before. On the disk when it returns.
    ///
    /// # Errors
    /// The file cannot be read or written; then nothing was booked.
    pub fn charge_kept(&mut self, order: &KeptOrder) -> Result<Authorised, LedgerError> {
        let tx = self.begin()?;
        if let Some(content) = content_of(&tx, &order.key)? {
            if content != order.content_sha256 {
                return Ok(Authorised::OtherContent);
            }
            return Ok(Authorised::Replayed(read::must_entry(&tx, &order.key)?));
        }
        let kept = kept(&tx, &order.token)?;
        let answer = match &kept {
            None => declined(ResponseCode::NoSuchCard),
            Some(kept)
                if order.initiator == Initiator::Merchant && order.follows.as_ref() != Some(&kept.network_id) =>
            {
                declined(ResponseCode::NotPermitted)
            }
            Some(kept) => {
                let question = Question {
                    read: kept.facts.read,
                    amount_minor: order.amount_minor,
                    deferred: false,
                    allow_partial: false,
                };
                let history = History {
                    reversed_before: ending_kind(&tx, &order.key)?.is_some(),
                    other_ciphertext: false,
                    soft_declines: soft_declines(&tx, &order.token)?,
                };
                answer::answer(&question, &history)
            }
        };
        insert(&tx, order, kept.as_ref(), answer)?;
        let entry = read::must_entry(&tx, &order.key)?;
        tx.commit()?;
        Ok(Authorised::Fresh(entry, answer.delivery))
    }

    /// Forgets a kept card; whether there was one.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn forget(&mut self, token: &str) -> Result<bool, LedgerError> {
        let tx = self.begin()?;
        let sql = "UPDATE kept_cards SET forgotten_at_ms = ?2 WHERE token = ?1 AND forgotten_at_ms IS NULL";
        let done = tx.execute(sql, params![token, now_ms()])?;
        tx.commit()?;
        Ok(done == 1)
    }
}

/// Keeps the card of an approval.
pub(super) fn keep(tx: &Transaction<'_>, key: &str, card: &CardFacts) -> Result<(), LedgerError> {
    let hash = Sha256::new().chain_update(b"tillroll kept card\0").chain_update(key.as_bytes()).finalize();
    let token = format!("kept_{}", hex::encode(hash).get(..24).unwrap_or_default());
    tx.prepare_cached(
        "INSERT INTO kept_cards (token, of, card, brand, last4, network_id, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![token, key, card.name, card.brand, card.last4, network_id(key), now_ms()])?;
    Ok(())
}

fn kept(tx: &Transaction<'_>, token: &str) -> Result<Option<Kept>, LedgerError> {
    let sql = "SELECT card, brand, last4, network_id FROM kept_cards WHERE token = ?1 AND forgotten_at_ms IS NULL";
    let mut query = tx.prepare_cached(sql)?;
    let found = query.query_row([token], |row| {
        let (name, brand): (Option<String>, Option<String>) = (row.get(0)?, row.get(1)?);
        let card = CARDS.iter().find(|card| Some(card.name) == name.as_deref());
        let brand = ["visa", "mastercard", "other"].into_iter().find(|known| Some(*known) == brand.as_deref());
        let read = CardRead::Read { behaviour: card.map(|card| card.behaviour), amount_agrees: true };
        let facts = CardFacts { read, name: card.map(|card| card.name), brand, last4: row.get(2)? };
        Ok(Kept { facts, network_id: row.get(3)? })
    });
    Ok(found.optional()?)
}

fn soft_declines(tx: &Transaction<'_>, token: &str) -> Result<u32, LedgerError> {
    let sql = "SELECT count(*) FROM authorisations WHERE kept_token = ?1 AND response_code = ?2";
    let code = ResponseCode::NotSufficientFunds.digits();
    Ok(tx.prepare_cached(sql)?.query_row(params![token, code], |row| row.get(0))?)
}

const fn declined(code: ResponseCode) -> Answer {
    Answer { code, approved_minor: 0, delivery: answer::Delivery::AtOnce }
}

fn insert(tx: &Transaction<'_>, order: &KeptOrder, kept: Option<&Kept>, answer: Answer) -> Result<(), LedgerError> {
    let facts = kept.map(|kept| &kept.facts);
    tx.prepare_cached(
        "INSERT INTO authorisations (key, content_sha256, received_at_ms, stan, rrn, terminal, amount_minor, currency,
             deferred, allow_partial, card, brand, last4, response_code, approved_minor, auth_code, kept_token,
             initiator, follows)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
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
        facts.and_then(|facts| facts.name),
        facts.and_then(|facts| facts.brand),
        facts.and_then(|facts| facts.last4.as_ref()),
        answer.code.digits(),
        answer.approved_minor,
        (answer.approved_minor > 0).then(|| super::auth_code(&order.key)),
        kept.map(|_| &order.token),
        order.initiator.name(),
        order.follows,
    ])?;
    Ok(())
}
