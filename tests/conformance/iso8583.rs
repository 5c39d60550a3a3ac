//! iso8583sim 1.6.0 as a host: ISO 8583 over TCP by other hands, in a process of its own, with a ledger behind it.

use super::iso8583_host::Host;
use super::peers::{Card, Effects, Later, Peer};
use super::proxy::Wire;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tillroll::office::processors::{self, CardPresent, Late, Processor, Sent, Source};
use tokio::sync::mpsc;

/// Messages of this length and more are cut off after their 2-byte length.
fn whole(bytes: &[u8]) -> Option<usize> {
    let length = 2 + usize::from(u16::from_be_bytes([*bytes.first()?, *bytes.get(1)?]));
    (bytes.len() >= length).then_some(length)
}

/// Sign-on and echo (0800) belong to no step.
fn counts(bytes: &[u8]) -> bool {
    bytes.get(2..4) != Some(b"08")
}

/// The running host.
pub struct Iso8583 {
    host: Host,
}

impl Iso8583 {
    /// Starts it; `None`, with a sentence, where it is not installed.
    pub fn start() -> Option<Iso8583> {
        Host::start("ascii-binary").map(|host| Iso8583 { host })
    }
}

impl Peer for Iso8583 {
    fn name(&self) -> &'static str {
        "iso8583sim"
    }

    fn wire(&self) -> Wire {
        Wire { whole, counts, many: true }
    }

    fn host(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.host.port))
    }

    fn open(&self, through: SocketAddr, answer_ms: u64, late: mpsc::Sender<Late>) -> Arc<dyn Processor> {
        processors::open(&format!("iso8583://{through}?profile=ascii"), answer_ms, late).unwrap()
    }

    fn charge(&self, card: Card) -> Source {
        let ksn = match card {
            Card::Good => "FFFF9876543210E00001",
            Card::Declined => "FFFF9876543210E00005",
        };
        Source::Card(CardPresent {
            ciphertext: "q83vEjRWeJCrze8SNFZ4kA==".to_owned(),
            ksn: ksn.to_owned(),
            key_id: "ansi-test".to_owned(),
            encryption_type: "02".to_owned(),
            emv: BTreeMap::from([("9F02".to_owned(), "000000001999".to_owned())]),
        })
    }

    fn effects<'a>(&'a self, of: &'a Sent) -> Later<'a, Effects> {
        Box::pin(async move {
            let book = self.host.payment(&of.rrn);
            let sum = |what: &str| {
                let entries = book[what].as_array().unwrap();
                (entries.len(), entries.iter().filter_map(|one| one["minor"].as_i64()).sum::<i64>())
            };
            let (captures, captured_minor) = sum("captured");
            let (refunds, refunded_minor) = sum("refunded");
            let reversed = book["reversed"].as_array().unwrap().iter().any(|one| one["found"] == true);
            let authorised = sum("authorised").0;
            Effects {
                captured_minor,
                refunded_minor,
                live_authorisations: u32::from(authorised > 0 && captures == 0 && !reversed),
                movements: u32::try_from(captures + refunds).unwrap(),
            }
        })
    }

    /// Behind their length: nothing, rubbish, an answer with no fields, an answer to nobody.
    fn garbage(&self) -> Vec<Vec<u8>> {
        let framed = |body: &[u8]| [&u16::try_from(body.len()).unwrap().to_be_bytes()[..], body].concat();
        vec![
            framed(b""),
            framed(b"\0"),
            framed(b"0110"),
            framed(b"0110\0\0\0\0\0\0\0\0"),
            framed(b"9999\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
            framed(&[0x30; 300]),
            b"\xFF\xFF0110".to_vec(),
        ]
    }
}
