//! What the office does with one card payment, without its database: [`plan::next`] decides, an adapter is asked, and
//! the answer is taken as `office/payments/worker.rs` takes it.

use super::peers::{AMOUNT_MINOR, CURRENCY, Card, Peer};
use super::proxy::{Proxy, Step};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tillroll::domain::outcome::OutcomeState;
use tillroll::office::payments::Timing;
use tillroll::office::payments::follow_up::sent;
use tillroll::office::payments::plan::{self, Attempt, AttemptState, Known, Step as Plan};
use tillroll::office::processors::{
    Answer, Authorisation, FollowUp, Found, LATE_MAX, Late, Processor, ProcessorError, Refunded, Sent,
};
use tokio::sync::mpsc;

/// Decisions of one payment at the most; more is going round in circles.
const DECISIONS_MAX: u32 = 60;
/// Tries of one call at the most.
const TRIES_MAX: u32 = 12;

/// Numbers for STAN and RRN.
static NUMBERS: AtomicU32 = AtomicU32::new(1);

/// How a payment is meant to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    Captured,
    Voided,
}

/// One payment.
pub struct Payment<'a, P: Peer> {
    peer: &'a P,
    proxy: &'a Proxy,
    processor: Arc<dyn Processor>,
    lates: mpsc::Receiver<Late>,
    name: String,
    card: Card,
    goal: Goal,
    known: Known,
    /// Every attempt, the newest last.
    pub attempts: Vec<Sent>,
    /// The reversals that were sent.
    pub reversals: Vec<FollowUp>,
    /// The capture that was sent.
    pub capture: Option<FollowUp>,
}

fn number() -> u32 {
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

impl<'a, P: Peer> Payment<'a, P> {
    pub fn new(peer: &'a P, proxy: &'a Proxy, name: String, card: Card, goal: Goal, answer_ms: u64) -> Self {
        let (late, lates) = mpsc::channel(LATE_MAX);
        let processor = peer.open(proxy.address, answer_ms, late);
        let can_look_up = processor.abilities().look_up;
        let known = Known { request_age_ms: Some(Some(0)), can_look_up, ..Known::new(now_ms(), AMOUNT_MINOR) };
        let (attempts, reversals) = (Vec::new(), Vec::new());
        Payment { peer, proxy, processor, lates, name, card, goal, known, attempts, reversals, capture: None }
    }

    /// Plays until the payment is over; its last word.
    pub async fn play(&mut self) -> OutcomeState {
        for _ in 0..DECISIONS_MAX {
            match plan::next(&self.known, &Timing::STANDARD) {
                Plan::Forward { n, deferred } => self.forward(n, deferred).await,
                Plan::Send(_) => {
                    let request = self.request(self.newest().clone());
                    self.state(AttemptState::InDoubt);
                    self.authorise(&request).await;
                }
                Plan::LookUp(_) => self.look_up().await,
                Plan::Reverse(_) => self.reverse().await,
                Plan::Capture(_) => self.capture().await,
                Plan::Say { state, over, .. } => {
                    self.known.said = Some(state);
                    match state {
                        OutcomeState::Approved if self.goal == Goal::Captured => self.known.outcome_seen = true,
                        OutcomeState::Approved => self.known.void_requested = true,
                        OutcomeState::Declined => return state,
                        _ => {}
                    }
                    if over {
                        return state;
                    }
                }
                Plan::Over => return self.known.said.unwrap(),
                Plan::LookAround | Plan::AskPerson => panic!("{}: no office was lost", self.name),
                Plan::Wait(_) => panic!("{}: nothing to wait for: {:?}", self.name, self.known),
            }
        }
        panic!("{}: no end in sight: {:?}", self.name, self.known);
    }

    /// What came late and was approved after it was given up is reversed again, as the office does.
    pub async fn hear_late(&mut self) {
        while let Ok(late) = self.lates.try_recv() {
            let again = self.reversals.iter().find(|r| r.of.rrn == late.rrn).cloned();
            if let Some(again) = again.filter(|_| late.answer.approved) {
                self.insist(Step::Reverse, again, |p, call| p.reverse(call)).await;
            }
        }
    }

    /// Sends a call until it is answered.
    pub async fn insist<T: Send>(
        &self,
        step: Step,
        mut call: FollowUp,
        ask: impl for<'p> Fn(&'p dyn Processor, &'p FollowUp) -> tillroll::office::processors::Reply<'p, T>,
    ) -> T {
        for _ in 0..TRIES_MAX {
            self.proxy.begin(step);
            match ask(&*self.processor, &call).await {
                Ok(said) => return said,
                Err(ProcessorError::InDoubt(_)) => call.repeat = true,
                Err(why) => panic!("{}: {step:?}: {why}", self.name),
            }
        }
        panic!("{}: {step:?} is never answered", self.name);
    }

    /// Gives so much back.
    pub async fn refund(&self, call: FollowUp) -> Refunded {
        self.insist(Step::Refund, call, |p, call| p.refund(call)).await
    }

    /// What went back beyond this refund, where the host can be asked.
    pub async fn refunded_beyond(&self, call: &FollowUp) -> i64 {
        for _ in 0..TRIES_MAX {
            match self.processor.refunded_beyond(call).await {
                Ok(minor) => return minor,
                Err(ProcessorError::InDoubt(_)) => {}
                Err(ProcessorError::Unable(_)) => return 0,
                Err(why) => panic!("{}: {why}", self.name),
            }
        }
        panic!("{}: whether a refund was made twice is never answered", self.name);
    }

    /// A follow-up of the newest attempt.
    pub fn follow_up(&self, tail: &str, amount_minor: i64) -> FollowUp {
        let of = self.newest().clone();
        FollowUp { key: format!("{}-{tail}", of.key), of, stan: number(), at_ms: now_ms(), repeat: false, amount_minor }
    }

    fn newest(&self) -> &Sent {
        self.attempts.last().unwrap()
    }

    fn last(&mut self) -> &mut Attempt {
        self.known.last.as_mut().unwrap()
    }

    fn state(&mut self, state: AttemptState) {
        self.last().state = state;
    }

    fn request(&self, of: Sent) -> Authorisation {
        Authorisation {
            key: of.key,
            stan: of.stan,
            rrn: of.rrn,
            at_ms: of.at_ms,
            terminal: of.terminal,
            amount_minor: of.amount_minor,
            currency: of.currency,
            deferred: of.deferred,
            allow_partial: !of.deferred,
            keep_card: false,
            reference: of.reference,
            source: self.peer.charge(self.card),
        }
    }

    async fn forward(&mut self, n: u32, deferred: bool) {
        let stan = number();
        let of = Sent {
            key: format!("{}-{n}", self.name),
            stan,
            rrn: format!("c0de{stan:08}"),
            at_ms: now_ms(),
            terminal: "D07".to_owned(),
            amount_minor: AMOUNT_MINOR,
            currency: CURRENCY.to_owned(),
            deferred,
            auth_code: None,
            reference: None,
        };
        let mut request = self.request(of);
        self.attempts.push(sent(&request));
        let state = AttemptState::Prepared;
        self.known.last = Some(Attempt { n, state, deferred, approved_minor: 0, response_code: None, lease_ms: 0 });
        self.proxy.begin(Step::Prepare);
        match self.processor.prepare(&request).await {
            Ok(None) => {}
            Ok(reference) => {
                request.reference.clone_from(&reference);
                self.attempts.last_mut().unwrap().reference = reference;
            }
            Err(_) => return self.state(AttemptState::InDoubt),
        }
        self.authorise(&request).await;
    }

    async fn authorise(&mut self, request: &Authorisation) {
        self.proxy.begin(Step::Authorise);
        match self.processor.authorise(request).await {
            Ok(answer) => self.answered(answer).await,
            Err(_) => self.state(AttemptState::InDoubt),
        }
    }

    async fn answered(&mut self, answer: Answer) {
        let last = self.last();
        last.response_code = Some(answer.response_code);
        if !answer.approved {
            return self.state(AttemptState::Declined);
        }
        last.state = AttemptState::Approved;
        last.approved_minor = answer.amount_minor;
        self.known.approved_at_ms = Some(self.known.now_ms);
        let sent = self.attempts.last_mut().unwrap();
        sent.auth_code = answer.auth_code;
        // Nothing that the host does not know of is an approval.
        let effects = self.peer.effects(sent).await;
        assert_eq!((effects.live_authorisations, effects.captured_minor), (1, 0), "{}: approved", self.name);
    }

    async fn look_up(&mut self) {
        for _ in 0..TRIES_MAX {
            self.proxy.begin(Step::LookUp);
            match self.processor.look_up(self.newest()).await {
                Ok(Found::Nothing) => return self.state(AttemptState::Reversing),
                Ok(Found::Reversed) => return self.state(AttemptState::Dead),
                Ok(Found::Unfinished { reference }) => {
                    self.attempts.last_mut().unwrap().reference = Some(reference);
                    return self.state(AttemptState::Announced);
                }
                Ok(Found::Answered { answer, captured_minor: 0 }) => return self.answered(answer).await,
                Ok(Found::Answered { .. }) => panic!("{}: captured and nobody asked", self.name),
                Err(ProcessorError::InDoubt(_)) => tokio::time::sleep(Duration::from_millis(1)).await,
                Err(why) => panic!("{}: {why}", self.name),
            }
        }
        panic!("{}: a look-up is never answered", self.name);
    }

    async fn reverse(&mut self) {
        let call = self.follow_up("reversal", AMOUNT_MINOR);
        self.reversals.push(call.clone());
        self.state(AttemptState::Reversing);
        self.insist(Step::Reverse, call, |p, call| p.reverse(call)).await;
        self.state(AttemptState::Dead);
    }

    async fn capture(&mut self) {
        let call = self.follow_up("capture", self.known.last.as_ref().unwrap().approved_minor);
        self.capture = Some(call.clone());
        let minor = self.insist(Step::Capture, call, |p, call| p.capture(call)).await;
        assert_eq!(minor, AMOUNT_MINOR, "{}: captured", self.name);
        self.state(AttemptState::Captured);
    }
}
