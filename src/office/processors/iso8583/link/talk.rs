//! One open connection: who waits for what, and what to do with what is heard.
//!
//! Invariant: every caller in [`Talk::waiting`] is answered or told why not; what is heard is matched before it is
//! believed. Start at [`Talk::heard`].

use super::{LinkError, Message, Mti, Order, Shared, answers, requests};
use crate::office::processors::iso8583::frames::{Frames, frame};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::time::{Instant, timeout};

/// Requests that may wait for an answer at the same time.
const WAITING_MAX: usize = 64;
/// How long a write may take.
const WRITE_TIME: Duration = Duration::from_secs(5);
/// The longest sleep; only so that there is one.
const SLEEP: Duration = Duration::from_secs(3_600);

/// What an answer must name: the kind of its type, and the STAN.
type Key = (u16, String);

/// A request that was sent.
#[derive(Debug)]
struct Waiter {
    order: Order,
    /// When it is given up.
    deadline: Instant,
    sent: Instant,
}

/// What became of a message that was heard.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Somebody waited for it.
    Answer,
    /// It says that the answer takes longer.
    Wait,
    /// Nobody waits for it any more; an answer to an authorisation was handed on.
    Late,
    /// Answered here: the processor asked whether we are there.
    Asked,
    /// None of ours.
    Stray,
}

/// One open connection.
#[derive(Debug)]
pub(super) struct Talk {
    shared: Arc<Shared>,
    writer: OwnedWriteHalf,
    frames: Frames,
    waiting: HashMap<Key, Waiter>,
    last_heard: Instant,
    /// Since when a message has begun and not ended.
    begun: Option<Instant>,
    /// Until when an echo must be answered.
    probe: Option<Instant>,
}

impl Talk {
    pub(super) fn new(shared: Arc<Shared>, writer: OwnedWriteHalf) -> Talk {
        let frames = Frames::new(shared.profile.message_max);
        let now = Instant::now();
        Talk { shared, writer, frames, waiting: HashMap::new(), last_heard: now, begun: None, probe: None }
    }

    /// Sends an order's message, unless its caller has gone.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub(super) async fn send(&mut self, order: Order) -> Result<(), String> {
        if order.is_over() {
            order.fail(LinkError::NotSent("its time was up before it could be sent".to_owned()));
            return Ok(());
        }
        let key = (order.message.mti.answer_kind(), order.message.text(11).unwrap_or_default().to_owned());
        if self.waiting.contains_key(&key) {
            order.fail(LinkError::NotSent("the same request is under way".to_owned()));
            return Ok(());
        }
        if self.waiting.len() >= WAITING_MAX {
            order.fail(LinkError::NotSent("too many calls wait for the processor".to_owned()));
            return Ok(());
        }
        let bytes = match self.bytes(&order.message) {
            Ok(bytes) => bytes,
            Err(why) => {
                order.fail(LinkError::NotSent(why));
                return Ok(());
            }
        };
        let now = Instant::now();
        let deadline = order.until.min(now + Duration::from_millis(self.shared.profile.times.answer_ms));
        // From the first byte on nobody knows whether it had an effect.
        self.waiting.insert(key, Waiter { order, deadline, sent: now });
        self.write(&bytes).await
    }

    fn bytes(&self, message: &Message) -> Result<Vec<u8>, String> {
        let profile = &self.shared.profile;
        let bytes = profile.encode(message).map_err(|why| format!("{} cannot be written: {why}", message.mti))?;
        frame(&bytes, profile.message_max).map_err(|why| why.to_string())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        match timeout(WRITE_TIME, self.writer.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(format!("the connection broke: {why}")),
            Err(_) => Err("the processor does not take what is sent".to_owned()),
        }
    }

    /// Takes what was read.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub(super) async fn read(&mut self, bytes: io::Result<&[u8]>) -> Result<(), String> {
        let bytes = match bytes {
            Ok([]) => return Err("the processor closed the connection".to_owned()),
            Ok(bytes) => bytes,
            Err(why) => return Err(format!("the connection broke: {why}")),
        };
        self.frames.push(bytes);
        while let Some(message) = self.frames.take().map_err(|why| format!("the processor sent {why}"))? {
            self.begun = None;
            let message = self.shared.profile.decode(&message);
            let message = message.map_err(|why| format!("the processor sent what is no message: {why}"))?;
            let mti = message.mti;
            let what = self.heard(message).await?;
            tracing::debug!(%mti, ?what, "heard from the processor");
        }
        if self.frames.begun() {
            self.begun.get_or_insert(Instant::now());
        }
        Ok(())
    }

    /// Gives a message to whom it belongs.
    async fn heard(&mut self, message: Message) -> Result<Heard, String> {
        self.last_heard = Instant::now();
        self.probe = None;
        let key = (message.mti.kind(), message.text(11).unwrap_or_default().to_owned());
        if let Some(waiter) = self.waiting.get_mut(&key)
            && belongs(&waiter.order.message, &message)
        {
            if answers::waits(&self.shared.profile, &message) {
                waiter.deadline = waiter.order.until;
                return Ok(Heard::Wait);
            }
            let waiter = self.waiting.remove(&key);
            let answer = waiter.map(|waiter| waiter.order.answer);
            // A caller that has just gone hears of it as late.
            return Ok(match answer.map(|answer| answer.send(Ok(message))) {
                Some(Err(Ok(message))) => self.late(&message),
                Some(Ok(()) | Err(Err(_))) | None => Heard::Answer,
            });
        }
        if message.mti.kind() == Mti::NETWORK.kind() {
            self.write_echo(message).await?;
            return Ok(Heard::Asked);
        }
        Ok(self.late(&message))
    }

    /// Hands an authorisation's late answer on. Never waits: a reversal is repeated until it is answered.
    fn late(&self, message: &Message) -> Heard {
        if message.mti.kind() != Mti::AUTHORISATION.answer_kind() || answers::waits(&self.shared.profile, message) {
            return Heard::Stray;
        }
        let Some(late) = answers::late(&self.shared.profile, message) else { return Heard::Stray };
        if let Err(why) = self.shared.late.try_send(late) {
            tracing::warn!(error = %why, "a late answer found no room; its reversal is repeated until it is answered");
        }
        Heard::Late
    }

    /// 0810 to a processor's own 0800.
    async fn write_echo(&mut self, asked: Message) -> Result<(), String> {
        let mut answer = Message::new(Mti(asked.mti.answer_kind() * 10));
        answer.fields.extend(asked.fields.into_iter().filter(|(field, _)| matches!(field, 7 | 11 | 70)));
        answer.set(39, "00");
        let bytes = self.bytes(&answer)?;
        self.write(&bytes).await
    }

    /// When [`Talk::tick`] has something to do.
    pub(super) fn wake(&self) -> Instant {
        let times = self.shared.profile.times;
        let deadlines = self.waiting.values().map(|waiter| waiter.deadline);
        let rest = self.begun.map(|begun| begun + Duration::from_millis(times.rest_ms));
        let idle =
            (times.idle_ms > 0 && self.probe.is_none()).then(|| self.last_heard + Duration::from_millis(times.idle_ms));
        let due = deadlines.chain(rest).chain(self.probe).chain(idle).min();
        due.unwrap_or_else(|| Instant::now() + SLEEP)
    }

    /// Gives up what took too long, and asks a silent processor whether it is there.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub(super) async fn tick(&mut self) -> Result<(), String> {
        let (now, times) = (Instant::now(), self.shared.profile.times);
        if self.begun.is_some_and(|begun| begun + Duration::from_millis(times.rest_ms) <= now) {
            return Err("the processor began a message and did not end it".to_owned());
        }
        if self.probe.is_some_and(|until| until <= now) {
            return Err("the processor answers no echo".to_owned());
        }
        let (mut silent, mut over) = (false, false);
        for (_, waiter) in self.waiting.extract_if(|_, waiter| waiter.deadline <= now) {
            silent |= self.last_heard < waiter.sent;
            over = true;
            waiter.order.fail(LinkError::Silent((now - waiter.sent).as_millis()));
        }
        if over && self.begun.is_some() {
            // What follows would be read as the rest of it.
            return Err("the processor began a message and did not end it in time".to_owned());
        }
        let idle = times.idle_ms > 0 && self.last_heard + Duration::from_millis(times.idle_ms) <= now;
        if (silent || idle) && self.probe.is_none() {
            self.probe = Some(now + Duration::from_millis(times.sign_on_ms));
            let echo = self.shared.network(requests::ECHO).map_err(|why| why.to_string())?;
            let bytes = self.bytes(&echo)?;
            return self.write(&bytes).await;
        }
        Ok(())
    }

    /// Tells everybody who waits that the connection ended.
    pub(super) fn end(&mut self, why: &str) {
        for (_, waiter) in self.waiting.drain() {
            waiter.order.fail(LinkError::Lost(why.to_owned()));
        }
    }
}

/// Type and STAN are the same already: the RRN must be too, or where the answer has none, the time.
fn belongs(request: &Message, answer: &Message) -> bool {
    let equal = |field| answer.text(field) == request.text(field);
    match answer.text(37) {
        Some(_) => equal(37),
        None => answer.fields.contains_key(&7) && equal(7),
    }
}
