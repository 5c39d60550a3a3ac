//! A simulated MMS reader: the other side of the messages, byte for byte, with real DUKPT under the public test keys.
//!
//! `Reader` is pure but for its key counter's file; [`crate::reader::sim`] is the task around it.

mod build;

use super::command::{self, Property};
use super::driver::MmsDriver;
use super::message::{Message, Status};
use super::notification::{self, choose, show};
use crate::reader::cards::{Presented, TestCard};
use crate::reader::sim::{Armed, Cipher, SimConfig, SimControl, Simulated};
use crate::reader::{ReaderLink, sim};
use crate::tlv;
use std::time::Duration;
use tokio::time::Instant;

/// Model and firmware that it says.
const MODEL: &[u8] = b"DynaFlex II Go\0";
const FIRMWARE: &[u8] = b"1000000000-SIM\0\0\0\0\0";

/// Starts a reader and its driver.
pub fn spawn(config: SimConfig) -> (ReaderLink, SimControl) {
    sim::spawn::<Reader, MmsDriver>(config)
}

struct Running {
    transaction: Vec<u8>,
    armed: Armed,
    stripe_only: bool,
    /// A card with several applications, until the host has chosen.
    choosing: Option<&'static TestCard>,
}

/// The reader itself.
pub struct Reader {
    serial: [u8; 4],
    cipher: Cipher,
    battery: u8,
    running: Option<Running>,
}

impl Simulated for Reader {
    type Message = Vec<u8>;

    fn new(config: &SimConfig) -> Reader {
        let digits = crate::bytes::unhex(&format!("{:0<8.7}", config.serial));
        let serial = <[u8; 4]>::try_from(digits.as_slice()).unwrap_or_default();
        Reader { serial, cipher: Cipher::new(config), battery: 100, running: None }
    }

    fn reset(&mut self) {
        self.running = None;
    }

    fn charge(&mut self, percent: u8) {
        self.battery = percent;
    }

    fn armed(&self) -> Option<Armed> {
        self.running.as_ref().filter(|run| run.choosing.is_none()).map(|run| run.armed)
    }

    fn message(&mut self, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        let Ok(Message::Request { reference, command, params }) = Message::decode(&bytes) else { return Vec::new() };
        let answer = |status, payload| Message::Response { reference, command, status, payload };
        let mut after = Vec::new();
        let response = match command {
            command::ECHO => answer(Status::DONE, Some(params)).encode(),
            command::SUBSCRIBE => answer(Status::DONE, Some(Vec::new())).encode(),
            command::BUZZER => {
                after.push(notification::plain(command::BUZZER, [5, 4, 1, 0]).encode());
                answer(Status::DONE, None).encode()
            }
            command::GET_PROPERTY => match Property::asked(&params) {
                Some(property) => {
                    let value = match property {
                        Property::Serial => self.serial.to_vec(),
                        Property::Model => MODEL.to_vec(),
                        Property::Firmware => FIRMWARE.to_vec(),
                        Property::Battery => vec![self.battery],
                    };
                    answer(Status::DONE, Some(property.answer(&value))).encode_long()
                }
                None => answer(Status::BAD_PARAMETER, None).encode(),
            },
            command::START => {
                let status = self.start(&params);
                if status.is_good() {
                    let stripe_only = self.running.as_ref().is_some_and(|run| run.stripe_only);
                    after.push(show(if stripe_only { "USE MAGSTRIPE" } else { "TAP, INSERT or SWIPE\0CARD" }).encode());
                }
                answer(status, None).encode()
            }
            command::CANCEL => match self.running.take() {
                None => answer(Status::NO_TRANSACTION, None).encode(),
                Some(_) => {
                    after.push(notification::plain(notification::COMPLETE, [0, 3, 1, 0]).encode());
                    answer(Status::DONE, None).encode()
                }
            },
            command::REPORT_SELECTION => {
                let (status, messages) = self.chosen(&params);
                after = messages;
                answer(status, None).encode()
            }
            _ => answer(Status::NOT_AVAILABLE, None).encode(),
        };
        std::iter::once(response).chain(after).collect()
    }

    fn time_out(&mut self) -> Vec<Vec<u8>> {
        self.running = None;
        vec![complete([0, 1, 0, 0])]
    }

    fn restart_in(&mut self, minutes: u8) -> Vec<Vec<u8>> {
        let detail = [0x00, 0x01, 0x00, 0x00];
        let payload = Some(vec![minutes]);
        vec![Message::Notification { number: notification::DEVICE, detail, payload }.encode()]
    }

    fn touch(&mut self, card: &'static TestCard) -> Vec<Vec<u8>> {
        let Some(run) = self.running.as_mut() else { return Vec::new() };
        let (kind, seen) = match card.presented {
            _ if run.stripe_only => (0x08, 0x01),
            Presented::Chip | Presented::ChipRefuses | Presented::ChipUnreadable | Presented::TwoApplications => {
                (0x10, 0x02)
            }
            Presented::Contactless | Presented::Wallet => (0x20, 0x04),
            Presented::Swipe | Presented::ClearTrack => (0x08, 0x01),
        };
        let mut out = vec![notification::plain(notification::UPDATE, [kind, 0x01, seen, 0x00]).encode()];
        match card.presented {
            Presented::ChipUnreadable if !run.stripe_only => {
                self.running = None;
                out.push(complete([kind, 0x02, 0x08, 0x03]));
            }
            Presented::TwoApplications => {
                run.choosing = Some(card);
                out.push(choose(&[card.label, OTHER_LABEL]).encode());
            }
            _ => out.extend(self.read(kind, card)),
        }
        out
    }
}

/// Label of the second application of a card that has two.
const OTHER_LABEL: &str = "DEBIT";

fn complete(detail: [u8; 4]) -> Vec<u8> {
    notification::plain(notification::COMPLETE, detail).encode()
}

impl Reader {
    fn start(&mut self, params: &[u8]) -> Status {
        if self.running.is_some() {
            return Status::IN_PROGRESS;
        }
        if self.battery <= 5 {
            return Status::LOW_BATTERY;
        }
        let transaction = tlv::find(params, 0x86).unwrap_or_default();
        let amount = tlv::find(transaction, 0x9F02).and_then(command::unbcd);
        let timeout = tlv::find(params, 0x82).and_then(<[u8]>::first);
        let quick_chip = tlv::find(params, 0x84) == Some(&[0, 3]);
        let contact = tlv::find(params, 0xA3).and_then(|ways| tlv::find(ways, 0x82));
        match (amount, timeout) {
            (Some(1..), Some(seconds)) if quick_chip => {
                let armed = Armed { since: Instant::now(), timeout: Duration::from_secs(u64::from(*seconds)) };
                let stripe_only = contact == Some(&[0]);
                self.running = Some(Running { transaction: transaction.to_vec(), armed, stripe_only, choosing: None });
                Status::RUNNING
            }
            _ => Status::BAD_PARAMETER,
        }
    }

    /// The host's choice of an application: the read goes on, or is given up.
    fn chosen(&mut self, params: &[u8]) -> (Status, Vec<Vec<u8>>) {
        let Some(card) = self.running.as_mut().and_then(|run| run.choosing.take()) else {
            return (Status::NO_TRANSACTION, Vec::new());
        };
        if tlv::find(params, 0x81) == Some(&[0]) {
            return (Status::DONE, self.read(0x10, card));
        }
        self.running = None;
        (Status::DONE, vec![complete([0x10, 0x02, 0x0A, 0x00]), complete([0x10, 0, 0, 0])])
    }

    /// The card session, to its last word.
    fn read(&mut self, kind: u8, card: &TestCard) -> Vec<Vec<u8>> {
        let Some(run) = self.running.take() else { return Vec::new() };
        let mut out = Vec::new();
        let arqc = match card.presented {
            Presented::ChipRefuses => None,
            Presented::ClearTrack => Some(build::clear_track(self.serial, card)),
            _ => match self.cipher.spend() {
                Ok(ksn) => Some(build::arqc(self.serial, card, &run.transaction, &self.cipher, &ksn, kind == 0x08)),
                Err(why) => {
                    tracing::warn!(error = %why, "the simulated reader has no key for this read");
                    return vec![complete([kind, 0x02, 0x0D, 0x00])];
                }
            },
        };
        let outcome = if arqc.is_some() { 0x07 } else { 0x80 };
        if let Some(blob) = &arqc {
            out.push(notification::update([kind, 0x08, 0x02, 0x02], blob).encode_long());
        }
        out.push(complete([kind, 0x02, outcome, 0x00]));
        out.push(show("REMOVE CARD").encode());
        let batch = build::batch(self.serial, card, &run.transaction, arqc.is_some());
        out.push(notification::update([kind, 0x08, 0x03, 0x02], &batch).encode_long());
        out.push(notification::plain(notification::HOST_UI, [2, 1, 0, 0]).encode());
        out.push(complete([kind, 0, 0, 0]));
        out
    }
}
