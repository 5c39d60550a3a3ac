//! A TCP proxy that spoils messages on purpose. It knows where a message ends, so it can lose, hold back, double or
//! cut exactly the one that a test names by step and number.
//!
//! Start at [`Fault`] for what it can do and at [`Proxy::begin`] for when.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Pieces that may wait for one side of a connection.
const PIECES_MAX: usize = 64;
/// How long the proxy waits for an answer that nobody else waits for.
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// How a peer's messages look.
#[derive(Clone, Copy)]
pub struct Wire {
    /// The length of the first whole message in these bytes, once it is there; the same for either direction.
    pub whole: fn(&[u8]) -> Option<usize>,
    /// Whether a request is part of a step. Others, such as a sign-on, pass and are not numbered.
    pub counts: fn(&[u8]) -> bool,
    /// Many requests may be under way on one connection: a doubled request goes over the same one, and both answers
    /// come back. Otherwise it goes over a second connection, and its answer goes nowhere.
    pub many: bool,
}

impl Wire {
    /// HTTP/1.1 with `content-length`, one request at a time.
    pub const HTTP: Wire = Wire { whole: http, counts: |_| true, many: false };
}

fn http(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head]).unwrap();
    let length = text.lines().filter_map(|line| line.split_once(':'));
    let body: usize = length
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map(|(_, value)| value.trim().parse().unwrap())
        .next()
        .unwrap_or(0);
    (bytes.len() >= head + body).then_some(head + body)
}

/// Where in the office's plan a message belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    Prepare,
    Authorise,
    LookUp,
    Reverse,
    Capture,
    Refund,
}

/// What happens to one request or to its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The request is swallowed; the connection stays open.
    RequestHangs,
    /// The request is swallowed; the connection closes.
    RequestLost,
    /// The request reaches the host after the adapter gave up; nobody hears the answer.
    RequestLate(Duration),
    /// The host gets the request twice.
    RequestTwice,
    /// The host gets nothing; these bytes come as if it had answered.
    RequestLied(Vec<u8>),
    /// So many bytes of the request reach the host; then both connections close.
    RequestCut(usize),
    /// The host did it; the answer is swallowed and the connection stays open.
    AnswerHangs,
    /// The host did it; the connection closes instead of the answer.
    AnswerLost,
    /// The host did it; the answer comes after the adapter gave up.
    AnswerLate(Duration),
    /// The host did it; so many bytes of the answer come; then the connection closes.
    AnswerCut(usize),
    /// The host did it; these bytes come instead of the answer.
    AnswerIs(Vec<u8>),
}

impl Fault {
    /// Whether the adapter hears nothing until its time-out.
    pub fn is_slow(&self) -> bool {
        match self {
            Fault::RequestHangs | Fault::RequestLate(_) | Fault::AnswerHangs | Fault::AnswerLate(_) => true,
            Fault::RequestLost
            | Fault::RequestTwice
            | Fault::RequestLied(_)
            | Fault::RequestCut(_)
            | Fault::AnswerLost
            | Fault::AnswerCut(_)
            | Fault::AnswerIs(_) => false,
        }
    }
}

/// One fault and where it strikes: at the request with this number (0, 1, 2…) of the first call of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strike {
    pub step: Step,
    pub request: usize,
    pub fault: Fault,
}

/// What went through.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub step: Step,
    /// Its number within the call.
    pub request: usize,
    pub sent: Vec<u8>,
    /// As the host gave it; empty if it gave none.
    pub answered: Vec<u8>,
}

#[derive(Default)]
struct State {
    strikes: Vec<Strike>,
    step: Option<Step>,
    next: usize,
    seen: Vec<Exchange>,
    /// Answers that the host has not given yet.
    owed: usize,
    background: JoinSet<()>,
}

struct Shared {
    host: SocketAddr,
    wire: Wire,
    state: Mutex<State>,
}

/// A listening proxy; ends with the runtime.
pub struct Proxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Listens on a free port of the loopback interface.
    pub async fn start(host: SocketAddr, wire: Wire, strikes: Vec<Strike>) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { host, wire, state: Mutex::new(State { strikes, ..State::default() }) });
        let serving = shared.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(talk(serving.clone(), client));
            }
        });
        Proxy { address, shared }
    }

    /// A call of this step begins: requests are numbered from 0 again.
    pub fn begin(&self, step: Step) {
        let mut state = self.shared.state();
        state.step = Some(step);
        state.next = 0;
    }

    /// Everything that went through.
    pub fn seen(&self) -> Vec<Exchange> {
        self.shared.state().seen.clone()
    }

    /// Faults that did not strike yet.
    pub fn left(&self) -> usize {
        self.shared.state().strikes.len()
    }

    /// Waits until nothing is held back any more and the host has answered everything that reached it.
    pub async fn settle(&self) {
        until(|| self.shared.state().owed == 0).await;
        let mut held = std::mem::take(&mut self.shared.state().background);
        while let Some(done) = held.join_next().await {
            done.unwrap();
        }
    }
}

async fn until(done: impl Fn() -> bool) {
    let wait = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    };
    // What hangs for so long is the host's own fault, and its ledger will tell.
    let _ = tokio::time::timeout(ANSWER_MAX, wait).await;
}

/// What becomes of an answer.
enum Fate {
    Pass,
    Swallow,
    Close,
    Late(Duration),
    Cut(usize),
    Replace(Vec<u8>),
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Numbers a request, and finds the fault that it meets.
    fn arrived(&self, sent: &[u8]) -> (Option<usize>, Option<Fault>) {
        let mut state = self.state();
        let Some(step) = state.step.filter(|_| (self.wire.counts)(sent)) else { return (None, None) };
        let request = state.next;
        state.next += 1;
        state.seen.push(Exchange { step, request, sent: sent.to_vec(), answered: Vec::new() });
        let at = state.strikes.iter().position(|s| s.step == step && s.request == request);
        (Some(state.seen.len() - 1), at.map(|at| state.strikes.remove(at).fault))
    }

    fn answered(&self, seen: Option<usize>, answer: &[u8]) {
        if let Some(at) = seen {
            self.state().seen[at].answered = answer.to_vec();
        }
    }

    fn owe(&self, fates: &Fates, fate: (Option<usize>, Fate)) {
        self.state().owed += 1;
        fates.lock().unwrap().push_back(fate);
    }

    fn in_background(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.state().background.spawn(work);
    }
}

/// Reads whole messages.
struct Messages {
    from: OwnedReadHalf,
    kept: Vec<u8>,
    whole: fn(&[u8]) -> Option<usize>,
}

impl Messages {
    async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(length) = (self.whole)(&self.kept) {
                return Some(self.kept.drain(..length).collect());
            }
            let mut piece = [0; 4096];
            match self.from.read(&mut piece).await {
                Ok(0) | Err(_) => return None,
                Ok(n) => self.kept.extend_from_slice(&piece[..n]),
            }
        }
    }
}

/// Bytes for one side, or the end.
type Pieces = mpsc::Sender<Option<Vec<u8>>>;

fn writer(mut to: OwnedWriteHalf) -> Pieces {
    let (pieces, mut queue) = mpsc::channel::<Option<Vec<u8>>>(PIECES_MAX);
    tokio::spawn(async move {
        while let Some(Some(bytes)) = queue.recv().await {
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    });
    pieces
}

async fn talk(shared: Arc<Shared>, client: TcpStream) {
    let Ok(host) = TcpStream::connect(shared.host).await else { return };
    for stream in [&client, &host] {
        stream.set_nodelay(true).unwrap();
    }
    let (from_client, to_client) = client.into_split();
    let (from_host, to_host) = host.into_split();
    let (to_client, to_host) = (writer(to_client), writer(to_host));
    let whole = shared.wire.whole;
    let fates = Arc::new(Mutex::new(VecDeque::new()));
    let requests = Messages { from: from_client, kept: Vec::new(), whole };
    let answers = Messages { from: from_host, kept: Vec::new(), whole };
    let up = upwards(shared.clone(), requests, to_host.clone(), to_client.clone(), fates.clone());
    let down = downwards(shared.clone(), answers, to_client.clone(), fates.clone());
    // Whichever ends first ends both; but an answer that the host still owes is waited for.
    tokio::pin!(up, down);
    tokio::select! {
        () = &mut up => {
            let paid = until(|| fates.lock().unwrap().is_empty());
            tokio::select! { () = paid => {} () = &mut down => {} }
        }
        () = &mut down => {}
    }
    shared.state().owed -= std::mem::take(&mut *fates.lock().unwrap()).len();
    let _ = to_client.send(None).await;
    let _ = to_host.send(None).await;
}

type Fates = Arc<Mutex<VecDeque<(Option<usize>, Fate)>>>;

/// From the client to the host, until the client closes or a fault does.
async fn upwards(shared: Arc<Shared>, mut requests: Messages, host: Pieces, client: Pieces, fates: Fates) {
    while let Some(request) = requests.next().await {
        let (seen, fault) = shared.arrived(&request);
        let fate = match fault {
            None => Fate::Pass,
            Some(Fault::RequestHangs) => continue,
            Some(Fault::RequestLost) => return,
            Some(Fault::RequestLate(after)) => {
                shared.in_background(elsewhere(shared.host, shared.wire.whole, request, after));
                continue;
            }
            Some(Fault::RequestTwice) if shared.wire.many => {
                shared.owe(&fates, (seen, Fate::Pass));
                let _ = host.send(Some(request.clone())).await;
                Fate::Pass
            }
            Some(Fault::RequestTwice) => {
                shared.in_background(elsewhere(shared.host, shared.wire.whole, request.clone(), Duration::ZERO));
                Fate::Pass
            }
            Some(Fault::RequestLied(bytes)) => {
                let _ = client.send(Some(bytes)).await;
                return;
            }
            Some(Fault::RequestCut(at)) => {
                let _ = host.send(Some(request[..at.min(request.len())].to_vec())).await;
                let _ = client.send(None).await;
                return;
            }
            Some(Fault::AnswerHangs) => Fate::Swallow,
            Some(Fault::AnswerLost) => Fate::Close,
            Some(Fault::AnswerLate(after)) => Fate::Late(after),
            Some(Fault::AnswerCut(at)) => Fate::Cut(at),
            Some(Fault::AnswerIs(bytes)) => Fate::Replace(bytes),
        };
        shared.owe(&fates, (seen, fate));
        if host.send(Some(request)).await.is_err() {
            return;
        }
    }
}

/// From the host to the client, until either closes or a fault does.
async fn downwards(shared: Arc<Shared>, mut answers: Messages, client: Pieces, fates: Fates) {
    while let Some(answer) = answers.next().await {
        let owed = fates.lock().unwrap().pop_front();
        shared.state().owed -= usize::from(owed.is_some());
        let (seen, fate) = owed.unwrap_or((None, Fate::Pass));
        shared.answered(seen, &answer);
        match fate {
            Fate::Pass => {
                let _ = client.send(Some(answer)).await;
            }
            Fate::Swallow => {}
            Fate::Close => return,
            Fate::Late(after) => {
                let client = client.clone();
                shared.in_background(async move {
                    tokio::time::sleep(after).await;
                    // Gone, if it keeps no connection open.
                    let _ = client.send(Some(answer)).await;
                });
            }
            Fate::Cut(at) => {
                let _ = client.send(Some(answer[..at.min(answer.len())].to_vec())).await;
                return;
            }
            Fate::Replace(bytes) => {
                let _ = client.send(Some(bytes)).await;
                return;
            }
        }
    }
}

/// A request on a connection of its own; its answer is read and goes nowhere.
async fn elsewhere(host: SocketAddr, whole: fn(&[u8]) -> Option<usize>, request: Vec<u8>, after: Duration) {
    tokio::time::sleep(after).await;
    let Ok(stream) = TcpStream::connect(host).await else { return };
    let (from, mut to) = stream.into_split();
    if to.write_all(&request).await.is_ok() {
        let mut answers = Messages { from, kept: Vec::new(), whole };
        let _ = tokio::time::timeout(ANSWER_MAX, answers.next()).await;
    }
}
