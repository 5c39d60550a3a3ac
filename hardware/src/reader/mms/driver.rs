//! Drives an MMS reader by Quick Chip: one read that can be authorised now or later.
//!
//! [`Driver`] is pure: commands and messages in, messages and events out. [`spawn`] is the task around it, which also
//! survives the loss of the connection. Invariants: one request outstanding at a time; one operation at a time, ended
//! by exactly one event; a read counts only when cryptogram, batch, outcome and final notice are all there.

use super::MessageLink;
use super::command::{self, Property};
use super::message::{Message, Status};
use super::notification::{Notice, Outcome, notice};
use super::payload::{self, Arqc, Batch, PayloadError};
use crate::reader::{ArmRequest, CardRead, EndReason, Op, QUEUE, ReaderCommand, ReaderEvent, ReaderInfo, ReaderLink};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// A reader that said nothing for this long after its own time-out is given up.
const GRACE: Duration = Duration::from_secs(15);

/// The model's name until the reader's own is asked for.
const MODEL: &str = "DynaFlex";

/// What the driver wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Out {
    /// Send this message.
    Send(Vec<u8>),
    /// Tell the program.
    Tell(ReaderEvent),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Serial,
    Battery,
    Start,
    Cancel,
    Selection,
}

impl Asked {
    fn command(self) -> u16 {
        match self {
            Asked::Serial | Asked::Battery => command::GET_PROPERTY,
            Asked::Start => command::START,
            Asked::Cancel => command::CANCEL,
            Asked::Selection => command::REPORT_SELECTION,
        }
    }
}

/// An operation under way.
struct Run {
    op: Op,
    cancelling: bool,
    arqc: Option<Arqc>,
    batch: Option<Batch>,
    came_out: bool,
}

/// The pure part.
pub struct Driver {
    reference: u8,
    asked: Option<Asked>,
    waiting: VecDeque<(Asked, Message)>,
    run: Option<Run>,
    serial: Option<String>,
}

impl Driver {
    /// A driver for a new connection, and its first request.
    pub fn new() -> (Driver, Vec<Out>) {
        let mut driver = Driver { reference: 0, asked: None, waiting: VecDeque::new(), run: None, serial: None };
        let mut out = Vec::new();
        driver.ask(Asked::Serial, |reference| command::get_property(reference, Property::Serial), &mut out);
        driver.ask(Asked::Battery, |reference| command::get_property(reference, Property::Battery), &mut out);
        (driver, out)
    }

    /// The operation under way.
    pub fn running(&self) -> Option<Op> {
        self.run.as_ref().map(|run| run.op)
    }

    /// Takes a command.
    pub fn command(&mut self, command: &ReaderCommand) -> Vec<Out> {
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
        }
        out
    }

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
        self.run = Some(Run { op: request.op, cancelling: false, arqc: None, batch: None, came_out: false });
        self.ask(Asked::Start, |reference| command::start(reference, request), out);
    }

    /// Takes a message of the reader. Bytes that are none are dropped; they cannot end anything.
    pub fn message(&mut self, bytes: &[u8]) -> Vec<Out> {
        let mut out = Vec::new();
        match Message::decode(bytes) {
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

    /// The connection broke.
    pub fn lost(&mut self) -> Vec<Out> {
        let mut out = Vec::new();
        self.end(EndReason::ReaderLost, &mut out);
        out.push(Out::Tell(ReaderEvent::Lost));
        out
    }

    /// The reader has said nothing for too long.
    pub fn overdue(&mut self) -> Vec<Out> {
        let mut out = Vec::new();
        if self.run.is_some() {
            self.ask(Asked::Cancel, command::cancel, &mut out);
            self.end(EndReason::TimedOut, &mut out);
        }
        out
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
            Asked::Serial => {
                let serial = Property::Serial.value(payload).map(crate::bytes::hex).unwrap_or_default();
                self.serial = Some(serial.get(..7).unwrap_or_default().to_owned());
            }
            Asked::Battery => {
                let percent = match Property::Battery.value(payload) {
                    Some([percent]) => Some((*percent).min(100)),
                    _ => None,
                };
                let serial = self.serial.clone().unwrap_or_default();
                let info = ReaderInfo { model: MODEL.to_owned(), serial, battery_percent: percent };
                out.push(Out::Tell(ReaderEvent::Connected(info)));
            }
            Asked::Start if !status.is_good() => self.end(not_started(status), out),
            Asked::Cancel if status == Status::NO_TRANSACTION => self.end(EndReason::Cancelled, out),
            Asked::Start | Asked::Cancel | Asked::Selection => {}
        }
    }

    fn notice(&mut self, notice: Notice, out: &mut Vec<Out>) {
        if let Notice::LowBattery(percent) = notice {
            out.push(Out::Tell(ReaderEvent::Battery(percent)));
            return;
        }
        let Some(run) = self.run.as_mut() else { return };
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
            Notice::LowBattery(_) | Notice::Other => {}
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
            (Outcome::TimedOut, _) => self.end(EndReason::TimedOut, out),
            (Outcome::Cancelled, _) => self.end(EndReason::Cancelled, out),
            // An approval by the card alone is switched off in the reader's configuration: never taken as money.
            (Outcome::Failed, _) | (Outcome::Deferred | Outcome::Approved, false) => {
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

/// Starts the driver's task. `links` brings a connection whenever the reader is there; the task ends when `links` or
/// the returned link is dropped.
pub fn spawn(mut links: mpsc::Receiver<MessageLink>) -> ReaderLink {
    let (commands, mut from_program) = mpsc::channel(QUEUE);
    let (to_program, events) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        loop {
            let link = tokio::select! {
                link = links.recv() => link,
                command = from_program.recv() => match command {
                    None => return,
                    Some(ReaderCommand::Arm(request)) => {
                        let ended = ReaderEvent::Ended { op: request.op, why: EndReason::ReaderLost };
                        if to_program.send(ended).await.is_err() {
                            return;
                        }
                        continue;
                    }
                    Some(ReaderCommand::Cancel { .. } | ReaderCommand::SelectApplication { .. }) => continue,
                },
            };
            let Some(link) = link else { return };
            if session(link, &mut from_program, &to_program).await.is_none() {
                return;
            }
        }
    });
    ReaderLink { commands, events }
}

/// One connection; `None` when the program has gone.
async fn session(
    mut link: MessageLink,
    commands: &mut mpsc::Receiver<ReaderCommand>,
    events: &mpsc::Sender<ReaderEvent>,
) -> Option<()> {
    let (mut driver, mut out) = Driver::new();
    let mut deadline = Instant::now();
    loop {
        for item in out {
            match item {
                Out::Tell(event) => events.send(event).await.ok()?,
                // A closed connection shows on the other direction too.
                Out::Send(message) => drop(link.outgoing.send(message).await),
            }
        }
        out = tokio::select! {
            message = link.incoming.recv() => match message {
                Some(bytes) => driver.message(&bytes),
                None => {
                    for item in driver.lost() {
                        if let Out::Tell(event) = item {
                            events.send(event).await.ok()?;
                        }
                    }
                    return Some(());
                }
            },
            command = commands.recv() => {
                let command = command?;
                if let (ReaderCommand::Arm(request), None) = (&command, driver.running()) {
                    deadline = Instant::now() + Duration::from_secs(u64::from(request.timeout_s)) + GRACE;
                }
                driver.command(&command)
            },
            () = tokio::time::sleep_until(deadline), if driver.running().is_some() => driver.overdue(),
        };
    }
}
