//! A simulated Miura reader: the other side of the frames, byte for byte, with real TDES DUKPT under the public test key.
//!
//! `Reader` is pure but for its key counter's file; [`crate::reader::sim`] is the task around it.

use super::apdu::{Answer, Command, GOOD, instruction};
use super::command::tag;
use super::driver::MiuraDriver;
use super::frame::{Message, Nad};
use super::payload;
use crate::reader::ReaderLink;
use crate::reader::cards::{Presented, TestCard};
use crate::reader::sim::{self, Armed, Cipher, Keys, SimConfig, SimControl, Simulated};
use crate::tlv::{self, Tag};
use std::time::Duration;
use tokio::time::Instant;

/// Seconds that it waits for a tap.
const WAITS_S: u64 = 60;

/// Status words, as the SDK's list of transaction responses has them.
const CANCELLED: u16 = 0x9F41;
const TIMED_OUT: u16 = 0x9F42;
const INSERTED: u16 = 0x9F43;
const SWIPED: u16 = 0x9F44;
const NOT_READY: u16 = 0x9F22;
const NO_CARD: u16 = 0x9F23;
const NOT_ALLOWED: u16 = 0x9F26;
const READ_ERROR_STRIPE_OK: u16 = 0x9F30;
const INVALID_DATA: u16 = 0x9F21;

/// Clear tracks, which only a reader without keys sends.
const TRACK2: Tag = 0x5F22;

/// Starts a reader and its driver.
pub fn spawn(config: SimConfig) -> (ReaderLink, SimControl) {
    sim::spawn::<Reader, MiuraDriver>(SimConfig { keys: Keys::Tdes, ..config })
}

enum State {
    Idle,
    /// A tap is waited for.
    Tap {
        transaction: Vec<u8>,
        armed: Armed,
    },
    /// A card is in the slot, and the host may read it.
    InSlot(&'static TestCard),
    /// The chip could not be read; a swipe is waited for.
    Stripe {
        armed: Armed,
    },
    /// A cryptogram was given; the host ends the session.
    Session,
}

/// The reader itself.
pub struct Reader {
    serial: String,
    cipher: Cipher,
    battery: u8,
    tells_of_cards: bool,
    state: State,
}

fn solicited(body: Vec<u8>, status: u16) -> Message {
    Message { nad: Nad::Mpi, unsolicited: false, data: Answer { body, status }.encode() }
}

fn template(outer: Tag, inside: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    tlv::put(&mut out, outer, inside);
    out
}

fn unsolicited(body: Vec<u8>) -> Message {
    Message { nad: Nad::Mpi, unsolicited: true, data: Answer { body, status: GOOD }.encode() }
}

/// What the display shows, and the number of what the device does.
fn device(number: u8, text: &str) -> Message {
    let mut inside = Vec::new();
    tlv::put(&mut inside, tag::STATUS, &[number]);
    tlv::put(&mut inside, tag::TEXT, text.as_bytes());
    unsolicited(template(tag::DEVICE, &inside))
}

impl Simulated for Reader {
    type Message = Message;

    fn new(config: &SimConfig) -> Reader {
        let cipher = Cipher::new(&SimConfig { keys: Keys::Tdes, ..config.clone() });
        Reader { serial: config.serial.clone(), cipher, battery: 100, tells_of_cards: false, state: State::Idle }
    }

    fn reset(&mut self) {
        self.state = State::Idle;
        self.tells_of_cards = false;
    }

    fn charge(&mut self, percent: u8) {
        self.battery = percent;
    }

    fn armed(&self) -> Option<Armed> {
        match &self.state {
            State::Tap { armed, .. } | State::Stripe { armed } => Some(*armed),
            State::Idle | State::InSlot(_) | State::Session => None,
        }
    }

    fn message(&mut self, message: Message) -> Vec<Message> {
        let Some(command) = Command::decode(&message.data) else { return vec![solicited(Vec::new(), INVALID_DATA)] };
        let inside = tlv::find(&command.data, tag::COMMAND).unwrap_or_default();
        match (command.cla, command.ins) {
            instruction::RESET => {
                self.reset();
                vec![solicited(self.name(), GOOD)]
            }
            instruction::BATTERY => {
                let mut inside = Vec::new();
                tlv::put(&mut inside, tag::CHARGING, &[0]);
                tlv::put(&mut inside, tag::BATTERY, &[self.battery]);
                vec![solicited(template(tag::ANSWER, &inside), GOOD)]
            }
            instruction::DISPLAY_TEXT => vec![solicited(Vec::new(), GOOD)],
            instruction::CARD_STATUS => {
                self.tells_of_cards = command.p1 & 1 == 1;
                let mut out = vec![solicited(Vec::new(), GOOD)];
                out.extend(self.card_status([0, 0], &[]));
                out
            }
            instruction::START_CONTACTLESS => self.wait_for_tap(inside),
            instruction::START => self.read_chip(inside),
            instruction::CONTINUE => self.end_session(inside),
            instruction::ABORT => {
                let was = std::mem::replace(&mut self.state, State::Idle);
                let mut out = vec![solicited(Vec::new(), GOOD)];
                out.extend(matches!(was, State::Tap { .. }).then(|| solicited(Vec::new(), CANCELLED)));
                out
            }
            _ => vec![solicited(Vec::new(), NOT_ALLOWED)],
        }
    }

    fn touch(&mut self, card: &'static TestCard) -> Vec<Message> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Tap { transaction, .. } => match card.presented {
                Presented::Contactless | Presented::Wallet => self.cryptogram(card, &transaction),
                Presented::Swipe | Presented::ClearTrack => {
                    let mut out = self.swipe(card);
                    out.push(solicited(Vec::new(), SWIPED));
                    out
                }
                Presented::Chip | Presented::ChipRefuses | Presented::ChipUnreadable | Presented::TwoApplications => {
                    self.state = State::InSlot(card);
                    let mut out = self.card_status([0x03, 0], &[]);
                    out.push(solicited(Vec::new(), INSERTED));
                    out
                }
            },
            State::Stripe { .. } => self.swipe(card),
            other => {
                self.state = other;
                Vec::new()
            }
        }
    }

    fn time_out(&mut self) -> Vec<Message> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Tap { .. } => vec![solicited(Vec::new(), TIMED_OUT)],
            _ => Vec::new(),
        }
    }

    fn restart_in(&mut self, _: u8) -> Vec<Message> {
        // It does not announce it, it does it: power off, then on.
        vec![device(0x0B, "REBOOTING")]
    }
}

impl Reader {
    fn name(&self) -> Vec<u8> {
        let mut inside = Vec::new();
        tlv::put(&mut inside, 0x9F1E, self.serial.as_bytes());
        for (name, version) in [("M010-OS", "7-8"), ("M010-MPI", "1-45")] {
            let mut part = Vec::new();
            tlv::put(&mut part, tag::NAME, name.as_bytes());
            tlv::put(&mut part, tag::VERSION, version.as_bytes());
            tlv::put(&mut inside, tag::PART, &part);
        }
        template(tag::ANSWER, &inside)
    }

    /// Slot and stripe, if the host wants to know.
    fn card_status(&self, status: [u8; 2], data: &[u8]) -> Vec<Message> {
        if !self.tells_of_cards {
            return Vec::new();
        }
        let mut inside = Vec::new();
        tlv::put(&mut inside, tag::CARD_STATUS, &status);
        inside.extend_from_slice(data);
        vec![unsolicited(template(tag::ANSWER, &inside))]
    }

    fn wait_for_tap(&mut self, transaction: &[u8]) -> Vec<Message> {
        if !matches!(self.state, State::Idle) {
            return vec![solicited(Vec::new(), NOT_READY)];
        }
        let whole = [0x9C, 0x9F02, 0x9A, 0x9F21, 0x5F2A].iter().all(|tag| tlv::find(transaction, *tag).is_some());
        if !whole {
            return vec![solicited(Vec::new(), INVALID_DATA)];
        }
        let armed = Armed { since: Instant::now(), timeout: Duration::from_secs(WAITS_S) };
        self.state = State::Tap { transaction: transaction.to_vec(), armed };
        vec![device(0x01, "PRESENT CARD")]
    }

    fn read_chip(&mut self, transaction: &[u8]) -> Vec<Message> {
        let State::InSlot(card) = self.state else { return vec![solicited(Vec::new(), NO_CARD)] };
        self.state = State::Idle;
        match card.presented {
            Presented::ChipRefuses => {
                let mut inside = Vec::new();
                tlv::put(&mut inside, 0x9F27, &[0x00]);
                vec![solicited(template(tag::DECLINED, &inside), GOOD)]
            }
            Presented::ChipUnreadable => {
                let armed = Armed { since: Instant::now(), timeout: Duration::from_secs(WAITS_S) };
                self.state = State::Stripe { armed };
                vec![solicited(Vec::new(), READ_ERROR_STRIPE_OK)]
            }
            _ => {
                let mut out = vec![device(0x02, "ENTER PIN"), device(0x02, "PIN OK")];
                if card.presented == Presented::TwoApplications {
                    out.insert(0, device(0x03, "SELECT APPLICATION"));
                }
                out.extend(self.cryptogram(card, transaction));
                out
            }
        }
    }

    /// The first cryptogram: template E4.
    fn cryptogram(&mut self, card: &TestCard, transaction: &[u8]) -> Vec<Message> {
        let Some(mut data) = self.secret(payload::TRACKS.0, &card.masked_packed(), &card.track2_tlv()) else {
            return vec![solicited(Vec::new(), NOT_READY)];
        };
        for tag in [0x9C, 0x9F02, 0x9A, 0x9F21, 0x5F2A] {
            if let Some(value) = tlv::find(transaction, tag) {
                tlv::put(&mut data, tag, value);
            }
        }
        tlv::put(&mut data, 0x82, &[0x19, 0x80]);
        tlv::put(&mut data, 0x84, &crate::bytes::unhex(card.aid));
        tlv::put(&mut data, 0x50, card.label.as_bytes());
        tlv::put(&mut data, 0x9F27, &[0x80]);
        tlv::put(&mut data, 0x9F26, &[0x5A; 8]);
        tlv::put(&mut data, 0x95, &card.results());
        tlv::put(&mut data, 0x9F34, &card.verification());
        if card.presented == Presented::Wallet {
            tlv::put(&mut data, 0x9F6C, &[0x00, 0x80]);
        }
        self.state = State::Session;
        vec![solicited(template(tag::ONLINE, &data), GOOD)]
    }

    fn end_session(&mut self, inside: &[u8]) -> Vec<Message> {
        if !matches!(self.state, State::Session) || tlv::find(inside, 0x8A).is_none() {
            return vec![solicited(Vec::new(), NOT_ALLOWED)];
        }
        self.state = State::Idle;
        // The card refuses the second time, as it must after "unable to go online".
        let mut declined = Vec::new();
        tlv::put(&mut declined, 0x9F27, &[0x00]);
        let mut out = vec![solicited(template(tag::DECLINED, &declined), GOOD), device(0x01, "REMOVE CARD")];
        out.extend(self.card_status([0, 0], &[]));
        out
    }

    fn swipe(&mut self, card: &TestCard) -> Vec<Message> {
        let masked = card.masked_track();
        let data = if card.presented == Presented::ClearTrack {
            let mut data = Vec::new();
            tlv::put(&mut data, TRACK2, card.track2().as_bytes());
            tlv::put(&mut data, payload::TRACKS.1, masked.as_bytes());
            data
        } else {
            match self.secret(payload::TRACKS.1, masked.as_bytes(), &card.track2_tlv()) {
                Some(data) => data,
                None => return vec![device(0x01, "NO KEYS")],
            }
        };
        self.card_status([0, 0x07], &data)
    }

    fn secret(&mut self, track: Tag, masked: &[u8], clear: &[u8]) -> Option<Vec<u8>> {
        let ksn = self.cipher.spend().inspect_err(|why| tracing::warn!(error = %why, "no key for this read")).ok()?;
        let sealed = self.cipher.seal(&ksn, clear);
        Some(payload::build((track, masked), (&sealed.ciphertext, &sealed.ksn)))
    }
}
