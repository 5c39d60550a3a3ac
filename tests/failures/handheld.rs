//! A whole handheld without a terminal: screen program, payment machine, store, reader, printer and exchange, at an office
//! that is served over HTTP. Start at [`Handheld::new`].

use crate::common::{ids, part, stamp, store_of};
use crate::rig::{Gate, World};
use crate::screen::{Screen, key};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tillroll::app::effect::Effect;
use tillroll::app::msg::Msg;
use tillroll::cli::rig::Rig;
use tillroll::domain::event::{Event as Row, LineAdded, VisitMoved};
use tillroll::domain::id::PaymentId;
use tillroll::domain::job::VisitState;
use tillroll::domain::money::Currency;
use tillroll::domain::payment::Payment;
use tillroll::flow::payment::Event;
use tillroll::keyfile::signing_key;
use tillroll::office::api;
use tillroll::runtime::actors::sync::Pace;
use tillroll::runtime::hands::{Hands, Happened, News, read_again};
use tillroll::store::Store;
use tillroll::sync::client::enrol;
use tillroll_hardware::printer::link::ManualClock;
use tillroll_hardware::printer::profile::Profile;
use tillroll_hardware::printer::sim as printer_sim;
use tillroll_hardware::reader::mms;
use tillroll_hardware::reader::sim::{Keys, SimConfig, SimControl};
use tokio::sync::mpsc::Receiver;

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
    hands: Hands,
    told: Receiver<Msg>,
    news: News,
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
        // Under way, so that it is on today's page whenever today is.
        let moved = VisitMoved { job, visit, from: VisitState::New, to: VisitState::EnRoute };
        store.commit(&Row::VisitMoved(moved), &stamp(), None).unwrap();
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
        let (hands, told) = Hands::new(rig.till.clone(), None);
        let news = News::new(&rig.till, events);
        let (screen, effects) = Screen::new();
        let dir = dir.to_owned();
        let mut handheld = Handheld { rig, screen, gate, customer, printer, hands, told, news, office, dir };
        let now_ms = handheld.rig.till.store.clock().now_ms();
        handheld.tell(Msg::Clock { now_ms, offset_minutes: 0 }).await;
        handheld.perform(effects).await;
        handheld.hands.begin().await.unwrap();
        let effects = handheld.answers();
        handheld.perform(effects).await;
        handheld
    }

    /// The program is ended and begins again.
    pub async fn restart(self, linked: bool) -> Handheld {
        let (dir, office) = (self.dir.clone(), self.office);
        self.stop().await;
        Handheld::start(&dir, office, linked).await
    }

    pub async fn stop(self) {
        let Handheld { rig, hands, news, .. } = self;
        drop((hands, news));
        rig.stop().await.unwrap();
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
        let effects = tokio::select! {
            happened = self.news.next() => match happened {
                Happened::Told(msg) => self.screen.send(msg),
                Happened::Applied => read_again(&self.screen.model),
            },
            () = tokio::time::sleep(Duration::from_millis(20)) => Vec::new(),
        };
        self.perform(effects).await;
    }

    /// The payment for which the reader waits no longer.
    pub async fn ended_at_the_reader(&mut self) -> PaymentId {
        let ended = async {
            loop {
                if let Happened::Told(Msg::Payment { id, event: Event::ReaderEnded(_) }) = self.news.next().await {
                    return id;
                }
            }
        };
        tokio::time::timeout(PATIENCE, ended).await.unwrap()
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

    /// Does what the screen asks for, and what follows from its answers.
    async fn perform(&mut self, mut effects: Vec<Effect>) {
        while !effects.is_empty() {
            for one in self.hands.perform(std::mem::take(&mut effects)) {
                one.await.unwrap();
            }
            effects.extend(self.answers());
        }
    }

    /// What the screen asks for when it hears the answers that are there.
    fn answers(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        while let Ok(msg) = self.told.try_recv() {
            effects.extend(self.screen.send(msg));
        }
        effects
    }
}
