//! The card reader's task: turns what a reader tells into events of the payment under way, and seals its read.
//!
//! Invariants: one payment at a time; the read stays here, in memory, until it is sealed or thrown away; nothing but
//! [`ReadFacts`] leaves in the clear. Start at [`ReaderHandle`].

use super::store::StoreHandle;
use crate::domain::event::{Event as Row, PaymentCardRead};
use crate::domain::id::PaymentId;
use crate::domain::journal::Hash;
use crate::domain::money::Money;
use crate::domain::payment::{CardEntry, CardMarks, CardSummary, Payment};
use crate::flow::payment::{Event, ReadFacts};
use crate::runtime::PaymentEvents;
use crate::runtime::link::LinkState;
use crate::store::NewBlob;
use crate::sync::wire::seal::{CardData, SealingKey, seal};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tillroll_hardware::reader::{
    ArmRequest, CardRead, Cvm, EndReason, Entry, LocalTime, Op, ReaderCommand, ReaderEvent, ReaderLink,
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle as Task;

/// Requests that may wait.
const QUEUE: usize = 16;

/// How the reader is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReaderState {
    /// Model and serial number, once known.
    pub name: String,
    /// Its firmware, if it says so.
    pub firmware: Option<String>,
    /// 0 to 100, if it says so.
    pub battery_percent: Option<u8>,
    /// Whether it answers.
    pub connected: bool,
    /// It will be gone for a moment, for its daily self-test, in so many minutes.
    pub restart_in: Option<u8>,
}

enum Request {
    Arm { payment: PaymentId, amount: Money, timeout_ms: u64 },
    Cancel(PaymentId),
    Select(PaymentId, u8),
    Identify,
    Use(Box<ReaderLink>),
    Take(PaymentId, oneshot::Sender<Option<Box<CardRead>>>),
    Forget(PaymentId),
}

/// A way to the reader; cheap to clone.
#[derive(Clone)]
pub struct ReaderHandle {
    requests: mpsc::Sender<Request>,
    state: watch::Receiver<ReaderState>,
    store: StoreHandle,
}

/// Starts the reader's task, which ends when nobody holds its handle and the reader is let go. What happens to a payment
/// goes to `events`.
pub fn spawn(
    link: ReaderLink,
    store: StoreHandle,
    online: watch::Receiver<LinkState>,
    events: PaymentEvents,
) -> (ReaderHandle, Task<()>) {
    let (requests, queue) = mpsc::channel(QUEUE);
    let (tell, state) = watch::channel(ReaderState::default());
    let actor = Actor {
        link,
        store: store.clone(),
        online,
        events,
        tell,
        next_op: 0,
        current: None,
        cancelled: None,
        read: None,
    };
    let task = tokio::spawn(actor.run(queue));
    (ReaderHandle { requests, state, store }, task)
}

impl ReaderHandle {
    /// How the reader is, now and whenever it changes.
    pub fn state(&self) -> watch::Receiver<ReaderState> {
        self.state.clone()
    }

    /// Waits for a card for this payment; the end comes as an event.
    pub async fn arm(&self, payment: PaymentId, amount: Money, timeout_ms: u64) {
        self.send(Request::Arm { payment, amount, timeout_ms }).await;
    }

    /// Asks the reader to stop waiting; the end comes as an event.
    pub async fn cancel(&self, payment: PaymentId) {
        self.send(Request::Cancel(payment)).await;
    }

    /// The holder chose this application, from 0.
    pub async fn select(&self, payment: PaymentId, index: u8) {
        self.send(Request::Select(payment, index)).await;
    }

    /// The reader beeps, or shows a word.
    pub async fn identify(&self) {
        self.send(Request::Identify).await;
    }

    /// Another reader is used from now on; a payment under way at the one before ends as abandoned.
    pub async fn use_link(&self, link: ReaderLink) {
        self.send(Request::Use(Box::new(link))).await;
    }

    /// Throws away the read of this payment, if there is one.
    pub async fn forget(&self, payment: PaymentId) {
        self.send(Request::Forget(payment)).await;
    }

    /// Seals the read of this payment to the office and writes it, in one transaction; the payment as it is then.
    pub async fn commit_read(&self, payment: PaymentId, facts: ReadFacts) -> Result<Payment, String> {
        let (answer, waiting) = oneshot::channel();
        self.send(Request::Take(payment, answer)).await;
        let read = waiting.await.ok().flatten().ok_or("the card's data is gone: present the card again")?;
        let (before, key) = self
            .store
            .run(move |store| Ok((store.payment(payment)?, store.document::<SealingKey>("sealing_key")?)))
            .await?;
        let key = key.ok_or("the office's sealing key is not here yet: connect once, or take cash")?;
        let card = CardData {
            ciphertext: BASE64.encode(&read.ciphertext),
            ksn: facts.ksn.clone(),
            encryption_type: read.encryption_type,
            reader: read.serial.clone(),
            emv: read.emv_tags.clone(),
        };
        let bytes = seal(&key, payment, before.amount, &card).map_err(|why| why.to_string())?;
        let blob = NewBlob { sha256: Hash::of(&bytes).to_string(), bytes };
        let row = PaymentCardRead {
            payment,
            job: before.job,
            visit: before.visit,
            card: facts.card,
            blob: blob.sha256.clone(),
            sealing_key: key.id,
            ksn: facts.ksn,
            ciphertext_sha256: facts.ciphertext_sha256,
            salt: salt()?,
        };
        let committed = self.store.commit(Row::PaymentCardRead(row), Some(blob)).await?;
        committed.payment.ok_or_else(|| "the payment is not on this handheld".to_owned())
    }

    /// A stopped actor ends every wait by its closed channels; nothing is left to do here then.
    async fn send(&self, request: Request) {
        let _ = self.requests.send(request).await;
    }
}

fn salt() -> Result<String, String> {
    let mut salt = [0_u8; 16];
    getrandom::fill(&mut salt).map_err(|why| format!("the machine gives no random numbers: {why}"))?;
    Ok(hex::encode(salt))
}

struct Actor {
    link: ReaderLink,
    store: StoreHandle,
    online: watch::Receiver<LinkState>,
    events: PaymentEvents,
    tell: watch::Sender<ReaderState>,
    next_op: u64,
    current: Option<(Op, PaymentId)>,
    /// A payment that was cancelled while the reader did not wait for its card: the cancel may be ahead of the arming.
    cancelled: Option<PaymentId>,
    read: Option<(PaymentId, Box<CardRead>)>,
}

impl Actor {
    async fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        loop {
            tokio::select! {
                request = queue.recv() => match request {
                    Some(request) => self.request(request).await,
                    None => break,
                },
                event = self.link.events.recv() => match event {
                    Some(event) => self.event(event).await,
                    None => break,
                },
                changed = self.online.changed() => match changed {
                    Ok(()) => self.seen_online().await,
                    Err(_) => break,
                },
            }
        }
        self.link.close().await;
    }

    async fn request(&mut self, request: Request) {
        match request {
            Request::Arm { payment, amount, timeout_ms } => self.arm(payment, amount, timeout_ms).await,
            Request::Cancel(payment) => match self.current.filter(|(_, current)| *current == payment) {
                Some((op, _)) => drop(self.link.commands.send(ReaderCommand::Cancel { op }).await),
                None => self.cancelled = Some(payment),
            },
            Request::Select(payment, index) => {
                if let Some((op, _)) = self.current.filter(|(_, current)| *current == payment) {
                    let chosen = ReaderCommand::SelectApplication { op, index: Some(index) };
                    let _ = self.link.commands.send(chosen).await;
                }
            }
            Request::Identify => {
                let _ = self.link.commands.send(ReaderCommand::Identify).await;
            }
            Request::Use(link) => {
                let before = std::mem::replace(&mut self.link, *link);
                // The new one is not kept waiting by the old one's farewell.
                tokio::spawn(before.close());
                self.tell.send_replace(ReaderState::default());
                if let Some((op, _)) = self.current {
                    self.ended(op, Event::ReaderEnded(EndReason::ReaderLost.to_string())).await;
                }
            }
            Request::Take(payment, answer) => {
                let read = self.read.take_if(|(of, _)| *of == payment).map(|(_, read)| read);
                let _ = answer.send(read);
            }
            Request::Forget(payment) => {
                self.read.take_if(|(of, _)| *of == payment);
            }
        }
    }

    async fn arm(&mut self, payment: PaymentId, amount: Money, timeout_ms: u64) {
        let never = match (self.current, self.cancelled) {
            (_, Some(cancelled)) if cancelled == payment => Some(EndReason::Cancelled),
            (Some(_), _) => Some(EndReason::Busy),
            (None, _) => None,
        };
        if let Some(why) = never {
            self.tell_payment(payment, Event::ReaderEnded(why.to_string())).await;
            return;
        }
        self.read = None;
        self.next_op += 1;
        let op = Op(self.next_op);
        self.current = Some((op, payment));
        let request = ArmRequest {
            op,
            amount_minor: u64::try_from(amount.minor).unwrap_or(0),
            currency_numeric: amount.currency.numeric(),
            currency_exponent: u8::try_from(amount.currency.exponent()).unwrap_or(2),
            timeout_s: u8::try_from(timeout_ms.div_ceil(1_000)).unwrap_or(u8::MAX).max(1),
            local: local_time(self.store.clock().now_ms()),
        };
        if self.link.commands.send(ReaderCommand::Arm(request)).await.is_err() {
            self.ended(op, Event::ReaderEnded(EndReason::ReaderLost.to_string())).await;
        }
    }

    async fn event(&mut self, event: ReaderEvent) {
        match event {
            ReaderEvent::Connected(info) => {
                self.tell.send_replace(ReaderState {
                    name: format!("{} {}", info.model, info.serial),
                    firmware: info.firmware,
                    battery_percent: info.battery_percent,
                    connected: true,
                    restart_in: None,
                });
                self.note("reader_seen_ms").await;
                self.seen_online().await;
            }
            ReaderEvent::Lost => self.tell.send_modify(|state| state.connected = false),
            ReaderEvent::Battery(percent) => self.tell.send_modify(|state| state.battery_percent = Some(percent)),
            ReaderEvent::Prompt { op, text } => {
                if let Some((_, payment)) = self.current.filter(|(current, _)| *current == op) {
                    self.tell_payment(payment, Event::Prompt(text)).await;
                }
            }
            ReaderEvent::CardSeen { .. } | ReaderEvent::Identified(_) => {}
            ReaderEvent::RestartsSoon { minutes } => self.tell.send_modify(|state| state.restart_in = Some(minutes)),
            ReaderEvent::ChooseApplication { op, labels } => {
                if let Some((_, payment)) = self.current.filter(|(current, _)| *current == op) {
                    self.tell_payment(payment, Event::Applications(labels)).await;
                }
            }
            ReaderEvent::CardRead { op, read } => {
                let facts = facts(&read, self.store.clock().now_ms());
                if let Some((_, payment)) = self.current.filter(|(current, _)| *current == op) {
                    self.read = Some((payment, read));
                }
                self.ended(op, Event::CardRead(Box::new(facts))).await;
            }
            ReaderEvent::DeclinedByCard { op } => self.ended(op, Event::CardDeclined).await,
            ReaderEvent::Ended { op, why: EndReason::ClearCardData } => self.ended(op, Event::ClearCardData).await,
            ReaderEvent::Ended { op, why } => self.ended(op, Event::ReaderEnded(why.to_string())).await,
        }
    }

    async fn ended(&mut self, op: Op, event: Event) {
        if let Some((_, payment)) = self.current.take_if(|(current, _)| *current == op) {
            self.tell_payment(payment, event).await;
        }
    }

    async fn tell_payment(&self, payment: PaymentId, event: Event) {
        let _ = self.events.send((payment, event)).await;
    }

    /// The offline policy asks when this reader was last seen with a link.
    async fn seen_online(&self) {
        if !self.tell.borrow().connected || !self.online.borrow().online {
            return;
        }
        self.note("reader_online_ms").await;
    }

    /// Notes that something of this name is the case now.
    async fn note(&self, name: &'static str) {
        let now = self.store.clock().now_ms();
        if let Err(why) = self.store.run(move |store| store.set_meta(name, &now)).await {
            tracing::warn!(error = %why, name, "a time was not kept");
        }
    }
}

/// The device's wall clock, in the parts that a card is told.
fn local_time(now_ms: i64) -> LocalTime {
    let at = jiff::Timestamp::from_millisecond(now_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let at = at.to_zoned_datetime(jiff::tz::TimeZone::system());
    let part = |number: i8| u8::try_from(number).unwrap_or(0);
    let year = u8::try_from(at.year().rem_euclid(100)).unwrap_or(0);
    LocalTime {
        date: [year, part(at.month()), part(at.day())],
        time: [part(at.hour()), part(at.minute()), part(at.second())],
    }
}

fn facts(read: &CardRead, now_ms: i64) -> ReadFacts {
    let entry = match read.entry {
        Entry::Contactless => CardEntry::Contactless,
        Entry::Chip => CardEntry::Chip,
        Entry::Magstripe => CardEntry::Magstripe,
    };
    let cvm = match read.cvm {
        Cvm::None => "No verification",
        Cvm::Pin => "PIN verified",
        Cvm::Signature => "Signature",
        Cvm::Device => "Verified on the phone",
    };
    ReadFacts {
        card: CardSummary {
            brand: read.brand.to_owned(),
            last4: read.last4.clone(),
            aid: read.aid.clone(),
            label: read.label.clone(),
            cvm: cvm.to_owned(),
            entry,
            marks: marks(read, now_ms),
        },
        ksn: hex::encode_upper(&read.ksn),
        ciphertext_sha256: Hash::of(&read.ciphertext).to_string(),
    }
}

/// What rules hang on. A card is good to the end of its month; the date itself is not kept.
fn marks(read: &CardRead, now_ms: i64) -> CardMarks {
    let tag = |tag| read.emv_tags.get(tag).map(String::as_str);
    let [year, month, _] = local_time(now_ms).date;
    let past = read.expires.is_some_and(|expires| expires < (year, month));
    CardMarks::of(tag("95"), tag("9F34"), past)
}
