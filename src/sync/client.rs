//! The device's side of the exchange: HTTP to the office, a token when one is needed, and nothing kept but that.

use super::plan::Ended;
use super::wire::batch::{Batch, BatchError};
use super::wire::{
    ChallengeAnswer, Cursor, EnrolAnswer, EnrolRequest, FeedPage, Problem, PushAnswer, SessionAnswer, SessionRequest,
    challenge_bytes,
};
use crate::domain::id::{DeviceId, Epoch};
use crate::domain::mode::Mode;
use ed25519_dalek::{Signer as _, SigningKey};
use reqwest::{RequestBuilder, Response, StatusCode};
use std::time::Duration;
use tokio::sync::Mutex;
use uuid::Uuid;

/// An answer of the office at the most, bytes.
const ANSWER_MAX_BYTES: usize = 16 * 1024 * 1024;

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection, or it broke.
    #[error("no link to the office")]
    NoLink(String),
    /// No answer in time.
    #[error("the office did not answer in time")]
    TimedOut,
    /// The office said no.
    #[error("the office says: {}", .0.detail)]
    Refused(Problem),
    /// Not an answer of an office.
    #[error("the answer is not one of a tillroll office: check the address ({0})")]
    BadAnswer(String),
    /// Real money there and none here, or the other way round.
    #[error(
        "the office is a {office} office now and this handheld was enrolled at a {device} one: nothing was sent; enrol it anew with --state DIR"
    )]
    OtherMode {
        /// Its mode.
        office: Mode,
        /// Ours.
        device: Mode,
    },
    /// The batch cannot be packed.
    #[error(transparent)]
    Batch(#[from] BatchError),
}

impl ClientError {
    /// Whether waiting is useless.
    pub fn is_permanent(&self) -> bool {
        match self {
            ClientError::NoLink(_) | ClientError::TimedOut => false,
            ClientError::Refused(problem) => problem.status < 500,
            ClientError::BadAnswer(_) | ClientError::OtherMode { .. } | ClientError::Batch(_) => true,
        }
    }

    /// What the plan makes of it.
    pub fn ended(&self) -> Ended {
        match self {
            ClientError::NoLink(_) | ClientError::BadAnswer(_) => Ended::NoLink,
            ClientError::TimedOut => Ended::TimedOut,
            ClientError::OtherMode { .. } => Ended::Unauthorised,
            ClientError::Refused(problem) if matches!(problem.status, 401 | 403) => Ended::Unauthorised,
            ClientError::Refused(_) => Ended::Refused,
            ClientError::Batch(_) => Ended::TimedOut,
        }
    }

    /// The office's word for it, without `urn:tillroll:`.
    pub fn word(&self) -> Option<&str> {
        match self {
            ClientError::Refused(problem) => problem.kind.strip_prefix("urn:tillroll:"),
            ClientError::NoLink(_)
            | ClientError::TimedOut
            | ClientError::BadAnswer(_)
            | ClientError::OtherMode { .. }
            | ClientError::Batch(_) => None,
        }
    }
}

impl From<reqwest::Error> for ClientError {
    fn from(why: reqwest::Error) -> ClientError {
        if why.is_timeout() && !why.is_connect() {
            return ClientError::TimedOut;
        }
        let mut text = why.to_string();
        let mut cause = std::error::Error::source(&why);
        while let Some(inner) = cause {
            text = inner.to_string();
            cause = inner.source();
        }
        ClientError::NoLink(text)
    }
}

/// A connection to one office.
pub struct Client {
    http: reqwest::Client,
    url: String,
    device: DeviceId,
    key: SigningKey,
    token: Mutex<Option<String>>,
    mode: Mode,
}

impl Client {
    /// A client of the office at `url`, for an enrolled device. A call waits `timeout_ms` for its answer.
    pub fn new(url: &str, device: DeviceId, key: SigningKey, timeout_ms: u64) -> Result<Client, ClientError> {
        let (http, url) = (http(timeout_ms)?, trimmed(url));
        Ok(Client { http, url, device, key, token: Mutex::new(None), mode: Mode::Live })
    }

    /// Talks to offices of this mode only; of live ones otherwise.
    pub fn of_mode(self, mode: Mode) -> Client {
        Client { mode, ..self }
    }

    /// The device's signature over `bytes`, hex.
    pub fn sign(&self, bytes: &[u8]) -> String {
        hex::encode(self.key.sign(bytes).to_bytes())
    }

    /// The device.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// Sends a batch that is signed already.
    pub async fn push(&self, batch: &Batch) -> Result<PushAnswer, ClientError> {
        let packed = batch.encode()?;
        self.call(|http, url| http.post(format!("{url}/v1/journal")).body(packed.clone())).await
    }

    /// Asks for what changed; waits up to `wait_ms` for it.
    pub async fn feed(&self, epoch: Option<Uuid>, cursor: &Cursor, wait_ms: u64) -> Result<FeedPage, ClientError> {
        let cursor = serde_json::to_string(cursor).map_err(|why| ClientError::BadAnswer(why.to_string()))?;
        let mut url = format!("{}/v1/feed?wait_ms={wait_ms}&cursor={}", self.url, percent(&cursor));
        if let Some(epoch) = epoch {
            url.push_str(&format!("&epoch={epoch}"));
        }
        let patience = Duration::from_millis(wait_ms) + Duration::from_secs(10);
        self.call(|http, _| http.get(&url).timeout(patience)).await
    }

    /// One call with a token; a new token once if the old one is not good any more.
    async fn call<T: serde::de::DeserializeOwned>(
        &self,
        build: impl Fn(&reqwest::Client, &str) -> RequestBuilder,
    ) -> Result<T, ClientError> {
        for fresh in [false, true] {
            let token = self.token(fresh).await?;
            let response = build(&self.http, &self.url).bearer_auth(token).send().await?;
            if response.status() != StatusCode::UNAUTHORIZED || fresh {
                return answer(response).await;
            }
        }
        Err(ClientError::BadAnswer("no token".to_owned()))
    }

    async fn token(&self, fresh: bool) -> Result<String, ClientError> {
        let mut kept = self.token.lock().await;
        if let (Some(token), false) = (kept.as_ref(), fresh) {
            return Ok(token.clone());
        }
        let ask = async |answer: Option<ChallengeAnswer>| {
            let request = SessionRequest { device: self.device, answer };
            let response = self.http.post(format!("{}/v1/session", self.url)).json(&request).send().await?;
            self::answer::<SessionAnswer>(response).await
        };
        let unexpected = || ClientError::BadAnswer("unexpected step of a session".to_owned());
        let SessionAnswer::Challenge { nonce } = ask(None).await? else { return Err(unexpected()) };
        let signature = self.sign(&challenge_bytes(self.device, &nonce));
        let signed = Some(ChallengeAnswer { nonce, signature });
        let SessionAnswer::Token { token, mode, .. } = ask(signed).await? else { return Err(unexpected()) };
        if mode != self.mode {
            return Err(ClientError::OtherMode { office: mode, device: self.mode });
        }
        *kept = Some(token.clone());
        Ok(token)
    }
}

/// Enrols a device with a one-time code; the office's answer.
pub async fn enrol(url: &str, code: &str, key: &SigningKey, timeout_ms: u64) -> Result<EnrolAnswer, ClientError> {
    let request = EnrolRequest {
        code: code.to_owned(),
        public_key: hex::encode(key.verifying_key().to_bytes()),
        program: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let response = http(timeout_ms)?.post(format!("{}/v1/enrol", trimmed(url))).json(&request).send().await?;
    answer(response).await
}

/// The signing bytes' fields of a batch, in one place for device and tests.
pub fn sign_batch(client: &Client, batch: &mut Batch) {
    let e = &batch.envelope;
    let epoch: Epoch = e.epoch;
    let bytes = super::wire::batch_bytes(client.device, epoch, e.last, e.head, &e.head_hash.to_string());
    batch.envelope.signature = client.sign(&bytes);
}

fn http(timeout_ms: u64) -> Result<reqwest::Client, ClientError> {
    let timeout = Duration::from_millis(timeout_ms);
    Ok(reqwest::Client::builder().timeout(timeout).connect_timeout(timeout).no_proxy().build()?)
}

fn trimmed(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

/// Everything but letters, digits and `-._~` as `%XX` (RFC 3986, section 2.1).
fn percent(text: &str) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-._~".contains(b);
    text.bytes().map(|b| if plain(&b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

async fn answer<T: serde::de::DeserializeOwned>(mut response: Response) -> Result<T, ClientError> {
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > ANSWER_MAX_BYTES {
            return Err(ClientError::BadAnswer("it is larger than any answer may be".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        let problem = serde_json::from_slice::<Problem>(&body);
        return Err(problem.map_or_else(|_| ClientError::BadAnswer(status.to_string()), ClientError::Refused));
    }
    serde_json::from_slice(&body).map_err(|why| ClientError::BadAnswer(why.to_string()))
}
