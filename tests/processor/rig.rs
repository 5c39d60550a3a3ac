//! A processor on a free port with a ledger of its own, and the requests that an office would send.

#[path = "../common/card.rs"]
mod card;

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tillroll::processor::{Processor, ProcessorConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub const SLOW_MS: u64 = 400;
pub const AMOUNT_MINOR: i64 = 1_235;

/// A running processor; `stop` ends it and waits.
pub struct Running {
    pub address: SocketAddr,
    client: reqwest::Client,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    pub async fn start(folder: &Path) -> Self {
        let config = ProcessorConfig { ledger: folder.join("processor.sqlite"), slow_ms: SLOW_MS };
        let processor = Processor::open(config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(processor.serve(listener, async move {
            let _ = stopped.await;
        }));
        Self { address, client: reqwest::Client::new(), stop, task }
    }

    pub async fn stop(self) {
        drop(self.client);
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
    }

    pub fn send(&self, route: &str, body: &Value) -> impl Future<Output = reqwest::Result<reqwest::Response>> + use<> {
        self.client.post(format!("http://{}/v1/{route}", self.address)).json(body).send()
    }

    pub async fn post(&self, route: &str, body: Value) -> Value {
        let response = self.send(route, &body).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{route}");
        response.json().await.unwrap()
    }

    pub async fn problem(&self, route: &str, body: Value) -> (u16, String) {
        let response = self.send(route, &body).await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let status = response.status().as_u16();
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["status"], status);
        (status, problem["type"].as_str().unwrap().trim_start_matches("urn:tillroll:processor:").to_owned())
    }

    pub async fn ledger(&self) -> Value {
        self.client.get(format!("http://{}/v1/ledger", self.address)).send().await.unwrap().json().await.unwrap()
    }
}

/// The card data of one read, as an office sends it.
pub fn card_data(name: &str, counter: u8, amount_minor: i64) -> Value {
    let read = card::card_data(name, counter, amount_minor);
    json!({
        "ciphertext": read.ciphertext,
        "ksn": read.ksn,
        "key_id": "ansi-test",
        "encryption_type": hex::encode([read.encryption_type]),
    })
}

pub fn order(key: &str, name: &str, counter: u8) -> Value {
    json!({
        "key": key, "stan": "000001", "rrn": "000000000001", "terminal": "D07",
        "amount_minor": AMOUNT_MINOR, "currency": "EUR", "deferred": false, "allow_partial": true,
        "card": card_data(name, counter, AMOUNT_MINOR),
        "emv": { "9F02": format!("{AMOUNT_MINOR:012}") },
    })
}

/// Sends a request by hand and returns everything that comes back until the connection ends.
pub async fn raw(address: SocketAddr, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v1/authorize HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.unwrap();
    received
}
