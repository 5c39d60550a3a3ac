//! A handheld put together: store, reader, printer and exchange around one database.

use crate::domain::id::PaymentId;
use crate::domain::mode::Mode;
use crate::flow::payment::Event;
use crate::keyfile::signing_key;
use crate::runtime::actors::sync::practice::PracticeLink;
use crate::runtime::actors::{devices, printer, reader, store, sync};
use crate::runtime::clock::Clock;
use crate::runtime::till::Till;
use crate::store::Store;
use crate::sync::client::Client;
use anyhow::Context as _;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;
use tillroll_hardware::printer::PrinterLink;
use tillroll_hardware::reader::ReaderLink;
use tokio::sync::mpsc;

/// Events of payments that may wait.
const EVENTS: usize = 64;

/// How long an answer of the office is waited for, milliseconds.
const ANSWER_MS: u64 = 20_000;

/// How long the reader may take to be let go; the daemon takes up to three seconds.
const READER_LEAVES: Duration = Duration::from_secs(4);

/// A running handheld.
pub struct Rig {
    /// What it works with.
    pub till: Till,
    events: Option<mpsc::Receiver<(PaymentId, Event)>>,
    thread: JoinHandle<()>,
    reader: tokio::task::JoinHandle<()>,
}

impl Rig {
    /// Starts an enrolled handheld whose state is in `dir`. `office` is where the office is reached; the handheld's own
    /// record of it if `None`.
    pub fn start(
        dir: &Path,
        store: Store,
        office: Option<&str>,
        pace: sync::Pace,
        reader: ReaderLink,
        printer: PrinterLink,
    ) -> anyhow::Result<Rig> {
        let identity = store.identity()?;
        anyhow::ensure!(identity.mode != Mode::Training, "a training handheld has no office to talk to");
        let key = signing_key(&dir.join("device.key"))?;
        let client = Client::new(office.unwrap_or(&identity.office_url), identity.device, key.clone(), ANSWER_MS)?
            .of_mode(identity.mode);
        let (store, thread) = store::spawn(store, Clock::new(&identity.technician_name))?;
        let (events_in, events) = mpsc::channel(EVENTS);
        let (link, online) = sync::link_channel();
        let (reader, reader_task) = reader::spawn(reader, store.clone(), online, events_in.clone());
        let printer = printer::spawn(printer, store.clone(), key);
        let sync = sync::spawn(client, store.clone(), link, events_in.clone(), identity.office_key, pace);
        let devices = devices::spawn(store.clone(), reader.clone());
        let till = Till { store, reader, devices, printer, sync, events: events_in };
        Ok(Rig { till, events: Some(events), thread, reader: reader_task })
    }

    /// Starts a training handheld: nothing here can send anything.
    pub fn practice(
        dir: &Path,
        store: Store,
        reader: ReaderLink,
        printer: PrinterLink,
    ) -> anyhow::Result<(Rig, PracticeLink)> {
        let identity = store.identity()?;
        anyhow::ensure!(identity.mode == Mode::Training, "handheld {} is not for training", identity.name);
        let key = signing_key(&dir.join("device.key"))?;
        let (store, thread) = store::spawn(store, Clock::new(&identity.technician_name))?;
        let (events_in, events) = mpsc::channel(EVENTS);
        let (link, online) = sync::link_channel();
        let (reader, reader_task) = reader::spawn(reader, store.clone(), online, events_in.clone());
        let printer = printer::spawn(printer, store.clone(), key);
        let (sync, link) = sync::practice::start(store.clone(), link, events_in.clone());
        let devices = devices::spawn(store.clone(), reader.clone());
        let till = Till { store, reader, devices, printer, sync, events: events_in };
        Ok((Rig { till, events: Some(events), thread, reader: reader_task }, link))
    }

    /// What happens to its payments. For one taker: a later one gets a channel on which nothing comes.
    pub fn take_events(&mut self) -> mpsc::Receiver<(PaymentId, Event)> {
        self.events.take().unwrap_or_else(|| mpsc::channel(1).1)
    }

    /// Lets go of everything and waits until the store has folded away its log.
    pub async fn stop(self) -> anyhow::Result<()> {
        let Rig { till, events, thread, reader } = self;
        till.store.stop().await;
        drop((till, events));
        // Somebody else may still hold the handheld's ends: then the reader is left to the end of the process.
        let _ = tokio::time::timeout(READER_LEAVES, reader).await;
        let waiting = tokio::task::spawn_blocking(move || thread.join());
        let joined = tokio::time::timeout(Duration::from_secs(5), waiting).await;
        joined.context("the store did not stop in time")??.map_err(|_| anyhow::anyhow!("the store's thread failed"))
    }
}
