//! Keeping a card for later and forgetting it, and links by which a customer pays. None of it moves money.
//!
//! Links follow the API reference ("Create a payment link") and are not tested against a host. Start at
//! [`Rest::keep`] and [`Rest::make_link`].

use super::Rest;
use super::objects::{self, KEY, Metadata, noted, parse};
use super::payments::Period;
use crate::office::processors::ProcessorError;
use serde::Deserialize;

/// How far back one made before is looked for, milliseconds.
const BACK_MS: i64 = 3_600_000;
/// What a link says that it is for, characters.
const WHAT_MAX: usize = 200;

#[derive(Deserialize)]
struct Customer {
    id: String,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Setup {
    id: String,
    status: String,
    #[serde(default)]
    payment_method: Option<String>,
}

#[derive(Deserialize)]
struct Method {
    id: String,
    #[serde(default)]
    customer: Option<String>,
}

#[derive(Deserialize)]
struct Link {
    url: String,
    #[serde(default)]
    active: bool,
    #[serde(default)]
    metadata: Metadata,
}

impl Rest {
    /// Keeps a card with a customer of its own, so that it can be charged again: customer and card. `None` if the bank
    /// does not want that; it can be charged once all the same.
    pub(super) async fn keep(
        &self,
        key: &str,
        at_ms: i64,
        card: &str,
    ) -> Result<Option<(String, String)>, ProcessorError> {
        let customer = self.customer(key, at_ms).await?;
        let form = [("customer", customer.as_str()), ("payment_method_types[]", "card"), ("usage", "off_session")];
        let said = self.client.post("/v1/setup_intents", &form, &format!("{key}:setup")).await?;
        if said.status != 200 {
            return Err(said.doubt());
        }
        let setup: Setup = parse(said.body)?;
        let path = format!("/v1/setup_intents/{}/confirm", objects::id(&setup.id)?);
        let said = self.client.post(&path, &[("payment_method", card)], &format!("{key}:setup-confirm")).await?;
        if said.is_refusal() {
            return Ok(None);
        }
        if said.status != 200 {
            return Err(said.doubt());
        }
        let setup: Setup = parse(said.body)?;
        let card = match setup.payment_method {
            Some(card) if setup.status == "succeeded" => objects::id(&card)?.to_owned(),
            Some(_) | None => return Ok(None),
        };
        // Some servers have attached it with that already.
        let path = format!("/v1/payment_methods/{card}/attach");
        let said = self.client.post(&path, &[("customer", &customer)], &format!("{key}:attach")).await?;
        if said.is_refusal() {
            return Ok(None);
        }
        if said.status != 200 {
            return Err(said.doubt());
        }
        let method: Method = parse(said.body)?;
        let same = method.id == card && method.customer.as_deref() == Some(&customer);
        same.then_some(Some((customer, card)))
            .ok_or_else(|| ProcessorError::InDoubt("the card was kept with somebody else".to_owned()))
    }

    /// Takes a kept card from its customer, so that nobody can charge it any more.
    pub(super) async fn detach(&self, token: &str) -> Result<(), ProcessorError> {
        let (_, card) = objects::card(token)?;
        let path = format!("/v1/payment_methods/{card}/detach");
        let said = self.client.post(&path, &[], &format!("{card}:detach")).await?;
        match said.status {
            200 => {
                let method: Method = parse(said.body)?;
                let gone = method.id == card && method.customer.is_none();
                gone.then_some(()).ok_or_else(|| ProcessorError::InDoubt("the card is still somebody's".to_owned()))
            }
            404 => Ok(()),
            _ if said.is_refusal() => Err(ProcessorError::Refused(said.why())),
            _ => Err(said.doubt()),
        }
    }

    async fn customer(&self, key: &str, at_ms: i64) -> Result<String, ProcessorError> {
        let period = Period { from: (at_ms - BACK_MS) / 1_000, until: None };
        let ours = |customer: &Customer| noted(&customer.metadata, KEY) == Some(key);
        if let Some(there) = self.list("/v1/customers", &[], Some(period), ours).await?.into_iter().next() {
            return Ok(objects::id(&there.id)?.to_owned());
        }
        let metadata = format!("metadata[{KEY}]");
        let said = self.client.post("/v1/customers", &[(&metadata, key)], &format!("{key}:customer")).await?;
        if said.status != 200 {
            return Err(said.doubt());
        }
        let customer: Customer = parse(said.body)?;
        Ok(objects::id(&customer.id)?.to_owned())
    }

    /// A link that can be paid once; the one that was made before under this key, if there is one.
    pub(super) async fn make_link(
        &self,
        key: &str,
        amount_minor: i64,
        currency: &str,
        what: &str,
    ) -> Result<String, ProcessorError> {
        let (amount, currency) = objects::money(amount_minor, currency)?;
        let ours = |link: &Link| link.active && noted(&link.metadata, KEY) == Some(key);
        if let Some(there) = self.list("/v1/payment_links", &[], None, ours).await?.into_iter().next() {
            return address(there);
        }
        let what: String = what.chars().filter(|c| !c.is_control()).take(WHAT_MAX).collect();
        let (own, paid) = (format!("metadata[{KEY}]"), format!("payment_intent_data[metadata][{KEY}]"));
        let form = [
            ("line_items[0][quantity]", "1"),
            ("line_items[0][price_data][currency]", currency.as_str()),
            ("line_items[0][price_data][unit_amount]", &amount),
            ("line_items[0][price_data][product_data][name]", &what),
            ("restrictions[completed_sessions][limit]", "1"),
            (&own, key),
            (&paid, key),
        ];
        let said = self.client.post("/v1/payment_links", &form, &format!("{key}:link")).await?;
        match said.status {
            200 => {
                let link: Link = parse(said.body)?;
                if noted(&link.metadata, KEY) != Some(key) {
                    return Err(ProcessorError::InDoubt("the processor answered about another link".to_owned()));
                }
                address(link)
            }
            _ if said.is_refusal() => Err(ProcessorError::Refused(said.why())),
            _ => Err(said.doubt()),
        }
    }
}

/// Its address, if it is one that can be shown and printed.
fn address(link: Link) -> Result<String, ProcessorError> {
    let fit =
        link.url.starts_with("https://") && link.url.len() <= 512 && link.url.bytes().all(|b| b.is_ascii_graphic());
    fit.then_some(link.url).ok_or_else(|| ProcessorError::InDoubt("the processor gave a link that is none".to_owned()))
}
