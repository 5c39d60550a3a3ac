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
//! - [`Peer::exempt`] names, with the reason, what this host cannot keep however the adapter behaves.

use super::proxy::{Fault, Step, Wire};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use tempfile::TempDir;
use tillroll::office::processors::{self, CardPresent, Late, Processor, Sent, Source};
use tillroll::processor::{Processor as Host, ProcessorConfig};
use tillroll_hardware::dukpt;
use tillroll_hardware::reader::cards::TEST_CARDS;
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

    /// Why this fault is left out at this step.
    fn exempt(&self, _: Step, _: &Fault) -> Option<&'static str> {
        None
    }

    /// The adapter's time-out during the faults, milliseconds.
    fn answer_ms(&self) -> u64 {
        300
    }

    /// A message is cut at so many places at the most.
    fn cuts(&self) -> usize {
        24
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
    address: SocketAddr,
    client: reqwest::Client,
    _folder: TempDir,
}

impl Simulated {
    pub async fn start() -> Simulated {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::open(ProcessorConfig { ledger: folder.path().join("ledger.sqlite"), slow_ms: 0 }).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(host.serve(listener, std::future::pending()));
        Simulated { address, client: reqwest::Client::new(), _folder: folder }
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
        self.address
    }

    fn open(&self, through: SocketAddr, answer_ms: u64, late: mpsc::Sender<Late>) -> Arc<dyn Processor> {
        processors::open(&format!("http://{through}"), answer_ms, late).unwrap()
    }

    fn charge(&self, card: Card) -> Source {
        // As the reader encrypts it: tag 57 and 9F02, under the counter of its KSN.
        let (name, counter) = match card {
            Card::Good => ("visa-tap", 1),
            Card::Declined => ("decline", 2),
        };
        let pan = TEST_CARDS.iter().find(|card| card.name == name).unwrap().pan;
        let mut track2 = format!("{pan}D30122010000000000");
        if !track2.len().is_multiple_of(2) {
            track2.push('F');
        }
        let inner = format!("57{:02X}{track2}9F0206{AMOUNT_MINOR:012}", track2.len() / 2);
        let mut plain = hex::decode(format!("FC{:02X}{inner}", inner.len() / 2)).unwrap();
        plain.resize(plain.len().next_multiple_of(8), 0);
        let ksn = [0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, counter];
        let ciphertext = dukpt::encrypt_data(&dukpt::ANSI_TEST_BDK, &ksn, &plain).unwrap();
        Source::Card(CardPresent {
            ciphertext: BASE64.encode(ciphertext),
            ksn: hex::encode_upper(ksn),
            key_id: "ansi-test".to_owned(),
            encryption_type: "80".to_owned(),
            emv: BTreeMap::from([("9F02".to_owned(), format!("{AMOUNT_MINOR:012}"))]),
        })
    }

    fn effects<'a>(&'a self, of: &'a Sent) -> Later<'a, Effects> {
        Box::pin(async move {
            let url = format!("http://{}/v1/ledger", self.address);
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
