//! The hosts that the suite plays against, each with an adapter in front of it.
//!
//! To add one: implement [`Peer`] for a struct that owns the running host (a child process ends with it), in a file of
//! its own under `conformance/`, and add a test to `conformance.rs` that calls `suite::holds(YOURS::start(…).await)`.
//! Five things are asked of it:
//!
//! - [`Peer::wire`] says where a message ends. For HTTP that is [`Wire::HTTP`]; for messages behind a 2-byte length,
//!   `|b| { let n = 2 + usize::from(u16::from_be_bytes([*b.first()?, *b.get(1)?])); (b.len() >= n).then_some(n) }`.
//!   `counts` leaves out what belongs to no step, such as 0800.
//! - [`Peer::open`] opens the adapter at the proxy's address, with the time-out that it is told.
//! - [`Peer::charge`] is what a card that is approved, or declined, hands over.
//! - [`Peer::effects`] reads the *host's own* book for one attempt, by its key or RRN: not through the adapter, and not
//!   through the proxy.
//! - [`Peer::refunds_twice`] says whether this host makes two refunds of one that the network doubled.

use super::card;
use super::proxy::Wire;
use serde_json::Value;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tillroll::office::processors::{self, CardPresent, Late, Processor, Sent, Source};
use tillroll::processor::{Processor as Host, ProcessorConfig};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// What every play charges, minor units.
pub const AMOUNT_MINOR: i64 = 1_999;
/// In this currency.
pub const CURRENCY: &str = "EUR";

/// How the card that is charged behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Card {
    Good,
    Declined,
}

/// What the host's own book says of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effects {
    /// Captured, minor units, without what was given back.
    pub captured_minor: i64,
    /// Given back, minor units.
    pub refunded_minor: i64,
    /// Approved, and neither captured nor reversed.
    pub live_authorisations: u32,
    /// How many captures and refunds were booked.
    pub movements: u32,
}

/// Some time.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A running host and how to speak to it.
pub trait Peer: Send + Sync + 'static {
    fn name(&self) -> &'static str;
    fn wire(&self) -> Wire;
    fn host(&self) -> SocketAddr;
    fn open(&self, through: SocketAddr, answer_ms: u64, late: mpsc::Sender<Late>) -> Arc<dyn Processor>;
    fn charge(&self, card: Card) -> Source;
    fn effects<'a>(&'a self, of: &'a Sent) -> Later<'a, Effects>;

    /// Answers that no adapter may take for one.
    fn garbage(&self) -> Vec<Vec<u8>>;

    /// Makes two refunds of two equal requests, whoever sends the second: what no adapter can prevent must be noticed.
    fn refunds_twice(&self) -> bool {
        false
    }

    /// The adapter's time-out during the faults, milliseconds.
    fn answer_ms(&self) -> u64 {
        300
    }

    /// A message is cut at so many places at the most.
    fn cuts(&self) -> usize {
        24
    }

    /// So many plays at the same time at the most.
    fn at_once(&self) -> usize {
        12
    }

    /// After so many plays the host may forget.
    fn batch(&self) -> usize {
        36
    }

    /// Nothing is under way; the host may forget what was.
    fn forget(&self) -> Later<'_, ()> {
        Box::pin(async {})
    }
}

/// What is no answer in HTTP, or not one that was asked for.
pub fn http_garbage() -> Vec<Vec<u8>> {
    let json = |body: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes();
    vec![
        b"\0".to_vec(),
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n{}".to_vec(),
        b"HTTP/1.1 302 Found\r\nlocation: /v1/approved\r\ncontent-length: 0\r\n\r\n".to_vec(),
        b"HTTP/1.1 503 Busy\r\ncontent-length: 2\r\n\r\n{}".to_vec(),
        json("null"),
        json("[]"),
        json("{}"),
        json("{\"result\":\"approved\"}"),
        json("{\"status\":\"requires_capture\",\"status\":\"succeeded\"}"),
        json(&"[".repeat(4096)),
    ]
}

/// tillroll's own simulated processor.
pub struct Simulated {
    client: reqwest::Client,
    folder: TempDir,
    running: Mutex<SocketAddr>,
}

impl Simulated {
    pub async fn start() -> Simulated {
        let folder = tempfile::tempdir().unwrap();
        let running = Mutex::new(Simulated::host_in(&folder).await);
        Simulated { client: reqwest::Client::new(), folder, running }
    }

    /// A host with an empty ledger.
    async fn host_in(folder: &TempDir) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let ledger = folder.path().join(format!("ledger-{}.sqlite", address.port()));
        let host = Host::open(ProcessorConfig { ledger, slow_ms: 0 }).unwrap();
        tokio::spawn(host.serve(listener, std::future::pending()));
        address
    }
}

impl Peer for Simulated {
    fn name(&self) -> &'static str {
        "simulated"
    }

    fn wire(&self) -> Wire {
        Wire::HTTP
    }

    fn host(&self) -> SocketAddr {
        *self.running.lock().unwrap()
    }

    /// The ledger is shown whole or not at all, and a long one takes long to show.
    fn forget(&self) -> Later<'_, ()> {
        Box::pin(async {
            let fresh = Simulated::host_in(&self.folder).await;
            *self.running.lock().unwrap() = fresh;
        })
    }

    fn open(&self, through: SocketAddr, answer_ms: u64, late: mpsc::Sender<Late>) -> Arc<dyn Processor> {
        processors::open(&format!("http://{through}"), answer_ms, late).unwrap()
    }

    fn charge(&self, card: Card) -> Source {
        let (name, counter) = match card {
            Card::Good => ("visa-tap", 1),
            Card::Declined => ("decline", 2),
        };
        let read = card::card_data(name, counter, AMOUNT_MINOR);
        Source::Card(CardPresent {
            ciphertext: read.ciphertext,
            ksn: read.ksn,
            key_id: "ansi-test".to_owned(),
            encryption_type: hex::encode([read.encryption_type]),
            emv: read.emv.into_iter().collect(),
        })
    }

    fn effects<'a>(&'a self, of: &'a Sent) -> Later<'a, Effects> {
        Box::pin(async move {
            let url = format!("http://{}/v1/ledger", self.host());
            let book: Value = self.client.get(url).send().await.unwrap().json().await.unwrap();
            assert_eq!(book["truncated"], false, "the ledger shows everything");
            let mine = |row: &&Value| row["key"] == of.key.as_str();
            let Some(row) = book["authorisations"].as_array().unwrap().iter().find(mine) else {
                return Effects::default();
            };
            let minor = |field: &str| row[field].as_i64().unwrap_or(0);
            let (captured_minor, refunded_minor) = (minor("captured_minor"), minor("refunded_minor"));
            let live = minor("amount_minor") > 0 && captured_minor == 0 && row["reversed"] == false;
            Effects {
                captured_minor,
                refunded_minor,
                live_authorisations: u32::from(live),
                // One capture a key, and the amounts tell how many refunds there were.
                movements: u32::from(captured_minor > 0) + u32::from(refunded_minor > 0),
            }
        })
    }

    fn garbage(&self) -> Vec<Vec<u8>> {
        http_garbage()
    }
}
