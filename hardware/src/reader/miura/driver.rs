//! Drives a Miura reader: wait for a tap, go over to the slot or the stripe when the reader says so, take the first
//! cryptogram, and end the card's session at once with ARC `Z3`.
//!
//! [`MiuraDriver`] is pure. Answers name no command and come in the order of the commands, but for one: an abort may
//! overtake the transaction that it ends. The two are told apart by what they hold, as in the vendor's SDK. Invariants:
//! one operation at a time, ended by exactly one event; a read counts only when the card's session is over.

use super::apdu::{Answer, Command};
use super::command::{self, Failure, card_status, failure, tag, within};
use super::frame::{Message, Nad};
use super::payload;
use crate::reader::clear::{PayloadError, printable};
use crate::reader::mms::command::MAX_AMOUNT;
use crate::reader::session::{self, Driver};
use crate::reader::{ArmRequest, CardRead, EndReason, Entry, Op, QUEUE, ReaderCommand, ReaderEvent, ReaderInfo};
use crate::tlv;
use std::collections::VecDeque;

/// The model's name if the reader does not say it.
const MODEL: &str = "Miura";

/// Longest text of the reader that is kept, characters.
const MAX_TEXT: usize = 120;

/// What a reader is asked to show, so that its holder knows which one it is.
const WORD: &str = "tillroll is here";

type Out = session::Out<Message>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Reset,
    Battery,
    Cards,
    Word,
    Tap(Op),
    Chip(Op),
    Finish(Op),
    Abort,
}

impl Asked {
    /// A person is waited for, or a card.
    fn takes_long(self) -> bool {
        matches!(self, Asked::Tap(_) | Asked::Chip(_) | Asked::Finish(_))
    }
}

/// Where an operation is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    /// A tap is waited for; the reader notices the other ways.
    Tap,
    /// A card may be put in or swiped.
    OtherWay,
    /// A card must be swiped.
    Stripe,
    /// A chip is being read.
    Chip,
    /// The cryptogram is there, the card's session ends.
    Finishing(Box<CardRead>),
    /// It has come to an end; an answer is waited for.
    Ending(EndReason),
}

struct Run {
    op: Op,
    request: ArmRequest,
    phase: Phase,
    cancelling: bool,
    /// Data of a swipe that came before the reader gave up waiting for a tap.
    swipe: Option<Vec<u8>>,
}

/// The pure part.
pub struct MiuraDriver {
    asked: VecDeque<Asked>,
    waiting: VecDeque<(Asked, Command)>,
    run: Option<Run>,
    info: ReaderInfo,
}

impl Driver for MiuraDriver {
    type Message = Message;

    fn connected() -> (MiuraDriver, Vec<Out>) {
        let mut driver = MiuraDriver {
            asked: VecDeque::new(),
            waiting: VecDeque::new(),
            run: None,
            info: ReaderInfo { model: MODEL.to_owned(), ..ReaderInfo::default() },
        };
        let mut out = Vec::new();
        driver.ask(Asked::Reset, command::reset(), &mut out);
        driver.ask(Asked::Battery, command::battery(), &mut out);
        (driver, out)
    }

    fn running(&self) -> Option<Op> {
        self.run.as_ref().map(|run| run.op)
    }

    fn awaits_answer(&self) -> bool {
        // What an operation that is over still owes is not waited for like a card.
        self.asked.iter().any(|asked| !asked.takes_long() || self.run.is_none())
    }

    fn command(&mut self, command: &ReaderCommand) -> Vec<Out> {
        let mut out = Vec::new();
        match command {
            ReaderCommand::Arm(request) => self.arm(request, &mut out),
            ReaderCommand::Cancel { op } => self.cancel(*op, &mut out),
            // The holder chooses on the reader itself.
            ReaderCommand::SelectApplication { .. } => {}
            ReaderCommand::Identify => self.ask(Asked::Word, command::display(WORD), &mut out),
        }
        out
    }

    fn message(&mut self, message: Message) -> Vec<Out> {
        let mut out = Vec::new();
        match Answer::decode(&message.data) {
            None => tracing::warn!("a message of the reader without a status word was dropped"),
            Some(answer) if message.unsolicited => self.told(&answer, &mut out),
            Some(answer) => self.answer(&answer, &mut out),
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
            self.abort(&mut out);
            self.end(EndReason::TimedOut, &mut out);
        }
        out
    }
}

impl MiuraDriver {
    /// Sends a command, or lets it wait for the one before it.
    fn ask(&mut self, asked: Asked, command: Command, out: &mut Vec<Out>) {
        if self.asked.is_empty() {
            self.send(asked, &command, out);
        } else if self.waiting.len() < QUEUE {
            self.waiting.push_back((asked, command));
        }
    }

    fn send(&mut self, asked: Asked, command: &Command, out: &mut Vec<Out>) {
        // Every command here is short enough for one frame.
        let Some(data) = command.encode() else { return };
        self.asked.push_back(asked);
        out.push(Out::Send(Message { nad: Nad::Mpi, unsolicited: false, data }));
    }

    /// The only command that may overtake another.
    fn abort(&mut self, out: &mut Vec<Out>) {
        self.send(Asked::Abort, &command::abort(), out);
    }

    fn arm(&mut self, request: &ArmRequest, out: &mut Vec<Out>) {
        let why = if self.run.is_some() {
            Some(EndReason::Busy)
        } else if request.amount_minor == 0 || request.amount_minor > MAX_AMOUNT {
            Some(EndReason::ReadError)
        } else if self.info.battery_percent.is_some_and(|percent| percent <= 5) {
            Some(EndReason::LowBattery)
        } else {
            None
        };
        if let Some(why) = why {
            out.push(Out::Tell(ReaderEvent::Ended { op: request.op, why }));
            return;
        }
        self.ask(Asked::Cards, command::tell_of_cards(true), out);
        self.ask(Asked::Tap(request.op), command::start_contactless(request), out);
        let (op, request) = (request.op, request.clone());
        self.run = Some(Run { op, request, phase: Phase::Tap, cancelling: false, swipe: None });
    }

    fn cancel(&mut self, op: Op, out: &mut Vec<Out>) {
        let Some(run) = self.run.as_mut().filter(|run| run.op == op && !run.cancelling) else { return };
        run.cancelling = true;
        // A session that is being ended is as good as read.
        if !matches!(run.phase, Phase::Finishing(_)) {
            self.abort(out);
        }
    }

    /// What the reader says by itself.
    fn told(&mut self, answer: &Answer, out: &mut Vec<Out>) {
        if let Some(device) = tlv::find(&answer.body, tag::DEVICE) {
            let text = printable(tlv::find(device, tag::TEXT).unwrap_or_default(), MAX_TEXT);
            if let Some(op) = self.running() {
                out.push(Out::Tell(ReaderEvent::Prompt { op, text }));
            }
            return;
        }
        let Some(data) = tlv::find(&answer.body, tag::ANSWER) else { return };
        let Some(status) = tlv::find(data, tag::CARD_STATUS) else { return };
        let (inserted, swiped) = card_status(status);
        let Some(run) = self.run.as_mut() else { return };
        let op = run.op;
        if inserted || swiped {
            out.push(Out::Tell(ReaderEvent::CardSeen { op }));
        }
        match run.phase {
            Phase::Tap if swiped => run.swipe = Some(data.to_vec()),
            Phase::OtherWay | Phase::Stripe if swiped => self.swiped(data, out),
            Phase::OtherWay if inserted => self.read_chip(out),
            _ => {}
        }
    }

    fn answer(&mut self, answer: &Answer, out: &mut Vec<Out>) {
        let Some(asked) = self.whose(answer) else { return };
        match asked {
            Asked::Reset => self.name(&answer.body),
            Asked::Battery => {
                let percent = within(&answer.body, &[tag::ANSWER, tag::BATTERY]).and_then(<[u8]>::first);
                self.info.battery_percent = percent.map(|percent| (*percent).min(100));
                out.push(Out::Tell(ReaderEvent::Connected(self.info.clone())));
            }
            Asked::Word => out.push(Out::Tell(ReaderEvent::Identified(failure(answer.status).is_none()))),
            Asked::Cards => {}
            Asked::Tap(op) => self.read(op, answer, Entry::Contactless, out),
            Asked::Chip(op) => self.read(op, answer, Entry::Chip, out),
            Asked::Finish(op) => self.finished(op, out),
            Asked::Abort => self.aborted(out),
        }
        if self.asked.is_empty()
            && let Some((asked, command)) = self.waiting.pop_front()
        {
            self.send(asked, &command, out);
        }
    }

    /// Whose answer this is. A transaction answers with an error or data; a bare good one is of an abort that overtook
    /// it, or of nothing that is known.
    fn whose(&mut self, answer: &Answer) -> Option<Asked> {
        let bare = answer.body.is_empty() && failure(answer.status).is_none();
        let place = self.asked.iter().position(|asked| !bare || !asked.takes_long())?;
        self.asked.remove(place)
    }

    /// Serial number and versions, of the answer to a reset.
    fn name(&mut self, body: &[u8]) {
        let Some(data) = tlv::find(body, tag::ANSWER) else { return };
        self.info.serial = printable(tlv::find(data, 0x9F1E).unwrap_or_default(), 16);
        let parts = tlv::elements(data).map_while(Result::ok).filter(|element| element.tag == tag::PART);
        if let Some(part) = parts.last() {
            let text = |tag| printable(tlv::find(part.value, tag).unwrap_or_default(), 16);
            self.info.model = format!("{MODEL} {}", text(tag::NAME).split('-').next().unwrap_or_default());
            self.info.firmware = Some(text(tag::VERSION));
        }
    }

    /// The end of waiting for a tap, or of a chip's first round.
    fn read(&mut self, op: Op, answer: &Answer, entry: Entry, out: &mut Vec<Out>) {
        let Some(run) = self.run.as_mut().filter(|run| run.op == op) else { return };
        if run.cancelling {
            return self.give_up(EndReason::Cancelled, out);
        }
        if let Some(failed) = failure(answer.status) {
            return self.failed(failed, out);
        }
        if tlv::find(&answer.body, tag::DECLINED).is_some() {
            self.close(out);
            out.push(Out::Tell(ReaderEvent::DeclinedByCard { op }));
            return;
        }
        // An approval by the card alone (E3) is switched off in the reader's configuration: never taken as money.
        let Some(data) = tlv::find(&answer.body, tag::ONLINE) else {
            return self.stop(EndReason::ReadError, out);
        };
        match payload::read(data, entry, &self.info.serial) {
            Ok(read) => {
                run.phase = Phase::Finishing(Box::new(read));
                self.ask(Asked::Finish(op), command::finish(), out);
            }
            Err(why) => self.spoiled(why, out),
        }
    }

    fn failed(&mut self, failed: Failure, out: &mut Vec<Out>) {
        let Some(run) = self.run.as_mut() else { return };
        let op = run.op;
        let mut prompt = |text: &str| out.push(Out::Tell(ReaderEvent::Prompt { op, text: text.to_owned() }));
        match failed {
            Failure::Inserted => self.read_chip(out),
            Failure::Swiped => match run.swipe.take() {
                Some(data) => self.swiped(&data, out),
                None => run.phase = Phase::Stripe,
            },
            Failure::UseAnotherWay => {
                run.phase = Phase::OtherWay;
                prompt("INSERT or SWIPE CARD");
            }
            Failure::UseStripe => {
                run.phase = Phase::Stripe;
                prompt("SWIPE CARD");
            }
            Failure::TimedOut => self.give_up(EndReason::TimedOut, out),
            Failure::Cancelled => self.give_up(EndReason::Cancelled, out),
            Failure::Failed => self.stop(EndReason::ReadError, out),
        }
    }

    fn read_chip(&mut self, out: &mut Vec<Out>) {
        if let Some(run) = self.run.as_mut() {
            run.phase = Phase::Chip;
            let command = command::start(&run.request);
            let op = run.op;
            self.ask(Asked::Chip(op), command, out);
        }
    }

    fn swiped(&mut self, data: &[u8], out: &mut Vec<Out>) {
        let Some(op) = self.running() else { return };
        match payload::read(data, Entry::Magstripe, &self.info.serial) {
            Ok(read) => {
                self.close(out);
                out.push(Out::Tell(ReaderEvent::CardRead { op, read: Box::new(read) }));
            }
            Err(why) => self.spoiled(why, out),
        }
    }

    /// The card's session is over; its second word does not count after a cryptogram.
    fn finished(&mut self, op: Op, out: &mut Vec<Out>) {
        if let Some(Run { phase: Phase::Finishing(read), .. }) = self.run.take_if(|run| run.op == op) {
            out.push(Out::Tell(ReaderEvent::CardRead { op, read }));
            self.ask(Asked::Cards, command::tell_of_cards(false), out);
        }
    }

    /// The reader has stopped. What it was doing answers for itself; if nothing is left to answer, this is the end.
    fn aborted(&mut self, out: &mut Vec<Out>) {
        let Some(run) = self.run.as_ref() else { return };
        match run.phase {
            Phase::Ending(why) => self.give_up(why, out),
            _ if !self.asked.iter().any(|asked| asked.takes_long()) => self.give_up(EndReason::Cancelled, out),
            _ => {}
        }
    }

    fn spoiled(&mut self, why: PayloadError, out: &mut Vec<Out>) {
        tracing::warn!(error = %why, "card data was refused");
        let clear = why == PayloadError::ClearCardData;
        self.stop(if clear { EndReason::ClearCardData } else { EndReason::ReadError }, out);
    }

    /// Whatever the reader is at, it starts from the beginning next time.
    fn stop(&mut self, why: EndReason, out: &mut Vec<Out>) {
        if let Some(run) = self.run.as_mut() {
            run.phase = Phase::Ending(why);
            self.abort(out);
        }
    }

    fn give_up(&mut self, why: EndReason, out: &mut Vec<Out>) {
        self.end(why, out);
        self.ask(Asked::Cards, command::tell_of_cards(false), out);
    }

    /// The operation is over, and the reader need not tell of cards any more.
    fn close(&mut self, out: &mut Vec<Out>) {
        self.run = None;
        self.ask(Asked::Cards, command::tell_of_cards(false), out);
    }

    fn end(&mut self, why: EndReason, out: &mut Vec<Out>) {
        // Commands of the operation that have not been sent are of no use any more.
        self.waiting.retain(|(asked, _)| !asked.takes_long());
        if let Some(run) = self.run.take() {
            out.push(Out::Tell(ReaderEvent::Ended { op: run.op, why }));
        }
    }
}

#[cfg(test)]
#[path = "driver/tests.rs"]
mod tests;
