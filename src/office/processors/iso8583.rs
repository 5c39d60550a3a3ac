//! The adapter to processors that speak ISO 8583:1987 over TCP.
//!
//! An authorisation is 0100 and the money is taken by a completion 0220 later, because nothing is captured before the
//! handheld saw the approval. There is no look-up: an attempt in doubt is reversed, and the reversal is repeated until it
//! is answered. Card data goes on as the reader encrypted it. What differs between processors is data: [`profile`].
//!
//! Invariant: an answer that is not exactly what was asked for is in doubt and never an approval. Start at
//! [`Iso8583::new`]; `message` is the codec, `requests` and `answers` are pure, `link` is the connection.

pub mod answers;
pub mod fields;
pub mod frames;
pub mod link;
pub mod message;
pub mod profile;
pub mod requests;

use super::{
    Abilities, Answer, Authorisation, Booked, FollowUp, Found, Late, Processor, ProcessorError, Refunded, Reply, Sent,
    Totals,
};
use link::{Link, LinkError, now_ms};
use message::Message;
use profile::Profile;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// What addresses of this adapter begin with.
pub const SCHEME: &str = "iso8583";

/// A client of one processor.
#[derive(Debug)]
pub struct Iso8583 {
    address: String,
    profile: Arc<Profile>,
    within: Duration,
    link: Link,
}

impl Iso8583 {
    /// A client of the processor at `iso8583://HOST:PORT[?profile=NAME]`; every call ends within `answer_ms`. Connects
    /// with the first call.
    ///
    /// # Errors
    /// An address or a profile that is none.
    pub fn new(address: &str, answer_ms: u64, late: mpsc::Sender<Late>) -> Result<Iso8583, ProcessorError> {
        let fail = || ProcessorError::Setting(format!("{address:?} is not {SCHEME}://HOST:PORT[?profile=NAME]"));
        let rest = address.strip_prefix(SCHEME).and_then(|rest| rest.strip_prefix("://")).ok_or_else(fail)?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, "profile=ascii"));
        let name = query.strip_prefix("profile=").ok_or_else(fail)?;
        let (host, port) = place.rsplit_once(':').ok_or_else(fail)?;
        if host.is_empty() || host.contains(['/', '@']) || port.parse::<u16>().is_err() {
            return Err(fail());
        }
        let profile = Arc::new(Profile::load(name)?);
        let link = Link::new(place, profile.clone(), late);
        Ok(Iso8583 { address: place.to_owned(), profile, within: Duration::from_millis(answer_ms), link })
    }

    async fn call(&self, message: Message) -> Result<Message, LinkError> {
        self.link.call(message, self.within).await
    }

    async fn greet(&self) -> Result<String, ProcessorError> {
        let echo = requests::network(requests::ECHO, self.link.next_stan(), now_ms())?;
        match self.call(echo).await {
            Ok(answer) if answer.text(39).is_some_and(|code| self.profile.codes.approved.iter().any(|c| c == code)) => {
                Ok(format!("ISO 8583 at {}, profile {}: signed on, echo answered", self.address, self.profile.name))
            }
            Ok(answer) => {
                let code = answer.text(39).unwrap_or("nothing");
                Err(ProcessorError::InDoubt(format!("the echo was answered with {code}")))
            }
            Err(why @ LinkError::SignOn(_)) => Err(ProcessorError::Refused(why.to_string())),
            Err(why) => Err(why.into()),
        }
    }
}

impl Processor for Iso8583 {
    fn abilities(&self) -> Abilities {
        Abilities { look_up: false, card_present: true, on_file: false, links: false }
    }

    fn hello(&self) -> Reply<'_, String> {
        Box::pin(self.greet())
    }

    fn prepare<'a>(&'a self, _: &'a Authorisation) -> Reply<'a, Option<String>> {
        Box::pin(async { Ok(None) })
    }

    fn authorise<'a>(&'a self, request: &'a Authorisation) -> Reply<'a, Answer> {
        Box::pin(async move {
            let message = requests::authorisation(&self.profile, request);
            let message = message.map_err(|why| why.unsent("the payment does not fit the profile's messages"))?;
            let answer = self.call(message).await?;
            answers::authorised(&self.profile, request, &answer)
        })
    }

    fn look_up<'a>(&'a self, _: &'a Sent) -> Reply<'a, Found> {
        Box::pin(async { Err(ProcessorError::Unable("ISO 8583 has no look-up; an attempt in doubt is reversed")) })
    }

    fn reverse<'a>(&'a self, of: &'a FollowUp) -> Reply<'a, ()> {
        Box::pin(async move {
            let answer = self.call(requests::reversal(&self.profile, of)?).await?;
            answers::reversed(&self.profile, of, &answer)
        })
    }

    fn capture<'a>(&'a self, of: &'a FollowUp) -> Reply<'a, i64> {
        Box::pin(async move {
            let answer = self.call(requests::completion(&self.profile, of)?).await?;
            answers::captured(&self.profile, of, &answer)
        })
    }

    fn refund<'a>(&'a self, of: &'a FollowUp) -> Reply<'a, Refunded> {
        Box::pin(async move {
            let answer = self.call(requests::refund(&self.profile, of)?).await?;
            answers::refunded(&self.profile, of, &answer)
        })
    }

    fn refunded_beyond<'a>(&'a self, _: &'a FollowUp) -> Reply<'a, i64> {
        Box::pin(async { Err(ProcessorError::Unable("ISO 8583 lists no refunds; import the settlement file")) })
    }

    fn reconcile<'a>(&'a self, totals: &'a Totals) -> Reply<'a, bool> {
        Box::pin(async move {
            let message = requests::reconciliation(&self.profile, totals, self.link.next_stan(), now_ms())?;
            answers::agreed(&self.profile, &self.call(message).await?)
        })
    }

    fn booked(&self, _: i64, _: i64) -> Reply<'_, Vec<Booked>> {
        Box::pin(async { Err(ProcessorError::Unable("ISO 8583 lists no payments; import the settlement file")) })
    }

    fn link<'a>(&'a self, _: &'a str, _: i64, _: &'a str, _: &'a str) -> Reply<'a, String> {
        Box::pin(async { Err(ProcessorError::Unable("ISO 8583 makes no payment links")) })
    }
}
