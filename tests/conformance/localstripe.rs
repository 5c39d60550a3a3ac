//! localstripe 1.15.10 as a host: a payment API in the manner of Stripe's, by other hands, in a process of its own.
//!
//! It ignores idempotency keys and gives back more than was charged; `keys` makes it honour them. The Python is the one
//! that `tests/run` installs and names in TILLROLL_PYTHON; without it these tests say so and pass, except in CI.

use super::peers::{Card, Effects, Later, Peer, http_garbage};
use super::proxy::Wire;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use tempfile::NamedTempFile;
use tillroll::office::processors::{self, Late, Processor, Sent, Source};
use tokio::sync::mpsc;

/// A key of the form that localstripe accepts.
const KEY: &str = "sk_test_conformance";

fn python() -> Option<PathBuf> {
    let python = std::env::var_os("TILLROLL_PYTHON").map(PathBuf::from);
    assert!(python.is_some() || std::env::var_os("CI").is_none(), "TILLROLL_PYTHON is not set: use tests/run");
    let python = python.filter(|python| {
        let has = Command::new(python).args(["-c", "import localstripe"]).stderr(Stdio::null()).status();
        let has = has.is_ok_and(|status| status.success());
        assert!(has || std::env::var_os("CI").is_none(), "{} has no localstripe: use tests/run", python.display());
        has
    });
    if python.is_none() {
        eprintln!("left out: localstripe is not set up; use tests/run");
    }
    python
}

/// The running host.
pub struct Localstripe {
    process: Child,
    _input: ChildStdin,
    address: SocketAddr,
    key: NamedTempFile,
    client: reqwest::Client,
    keys: bool,
}

impl Drop for Localstripe {
    fn drop(&mut self) {
        // One that is gone already needs no end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Localstripe {
    /// Starts it; `None`, with a sentence, where it is not installed.
    pub fn start(keys: bool) -> Option<Localstripe> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/rest_host.py");
        let mut command = Command::new(python()?);
        command.arg(script).args(keys.then_some("--keys"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], line.trim().parse().unwrap()));
        let mut key = NamedTempFile::new().unwrap();
        writeln!(key, "{KEY}").unwrap();
        let _input = process.stdin.take().unwrap();
        Some(Localstripe { process, _input, address, key, client: reqwest::Client::new(), keys })
    }

    /// Reads the host's own book, not through the adapter and not through a proxy.
    pub async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("http://{}{path}", self.address)).bearer_auth(KEY);
        request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
    }

    /// Writes without the adapter.
    pub async fn post(&self, path: &str, form: &str) -> Value {
        let request = self.client.post(format!("http://{}{path}", self.address)).bearer_auth(KEY);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
        request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
    }

    /// The intents with this key.
    pub async fn intents(&self, key: &str) -> Vec<Value> {
        serde_json::from_value(self.get(&format!("/_intents/{key}")).await).unwrap()
    }

    /// The adapter's address for this host.
    pub fn url(&self, through: SocketAddr) -> String {
        format!("stripe+http://{through}?key_file={}&plain", self.key.path().display())
    }
}

impl Peer for Localstripe {
    fn name(&self) -> &'static str {
        if self.keys { "localstripe honouring keys" } else { "localstripe" }
    }

    fn wire(&self) -> Wire {
        Wire::HTTP
    }

    fn host(&self) -> SocketAddr {
        self.address
    }

    fn open(&self, through: SocketAddr, answer_ms: u64, late: mpsc::Sender<Late>) -> Arc<dyn Processor> {
        processors::open(&self.url(through), answer_ms, late).unwrap()
    }

    fn charge(&self, card: Card) -> Source {
        Source::OnFile(match card {
            Card::Good => "pm_card_visa".to_owned(),
            Card::Declined => "pm_card_chargeCustomerFail".to_owned(),
        })
    }

    fn effects<'a>(&'a self, of: &'a Sent) -> Later<'a, Effects> {
        Box::pin(async move {
            let mut sum = Effects::default();
            for intent in self.intents(&of.key).await {
                match intent["status"].as_str().unwrap() {
                    "requires_capture" => sum.live_authorisations += 1,
                    "succeeded" => {
                        let charge = &intent["latest_charge"];
                        sum.captured_minor += charge["amount"].as_i64().unwrap();
                        sum.refunded_minor += charge["amount_refunded"].as_i64().unwrap();
                        let refunds = charge["refunds"]["data"].as_array().unwrap().len();
                        sum.movements += 1 + u32::try_from(refunds).unwrap();
                    }
                    _ => {}
                }
            }
            sum
        })
    }

    fn garbage(&self) -> Vec<Vec<u8>> {
        http_garbage()
    }

    fn refunds_twice(&self) -> bool {
        !self.keys
    }

    fn answer_ms(&self) -> u64 {
        900
    }

    fn cuts(&self) -> usize {
        if self.keys { 2 } else { 7 }
    }

    /// All of a batch wait for their time-outs together.
    fn at_once(&self) -> usize {
        16
    }

    fn batch(&self) -> usize {
        16
    }

    fn forget(&self) -> Later<'_, ()> {
        Box::pin(async {
            let url = format!("http://{}/_config/data", self.address);
            self.client.delete(url).send().await.unwrap().error_for_status().unwrap();
        })
    }
}
