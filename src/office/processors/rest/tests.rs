//! The adapter against a server that answers what a test tells it to, byte by byte.

mod hostile;
mod meanings;

use super::Rest;
use crate::office::processors::{Authorisation, FollowUp, Sent, Source};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const AMOUNT_MINOR: i64 = 1_999;

/// Gives its answers one after another, the last one for ever; keeps what it was asked.
struct Server {
    rest: Rest,
    asked: Arc<Mutex<Vec<String>>>,
    _key: tempfile::NamedTempFile,
}

impl Server {
    async fn start(answers: Vec<Vec<u8>>, plain: bool) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = asked.clone();
        tokio::spawn(async move {
            let mut left = answers.into_iter().peekable();
            while let Ok((mut stream, _)) = listener.accept().await {
                let text = request(&mut stream).await;
                heard.lock().unwrap().push(text);
                let answer = left.next().unwrap();
                if left.peek().is_none() {
                    left = vec![answer.clone()].into_iter().peekable();
                }
                // One that hangs up before the end has what it wanted.
                let _ = stream.write_all(&answer).await;
            }
        });
        let key = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(key.path(), "sk_test_raw").unwrap();
        let plain = if plain { "&plain" } else { "" };
        let address = format!("stripe+http://127.0.0.1:{port}?key_file={}{plain}", key.path().display());
        Server { rest: Rest::open(&address, 2_000).unwrap(), asked, _key: key }
    }

    async fn json(answers: Vec<(u16, Value)>) -> Server {
        Server::start(
            answers.into_iter().map(|(status, body)| http(status, body.to_string().as_bytes())).collect(),
            false,
        )
        .await
    }

    /// Request lines with their bodies, without the head.
    fn asked(&self) -> Vec<String> {
        let all = self.asked.lock().unwrap();
        let short = |text: &String| {
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            format!("{} {body}", head.lines().next().unwrap().trim_end_matches(" HTTP/1.1")).trim().to_owned()
        };
        all.iter().map(short).collect()
    }
}

async fn request(stream: &mut tokio::net::TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap() == 0 {
            return text;
        }
    }
}

fn http(status: u16, body: &[u8]) -> Vec<u8> {
    let mut head = String::new();
    write!(head, "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len()).unwrap();
    [head.as_bytes(), body].concat()
}

fn sent(reference: Option<&str>) -> Sent {
    Sent {
        key: "k-1".to_owned(),
        stan: 1,
        rrn: "c0de00000001".to_owned(),
        at_ms: 1_700_000_000_000,
        terminal: "D07".to_owned(),
        amount_minor: AMOUNT_MINOR,
        currency: "EUR".to_owned(),
        deferred: false,
        auth_code: None,
        reference: reference.map(str::to_owned),
    }
}

fn order(reference: Option<&str>) -> Authorisation {
    let of = sent(reference);
    Authorisation {
        key: of.key,
        stan: of.stan,
        rrn: of.rrn,
        at_ms: of.at_ms,
        terminal: of.terminal,
        amount_minor: of.amount_minor,
        currency: of.currency,
        deferred: false,
        allow_partial: true,
        keep_card: false,
        reference: of.reference,
        source: Source::OnFile("pm_card_visa".to_owned()),
    }
}

fn follow(tail: &str, amount_minor: i64) -> FollowUp {
    let of = sent(Some("pi_1"));
    FollowUp { key: format!("k-1-{tail}"), of, stan: 2, at_ms: 1_700_000_000_000, repeat: false, amount_minor }
}

/// An intent that is about what [`order`] asks for.
fn intent(status: &str) -> Value {
    json!({
        "id": "pi_1", "object": "payment_intent", "status": status, "amount": AMOUNT_MINOR, "currency": "eur",
        "created": 1_700_000_000, "metadata": { "tillroll_key": "k-1" }, "payment_method": "pm_1",
        "latest_charge": null,
    })
}

/// A captured one, of which so much was given back.
fn captured(refunded_minor: i64) -> Value {
    let mut intent = intent("succeeded");
    intent["amount_received"] = json!(AMOUNT_MINOR);
    intent["latest_charge"] = json!({ "amount": AMOUNT_MINOR, "captured": true, "amount_refunded": refunded_minor });
    intent
}

fn list(items: &[Value]) -> Value {
    json!({ "object": "list", "data": items, "has_more": false })
}
