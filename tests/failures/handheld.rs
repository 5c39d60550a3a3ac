//! A whole handheld without a terminal: screen program, payment machine, store, reader, printer and exchange, at an office
//! that is served over HTTP. Start at [`Handheld::new`].

use crate::common::{ids, part, stamp, store_of};
use crate::rig::{Gate, World};
use crate::screen::{Screen, key};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tillroll::app::effect::Effect;
use tillroll::app::msg::{LinkView, Msg, ReaderView};
use tillroll::cli::rig::Rig;
use tillroll::domain::event::{Event as Row, LineAdded};
use tillroll::domain::id::PaymentId;
use tillroll::domain::money::Currency;
use tillroll::domain::payment::Payment;
use tillroll::flow::payment::{Effect as Step, Event};
use tillroll::keyfile::signing_key;
use tillroll::office::api;
use tillroll::runtime::actors::sync::Pace;
use tillroll::store::Store;
use tillroll::sync::client::enrol;
use tillroll_hardware::printer::link::ManualClock;
use tillroll_hardware::printer::profile::Profile;
use tillroll_hardware::printer::sim as printer_sim;
use tillroll_hardware::reader::mms;
use tillroll_hardware::reader::sim::{Keys, SimConfig, SimControl};
use tokio::sync::mpsc::Receiver;
use uuid::Uuid;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(15);

pub struct Handheld {
    pub rig: Rig,
    pub screen: Screen,
    /// Between the handheld and its office.
    pub gate: Gate,
    /// The customer's hand at the reader.
    pub customer: SimControl,
    pub printer: printer_sim::SimControl<ManualClock>,
    events: Receiver<(PaymentId, Event)>,
    office: SocketAddr,
    pub dir: PathBuf,
}

impl Handheld {
    /// A handheld that has just been enrolled, with one job and a part for 34.50 on it.
    pub async fn new(world: &World) -> Handheld {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let office = listener.local_addr().unwrap();
        let router = api::router(world.office.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let dir = world.folder.path().join("handheld");
        std::fs::create_dir(&dir).unwrap();
        let signing = signing_key(&dir.join("device.key")).unwrap();
        let code = world.office.add_device("D01", None).unwrap();
        let answer = enrol(&format!("http://{office}"), &code, &signing, 5_000).await.unwrap();
        let mut store = store_of(&dir, answer.device, "D01", &answer.office_key);
        let (job, visit) = (ids().job, ids().visit);
        store.commit(&Row::LineAdded(LineAdded { job, visit, line: part(20) }), &stamp(), None).unwrap();
        drop(store);
        let handheld = Handheld::start(&dir, office, true).await;
        let began = Instant::now();
        while !handheld.has_met_its_office().await {
            assert!(began.elapsed() < PATIENCE, "no office, or no reader");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        handheld
    }

    /// It has what it needs of the office, and its reader was seen with a link.
    async fn has_met_its_office(&self) -> bool {
        let met = self.rig.till.store.run(|store| {
            let documents = ["policy", "sealing_key", "merchant"];
            let here = |name: &&str| store.document::<serde_json::Value>(name).is_ok_and(|found| found.is_some());
            Ok(documents.iter().all(here) && store.meta::<i64>("reader_online_ms")?.is_some())
        });
        met.await.unwrap()
    }

    /// The program begins on what is in `dir`.
    pub async fn start(dir: &Path, office: SocketAddr, linked: bool) -> Handheld {
        let store = Store::open(&dir.join("device.sqlite"), Currency::EUR).unwrap();
        let gate = Gate::before(office).await;
        if !linked {
            gate.shut();
        }
        let (reader, customer) = mms::sim::spawn(SimConfig {
            serial: "B61378A".into(),
            ksn_file: Some(dir.join("reader.ksn")),
            keys: Keys::Tdes,
            present_after: Duration::ZERO,
        });
        let profile = Profile::named("generic-80").unwrap().data;
        let config = printer_sim::SimConfig { printer: profile, folder: None };
        let (paper, printer) = printer_sim::spawn(config, ManualClock::default());
        let pace = Pace { retry_min_ms: 20, feed_wait_ms: 5_000 };
        let url = format!("http://{}", gate.address);
        let mut rig = Rig::start(dir, store, Some(&url), pace, reader, paper).unwrap();
        let events = rig.take_events();
        let (screen, effects) = Screen::new();
        let dir = dir.to_owned();
        let mut handheld = Handheld { rig, screen, gate, customer, printer, events, office, dir };
        let now_ms = handheld.rig.till.store.clock().now_ms();
        handheld.tell(Msg::Clock { now_ms, offset_minutes: 0 }).await;
        handheld.perform(effects).await;
        let left = handheld.rig.till.store.run(|store| store.interrupted_payments()).await.unwrap();
        handheld.tell(Msg::Resume(left)).await;
        handheld
    }

    /// The program is ended and begins again.
    pub async fn restart(self, linked: bool) -> Handheld {
        let Handheld { rig, dir, office, .. } = self;
        rig.stop().await.unwrap();
        Handheld::start(&dir, office, linked).await
    }

    /// The power is cut, and the machine begins again from what its card holds at this moment.
    pub async fn power_cut(&self) -> Handheld {
        let dir = self.dir.with_extension("after the cut");
        std::fs::create_dir(&dir).unwrap();
        for file in std::fs::read_dir(&self.dir).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), dir.join(file.file_name())).unwrap();
        }
        Handheld::start(&dir, self.office, true).await
    }

    pub async fn tell(&mut self, msg: Msg) {
        let effects = self.screen.send(msg);
        self.perform(effects).await;
    }

    /// Presses keys and does what they ask for.
    pub async fn keys(&mut self, keys: &str) {
        for c in keys.chars() {
            self.tell(key(c)).await;
        }
    }

    /// Lets things happen until the screen says this.
    pub async fn until(&mut self, words: &str) {
        self.until_true(words, |handheld| handheld.screen.words().contains(words)).await;
    }

    pub async fn until_true(&mut self, what: &str, done: impl Fn(&Handheld) -> bool) {
        let began = Instant::now();
        while !done(self) {
            assert!(began.elapsed() < PATIENCE, "{what:?} does not come: {}", self.screen.words());
            self.happen().await;
        }
    }

    /// Lets things happen for so long.
    pub async fn for_a_while(&mut self, long: Duration) {
        let began = Instant::now();
        while began.elapsed() < long {
            self.happen().await;
        }
    }

    /// The next thing that happens, or a moment in which nothing does.
    async fn happen(&mut self) {
        let mut link = self.rig.till.sync.link();
        let mut reader = self.rig.till.reader.state();
        let moment = tokio::time::sleep(Duration::from_millis(20));
        let msg = tokio::select! {
            Some((id, event)) = self.events.recv() => Msg::Payment { id, event },
            () = moment => {
                let link = link.borrow_and_update().clone();
                let view = LinkView { online: link.online, next_try_ms: link.next_try_ms, last_error: link.last_error };
                self.tell(Msg::Link(view)).await;
                let reader = reader.borrow_and_update().clone();
                Msg::Reader(ReaderView {
                    name: reader.name,
                    firmware: reader.firmware,
                    battery_percent: reader.battery_percent,
                    connected: reader.connected,
                    restart_in: reader.restart_in,
                })
            }
        };
        self.tell(msg).await;
    }

    /// Opens the job and its invoice: on the ways to pay.
    pub async fn collect(&mut self) {
        self.until("Oven no. 2").await;
        self.keys("⏎").await;
        self.until("Thermostat").await;
        self.keys("c").await;
        self.until("card").await;
    }

    /// The card payment in front, as the disk holds it.
    pub async fn payment(&self) -> Payment {
        let id = self.screen.model.card.as_ref().unwrap().id;
        self.rig.till.store.run(move |store| store.payment(id)).await.unwrap()
    }

    /// How many rows of a kind the journal has.
    pub async fn rows(&self, kind: &str) -> usize {
        let rows = self.rig.till.store.run(|store| store.rows(1, 500)).await.unwrap();
        rows.iter().filter(|row| row.kind == kind).count()
    }

    async fn perform(&mut self, effects: Vec<Effect>) {
        let mut waiting: VecDeque<Effect> = effects.into();
        while let Some(effect) = waiting.pop_front() {
            if let Effect::StoreIntent { payment, effect } | Effect::Payment { id: payment, effect } = effect {
                let mut steps: Vec<Step> = vec![effect];
                while let Some(Effect::Payment { effect, .. }) =
                    waiting.pop_front_if(|next| matches!(next, Effect::Payment { id, .. } if *id == payment))
                {
                    steps.push(effect);
                }
                self.rig.till.spawn(payment, steps);
            } else if let Some(msg) = self.answer(effect).await {
                waiting.extend(self.screen.send(msg));
            }
        }
    }

    /// Does one thing, as the terminal's driver does.
    async fn answer(&self, effect: Effect) -> Option<Msg> {
        let till = &self.rig.till;
        let store = &till.store;
        Some(match effect {
            Effect::NeedIds => Msg::Ids(std::iter::repeat_with(Uuid::now_v7).take(32).collect()),
            Effect::LoadToday => Msg::Today(store.run(|store| store.today(0, 10)).await.unwrap()),
            Effect::LoadJob(job) => Msg::Job(Box::new(store.run(move |store| store.job_detail(job)).await.unwrap())),
            Effect::LoadSync => Msg::Sync(store.run(|store| store.sync_status()).await.unwrap()),
            Effect::Commit { op, event } => Msg::Committed { op, outcome: store.commit(event, None).await.map(drop) },
            Effect::IssueInvoice { op, job, visit } => {
                let issued = store.issue_invoice(job, visit).await;
                let detail = store.run(move |store| store.job_detail(job)).await;
                Msg::Invoiced { op, outcome: issued.and(detail.map(Box::new)) }
            }
            Effect::RenderReceipt { op, job, party, columns } => {
                Msg::Receipt { op, outcome: till.printer.preview(job, party, columns).await }
            }
            Effect::Print { op, job, party } => Msg::Printed { op, outcome: till.printer.print(job, party).await },
            Effect::OpenDrawer(row) => {
                till.printer.open_drawer(row).await.unwrap();
                return None;
            }
            Effect::SyncNow => {
                till.sync.nudge();
                return None;
            }
            _ => return None,
        })
    }
}
