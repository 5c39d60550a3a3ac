//! The task for card readers over Bluetooth: looks for them, pairs, forgets, and gives the chosen one to the reader's task.
//!
//! Invariant: one pairing at a time; the reader in use is noted before it is used. Start at [`DevicesHandle`].

mod name;

pub use name::{Protocol, ReaderName, no_reader, reader_at};

use super::reader::ReaderHandle;
use super::store::StoreHandle;
use crate::app::effect::DeviceCommand;
use crate::app::msg::{DeviceRow, DevicesNews};
use std::collections::BTreeMap;
use std::time::Duration;
use tillroll_hardware::transport::bluetooth::{self, Address, BluetoothError, Found, Kind, Question};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

/// Commands that may wait.
const QUEUE: usize = 8;

/// A search ends by itself: it costs battery on both sides.
const SEARCH: Duration = Duration::from_secs(60);

/// Name of the note that says which reader is used.
pub const READER_NOTE: &str = "reader";

/// Name of the note of the passkey that worked last: it opens no money, and is not asked for twice.
pub const PASSKEY_NOTE: &str = "reader_passkey";

/// A way to the task; cheap to clone.
#[derive(Clone)]
pub struct DevicesHandle {
    commands: mpsc::Sender<DeviceCommand>,
    news: watch::Receiver<DevicesNews>,
}

impl DevicesHandle {
    /// Does it, later.
    pub async fn command(&self, command: DeviceCommand) {
        // A task that has ended does nothing any more.
        let _ = self.commands.send(command).await;
    }

    /// What is known of readers, now and whenever it changes.
    pub fn news(&self) -> watch::Receiver<DevicesNews> {
        self.news.clone()
    }
}

/// Starts the task.
pub fn spawn(store: StoreHandle, reader: ReaderHandle) -> DevicesHandle {
    let (commands, queue) = mpsc::channel(QUEUE);
    let (tell, news) = watch::channel(DevicesNews::default());
    let actor = Actor { store, reader, tell, found: BTreeMap::new(), used: None, scan: None, pairing: None };
    tokio::spawn(actor.run(queue));
    DevicesHandle { commands, news }
}

struct Pairing {
    /// Typed for it; `None` for a reader that was paired before.
    passkey: Option<u32>,
    outcome: oneshot::Receiver<Result<Found, BluetoothError>>,
    questions: mpsc::Receiver<Question>,
    question: Option<Question>,
}

struct Actor {
    store: StoreHandle,
    reader: ReaderHandle,
    tell: watch::Sender<DevicesNews>,
    found: BTreeMap<Address, Found>,
    used: Option<String>,
    scan: Option<(mpsc::Receiver<Found>, Instant)>,
    pairing: Option<Pairing>,
}

enum Happened {
    Command(DeviceCommand),
    Found(Found),
    SearchOver,
    Asked(Question),
    Paired(Result<Found, BluetoothError>),
    ReaderChanged,
}

impl Actor {
    async fn run(mut self, mut queue: mpsc::Receiver<DeviceCommand>) {
        let mut reader = self.reader.state();
        reader.mark_changed();
        loop {
            let happened = tokio::select! {
                command = queue.recv() => match command {
                    Some(command) => Happened::Command(command),
                    None => return,
                },
                found = next_found(&mut self.scan) => found.map_or(Happened::SearchOver, Happened::Found),
                event = next_of(&mut self.pairing) => event,
                Ok(()) = reader.changed() => Happened::ReaderChanged,
            };
            self.take(happened).await;
            self.told();
        }
    }

    async fn take(&mut self, happened: Happened) {
        match happened {
            Happened::Command(command) => self.command(command).await,
            Happened::Found(found) => {
                self.found.insert(found.address, found);
            }
            Happened::SearchOver => self.scan = None,
            Happened::Asked(question) => {
                if let Some(pairing) = &mut self.pairing {
                    pairing.question = Some(question);
                }
            }
            Happened::Paired(outcome) => {
                let passkey = self.pairing.take().and_then(|pairing| pairing.passkey);
                match outcome {
                    Ok(found) => {
                        if let Some(passkey) = passkey {
                            self.note(PASSKEY_NOTE, format!("{passkey:06}")).await;
                        }
                        self.use_reader(found).await;
                    }
                    Err(why) => self.problem(why.to_string()),
                }
            }
            Happened::ReaderChanged => self.read_notes().await,
        }
    }

    async fn read_notes(&mut self) {
        let notes = self.store.run(|store| {
            let (used, seen): (Option<String>, Option<i64>) = (store.meta(READER_NOTE)?, store.meta("reader_seen_ms")?);
            Ok((used, seen, store.meta::<String>(PASSKEY_NOTE)?))
        });
        if let Ok((used, seen, passkey)) = notes.await {
            self.used = used.filter(|used| !used.is_empty());
            self.tell.send_modify(|news| (news.last_seen_ms, news.passkey) = (seen, passkey));
        }
    }

    fn problem(&self, why: String) {
        self.tell.send_modify(|news| news.problem = Some(sentence(&why)));
    }

    async fn command(&mut self, command: DeviceCommand) {
        if !matches!(command, DeviceCommand::Answer(_) | DeviceCommand::Scan(false)) {
            self.tell.send_modify(|news| news.problem = None);
        }
        match command {
            DeviceCommand::Scan(false) => self.scan = None,
            DeviceCommand::Scan(true) => self.search().await,
            DeviceCommand::Pair { address, passkey } => match address.parse() {
                Ok(address) if self.pairing.is_none() => self.pair(address, passkey),
                Ok(_) => {}
                Err(why) => self.problem(why),
            },
            DeviceCommand::Answer(same) => {
                if let Some(question) = self.pairing.as_mut().and_then(|pairing| pairing.question.take()) {
                    let _ = question.answer.send(same);
                }
            }
            DeviceCommand::Forget { address } => match address.parse() {
                Ok(address) => self.forget(address).await,
                Err(why) => self.problem(why),
            },
            DeviceCommand::Beep => self.reader.identify().await,
        }
    }

    async fn search(&mut self) {
        // Where a simulated reader is used, no Bluetooth is no trouble; the list says it all the same.
        match bluetooth::known(None).await {
            Ok(known) => self.found.extend(known.into_iter().map(|found| (found.address, found))),
            Err(why) => return self.problem(why.to_string()),
        }
        match bluetooth::scan(None).await {
            Ok(scan) => self.scan = Some((scan, Instant::now() + SEARCH)),
            Err(why) => self.problem(why.to_string()),
        }
    }

    fn pair(&mut self, address: Address, passkey: u32) {
        // A controller that searches while it connects is slow at both.
        self.scan = None;
        let (ask, questions) = mpsc::channel(1);
        let (done, outcome) = oneshot::channel();
        tokio::spawn(async move {
            let _ = done.send(bluetooth::pair(None, address, passkey, ask).await);
        });
        let passkey = self.found.get(&address).is_none_or(|found| !found.paired).then_some(passkey);
        self.pairing = Some(Pairing { passkey, outcome, questions, question: None });
    }

    async fn use_reader(&mut self, found: Found) {
        let name = match found.kind {
            Kind::Mms => ReaderName::Ble(found.address),
            Kind::Miura => ReaderName::Rfcomm(found.address),
        };
        self.found.insert(found.address, Found { paired: true, ..found });
        match reader_at(&name, None).await {
            Ok(link) => {
                self.used = Some(name.to_string());
                self.note(READER_NOTE, name.to_string()).await;
                self.reader.use_link(link).await;
            }
            Err(why) => self.problem(why.to_string()),
        }
    }

    async fn note(&self, name: &'static str, value: String) {
        if let Err(why) = self.store.run(move |store| store.set_meta(name, &value)).await {
            self.problem(why);
        }
    }

    async fn forget(&mut self, address: Address) {
        if let Err(why) = bluetooth::forget(None, address).await {
            return self.problem(why.to_string());
        }
        self.found.remove(&address);
        let text = address.to_string();
        if self.used.as_ref().is_some_and(|used| used.ends_with(&text)) {
            self.used = None;
            self.note(READER_NOTE, String::new()).await;
            self.reader.use_link(no_reader()).await;
        }
    }

    /// Paired ones first, then by signal.
    fn told(&self) {
        let mut found: Vec<&Found> = self.found.values().collect();
        found.sort_by_key(|found| (!found.paired, std::cmp::Reverse(found.rssi_dbm)));
        let row = |found: &&Found| {
            let address = found.address.to_string();
            DeviceRow {
                used: self.used.as_ref().is_some_and(|used| used.ends_with(&address)),
                address,
                name: found.name.clone(),
                kind: found.kind.scheme(),
                rssi_dbm: found.rssi_dbm,
                paired: found.paired,
            }
        };
        let rows: Vec<DeviceRow> = found.iter().map(row).collect();
        let question = self.pairing.as_ref().and_then(|pairing| pairing.question.as_ref());
        let news = DevicesNews {
            rows,
            scanning: self.scan.is_some(),
            compare: question.map(|question| question.number),
            pairing: self.pairing.is_some(),
            ..self.tell.borrow().clone()
        };
        self.tell.send_if_modified(|old| {
            let changed = *old != news;
            *old = news;
            changed
        });
    }
}

/// The next reader that is heard; `None` at the search's end. Never without a search.
async fn next_found(scan: &mut Option<(mpsc::Receiver<Found>, Instant)>) -> Option<Found> {
    match scan {
        Some((found, until)) => tokio::time::timeout_at(*until, found.recv()).await.ok().flatten(),
        None => std::future::pending().await,
    }
}

/// What a pairing has to say. Never without one.
async fn next_of(pairing: &mut Option<Pairing>) -> Happened {
    let Some(pairing) = pairing else { return std::future::pending().await };
    tokio::select! {
        Some(question) = pairing.questions.recv() => Happened::Asked(question),
        outcome = &mut pairing.outcome => {
            let gone = || BluetoothError::Other("the pairing was cut short".to_owned());
            Happened::Paired(outcome.unwrap_or_else(|_| Err(gone())))
        }
    }
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let stop = if text.ends_with(['.', '!', '?', '`']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}
