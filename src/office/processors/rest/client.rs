//! Requests and answers: form out, bounded JSON in. Knows nothing of payments.
//!
//! Invariant: every POST carries an idempotency key; the account's key is never shown. Start at [`Client`].

use crate::office::processors::ProcessorError;
use serde_json::Value;
use std::fmt;
use std::time::Duration;
use zeroize::Zeroizing;

/// The longest answer that is read, bytes: a page of a hundred payments has about 300 000.
const BODY_MAX: usize = 4 << 20;
/// The longest key of an account, bytes.
const KEY_MAX: usize = 512;
/// The longest sentence of the server that is handed on, characters.
const WORDS_MAX: usize = 200;

/// The account's key.
pub struct Secret(Zeroizing<String>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Secret {
    /// The first line of a file.
    pub fn from_file(path: &str) -> Result<Secret, ProcessorError> {
        let text = std::fs::read_to_string(path)
            .map_err(|why| ProcessorError::Setting(format!("the processor's key in {path} cannot be read: {why}")))?;
        Secret::new(Zeroizing::new(text), path)
    }

    /// An environment variable.
    pub fn from_env(name: &str) -> Result<Secret, ProcessorError> {
        let text = std::env::var(name).map_err(|_| {
            ProcessorError::Setting(format!("the environment has no {name}, or it is no text: put the key there"))
        })?;
        Secret::new(Zeroizing::new(text), name)
    }

    /// `from` is where it stood, for the sentence when it is no key.
    pub fn new(text: Zeroizing<String>, from: &str) -> Result<Secret, ProcessorError> {
        let key = text.trim();
        if key.is_empty() || key.len() > KEY_MAX || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(ProcessorError::Setting(format!(
                "{from} holds no key: one line of printable ASCII is expected"
            )));
        }
        Ok(Secret(Zeroizing::new(key.to_owned())))
    }
}

/// An answer that came whole and was JSON.
#[derive(Debug)]
pub struct Said {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

impl Said {
    /// What it says is wrong, as far as it is this kind of API that says it.
    fn error(&self, field: &str) -> Option<&str> {
        self.body.get("error")?.get(field)?.as_str()
    }

    /// Whether the API itself has understood the request and refused it: it had no effect. 401, 403, 409 and 429 are
    /// left out: they are about the moment, and not about the request.
    pub fn is_refusal(&self) -> bool {
        matches!(self.status, 400 | 402 | 404) && self.error("type").is_some()
    }

    /// Why, in the server's words.
    pub fn why(&self) -> String {
        let words = self.error("message").unwrap_or("no reason given");
        let words: String = words.chars().filter(|c| !c.is_control()).take(WORDS_MAX).collect();
        format!("{}: {words}", self.status)
    }

    /// Nothing to go by.
    pub fn doubt(&self) -> ProcessorError {
        ProcessorError::InDoubt(self.why())
    }
}

/// Fields of a form or of a query.
pub type Fields<'a> = [(&'a str, &'a str)];

/// Speaks to one server for one account.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: Secret,
}

impl Client {
    /// `base`: `http://HOST:PORT`.
    pub fn new(base: String, key: Secret, answer_ms: u64) -> Result<Client, ProcessorError> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_millis(answer_ms))
            // What another address answers is no answer, and it must not get the key.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|why| ProcessorError::Setting(why.to_string()))?;
        Ok(Client { http, base, key })
    }

    /// Reads.
    pub async fn get(&self, path: &str, query: &Fields<'_>) -> Result<Said, ProcessorError> {
        let mark = if query.is_empty() { "" } else { "?" };
        self.answered(self.http.get(format!("{}{path}{mark}{}", self.base, encode(query)))).await
    }

    /// Writes. `once`: the same write has the same, at most 255 characters.
    pub async fn post(&self, path: &str, form: &Fields<'_>, once: &str) -> Result<Said, ProcessorError> {
        let request = self.http.post(format!("{}{path}", self.base));
        let request = request
            .header("idempotency-key", once)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(encode(form));
        self.answered(request).await
    }

    async fn answered(&self, request: reqwest::RequestBuilder) -> Result<Said, ProcessorError> {
        let doubt = |why: reqwest::Error| ProcessorError::InDoubt(why.without_url().to_string());
        let mut answer = request.bearer_auth(self.key.0.as_str()).send().await.map_err(doubt)?;
        let status = answer.status().as_u16();
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(doubt)? {
            if bytes.len() + piece.len() > BODY_MAX {
                return Err(ProcessorError::InDoubt(format!("{status}: the answer is longer than {BODY_MAX} bytes")));
            }
            bytes.extend_from_slice(&piece);
        }
        let body = serde_json::from_slice(&bytes)
            .map_err(|why| ProcessorError::InDoubt(format!("{status}: the answer is no JSON: {why}")))?;
        Ok(Said { status, body })
    }
}

/// `application/x-www-form-urlencoded`; brackets stay, as such APIs write them.
fn encode(fields: &Fields<'_>) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        if !text.is_empty() {
            text.push('&');
        }
        escape(&mut text, name, b"-._[]");
        text.push('=');
        escape(&mut text, value, b"-._");
    }
    text
}

fn escape(into: &mut String, text: &str, plain: &[u8]) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.push_str(&hex::encode_upper([byte]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_cannot_be_broken_out_of() {
        let cases: [(&Fields<'_>, &str); 3] = [
            (&[], ""),
            (&[("metadata[tillroll_key]", "a&b=c")], "metadata[tillroll_key]=a%26b%3Dc"),
            (&[("a", "ü +"), ("b", "\r\n")], "a=%C3%BC%20%2B&b=%0D%0A"),
        ];
        for (fields, expect) in cases {
            assert_eq!(encode(fields), expect);
        }
    }

    #[test]
    fn a_key_is_one_line_and_never_shown() {
        let key = |text: &str| Secret::new(Zeroizing::new(text.to_owned()), "the file");
        assert_eq!(format!("{:?}", key("sk_test_1\n").unwrap()), "***");
        for bad in ["", " \n", "two lines\nof text", "sk_\u{e9}"] {
            assert!(matches!(key(bad), Err(ProcessorError::Setting(_))), "{bad:?}");
        }
        assert!(matches!(key(&"k".repeat(KEY_MAX + 1)), Err(ProcessorError::Setting(_))));
    }
}
