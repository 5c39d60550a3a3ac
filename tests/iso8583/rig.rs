//! The third-party host as a process, its ledger and its faults; and payments to try it with.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use tillroll::office::payments::follow_up::sent;
use tillroll::office::processors::{self, Authorisation, CardPresent, FollowUp, Late, Processor, Source};
use tokio::sync::mpsc;

/// The Python that has the peers; `None`, with a sentence, where nothing was set up.
pub fn python() -> Option<PathBuf> {
    let python = std::env::var_os("TILLROLL_PYTHON").map(PathBuf::from);
    assert!(python.is_some() || std::env::var_os("CI").is_none(), "TILLROLL_PYTHON is not set: use tests/run");
    if python.is_none() {
        eprintln!("left out: ISO 8583 by other hands is not set up; use tests/run");
    }
    python
}

pub fn peer(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script)
}

/// A running host. Ends with this.
pub struct Host {
    child: Child,
    pub port: u16,
    control: Mutex<BufReader<TcpStream>>,
}

impl Drop for Host {
    fn drop(&mut self) {
        // One that is gone already needs no end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Host {
    /// A host with binary or hexadecimal bitmaps; `None` where it is not installed.
    pub fn start(format: &str) -> Option<Host> {
        let mut command = Command::new(python()?);
        command.arg(peer("iso8583_host.py")).args(["--format", format]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let ports: Value = serde_json::from_str(&said).unwrap();
        let port = |name: &str| u16::try_from(ports[name].as_u64().unwrap()).unwrap();
        let control = TcpStream::connect(("127.0.0.1", port("control"))).unwrap();
        Some(Host { child, port: port("port"), control: Mutex::new(BufReader::new(control)) })
    }

    pub fn ask(&self, order: &Value) -> Value {
        let mut control = self.control.lock().unwrap();
        // In one piece: small ones are held back for tens of milliseconds each.
        control.get_mut().write_all(format!("{order}\n").as_bytes()).unwrap();
        let mut said = String::new();
        control.read_line(&mut said).unwrap();
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["error"], Value::Null, "{order}");
        said
    }

    /// For the next message of this kind about this payment.
    pub fn fault(&self, mti: &str, rrn: &str, fault: &Value) {
        let mut order = json!({ "do": "fault", "mti": mti, "rrn": rrn });
        order.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
        self.ask(&order);
    }

    pub fn payment(&self, rrn: &str) -> Value {
        self.ask(&json!({ "do": "payment", "rrn": rrn }))
    }

    /// How often a payment was authorised, captured, reversed and refunded.
    pub fn effects(&self, rrn: &str) -> [usize; 4] {
        let book = self.payment(rrn);
        ["authorised", "captured", "reversed", "refunded"].map(|what| book[what].as_array().map_or(0, Vec::len))
    }

    pub fn ledger(&self) -> Value {
        let ledger = self.ask(&json!({ "do": "ledger" }));
        assert_eq!(ledger["troubles"], json!([]), "the host could not do something");
        ledger
    }

    /// An adapter to it, and its late answers.
    pub fn adapter(&self, profile: &str, answer_ms: u64) -> (Arc<dyn Processor>, mpsc::Receiver<Late>) {
        let (late, lates) = mpsc::channel(1);
        let address = format!("iso8583://127.0.0.1:{}?profile={profile}", self.port);
        (processors::open(&address, answer_ms, late).unwrap(), lates)
    }
}

static COUNT: AtomicU32 = AtomicU32::new(0);

fn next() -> u32 {
    COUNT.fetch_add(1, Ordering::Relaxed) + 1
}

/// Noon of a day in November, UTC.
pub const NOON_MS: i64 = 1_795_521_600_000;

/// A request with numbers of its own.
pub fn request(amount_minor: i64) -> Authorisation {
    let n = next();
    let emv = [("9F26", "5A5A5A5A5A5A5A5A"), ("9F27", "80"), ("9F02", "000000001235"), ("DF01", "00")];
    Authorisation {
        key: format!("key-{n}"),
        stan: n,
        rrn: format!("e5a1{n:08}"),
        at_ms: NOON_MS,
        terminal: "D07".to_owned(),
        amount_minor,
        currency: "EUR".to_owned(),
        deferred: false,
        allow_partial: true,
        keep_card: false,
        reference: None,
        source: Source::Card(CardPresent {
            ciphertext: "q83vEjRWeJCrze8SNFZ4kA==".to_owned(),
            ksn: "FFFF9876543210E00001".to_owned(),
            key_id: "ansi-test".to_owned(),
            encryption_type: "02".to_owned(),
            emv: emv.map(|(tag, value)| (tag.to_owned(), value.to_owned())).into_iter().collect::<BTreeMap<_, _>>(),
        }),
    }
}

/// What follows a request, with a number of its own.
pub fn follow(request: &Authorisation, amount_minor: i64) -> FollowUp {
    let n = next();
    FollowUp {
        of: sent(request),
        key: format!("key-{n}"),
        stan: n,
        at_ms: NOON_MS + 61_000,
        repeat: false,
        amount_minor,
    }
}

pub fn again(call: &FollowUp) -> FollowUp {
    FollowUp { repeat: true, ..call.clone() }
}
