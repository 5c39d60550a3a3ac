//! A simulated MMS reader: the other side of the messages, byte for byte, with real TDES DUKPT under the public test
//! key. It presents the test cards of [`crate::reader::cards`].
//!
//! Its key counter is on the disk before a cipher text goes out, as in a real reader: a key is never used twice,
//! whatever is killed. `Reader` is pure but for that file; [`spawn`] is the task around it.

mod build;
mod ksn;

use super::command::{self, Property};
use super::message::{Message, Status};
use super::notification::{self, show};
use super::{MessageLink, driver, pair};
use crate::reader::ReaderLink;
use crate::reader::cards::{self, Presented, TestCard};
use crate::tlv;
use ksn::KsnCounter;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// What a simulated reader is made of.
#[derive(Debug, Clone)]
pub struct SimConfig {
    /// Seven hex digits.
    pub serial: String,
    /// Where the key counter is kept; in memory only if `None`.
    pub ksn_file: Option<PathBuf>,
    /// The key serial number before the first read.
    pub first_ksn: [u8; 10],
    /// How long after arming the customer's card comes.
    pub present_after: Duration,
}

/// What the world around the reader does.
#[derive(Debug, Clone, PartialEq, Eq)]
struct World {
    card: Option<&'static TestCard>,
    here: bool,
    battery: u8,
}

/// The hands around a simulated reader; cheap to clone.
#[derive(Debug, Clone)]
pub struct SimControl(watch::Sender<World>);

impl SimControl {
    /// The customer presents this card from now on; `None`: no card at all. Says whether there is such a card.
    pub fn present(&self, name: Option<&str>) -> bool {
        let card = name.map(cards::by_name);
        if card == Some(None) {
            return false;
        }
        self.0.send_modify(|world| world.card = card.flatten());
        true
    }

    /// The reader is switched off.
    pub fn vanish(&self) {
        self.0.send_modify(|world| world.here = false);
    }

    /// The reader is switched on.
    pub fn come_back(&self) {
        self.0.send_modify(|world| world.here = true);
    }

    /// Its battery, percent.
    pub fn set_battery(&self, percent: u8) {
        self.0.send_modify(|world| world.battery = percent.min(100));
    }
}

/// Starts a reader and its driver.
pub fn spawn(config: SimConfig) -> (ReaderLink, SimControl) {
    let (control, world) = watch::channel(World { card: None, here: true, battery: 100 });
    let (connect, links) = mpsc::channel(1);
    tokio::spawn(live(config, world, connect));
    (driver::spawn(links), SimControl(control))
}

/// Starts a reader without a driver, for hosts elsewhere: each of `links` is a connection that some host made.
pub fn serve_links(config: SimConfig, mut links: mpsc::Receiver<MessageLink>) -> SimControl {
    let (control, mut world) = watch::channel(World { card: None, here: true, battery: 100 });
    tokio::spawn(async move {
        let mut reader = Reader::new(&config);
        while let Some(link) = links.recv().await {
            reader.running = None;
            serve(&mut reader, link, &mut world, config.present_after).await;
        }
    });
    SimControl(control)
}

/// Is there while the world says so; a new connection each time.
async fn live(config: SimConfig, mut world: watch::Receiver<World>, connect: mpsc::Sender<MessageLink>) {
    let mut reader = Reader::new(&config);
    while world.wait_for(|world| world.here).await.is_ok() {
        let (host, own) = pair();
        if connect.send(host).await.is_err() {
            return;
        }
        reader.running = None;
        serve(&mut reader, own, &mut world, config.present_after).await;
    }
}

/// One connection.
async fn serve(reader: &mut Reader, mut link: MessageLink, world: &mut watch::Receiver<World>, after: Duration) {
    loop {
        let now = world.borrow_and_update().clone();
        if !now.here {
            return;
        }
        reader.battery = now.battery;
        let armed = reader.running.as_ref().map(|run| run.since);
        let card = now.card.filter(|_| armed.is_some());
        let touch = armed.unwrap_or_else(Instant::now) + after;
        let give_up = reader.running.as_ref().map_or_else(Instant::now, |run| run.since + run.timeout);
        let messages = tokio::select! {
            message = link.incoming.recv() => match message {
                Some(bytes) => reader.message(&bytes),
                None => return,
            },
            changed = world.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
            () = tokio::time::sleep_until(touch), if card.is_some() => card.map_or_else(Vec::new, |c| reader.touch(c)),
            () = tokio::time::sleep_until(give_up), if armed.is_some() => reader.time_out(),
        };
        for message in messages {
            if link.outgoing.send(message).await.is_err() {
                return;
            }
        }
    }
}

struct Running {
    transaction: Vec<u8>,
    since: Instant,
    timeout: Duration,
}

/// The reader itself.
struct Reader {
    serial: [u8; 4],
    keys: KsnCounter,
    battery: u8,
    running: Option<Running>,
}

impl Reader {
    fn new(config: &SimConfig) -> Reader {
        let digits = crate::bytes::unhex(&format!("{:0<8.7}", config.serial));
        let serial = <[u8; 4]>::try_from(digits.as_slice()).unwrap_or_default();
        let keys = KsnCounter::new(config.ksn_file.clone(), config.first_ksn);
        Reader { serial, keys, battery: 100, running: None }
    }

    /// Answers a request.
    fn message(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let Ok(Message::Request { reference, command, params }) = Message::decode(bytes) else { return Vec::new() };
        let answer = |status, payload| Message::Response { reference, command, status, payload };
        let mut after = Vec::new();
        let response = match command {
            command::ECHO => answer(Status::DONE, Some(params)).encode(),
            command::GET_PROPERTY => match Property::asked(&params) {
                Some(property) => {
                    let value = match property {
                        Property::Serial => self.serial.to_vec(),
                        Property::Battery => vec![self.battery],
                    };
                    answer(Status::DONE, Some(property.answer(&value))).encode_long()
                }
                None => answer(Status::BAD_PARAMETER, None).encode(),
            },
            command::START => {
                let status = self.start(&params);
                if status.is_good() {
                    after.push(show("TAP, INSERT or SWIPE\0CARD").encode());
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
            _ => answer(Status::NOT_AVAILABLE, None).encode(),
        };
        std::iter::once(response).chain(after).collect()
    }

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
        match (amount, timeout) {
            (Some(1..), Some(seconds)) if quick_chip => {
                let timeout = Duration::from_secs(u64::from(*seconds));
                self.running = Some(Running { transaction: transaction.to_vec(), since: Instant::now(), timeout });
                Status::RUNNING
            }
            _ => Status::BAD_PARAMETER,
        }
    }

    /// No card came.
    fn time_out(&mut self) -> Vec<Vec<u8>> {
        self.running = None;
        vec![notification::plain(notification::COMPLETE, [0, 1, 0, 0]).encode()]
    }

    /// A card touches the reader.
    fn touch(&mut self, card: &TestCard) -> Vec<Vec<u8>> {
        let Some(run) = self.running.take() else { return Vec::new() };
        let (kind, seen) = match card.presented {
            Presented::Chip | Presented::ChipRefuses => (0x10, 0x02),
            Presented::Contactless | Presented::Wallet => (0x20, 0x04),
            Presented::ClearTrack => (0x08, 0x01),
        };
        let update = |detail| notification::plain(notification::UPDATE, detail).encode();
        let complete = |detail| notification::plain(notification::COMPLETE, detail).encode();
        let mut out = vec![update([kind, 0x01, seen, 0x00])];
        let arqc = match card.presented {
            Presented::ChipRefuses => None,
            Presented::ClearTrack => Some(build::clear_track(self.serial, card)),
            Presented::Chip | Presented::Contactless | Presented::Wallet => match self.keys.take() {
                Ok(ksn) => Some(build::arqc(self.serial, card, &run.transaction, ksn)),
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

#[cfg(test)]
#[path = "sim/tests.rs"]
mod tests;
