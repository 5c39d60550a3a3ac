//! An office with its worker, the simulated processor on a real socket, and handhelds' stores between them. Time is a
//! number that tests move; what a network would carry is handed over, lost or doubled by the test.

mod device;
mod gate;
#[path = "../common/reads.rs"]
pub mod reads;

use crate::processor::Running;
pub use device::Device;
use ed25519_dalek::SigningKey;
pub use gate::Gate;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tillroll::domain::id::DeviceId;
use tillroll::domain::money::Currency;
use tillroll::domain::receipt::Merchant;
use tillroll::office::payments::{Timing, facts::due, refunds, worker};
use tillroll::office::processors::ProcessorError;
use tillroll::office::{Office, Settings};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// When every story begins, Unix milliseconds.
pub const START_MS: i64 = 1_764_000_000_000;

/// How long an office may take to have done all that is due.
const QUIET_MAX: Duration = Duration::from_secs(20);

pub struct World {
    pub office: Office,
    pub processor: Running,
    /// Between the office and its processor.
    pub gate: Gate,
    pub folder: TempDir,
    now: Arc<AtomicI64>,
}

impl World {
    pub async fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let processor = Running::start(folder.path()).await;
        let gate = Gate::before(processor.address).await;
        let now = Arc::new(AtomicI64::new(START_MS));
        let office = World::open(&folder, &format!("http://{}", gate.address), &now);
        World { office, processor, gate, folder, now }
    }

    /// The same whose clock stands at the true time, for a handheld that runs by its own.
    pub async fn today() -> World {
        let world = World::new().await;
        world.pass(jiff::Timestamp::now().as_millisecond() - START_MS);
        world.office.publish().unwrap();
        world
    }

    fn open(folder: &TempDir, url: &str, now: &Arc<AtomicI64>) -> Office {
        let clock = now.clone();
        let merchant = Merchant { name: "M".into(), address: "A".into(), tax_id: "T".into(), ..Merchant::default() };
        let timing = Timing { answer_ms: 250, retry_ms: 10, ..Timing::STANDARD };
        let settings = Settings { processor_url: url.into(), timing, currency: Currency::EUR, merchant };
        let path = folder.path().join("office.sqlite");
        let office = Office::open(&path, settings, Arc::new(move || clock.load(Ordering::SeqCst))).unwrap();
        office.publish().unwrap();
        office
    }

    pub fn pass(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    pub fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    /// The worker, until nothing is due at this moment.
    pub async fn work(&self) {
        self.work_with(1).await;
    }

    /// The same with several workers at once, as if somebody had started the office twice.
    pub async fn work_with(&self, workers: usize) {
        let running: Vec<Working> = (0..workers).map(|_| self.working()).collect();
        self.quiet().await;
        for one in running {
            one.stop().await;
        }
    }

    /// A worker that goes on until it is stopped.
    pub fn working(&self) -> Working {
        let (stop, stopped) = oneshot::channel::<()>();
        let office = self.office.clone();
        Working { stop, task: tokio::spawn(async move { worker::run(office, async { drop(stopped.await) }).await }) }
    }

    /// Waits until the running workers have done all that is due at this moment.
    pub async fn quiet(&self) {
        self.office.changed();
        let begun = Instant::now();
        let (mut quiet, now) = (0, self.now());
        let due = |db: &_| due(db, now, 10).unwrap().len() + refunds::due(db, now, 10).unwrap().len();
        while quiet < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let left = self.office.read(due);
            quiet = if left == 0 { quiet + 1 } else { 0 };
            assert!(begun.elapsed() < QUIET_MAX, "{left} payments are never done");
        }
    }

    pub fn count(&self, sql: &str) -> i64 {
        self.office.read(|db| db.query_row(sql, [], |r| r.get(0))).unwrap()
    }

    pub fn exceptions(&self) -> Vec<String> {
        let sql = "SELECT coalesce(json_group_array(type), '[]') FROM
                   (SELECT type FROM exception WHERE state = 'open' ORDER BY type)";
        let found: String = self.office.read(|db| db.query_row(sql, [], |r| r.get(0))).unwrap();
        serde_json::from_str(&found).unwrap()
    }

    /// What the processor's own ledger says: captures, and captured less refunded, minor units.
    pub async fn charged(&self) -> (u64, i64) {
        let ledger = self.processor.ledger().await;
        let net = ledger["captured_net_minor"]["EUR"].as_i64().unwrap_or(0);
        (ledger["captures"].as_u64().unwrap(), net)
    }

    /// Office and processor agree, and nothing is wrong in the books of both sides.
    pub async fn sound(&self, devices: &[&Device]) {
        assert_eq!(self.office.verify().unwrap(), Vec::<String>::new());
        for device in devices {
            assert_eq!(device.store.verify().unwrap().violations, Vec::<String>::new());
        }
        assert_eq!(self.office.sums(Currency::EUR).unwrap().card_minor, self.charged().await.1, "office and processor");
    }

    /// A new handheld, enrolled and with the office's documents.
    pub fn device(&self, name: &str) -> Device {
        let key = SigningKey::from_bytes(&[name.len() as u8 + name.as_bytes()[2]; 32]);
        self.office.add_device(name, None).unwrap();
        let public = hex::encode(key.verifying_key().to_bytes());
        let sql = "UPDATE device SET public_key = ?2, enrolled_ms = 0 WHERE name = ?1 RETURNING id";
        let id: String = self.office.write(|tx| tx.query_row(sql, (name, &public), |r| r.get(0))).unwrap();
        let id: DeviceId = id.parse().unwrap();
        Device::new(self, name, id, key)
    }
}

/// A worker that runs.
pub struct Working {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ProcessorError>>,
}

impl Working {
    /// Ends it and waits.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        self.task.await.unwrap().unwrap();
    }
}
