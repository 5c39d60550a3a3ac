//! The adapter to tillroll's own simulated processor: JSON over HTTP.

use super::{
    Abilities, Answer, Authorisation, Booked, FollowUp, Found, Processor, ProcessorError, Refunded, Reply, Sent,
    Source, Totals,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// What the simulated processor's problem types begin with.
const PROBLEM: &str = "urn:tillroll:processor:";

/// A client of one simulated processor.
#[derive(Debug, Clone)]
pub struct Simulated {
    http: reqwest::Client,
    url: String,
}

#[derive(Deserialize)]
struct AnswerJson {
    result: String,
    response_code: String,
    amount_minor: i64,
    auth_code: Option<String>,
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    network_id: Option<String>,
}

#[derive(Deserialize)]
struct FoundJson {
    found: bool,
    #[serde(default)]
    reversed: bool,
    #[serde(default)]
    captured_minor: i64,
    #[serde(flatten)]
    answer: Option<AnswerJson>,
}

#[derive(Deserialize)]
struct Done {
    #[serde(default)]
    reversed: bool,
    #[serde(default)]
    captured_minor: i64,
    #[serde(default)]
    refunded_minor: i64,
}

#[derive(Deserialize)]
struct LedgerJson {
    captured_minor: i64,
    captures: u32,
    refunded_minor: i64,
    refunds: u32,
    authorisations: Vec<BookedJson>,
}

#[derive(Deserialize)]
struct BookedJson {
    key: String,
    received_at_ms: i64,
    captured_minor: i64,
    refunded_minor: i64,
    currency: String,
}

impl From<AnswerJson> for Answer {
    fn from(answer: AnswerJson) -> Answer {
        Answer {
            approved: answer.result != "declined",
            amount_minor: answer.amount_minor,
            response_code: answer.response_code,
            auth_code: answer.auth_code,
            token: answer.token,
            network: answer.network_id,
        }
    }
}

impl Simulated {
    /// A client of the processor at `url`; every call is answered within `answer_ms` or in doubt.
    ///
    /// # Errors
    /// A client that cannot be made.
    pub fn new(url: &str, answer_ms: u64) -> Result<Simulated, ProcessorError> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_millis(answer_ms))
            // What another address answers is no answer.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|why| ProcessorError::Setting(why.to_string()))?;
        Ok(Simulated { http, url: url.trim_end_matches('/').to_owned() })
    }

    async fn call<T: for<'a> Deserialize<'a>>(
        &self,
        verb: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<T, ProcessorError> {
        let url = format!("{}/v1/{verb}", self.url);
        self.answered(self.http.post(url).json(body)).await
    }

    async fn answered<T: for<'a> Deserialize<'a>>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<T, ProcessorError> {
        let doubt = |why: reqwest::Error| ProcessorError::InDoubt(why.without_url().to_string());
        let answer = request.send().await.map_err(doubt)?;
        let status = answer.status();
        if status.is_success() {
            return answer.json().await.map_err(doubt);
        }
        let said: Value = answer.json().await.unwrap_or(Value::Null);
        let detail = said.get("detail").and_then(Value::as_str).unwrap_or("no reason given");
        let why = format!("{status}: {detail}");
        // Its own word, and not that of something between.
        let its_own = said.get("type").and_then(Value::as_str).is_some_and(|name| name.starts_with(PROBLEM));
        Err(if status.is_client_error() && its_own {
            ProcessorError::Refused(why)
        } else {
            ProcessorError::InDoubt(why)
        })
    }

    async fn ask(&self, request: &Authorisation) -> Result<Answer, ProcessorError> {
        let card = match &request.source {
            Source::Card(card) => json!({
                "ciphertext": card.ciphertext,
                "ksn": card.ksn,
                "key_id": card.key_id,
                "encryption_type": card.encryption_type,
            }),
            Source::OnFile(token) => json!({ "token": token }),
            Source::Agreed(kept) => {
                json!({ "token": kept.token, "initiated_by": "merchant", "network_id": kept.network })
            }
        };
        let emv = match &request.source {
            Source::Card(card) => json!(card.emv),
            Source::OnFile(_) | Source::Agreed(_) => json!({}),
        };
        let body = json!({
            "key": request.key,
            "stan": format!("{:06}", request.stan),
            "rrn": request.rrn,
            "terminal": request.terminal,
            "amount_minor": request.amount_minor,
            "currency": request.currency,
            "deferred": request.deferred,
            "allow_partial": request.allow_partial,
            "keep_card": request.keep_card,
            "card": card,
            "emv": emv,
        });
        match self.call::<AnswerJson>("authorize", &body).await {
            Ok(answer) => Ok(answer.into()),
            // Whatever was refused, a look-up tells what there is.
            Err(ProcessorError::Refused(why)) => Err(ProcessorError::InDoubt(why)),
            Err(why) => Err(why),
        }
    }

    async fn find(&self, key: &str) -> Result<Found, ProcessorError> {
        match self.call("lookup", &json!({ "key": key })).await? {
            FoundJson { found: false, .. } => Ok(Found::Nothing),
            FoundJson { reversed: true, .. } => Ok(Found::Reversed),
            FoundJson { answer: Some(answer), captured_minor, .. } => {
                Ok(Found::Answered { answer: answer.into(), captured_minor })
            }
            FoundJson { answer: None, .. } => {
                Err(ProcessorError::InDoubt("the look-up was answered without an answer".to_owned()))
            }
        }
    }

    async fn ledger(&self) -> Result<LedgerJson, ProcessorError> {
        self.answered(self.http.get(format!("{}/v1/ledger", self.url))).await
    }
}

impl Processor for Simulated {
    fn abilities(&self) -> Abilities {
        Abilities { look_up: true, card_present: true, on_file: true, links: false }
    }

    fn hello(&self) -> Reply<'_, String> {
        Box::pin(async {
            let _: Value = self.answered(self.http.get(format!("{}/healthz", self.url))).await?;
            Ok("tillroll's simulated processor".to_owned())
        })
    }

    fn prepare<'a>(&'a self, _: &'a Authorisation) -> Reply<'a, Option<String>> {
        Box::pin(async { Ok(None) })
    }

    fn authorise<'a>(&'a self, request: &'a Authorisation) -> Reply<'a, Answer> {
        Box::pin(self.ask(request))
    }

    fn look_up<'a>(&'a self, of: &'a Sent) -> Reply<'a, Found> {
        Box::pin(self.find(&of.key))
    }

    fn reverse<'a>(&'a self, of: &'a FollowUp) -> Reply<'a, ()> {
        Box::pin(async {
            let done: Done = self.call("reverse", &json!({ "key": of.of.key })).await?;
            match done.reversed {
                true => Ok(()),
                false => Err(ProcessorError::InDoubt("the reversal was not confirmed".to_owned())),
            }
        })
    }

    fn capture<'a>(&'a self, of: &'a FollowUp) -> Reply<'a, i64> {
        Box::pin(async {
            let body = json!({ "key": of.of.key, "amount_minor": of.amount_minor });
            let done: Done = self.call("capture", &body).await?;
            match done.captured_minor == of.amount_minor {
                true => Ok(done.captured_minor),
                false => Err(ProcessorError::InDoubt("the capture was confirmed with another amount".to_owned())),
            }
        })
    }

    fn refund<'a>(&'a self, of: &'a FollowUp) -> Reply<'a, Refunded> {
        Box::pin(async {
            let body = json!({ "key": of.key, "of": of.of.key, "amount_minor": of.amount_minor });
            match self.call::<Done>("refund", &body).await {
                Ok(done) if done.refunded_minor == of.amount_minor => {
                    Ok(Refunded { done: true, response_code: "00".to_owned() })
                }
                Ok(_) => Err(ProcessorError::InDoubt("the refund was confirmed with another amount".to_owned())),
                Err(ProcessorError::Refused(_)) => Ok(Refunded { done: false, response_code: "12".to_owned() }),
                Err(why) => Err(why),
            }
        })
    }

    fn refunded_beyond<'a>(&'a self, _: &'a FollowUp) -> Reply<'a, i64> {
        Box::pin(async { Err(ProcessorError::Unable("the simulated processor makes one refund of a key")) })
    }

    fn reconcile<'a>(&'a self, totals: &'a Totals) -> Reply<'a, bool> {
        Box::pin(async {
            let book = self.ledger().await?;
            let theirs = Totals {
                captures: book.captures,
                captured_minor: book.captured_minor,
                refunds: book.refunds,
                refunded_minor: book.refunded_minor,
            };
            Ok(theirs == *totals)
        })
    }

    fn booked(&self, from_ms: i64, until_ms: i64) -> Reply<'_, Vec<Booked>> {
        Box::pin(async move {
            let rows = self.ledger().await?.authorisations.into_iter();
            let wanted = rows.filter(|row| (from_ms..until_ms).contains(&row.received_at_ms) && row.captured_minor > 0);
            Ok(wanted
                .map(|row| Booked {
                    key: row.key,
                    at_ms: row.received_at_ms,
                    captured_minor: row.captured_minor,
                    refunded_minor: row.refunded_minor,
                    currency: row.currency,
                })
                .collect())
        })
    }

    fn forget<'a>(&'a self, token: &'a str) -> Reply<'a, ()> {
        Box::pin(async move { self.call::<Value>("forget", &json!({ "key": token })).await.map(drop) })
    }

    fn link<'a>(&'a self, _: &'a str, _: i64, _: &'a str, _: &'a str) -> Reply<'a, String> {
        Box::pin(async { Err(ProcessorError::Unable("the simulated processor makes no payment links")) })
    }
}
