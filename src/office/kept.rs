//! Cards that the processor keeps, with the consent of their holders.
//!
//! Invariants: a card is kept only once the bank has approved the payment with which its holder agreed, whether that
//! was asked for at once or sent later; a wish that comes to nothing is on the dispatcher's list and not lost; what
//! is kept is the processor's token, never card data. Start at [`approved`].

pub mod forgetting;

use super::exceptions::{Trouble, raise};
use super::payments::facts::CardPayment;
use super::processors::Answer;
use super::rules::RulesError;
use super::{OfficeError, agreements};
use crate::domain::consent::{Consent, ConsentText};
use crate::domain::exception::ExceptionType;
use crate::domain::money::Money;
use crate::domain::rules::RuleRefusal;
use crate::facts;
use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

/// Kept cards shown at the most.
pub const SHOWN_MAX: usize = 500;

/// A kept card.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct KeptCard {
    /// Its id.
    pub id: String,
    /// Whose.
    pub customer: String,
    /// That customer's name.
    pub customer_name: String,
    /// `VISA`
    pub brand: String,
    /// Four digits.
    pub last4: String,
    /// The version of the consent.
    pub consent: String,
    /// The payment with which its holder agreed.
    pub payment: String,
    /// Since when, Unix milliseconds.
    pub kept_ms: i64,
    /// When its holder took the consent back, Unix milliseconds.
    pub ended_ms: Option<i64>,
    /// Why.
    pub ended_why: Option<String>,
}

/// Keeps the words of a consent, so that it can be shown later what a customer agreed to.
///
/// # Errors
/// The version stands for another text already.
pub fn know_text(db: &Connection, text: &ConsentText, now_ms: i64) -> Result<(), RulesError> {
    let consent = text.consent();
    db.execute(
        "INSERT INTO consent_text (version, sha256, text, since_ms) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        (&consent.version, &consent.text_sha256, &text.text, now_ms),
    )?;
    if is_known(db, &consent)? {
        return Ok(());
    }
    let why = format!(
        "card_consent.version: {} stands for another text already, which customers may have agreed to; give the new \
         text a version of its own",
        consent.version
    );
    Err(RuleRefusal::Bad(why).into())
}

fn is_known(db: &Connection, consent: &Consent) -> Result<bool, rusqlite::Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM consent_text WHERE version = ?1 AND sha256 = ?2)";
    db.query_row(sql, (&consent.version, &consent.text_sha256), |r| r.get(0))
}

/// Whether the customer of a payment agreed that the card is kept.
pub fn is_wanted(db: &Connection, payment: &CardPayment) -> Result<bool, OfficeError> {
    Ok(facts::payment(db, payment.id)?.is_some_and(|payment| payment.keep.is_some()))
}

/// The bank has approved: keeps the card if its holder agreed, or says to the dispatcher why not. Once is enough;
/// more often changes nothing.
pub fn approved(db: &Connection, payment: &CardPayment, answer: &Answer, now_ms: i64) -> Result<(), OfficeError> {
    let Some(record) = facts::payment(db, payment.id)? else { return Ok(()) };
    let Some(consent) = &record.keep else { return Ok(()) };
    let id = payment.id.to_string();
    if db.prepare_cached("SELECT 1 FROM kept_card WHERE payment = ?1")?.exists([&id])? {
        return Ok(());
    }
    let customer: Option<String> = db
        .prepare_cached("SELECT customer FROM job WHERE id = ?1")?
        .query_row([&payment.job], |r| r.get(0))
        .optional()?;
    let why = match (&answer.token, &customer, &record.card) {
        _ if !is_known(db, consent)? => "the text of the handheld's consent is none of this office's",
        (None, ..) => "the processor keeps no cards, or the bank did not want it",
        (_, None, _) => "its job is not known here, so nobody knows whose card it is",
        (.., None) => "nothing is known of the card",
        (Some(token), Some(customer), Some(card)) => {
            db.execute(
                "INSERT INTO kept_card (id, customer, payment, brand, last4, token, network, consent, consent_sha256,
                                        kept_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                (
                    Uuid::now_v7().to_string(),
                    customer,
                    &id,
                    &card.brand,
                    &card.last4,
                    token,
                    &answer.network,
                    &consent.version,
                    &consent.text_sha256,
                    now_ms,
                ),
            )?;
            return Ok(());
        }
    };
    let trouble = Trouble {
        kind: ExceptionType::CardNotKept,
        subject: &id,
        device: Some(&payment.device),
        job: Some(&payment.job),
        amount: Money::new(0, payment.amount.currency),
        note: why,
        deadline_ms: None,
    };
    raise(db, &trouble, now_ms)
}

/// The customer takes the consent back: the token goes, every agreement with it is stopped, and the processor is asked to
/// forget the card. False when that was so before.
///
/// # Errors
/// No such card, or the database.
pub fn end(db: &Connection, card: &str, by: &str, why: &str, now_ms: i64) -> Result<bool, OfficeError> {
    if !db.prepare_cached("SELECT 1 FROM kept_card WHERE id = ?1")?.exists([card])? {
        return Err(OfficeError::Missing(format!("card {card}")));
    }
    let mut statement = db.prepare_cached("SELECT id FROM agreement WHERE kept_card = ?1 AND state <> 'stopped'")?;
    let of: Vec<String> = statement.query_map([card], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
    for agreement in of {
        agreements::stop(db, &agreement, by, why, now_ms)?;
    }
    forgetting::ask(db, card, now_ms)?;
    let sql = "UPDATE kept_card SET token = '', ended_ms = ?2, ended_by = ?3, ended_why = ?4
               WHERE id = ?1 AND ended_ms IS NULL";
    Ok(db.execute(sql, (card, now_ms, by, why))? == 1)
}

/// Every kept card, the newest first.
pub fn all(db: &Connection) -> Result<Vec<KeptCard>, OfficeError> {
    let mut statement = db.prepare_cached(
        "SELECT k.id, k.customer, c.name, k.brand, k.last4, k.consent, k.payment, k.kept_ms, k.ended_ms, k.ended_why
         FROM kept_card k JOIN customer c ON c.id = k.customer ORDER BY k.kept_ms DESC, k.id LIMIT ?1",
    )?;
    let cards = statement.query_map([SHOWN_MAX], |r| {
        Ok(KeptCard {
            id: r.get(0)?,
            customer: r.get(1)?,
            customer_name: r.get(2)?,
            brand: r.get(3)?,
            last4: r.get(4)?,
            consent: r.get(5)?,
            payment: r.get(6)?,
            kept_ms: r.get(7)?,
            ended_ms: r.get(8)?,
            ended_why: r.get(9)?,
        })
    })?;
    Ok(cards.collect::<rusqlite::Result<_>>()?)
}
