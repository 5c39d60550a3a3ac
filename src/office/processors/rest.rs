//! The adapter to a payment API in the manner of Stripe's: forms over HTTP, JSON back. It charges cards that the
//! processor keeps, and makes payment links; what a card reader encrypted, such an API does not take.
//!
//! Invariant: nothing is charged twice, even by a server that ignores the idempotency key that every write carries.
//! A payment intent is created without charge, its id kept, and only then confirmed; an intent is confirmed, captured
//! and cancelled once by its own state; what may have been created is looked for by our key in its metadata before it
//! is created again. An answer that is not about what was asked is in doubt. The exception: a refund that the network
//! doubles is two on a server that ignores the key. Nothing here can prevent that; [`Processor::refunded_beyond`] finds it.
//!
//! Names of fields, states and codes: Stripe API reference, "PaymentIntent", "Refund", "SetupIntent", "Payment Link",
//! "Errors", "Idempotent requests". It is tested against localstripe, never against Stripe itself; links are not
//! tested against any host, since localstripe has none.
//!
//! Start at [`Rest`]; `payments` has the steps of a payment, `objects` what an answer must look like.

mod client;
mod keep;
mod objects;
mod payments;
mod refunds;
#[cfg(test)]
mod tests;

use super::{
    Abilities, Answer, Authorisation, Booked, FollowUp, Found, Processor, ProcessorError, Refunded, Reply, Sent, Totals,
};
use client::{Client, Secret};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;

/// How the address is written.
const USAGE: &str = "stripe+http://127.0.0.1:PORT?key_file=PATH (or key_env=NAME)";

/// A client of one account.
#[derive(Debug)]
pub struct Rest {
    client: Client,
    /// The server knows neither the filter `created` of lists nor `off_session` of a confirmation.
    plain: bool,
    answer: Duration,
}

impl Rest {
    /// A client of the API at `stripe+http://HOST:PORT?key_file=PATH` or `…?key_env=NAME`; `&plain` is for servers that
    /// know neither `created` nor `off_session`, such as localstripe. Every call is answered within `answer_ms` or
    /// in doubt.
    ///
    /// # Errors
    /// An address that is not like that, a key that cannot be read, a connection that would not be secret.
    pub fn open(address: &str, answer_ms: u64) -> Result<Rest, ProcessorError> {
        let setting = |why: String| ProcessorError::Setting(why);
        let (base, query) = address.split_once('?').unwrap_or((address, ""));
        let Some(host) = base.strip_prefix("stripe+http://") else {
            return Err(setting(if base.starts_with("stripe+https://") {
                "this build of tillroll speaks no TLS: run a TLS tunnel to the processor on this machine and name it as \
                 stripe+http://127.0.0.1:PORT"
                    .to_owned()
            } else {
                format!("{base:?} names no such processor: {USAGE}")
            }));
        };
        let host = host.trim_end_matches('/');
        // A name that is no address may lead anywhere.
        let socket = host.replacen("localhost", "127.0.0.1", usize::from(host.starts_with("localhost:")));
        if !socket.parse::<SocketAddr>().is_ok_and(|socket| socket.ip().is_loopback()) {
            return Err(setting(format!(
                "{host:?} is no port of this machine, and the key would cross the network in clear: {USAGE}"
            )));
        }
        let (mut key, mut plain) = (None, false);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').unwrap_or((pair, "")) {
                ("key_file", path) => key = Some(Secret::from_file(path)?),
                ("key_env", name) => key = Some(Secret::from_env(name)?),
                ("plain", "") => plain = true,
                (other, _) => return Err(setting(format!("{other:?} is no setting of this processor: {USAGE}"))),
            }
        }
        let key = key.ok_or_else(|| setting(format!("the processor's key is missing: {USAGE}")))?;
        Ok(Rest {
            client: Client::new(format!("http://{host}"), key, answer_ms)?,
            plain,
            answer: Duration::from_millis(answer_ms),
        })
    }

    /// A call of several requests that ends in time.
    async fn within<T>(&self, call: impl Future<Output = Result<T, ProcessorError>>) -> Result<T, ProcessorError> {
        let late = |_| ProcessorError::InDoubt("it took too long".to_owned());
        tokio::time::timeout(self.answer, call).await.map_err(late)?
    }

    async fn greet(&self) -> Result<String, ProcessorError> {
        let said = self.client.get("/v1/balance", &[]).await?;
        match said.status {
            200 if said.body.get("available").is_some() => {
                let live = said.body.get("livemode").and_then(Value::as_bool);
                let mode = match live {
                    Some(true) => "live",
                    Some(false) | None => "test",
                };
                Ok(format!("a payment API in the manner of Stripe's, {mode} mode"))
            }
            401 | 403 => {
                Err(ProcessorError::Setting("the processor does not accept the key: ask for a new one".to_owned()))
            }
            _ => Err(said.doubt()),
        }
    }
}

impl Processor for Rest {
    fn abilities(&self) -> Abilities {
        Abilities { look_up: true, card_present: false, on_file: true, links: true }
    }

    fn hello(&self) -> Reply<'_, String> {
        Box::pin(self.within(self.greet()))
    }

    fn prepare<'a>(&'a self, request: &'a Authorisation) -> Reply<'a, Option<String>> {
        Box::pin(self.within(async { self.announce(request).await.map(Some) }))
    }

    fn authorise<'a>(&'a self, request: &'a Authorisation) -> Reply<'a, Answer> {
        Box::pin(self.within(self.confirm(request)))
    }

    fn look_up<'a>(&'a self, of: &'a Sent) -> Reply<'a, Found> {
        Box::pin(self.within(self.find(of)))
    }

    fn reverse<'a>(&'a self, of: &'a FollowUp) -> Reply<'a, ()> {
        Box::pin(self.within(self.take_back(of)))
    }

    fn capture<'a>(&'a self, of: &'a FollowUp) -> Reply<'a, i64> {
        Box::pin(self.within(self.collect(of)))
    }

    fn refund<'a>(&'a self, of: &'a FollowUp) -> Reply<'a, Refunded> {
        Box::pin(self.within(self.give_back(of)))
    }

    fn refunded_beyond<'a>(&'a self, of: &'a FollowUp) -> Reply<'a, i64> {
        Box::pin(self.within(self.beyond(of)))
    }

    fn reconcile<'a>(&'a self, _: &'a Totals) -> Reply<'a, bool> {
        Box::pin(async {
            Err(ProcessorError::Unable(
                "such an API closes no batches: what it has booked is compared payment by payment",
            ))
        })
    }

    fn booked(&self, from_ms: i64, until_ms: i64) -> Reply<'_, Vec<Booked>> {
        Box::pin(self.within(self.book(from_ms, until_ms)))
    }

    fn forget<'a>(&'a self, token: &'a str) -> Reply<'a, ()> {
        Box::pin(self.within(self.detach(token)))
    }

    fn link<'a>(&'a self, key: &'a str, amount_minor: i64, currency: &'a str, what: &'a str) -> Reply<'a, String> {
        Box::pin(self.within(self.make_link(key, amount_minor, currency, what)))
    }
}
