//! Giving back, and what is booked. A refund is found by our key before it is sent, and never sent when it is more
//! than what is left: the server may not look. One that ignores idempotency keys may still make two of it, which is found
//! by [`Rest::beyond`].
//!
//! Start at [`Rest::give_back`].

use super::Rest;
use super::objects::{self, Intent, KEY, Meaning, Refund, Status, parse};
use super::payments::{Period, about};
use crate::office::processors::{Booked, FollowUp, ProcessorError, Refunded};
use serde_json::Value;

/// ISO 8583:1987 field 39: approved; invalid transaction; do not honour.
const DONE: &str = "00";
const INVALID: &str = "12";
const FAILED: &str = "05";

/// What an intent has moved, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Moved {
    /// Captured.
    pub captured_minor: i64,
    /// Given back.
    pub refunded_minor: i64,
    /// What may still be given back.
    pub left_minor: i64,
}

fn doubt<T>(why: &str) -> Result<T, ProcessorError> {
    Err(ProcessorError::InDoubt(why.to_owned()))
}

fn refused() -> Refunded {
    Refunded { done: false, response_code: INVALID.to_owned() }
}

impl Refund {
    fn counts(&self) -> bool {
        matches!(self.status.as_str(), "succeeded" | "pending")
    }

    fn key(&self) -> Option<&str> {
        objects::noted(&self.metadata, KEY)
    }

    /// What it says of a refund of so much.
    fn said(&self, amount_minor: i64) -> Result<Refunded, ProcessorError> {
        match self.status.as_str() {
            _ if self.amount != amount_minor => doubt("the refund has another amount"),
            "succeeded" | "pending" => Ok(Refunded { done: true, response_code: DONE.to_owned() }),
            "failed" | "canceled" => Ok(Refunded { done: false, response_code: FAILED.to_owned() }),
            _ => doubt("the refund is not decided yet"),
        }
    }
}

impl Rest {
    /// Gives so much back.
    pub(super) async fn give_back(&self, of: &FollowUp) -> Result<Refunded, ProcessorError> {
        let Some(intent) = self.intent(&of.of, &about(&of.of)).await? else { return Ok(refused()) };
        if intent.status != Status::Succeeded {
            return Ok(refused());
        }
        self.refund_of(&intent, &of.key, of.amount_minor).await
    }

    /// What was given back under this key beyond what was asked, minor units.
    pub(super) async fn beyond(&self, of: &FollowUp) -> Result<i64, ProcessorError> {
        let Some(intent) = self.intent(&of.of, &about(&of.of)).await? else {
            return doubt("the processor does not know the payment any more");
        };
        let refunds = self.refunds(&intent).await?;
        let ours = refunds.iter().filter(|r| r.counts() && r.key() == Some(&of.key)).map(|r| r.amount);
        match ours.into_iter().try_fold(0, i64::checked_add).and_then(|sum| sum.checked_sub(of.amount_minor)) {
            Some(beyond) => Ok(beyond.max(0)),
            None => doubt("the processor's amounts make no sense"),
        }
    }

    /// Gives everything back that was captured, for a reversal that comes after the capture.
    pub(super) async fn give_all_back(&self, of: &FollowUp, intent: &Intent) -> Result<(), ProcessorError> {
        let left = self.captured(intent).await?.left_minor;
        if left == 0 || self.refund_of(intent, &of.key, left).await?.done {
            return Ok(());
        }
        doubt("it was captured, and cannot be given back")
    }

    async fn refund_of(&self, intent: &Intent, key: &str, amount_minor: i64) -> Result<Refunded, ProcessorError> {
        if let Some(there) = self.refunds(intent).await?.into_iter().find(|refund| refund.key() == Some(key)) {
            return there.said(amount_minor);
        }
        if amount_minor <= 0 || amount_minor > self.captured(intent).await?.left_minor {
            return Ok(refused());
        }
        let (amount, metadata) = (amount_minor.to_string(), format!("metadata[{KEY}]"));
        let form = [("payment_intent", intent.id.as_str()), ("amount", &amount), (&metadata, key)];
        let said = self.client.post("/v1/refunds", &form, key).await?;
        match said.status {
            200 => {
                let refund: Refund = parse(said.body)?;
                objects::id(&refund.id)?;
                if refund.key() != Some(key) {
                    return doubt("the processor answered about another refund");
                }
                refund.said(amount_minor)
            }
            _ if said.is_refusal() => Ok(refused()),
            _ => Err(said.doubt()),
        }
    }

    async fn refunds(&self, intent: &Intent) -> Result<Vec<Refund>, ProcessorError> {
        // Strictly: one that is overlooked would be sent again.
        let all = self.list("/v1/refunds", &[("payment_intent", &intent.id)], None, |_: &Value| true).await?;
        all.into_iter().map(parse).collect()
    }

    /// What a captured intent has moved. A part that was not captured may appear as a refund without our key.
    pub(super) async fn captured(&self, intent: &Intent) -> Result<Moved, ProcessorError> {
        let whole;
        let intent = if intent.charge().is_none() {
            whole = self.read(&intent.id).await?;
            &whole
        } else {
            intent
        };
        let Some(charge) = intent.charge().filter(|charge| charge.captured) else {
            return doubt("the processor says that it is captured, and shows no captured charge");
        };
        let (said, given) = (intent.amount_received.or(charge.amount_captured), charge.amount_refunded);
        let refunds = if given == 0 { Vec::new() } else { self.refunds(intent).await? };
        let counted = |ours: bool| {
            refunds
                .iter()
                .filter(|r| r.counts() && r.key().is_some() == ours)
                .map(|r| r.amount)
                .try_fold(0, i64::checked_add)
        };
        let sums = || {
            let captured_minor = match said {
                Some(minor) => minor,
                None => charge.amount.checked_sub(counted(false)?)?,
            };
            let not_captured = charge.amount.checked_sub(captured_minor)?;
            let others = counted(false)?;
            let others = if others >= not_captured { others.checked_sub(not_captured)? } else { others };
            let refunded_minor = counted(true)?.checked_add(others)?;
            let left_minor = charge.amount.checked_sub(given)?.min(captured_minor).max(0);
            Some(Moved { captured_minor, refunded_minor, left_minor })
        };
        sums()
            .filter(|moved| (1..=intent.amount).contains(&moved.captured_minor))
            .map_or_else(|| doubt("the processor's amounts make no sense"), Ok)
    }

    /// What it has booked of ours in a period.
    pub(super) async fn book(&self, from_ms: i64, until_ms: i64) -> Result<Vec<Booked>, ProcessorError> {
        let within = |intent: &Intent| {
            intent.created.checked_mul(1_000).is_some_and(|at| (from_ms..until_ms).contains(&at))
                && intent.key().is_some()
        };
        // The end in whole seconds, rounded up; `within` is exact.
        let period =
            Period { from: from_ms.div_euclid(1_000), until: Some(until_ms.saturating_add(999).div_euclid(1_000)) };
        let query = [("expand[]", "data.latest_charge")];
        let mut booked = Vec::new();
        for intent in self.list("/v1/payment_intents", &query, Some(period), within).await? {
            if !matches!(intent.meaning(), Meaning::Captured(_)) {
                continue;
            }
            let moved = self.captured(&intent).await?;
            booked.push(Booked {
                key: intent.key().unwrap_or_default().to_owned(),
                at_ms: intent.created.saturating_mul(1_000),
                captured_minor: moved.captured_minor,
                refunded_minor: moved.refunded_minor,
                currency: intent.currency.to_ascii_uppercase(),
            });
        }
        Ok(booked)
    }
}
