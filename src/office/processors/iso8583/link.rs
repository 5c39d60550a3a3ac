//! The connection: one task owns one TCP connection, sends what callers hand it and gives each its own answer.
//!
//! Invariant: a request is written at most once, and not after its caller gave up; an answer goes to the request whose
//! type, STAN and RRN (or time, where there is no RRN) it names, and to no other; bytes that are no message end the
//! connection, and with it every call in doubt. Start at [`Link::call`]; the open connection is `talk`.

mod talk;

use super::message::{Message, Mti};
use super::profile::Profile;
use super::{answers, requests};
use crate::office::processors::{Late, ProcessorError};
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use talk::Talk;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// Calls that may wait for the connection's task.
const ORDERS_MAX: usize = 64;
/// Bytes read at once.
const READ_BYTES: usize = 4_096;
/// The largest STAN, six digits.
const STAN_MAX: u32 = 999_999;

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It was not sent.
    #[error("{0}")]
    NotSent(String),
    /// The processor refused the sign-on; nothing was sent.
    #[error("the sign-on was answered {0}: ask the processor whether this office is known and allowed")]
    SignOn(String),
    /// Sent, and then the connection ended.
    #[error("{0}")]
    Lost(String),
    /// Sent, and nothing came in time.
    #[error("no answer within {0} ms")]
    Silent(u128),
}

impl LinkError {
    /// Trying the same again is useless.
    pub fn is_permanent(&self) -> bool {
        match self {
            LinkError::SignOn(_) => true,
            LinkError::NotSent(_) | LinkError::Lost(_) | LinkError::Silent(_) => false,
        }
    }
}

impl From<LinkError> for ProcessorError {
    fn from(why: LinkError) -> ProcessorError {
        // What was not sent had no effect; a second message tells, and the caller is not asked to trust this one.
        ProcessorError::InDoubt(why.to_string())
    }
}

/// A call on its way.
#[derive(Debug)]
pub(super) struct Order {
    message: Message,
    until: Instant,
    answer: oneshot::Sender<Result<Message, LinkError>>,
}

impl Order {
    fn fail(self, why: LinkError) {
        // A caller that has gone needs no answer.
        let _ = self.answer.send(Err(why));
    }

    fn is_over(&self) -> bool {
        self.answer.is_closed() || self.until <= Instant::now()
    }
}

/// What connection and callers share.
#[derive(Debug)]
struct Shared {
    address: String,
    profile: Arc<Profile>,
    late: mpsc::Sender<Late>,
    stan: AtomicU32,
}

impl Shared {
    /// The next number of a message that moves no money.
    fn next_stan(&self) -> u32 {
        self.stan.fetch_add(1, Ordering::Relaxed) % STAN_MAX + 1
    }

    fn network(&self, what: u16) -> Result<Message, LinkError> {
        requests::network(what, self.next_stan(), now_ms()).map_err(|why| LinkError::NotSent(why.to_string()))
    }
}

/// Unix milliseconds.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The callers' end. Its task begins with the first call and ends with the last clone of this.
pub struct Link {
    shared: Arc<Shared>,
    orders: Mutex<Option<mpsc::Sender<Order>>>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({})", self.shared.address)
    }
}

impl Link {
    /// A link to `HOST:PORT` that is not open yet.
    pub fn new(address: &str, profile: Arc<Profile>, late: mpsc::Sender<Late>) -> Link {
        let shared = Shared { address: address.to_owned(), profile, late, stan: AtomicU32::new(0) };
        Link { shared: Arc::new(shared), orders: Mutex::new(None) }
    }

    /// The next number of a message that moves no money.
    pub fn next_stan(&self) -> u32 {
        self.shared.next_stan()
    }

    /// Sends a message and waits for its answer, at the most so long, connecting and signing on included.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn call(&self, message: Message, within: Duration) -> Result<Message, LinkError> {
        let until = Instant::now() + within;
        let (answer, mut answered) = oneshot::channel();
        let order = Order { message, until, answer };
        let busy = || LinkError::NotSent("too many calls wait for the processor".to_owned());
        self.orders().try_send(order).map_err(|_| busy())?;
        if let Ok(came) = timeout_at(until, &mut answered).await {
            return came.unwrap_or_else(|_| Err(LinkError::Lost("the connection's task ended".to_owned())));
        }
        // It may have come in the same moment; after this it is a late one.
        answered.close();
        answered.try_recv().unwrap_or(Err(LinkError::Silent(within.as_millis())))
    }

    fn orders(&self) -> mpsc::Sender<Order> {
        let mut kept = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(orders) if !orders.is_closed() => orders.clone(),
            Some(_) | None => {
                let (orders, queue) = mpsc::channel(ORDERS_MAX);
                tokio::spawn(keep(self.shared.clone(), queue));
                kept.insert(orders).clone()
            }
        }
    }
}

/// Waits for a call, opens a connection for it and talks until that ends; then again.
async fn keep(shared: Arc<Shared>, mut orders: mpsc::Receiver<Order>) {
    while let Some(first) = orders.recv().await {
        if first.is_over() {
            continue;
        }
        let (mut talk, reader) = match open(&shared).await {
            Ok(opened) => opened,
            Err(why) => {
                tracing::warn!(address = shared.address, error = %why, "no connection to the processor");
                first.fail(why.clone());
                // Whoever waited behind it is told the same, and does not wait for the same again.
                while let Ok(order) = orders.try_recv() {
                    order.fail(why.clone());
                }
                continue;
            }
        };
        let why = converse(&mut talk, reader, first, &mut orders).await;
        tracing::info!(address = shared.address, reason = why, "the connection to the processor ended");
        talk.end(&why);
    }
}

/// A connection that is signed on.
async fn open(shared: &Arc<Shared>) -> Result<(Talk, OwnedReadHalf), LinkError> {
    let times = shared.profile.times;
    let unreachable = |why: String| {
        let address = &shared.address;
        LinkError::NotSent(format!("no connection to {address}: {why}: check the address, and that it is up"))
    };
    let stream = timeout(Duration::from_millis(times.connect_ms), TcpStream::connect(&shared.address))
        .await
        .map_err(|_| unreachable(format!("nothing within {} ms", times.connect_ms)))?
        .map_err(|why| unreachable(why.to_string()))?;
    stream.set_nodelay(true).map_err(|why| unreachable(why.to_string()))?;
    let (mut reader, writer) = stream.into_split();
    let mut talk = Talk::new(shared.clone(), writer);
    let within = Duration::from_millis(times.sign_on_ms);
    let (answer, mut answered) = oneshot::channel();
    let order = Order { message: shared.network(requests::SIGN_ON)?, until: Instant::now() + within, answer };
    talk.send(order).await.map_err(LinkError::NotSent)?;
    let mut chunk = [0; READ_BYTES];
    let said = loop {
        tokio::select! {
            said = &mut answered => break said.unwrap_or(Err(LinkError::Silent(within.as_millis()))),
            read = reader.read(&mut chunk) => {
                talk.read(read.map(|count| chunk.get(..count).unwrap_or_default())).await.map_err(LinkError::NotSent)?;
            }
            () = sleep_until(talk.wake()) => talk.tick().await.map_err(LinkError::NotSent)?,
        }
    };
    let said = said.map_err(|why| LinkError::NotSent(format!("the sign-on failed: {why}")))?;
    match said.text(39) {
        Some(code) if shared.profile.codes.approved.iter().any(|known| known == code) => Ok((talk, reader)),
        code => Err(LinkError::SignOn(code.unwrap_or("without a code").to_owned())),
    }
}

/// Sends, reads and minds the time until the connection or the last caller ends; why it ended.
async fn converse(
    talk: &mut Talk,
    mut reader: OwnedReadHalf,
    first: Order,
    orders: &mut mpsc::Receiver<Order>,
) -> String {
    let mut chunk = [0; READ_BYTES];
    let mut done = talk.send(first).await;
    while let Ok(()) = done {
        done = tokio::select! {
            order = orders.recv() => match order {
                Some(order) => talk.send(order).await,
                None => Err("nobody needs it any more".to_owned()),
            },
            read = reader.read(&mut chunk) => talk.read(read.map(|count| chunk.get(..count).unwrap_or_default())).await,
            () = sleep_until(talk.wake()) => talk.tick().await,
        };
    }
    done.err().unwrap_or_default()
}

#[cfg(test)]
mod tests;
