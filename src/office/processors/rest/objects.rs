//! What an answer must look like, and what it means. Pure.
//!
//! Invariant: an object counts only if it is about what was asked: its id, our key, the amount and the currency.
//! Start at [`Intent::meaning`].

use crate::office::processors::{Answer, ProcessorError};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Our name for the operation, in an object's metadata.
pub const KEY: &str = "tillroll_key";
/// In an intent's metadata: the card is kept once the payment is approved.
pub const KEEP: &str = "tillroll_keep";
/// The longest id, characters.
const ID_MAX: usize = 128;
/// Currencies whose minor unit is another one than in ISO 4217 (Stripe, "Supported currencies"): an amount would be a
/// hundred times too small or too large.
const OTHER_UNITS: [&str; 3] = ["ISK", "MGA", "UGX"];
/// ISO 8583:1987 field 39: approved.
const APPROVED: &str = "00";
/// Field 39 as card schemes use it: the card holder must be asked, and is not there.
pub const ASKS_HOLDER: &str = "1A";

/// Parses one object.
pub fn parse<T: for<'a> Deserialize<'a>>(body: Value) -> Result<T, ProcessorError> {
    serde_json::from_value(body)
        .map_err(|why| ProcessorError::InDoubt(format!("the answer is not what was asked for: {why}")))
}

/// A server's id, fit to stand in a path.
pub fn id(text: &str) -> Result<&str, ProcessorError> {
    let fit = !text.is_empty() && text.len() <= ID_MAX && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    fit.then_some(text).ok_or_else(|| ProcessorError::InDoubt("the processor gave an id that is none".to_owned()))
}

/// An amount and its currency as a form has them.
pub fn money(amount_minor: i64, currency: &str) -> Result<(String, String), ProcessorError> {
    if amount_minor <= 0 {
        return Err(ProcessorError::Refused("an amount above zero is expected".to_owned()));
    }
    if OTHER_UNITS.iter().any(|other| currency.eq_ignore_ascii_case(other)) {
        return Err(ProcessorError::Refused(format!(
            "such an API counts {currency} in other units: use another processor"
        )));
    }
    Ok((amount_minor.to_string(), currency.to_ascii_lowercase()))
}

/// What we, or others, wrote onto an object; may be null.
pub type Metadata = Option<BTreeMap<String, String>>;

/// What stands under a name.
pub fn noted<'a>(metadata: &'a Metadata, name: &str) -> Option<&'a str> {
    metadata.as_ref()?.get(name).map(String::as_str)
}

/// A page of a list.
#[derive(Debug, Deserialize)]
pub struct Page<T> {
    pub data: Vec<T>,
    #[serde(default)]
    pub has_more: bool,
}

/// Where an intent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    RequiresCapture,
    Canceled,
    Succeeded,
}

/// A payment intent.
#[derive(Debug, Clone, Deserialize)]
pub struct Intent {
    pub id: String,
    pub status: Status,
    pub amount: i64,
    pub currency: String,
    /// Unix seconds.
    pub created: i64,
    #[serde(default)]
    pub metadata: Metadata,
    #[serde(default)]
    pub customer: Option<String>,
    #[serde(default)]
    pub payment_method: Option<String>,
    #[serde(default)]
    pub last_payment_error: Option<Failure>,
    #[serde(default)]
    pub amount_received: Option<i64>,
    /// Whole, or only its id.
    #[serde(default)]
    pub latest_charge: Value,
}

/// Why a card was declined.
#[derive(Debug, Clone, Deserialize)]
pub struct Failure {
    #[serde(default)]
    pub code: Option<String>,
    #[serde(default)]
    pub decline_code: Option<String>,
}

/// A charge.
#[derive(Debug, Clone, Deserialize)]
pub struct Charge {
    pub amount: i64,
    pub captured: bool,
    pub amount_refunded: i64,
    #[serde(default)]
    pub amount_captured: Option<i64>,
}

/// A refund.
#[derive(Debug, Clone, Deserialize)]
pub struct Refund {
    pub id: String,
    pub amount: i64,
    pub status: String,
    #[serde(default)]
    pub metadata: Metadata,
}

/// What became of an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// Created, and not confirmed: no effect.
    Unconfirmed,
    /// Confirmed, and declined or approved.
    Answered(Answer),
    /// Approved and captured.
    Captured(Answer),
    /// The card holder would have to do something.
    AsksHolder,
    /// Cancelled.
    Reversed,
    /// Not settled yet, or nothing that makes sense.
    Odd(&'static str),
}

/// What an intent must be about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    pub id: Option<&'a str>,
    pub key: &'a str,
    pub amount_minor: i64,
    pub currency: &'a str,
}

impl Intent {
    /// Our name for it, if it is one of ours.
    pub fn key(&self) -> Option<&str> {
        noted(&self.metadata, KEY)
    }

    /// The charge, if it came whole.
    pub fn charge(&self) -> Option<Charge> {
        Charge::deserialize(&self.latest_charge).ok()
    }

    /// Itself, if it is about that.
    pub fn about(self, about: &About<'_>) -> Result<Intent, ProcessorError> {
        id(&self.id)?;
        let same = about.id.is_none_or(|id| id == self.id)
            && self.key() == Some(about.key)
            && self.amount == about.amount_minor
            && self.currency.eq_ignore_ascii_case(about.currency);
        same.then_some(self)
            .ok_or_else(|| ProcessorError::InDoubt("the processor answered about another payment".to_owned()))
    }

    /// What became of it.
    pub fn meaning(&self) -> Meaning {
        match self.status {
            Status::RequiresConfirmation => Meaning::Unconfirmed,
            Status::RequiresCapture => Meaning::Answered(self.approved()),
            Status::Succeeded => Meaning::Captured(self.approved()),
            Status::Canceled => Meaning::Reversed,
            Status::RequiresAction => Meaning::AsksHolder,
            Status::Processing => Meaning::Odd("the processor has not decided yet"),
            Status::RequiresPaymentMethod => match &self.last_payment_error {
                Some(failure) => Meaning::Answered(declined(failure.response_code())),
                None => Meaning::Odd("the payment has no card"),
            },
        }
    }

    fn approved(&self) -> Answer {
        let keep = noted(&self.metadata, KEEP).is_some();
        let card = self.customer.as_ref().zip(self.payment_method.as_ref()).filter(|_| keep);
        Answer {
            approved: true,
            amount_minor: self.amount,
            response_code: APPROVED.to_owned(),
            auth_code: None,
            token: card.map(|(customer, card)| format!("{customer}:{card}")),
            // Such an API keeps it itself, with the customer's card.
            network: None,
        }
    }
}

/// A decline.
pub fn declined(response_code: &str) -> Answer {
    Answer {
        approved: false,
        amount_minor: 0,
        response_code: response_code.to_owned(),
        auth_code: None,
        token: None,
        network: None,
    }
}

impl Failure {
    /// The nearest of ISO 8583 field 39; `05` (do not honour) where nothing is nearer. Codes: Stripe's list of decline
    /// codes.
    fn response_code(&self) -> &'static str {
        let code = self.decline_code.as_deref().or(self.code.as_deref()).unwrap_or("");
        match code {
            "insufficient_funds" => "51",
            "expired_card" => "54",
            "incorrect_number" | "invalid_number" | "invalid_account" => "14",
            "incorrect_pin" | "invalid_pin" => "55",
            "pin_try_exceeded" => "75",
            "lost_card" => "41",
            "stolen_card" => "43",
            "pickup_card" => "04",
            "restricted_card" => "62",
            "card_velocity_exceeded" | "withdrawal_count_limit_exceeded" => "65",
            "transaction_not_allowed" | "card_not_supported" | "currency_not_supported" | "not_permitted" => "57",
            "invalid_amount" => "13",
            "issuer_not_available" | "try_again_later" | "reenter_transaction" => "91",
            "processing_error" => "96",
            "authentication_required" | "payment_intent_authentication_failure" => ASKS_HOLDER,
            _ => "05",
        }
    }
}

/// A kept card: `pm_…`, or `cus_…:pm_…` where it belongs to a customer.
pub fn card(token: &str) -> Result<(Option<&str>, &str), ProcessorError> {
    let (customer, card) = token.split_once(':').map_or((None, token), |(customer, card)| (Some(customer), card));
    let known =
        customer.is_none_or(|c| c.starts_with("cus_") && id(c).is_ok()) && card.contains('_') && id(card).is_ok();
    known.then_some((customer, card)).ok_or_else(|| {
        ProcessorError::Refused("this is no card that such a processor keeps: ask for the card again".to_owned())
    })
}
