//! The adapter to tillroll's own simulated processor: JSON over HTTP.

use super::{Answer, Authorisation, Found, InDoubt};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

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
}

impl From<AnswerJson> for Answer {
    fn from(answer: AnswerJson) -> Answer {
        Answer {
            approved: answer.result != "declined",
            amount_minor: answer.amount_minor,
            response_code: answer.response_code,
            auth_code: answer.auth_code,
        }
    }
}

impl Simulated {
    /// A client of the processor at `url`; every call is answered within `answer_ms` or in doubt.
    pub fn new(url: &str, answer_ms: u64) -> Result<Simulated, InDoubt> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_millis(answer_ms))
            .no_proxy()
            .build()
            .map_err(|why| InDoubt(why.to_string()))?;
        Ok(Simulated { http, url: url.trim_end_matches('/').to_owned() })
    }

    /// Asks for an authorisation.
    pub async fn authorise(&self, request: &Authorisation) -> Result<Answer, InDoubt> {
        let body = json!({
            "key": request.key,
            "stan": format!("{:06}", request.stan),
            "rrn": request.rrn,
            "terminal": request.terminal,
            "amount_minor": request.amount_minor,
            "currency": request.currency,
            "deferred": request.deferred,
            "allow_partial": request.allow_partial,
            "card": {
                "ciphertext": request.ciphertext,
                "ksn": request.ksn,
                "key_id": request.key_id,
                "encryption_type": request.encryption_type,
            },
            "emv": request.emv,
        });
        self.call::<AnswerJson>("authorize", &body).await.map(Answer::from)
    }

    /// Asks what became of an attempt.
    pub async fn look_up(&self, key: &str) -> Result<Found, InDoubt> {
        let found: FoundJson = self.call("lookup", &json!({ "key": key })).await?;
        match found {
            FoundJson { found: false, .. } => Ok(Found::Nothing),
            FoundJson { reversed: true, .. } => Ok(Found::Reversed),
            FoundJson { answer: Some(answer), captured_minor, .. } => {
                Ok(Found::Answered { answer: answer.into(), captured_minor })
            }
            FoundJson { answer: None, .. } => Err(InDoubt("the look-up was answered without an answer".to_owned())),
        }
    }

    /// Reverses an attempt, whether or not it arrived.
    pub async fn reverse(&self, key: &str) -> Result<(), InDoubt> {
        let done: Done = self.call("reverse", &json!({ "key": key })).await?;
        if done.reversed { Ok(()) } else { Err(InDoubt("the reversal was not confirmed".to_owned())) }
    }

    /// Captures `amount_minor` of an attempt; what is captured now.
    pub async fn capture(&self, key: &str, amount_minor: i64) -> Result<i64, InDoubt> {
        let done: Done = self.call("capture", &json!({ "key": key, "amount_minor": amount_minor })).await?;
        Ok(if done.captured_minor > 0 { done.captured_minor } else { amount_minor })
    }

    async fn call<T: for<'a> Deserialize<'a>>(&self, verb: &str, body: &(impl Serialize + Sync)) -> Result<T, InDoubt> {
        let doubt = |why: reqwest::Error| InDoubt(why.without_url().to_string());
        let url = format!("{}/v1/{verb}", self.url);
        let answer = self.http.post(url).json(body).send().await.map_err(doubt)?;
        if !answer.status().is_success() {
            let status = answer.status();
            let said: Value = answer.json().await.unwrap_or(Value::Null);
            let detail = said.get("detail").and_then(Value::as_str).unwrap_or("no reason given");
            return Err(InDoubt(format!("{status}: {detail}")));
        }
        answer.json().await.map_err(doubt)
    }
}
