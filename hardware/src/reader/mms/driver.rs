//! Drives an MMS reader by Quick Chip: one read that can be authorised now or later.
//!
//! [`MmsDriver`] is pure: commands and messages in, messages and events out. Invariants: one request outstanding at a
//! time; one operation at a time, ended by exactly one event; a read counts only when cryptogram, batch, outcome and
//! final notice are all there.

use super::command::{self, Interfaces, Property};
use super::message::{Message, Status};
use super::notification::{Notice, Outcome, notice};
use super::payload::{self, Arqc, Batch};
use crate::reader::clear::{PayloadError, printable};
use crate::reader::session::{self, Driver};
use crate::reader::{ArmRequest, CardRead, EndReason, Op, QUEUE, ReaderCommand, ReaderEvent, ReaderInfo};
use std::collections::VecDeque;

/// What is echoed at the beginning of a connection: whoever answers it speaks MMS.
const ECHO: [u8; 5] = [0x81, 0x03, 0x01, 0x02, 0x03];

/// The model's name if the reader does not say it.
const MODEL: &str = "DynaFlex";

/// Longest model name or firmware version that is kept, characters.
const MAX_NAME: usize = 40;

type Out = session::Out<Vec<u8>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Echo,
    /// Ends what a program that is gone has left running.
    Clear,
    Subscribe,
    Property(Property),
    Buzzer,
    Start,
    Cancel,
    Selection,
}

impl Asked {
    fn command(self) -> u16 {
        match self {
            Asked::Echo => command::ECHO,
            Asked::Subscribe => command::SUBSCRIBE,
            Asked::Property(_) => command::GET_PROPERTY,
            Asked::Buzzer => command::BUZZER,
            Asked::Start => command::START,
            Asked::Clear | Asked::Cancel => command::CANCEL,
            Asked::Selection => command::REPORT_SELECTION,
        }
    }
}

/// An operation under way.
struct Run {
    op: Op,
    request: ArmRequest,
    /// The reader has said that it runs. What it says before belongs to the operation before.
    started: bool,
    /// The chip could not be read: only the stripe is left.
    stripe_only: bool,
    cancelling: bool,
    arqc: Option<Arqc>,
    batch: Option<Batch>,
    came_out: bool,
}

/// The pure part.
pub struct MmsDriver {
    reference: u8,
    asked: Option<Asked>,
    waiting: VecDeque<(Asked, Message)>,
    run: Option<Run>,
    info: ReaderInfo,
}

impl Driver for MmsDriver {
    type Message = Vec<u8>;

    fn connected() -> (MmsDriver, Vec<Out>) {
        let info = ReaderInfo::default();
        let mut driver = MmsDriver { reference: 0, asked: None, waiting: VecDeque::new(), run: None, info };
        let mut out = Vec::new();
        driver.ask(Asked::Echo, |reference| command::echo(reference, &ECHO), &mut out);
        driver.ask(Asked::Clear, command::cancel, &mut out);
        driver.ask(Asked::Subscribe, command::subscribe, &mut out);
        for property in [Property::Serial, Property::Model, Property::Firmware, Property::Battery] {
            driver.ask(Asked::Property(property), |reference| command::get_property(reference, property), &mut out);
        }
        (driver, out)
    }

    fn running(&self) -> Option<Op> {
        self.run.as_ref().map(|run| run.op)
    }

    fn awaits_answer(&self) -> bool {
        self.asked.is_some()
    }

    fn command(&mut self, command: &ReaderCommand) -> Vec<Out> {
        let mut out = Vec::new();
        match command {
            ReaderCommand::Arm(request) => self.arm(request, &mut out),
            ReaderCommand::Cancel { op } => {
                if let Some(run) = self.run.as_mut().filter(|run| run.op == *op && !run.cancelling) {
                    run.cancelling = true;
                    self.ask(Asked::Cancel, command::cancel, &mut out);
                }
            }
            ReaderCommand::SelectApplication { op, index } => {
                if self.running() == Some(*op) {
                    let index = *index;
                    self.ask(Asked::Selection, |reference| command::report_selection(reference, index), &mut out);
                }
            }
            ReaderCommand::Identify => self.ask(Asked::Buzzer, command::buzzer, &mut out),
        }
        out
    }

    /// Bytes that are no message are dropped; they cannot end anything.
    fn message(&mut self, bytes: Vec<u8>) -> Vec<Out> {
        let mut out = Vec::new();
        match Message::decode(&bytes) {
            Err(why) => tracing::warn!(error = %why, "a message of the reader was dropped"),
            Ok(Message::Response { command, status, payload, .. }) => {
                self.response(command, status, payload.as_deref(), &mut out);
            }
            Ok(message) => {
                if let Some(notice) = notice(&message) {
                    self.notice(notice, &mut out);
                }
            }
        }
        out
    }

    fn lost(&mut self) -> Vec<Out> {
        let mut out = Vec::new();
        self.end(EndReason::ReaderLost, &mut out);
        out.push(Out::Tell(ReaderEvent::Lost));
        out
    }

    fn overdue(&mut self) -> Vec<Out> {
        let mut out = Vec::new();
        if self.run.is_some() {
            self.ask(Asked::Cancel, command::cancel, &mut out);
            self.end(EndReason::TimedOut, &mut out);
        }
        out
    }
}

impl MmsDriver {
    fn arm(&mut self, request: &ArmRequest, out: &mut Vec<Out>) {
        let why = if self.run.is_some() {
            Some(EndReason::Busy)
        } else if request.amount_minor == 0 || request.amount_minor > command::MAX_AMOUNT {
            Some(EndReason::ReadError)
        } else {
            None
        };
        if let Some(why) = why {
            out.push(Out::Tell(ReaderEvent::Ended { op: request.op, why }));
            return;
        }
        let request = request.clone();
        self.ask(Asked::Start, |reference| command::start(reference, &request, Interfaces::All), out);
        self.run = Some(Run {
            op: request.op,
            request,
            started: false,
            stripe_only: false,
            cancelling: false,
            arqc: None,
            batch: None,
            came_out: false,
        });
    }

    /// Sends a request, or lets it wait for the one before it.
    fn ask(&mut self, asked: Asked, build: impl FnOnce(u8) -> Message, out: &mut Vec<Out>) {
        self.reference = self.reference.wrapping_add(1);
        let message = build(self.reference);
        if self.asked.is_none() {
            self.asked = Some(asked);
            out.push(Out::Send(message.encode()));
        } else if self.waiting.len() < QUEUE {
            self.waiting.push_back((asked, message));
        }
    }

    /// The manual's examples show responses with another reference than their request, so the number decides.
    fn response(&mut self, command: u16, status: Status, payload: Option<&[u8]>, out: &mut Vec<Out>) {
        let Some(asked) = self.asked.filter(|asked| asked.command() == command) else { return };
        self.asked = self.waiting.pop_front().map(|(asked, message)| {
            out.push(Out::Send(message.encode()));
            asked
        });
        let payload = payload.unwrap_or_default();
        match asked {
            Asked::Property(property) => self.property(property, property.value(payload), out),
            Asked::Buzzer => out.push(Out::Tell(ReaderEvent::Identified(status.is_good()))),
            Asked::Start if !status.is_good() => self.end(not_started(status), out),
            Asked::Cancel if status == Status::NO_TRANSACTION => self.end(EndReason::Cancelled, out),
            Asked::Start => {
                if let Some(run) = self.run.as_mut() {
                    run.started = true;
                }
            }
            Asked::Echo | Asked::Clear | Asked::Subscribe | Asked::Cancel | Asked::Selection => {}
        }
    }

    /// The battery is asked for last: then the reader is known.
    fn property(&mut self, property: Property, value: Option<&[u8]>, out: &mut Vec<Out>) {
        match property {
            Property::Serial => {
                let serial = value.map(crate::bytes::hex).unwrap_or_default();
                self.info.serial = serial.get(..7).unwrap_or_default().to_owned();
            }
            Property::Model => self.info.model = printable(value.unwrap_or_default(), MAX_NAME),
            Property::Firmware => self.info.firmware = value.map(|value| printable(value, MAX_NAME)),
            Property::Battery => {
                self.info.battery_percent = match value {
                    Some([percent]) => Some((*percent).min(100)),
                    _ => None,
                };
                if self.info.model.is_empty() {
                    MODEL.clone_into(&mut self.info.model);
                }
                out.push(Out::Tell(ReaderEvent::Connected(self.info.clone())));
            }
        }
    }

    fn notice(&mut self, notice: Notice, out: &mut Vec<Out>) {
        match notice {
            Notice::LowBattery(percent) => return out.push(Out::Tell(ReaderEvent::Battery(percent))),
            Notice::RestartsSoon(minutes) => return out.push(Out::Tell(ReaderEvent::RestartsSoon { minutes })),
            // Whatever ran is gone with it, also what this side has asked.
            Notice::Restarted => {
                (self.asked, self.waiting) = (None, VecDeque::new());
                return self.end(EndReason::ReaderLost, out);
            }
            _ => {}
        }
        let Some(run) = self.run.as_mut().filter(|run| run.started) else { return };
        let op = run.op;
        match notice {
            Notice::CardSeen => out.push(Out::Tell(ReaderEvent::CardSeen { op })),
            Notice::Prompt(text) => out.push(Out::Tell(ReaderEvent::Prompt { op, text })),
            Notice::Selection(labels) => out.push(Out::Tell(ReaderEvent::ChooseApplication { op, labels })),
            // The reader repeats the cryptogram when the host is slow: the first one counts.
            Notice::Arqc(_) if run.arqc.is_some() => {}
            Notice::Arqc(blob) => match payload::arqc(&blob) {
                Ok(arqc) => run.arqc = Some(arqc),
                Err(why) => self.spoiled(why, out),
            },
            Notice::Batch(blob) => match payload::batch(&blob) {
                Ok(batch) => run.batch = Some(batch),
                Err(why) => self.spoiled(why, out),
            },
            Notice::Complete(outcome) => self.complete(outcome, out),
            Notice::LowBattery(_) | Notice::RestartsSoon(_) | Notice::Restarted | Notice::Other => {}
        }
    }

    fn spoiled(&mut self, why: PayloadError, out: &mut Vec<Out>) {
        tracing::warn!(error = %why, "card data was refused");
        self.ask(Asked::Cancel, command::cancel, out);
        self.end(if why == PayloadError::ClearCardData { EndReason::ClearCardData } else { EndReason::ReadError }, out);
    }

    fn complete(&mut self, outcome: Outcome, out: &mut Vec<Out>) {
        let Some(run) = self.run.as_mut() else { return };
        match (outcome, run.arqc.is_some()) {
            // After a cryptogram the card's second word does not count.
            (Outcome::Deferred | Outcome::Declined | Outcome::Approved, true) => run.came_out = true,
            (Outcome::Declined, false) => {
                let op = run.op;
                self.run = None;
                out.push(Out::Tell(ReaderEvent::DeclinedByCard { op }));
            }
            // The chip cannot be read: the same operation goes on with the stripe, and nothing else.
            (Outcome::Fallback, false) if !run.stripe_only => {
                (run.stripe_only, run.started) = (true, false);
                let request = run.request.clone();
                self.ask(Asked::Start, |reference| command::start(reference, &request, Interfaces::StripeOnly), out);
            }
            (Outcome::TimedOut, _) => self.end(EndReason::TimedOut, out),
            (Outcome::Cancelled, _) => self.end(EndReason::Cancelled, out),
            // An approval by the card alone is switched off in the reader's configuration: never taken as money.
            (Outcome::Failed | Outcome::Fallback, _) | (Outcome::Deferred | Outcome::Approved, false) => {
                self.end(EndReason::ReadError, out);
            }
            (Outcome::Final, _) => self.finish(out),
        }
    }

    fn finish(&mut self, out: &mut Vec<Out>) {
        let Some(run) = self.run.take() else { return };
        let (Some(arqc), Some(batch), true) = (run.arqc, run.batch, run.came_out) else {
            out.push(Out::Tell(ReaderEvent::Ended { op: run.op, why: EndReason::ReadError }));
            return;
        };
        let mut emv_tags = arqc.tags;
        emv_tags.extend(batch.tags);
        let read = CardRead {
            brand: arqc.brand,
            last4: arqc.last4,
            aid: batch.aid,
            label: batch.label,
            cvm: batch.cvm,
            entry: arqc.entry,
            expires: arqc.expires,
            ksn: arqc.ksn,
            encryption_type: arqc.encryption_type,
            ciphertext: arqc.ciphertext,
            emv_tags,
            serial: arqc.serial,
        };
        out.push(Out::Tell(ReaderEvent::CardRead { op: run.op, read: Box::new(read) }));
    }

    fn end(&mut self, why: EndReason, out: &mut Vec<Out>) {
        if let Some(run) = self.run.take() {
            out.push(Out::Tell(ReaderEvent::Ended { op: run.op, why }));
        }
    }
}

fn not_started(status: Status) -> EndReason {
    match status {
        Status::LOW_BATTERY => EndReason::LowBattery,
        Status::IN_PROGRESS => EndReason::Busy,
        _ => EndReason::ReadError,
    }
}
