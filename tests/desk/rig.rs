//! An office with its pages, its worker and a simulated processor, and the journal of one handheld.

pub use crate::card::card_data;
use crate::common::{ids, part, stamp, store_of};
use crate::reads::card_read;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tillroll::domain::consent::Consent;
use tillroll::domain::event::{
    Event, LineAdded, PaymentAcceptedOffline, PaymentCardRead, PaymentIntended, PaymentOutcomeSeen, PaymentRequested,
};
use tillroll::domain::id::{DeviceId, PaymentId};
use tillroll::domain::journal::{Hash, Stamp};
use tillroll::domain::money::{Currency, Money};
use tillroll::domain::outcome::Outcome;
use tillroll::domain::receipt::Merchant;
use tillroll::office::payments::{Timing, worker};
use tillroll::office::{Office, Settings, api};
use tillroll::processor::{Processor, ProcessorConfig};
use tillroll::store::{NewBlob, Store};
use tillroll::sync::wire::batch::{Batch, Blob, Envelope};
use tillroll::sync::wire::seal::{SealingKey, seal};
use tillroll::sync::wire::{RequestAge, batch_bytes};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower::ServiceExt as _;
use uuid::Uuid;

/// The clock's beginning: now, since the processor has a clock of its own.
pub static START_MS: LazyLock<i64> = LazyLock::new(|| jiff::Timestamp::now().as_millisecond());
pub const HOUR_MS: i64 = 3_600_000;
/// How long a test waits for the worker.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Rig {
    pub office: Office,
    pub store: Store,
    pub device: DeviceId,
    folder: TempDir,
    pub url: String,
    /// Added to the office's clock, milliseconds.
    pub ahead_ms: Arc<AtomicI64>,
    /// What the customers of the next payments agree to.
    pub keep: Option<Consent>,
    /// What the reader encrypts next is rubbish.
    pub garbled: bool,
    key: SigningKey,
    began: Instant,
    acked: u64,
    counter: u8,
    offices: u32,
    working: Option<oneshot::Sender<()>>,
}

fn now() -> Stamp {
    Stamp { at_ms: *START_MS, ..stamp() }
}

/// What the technician does with the card.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum How {
    Online,
    Offline,
}

pub fn payment(n: u128) -> PaymentId {
    PaymentId(Uuid::from_u128(ids().payment.0.as_u128() + 0x9000 + n))
}

impl Rig {
    pub async fn new() -> Rig {
        let folder = tempfile::tempdir().unwrap();
        let config = ProcessorConfig { ledger: folder.path().join("processor.sqlite"), slow_ms: 300 };
        let processor = Processor::open(config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(processor.clone().serve(listener, std::future::pending()));
        let (ahead_ms, began) = (Arc::<AtomicI64>::default(), Instant::now());
        std::fs::create_dir(folder.path().join("office0")).unwrap();
        let office = open(&folder.path().join("office0/office.sqlite"), &url, &ahead_ms, began);
        office.publish().unwrap();
        let key = SigningKey::from_bytes(&[7; 32]);
        let code = office.add_device("D07", None).unwrap();
        let public_key = hex::encode(key.verifying_key().to_bytes());
        let enrol = json!({ "code": code, "public_key": public_key, "program": "test" }).to_string();
        let request = axum::http::Request::post("/v1/enrol").body(axum::body::Body::from(enrol)).unwrap();
        let response = api::router(office.clone()).oneshot(request).await.unwrap();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        let device: DeviceId = answer["device"].as_str().unwrap().parse().unwrap();
        std::fs::create_dir(folder.path().join("device")).unwrap();
        let store = store_of(&folder.path().join("device"), device, "D07", "");
        let mut rig = Rig {
            office,
            store,
            device,
            folder,
            url,
            ahead_ms,
            keep: None,
            garbled: false,
            key,
            began,
            acked: 0,
            counter: 0,
            offices: 1,
            working: None,
        };
        rig.invoice();
        rig
    }

    /// An invoice of 69.00, and the office's job that it belongs to.
    fn invoice(&mut self) {
        let (job, visit) = (ids().job, ids().visit);
        let (customer, site) = (Uuid::from_u128(6).to_string(), Uuid::from_u128(7).to_string());
        self.office
            .write(|tx| {
                tx.execute("INSERT INTO customer VALUES (?1, 'C1', 'Kestrel Bakery', '', '', '', '', '', '', '', '')", [&customer])?;
                tx.execute("INSERT INTO site VALUES (?1, 'S1', ?2, 'Shop', '', '', '', '', '')", [&site, &customer])?;
                tx.execute(
                    "INSERT INTO job VALUES (?1, 'J1', ?2, ?3, ?4, 'Oven', '', 1, ?5, ?5 + 1, NULL, 'open', NULL, NULL)",
                    (job.to_string(), visit.to_string(), &customer, &site, *START_MS),
                )
            })
            .unwrap();
        for line in [20, 21] {
            self.tell(&Event::LineAdded(LineAdded { job, visit, line: part(line) }), None);
        }
        self.store.issue_invoice(job, visit, ids().invoice, &stamp()).unwrap();
    }

    pub fn tell(&mut self, event: &Event, blob: Option<&NewBlob>) {
        self.store.commit(event, &now(), blob).unwrap();
    }

    /// A card payment as far as the technician's part goes.
    pub fn pay(&mut self, id: PaymentId, card: &str, minor: i64, how: How) {
        self.counter += 1;
        self.pay_with(id, card, minor, how, self.counter);
    }

    /// The same with a chosen counter of the reader's key.
    pub fn pay_with(&mut self, id: PaymentId, card: &str, minor: i64, how: How, counter: u8) {
        self.pay_linked(id, card, minor, how, counter, None);
    }

    pub fn pay_linked(
        &mut self,
        id: PaymentId,
        card: &str,
        minor: i64,
        how: How,
        counter: u8,
        linked_to: Option<PaymentId>,
    ) {
        let (job, visit, amount) = (ids().job, ids().visit, Money::new(minor, Currency::EUR));
        let document = self.store.job_detail(job).unwrap().invoice.unwrap().document;
        let invoice = ids().invoice;
        let extras = tillroll::domain::payment::Extras::NONE;
        let intended = PaymentIntended {
            payment: id,
            invoice,
            document,
            job,
            visit,
            amount,
            extras,
            linked_to,
            keep: self.keep.clone(),
        };
        self.tell(&Event::PaymentIntended(intended), None);
        let mut data = card_data(card, counter, minor);
        if self.garbled {
            data.ciphertext = "<rubbish>".into();
        }
        let sealing: String = self.text("SELECT value FROM meta WHERE name = 'sealing_key'");
        let sealing: SealingKey = serde_json::from_str(&sealing).unwrap();
        let bytes = seal(&sealing, id, amount, &data).unwrap();
        let sha256 = Hash::of(&bytes).to_string();
        let read = PaymentCardRead {
            sealing_key: sealing.id,
            ksn: data.ksn.clone(),
            ciphertext_sha256: Hash::of(data.ciphertext.as_bytes()).to_string(),
            ..card_read(id, job, visit, &sha256)
        };
        self.tell(&Event::PaymentCardRead(read), Some(&NewBlob { sha256: sha256.clone(), bytes }));
        let next = match how {
            How::Online => Event::PaymentRequested(PaymentRequested { payment: id, job, visit, amount, blob: sha256 }),
            How::Offline => Event::PaymentAcceptedOffline(PaymentAcceptedOffline {
                payment: id,
                job,
                visit,
                amount,
                blob: sha256,
                deadline_ms: *START_MS + 24 * HOUR_MS,
                policy: 1,
            }),
        };
        self.tell(&next, None);
    }

    /// The office's last word on a payment.
    pub fn outcome(&self, id: PaymentId) -> Option<Outcome> {
        let sql = format!("SELECT coalesce(outcome_record, '') FROM card_payment WHERE payment = '{id}'");
        serde_json::from_str(&self.text(&sql)).ok()
    }

    pub fn state(&self, id: PaymentId) -> String {
        let outcome = self.outcome(id).map(|o| serde_json::to_value(o.state).unwrap());
        outcome.and_then(|state| state.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// The handheld hears the office's last word on a payment and journals it.
    pub fn hear(&mut self, id: PaymentId) {
        let outcome = self.outcome(id).unwrap();
        let seen = PaymentOutcomeSeen { payment: id, job: ids().job, visit: ids().visit, outcome };
        self.tell(&Event::PaymentOutcomeSeen(seen), None);
    }

    /// Pushes what the office does not have yet; the results of the rows.
    pub fn push(&mut self) -> Vec<String> {
        let epoch = self.store.identity().unwrap().epoch;
        self.store.note_ack(self.acked, 0, Uuid::nil(), 1).unwrap();
        let outgoing = self.store.outgoing(500).unwrap();
        let ages = outgoing.requests.iter().map(|(id, ..)| id.parse().unwrap());
        let mut batch = Batch {
            envelope: Envelope {
                device: self.device,
                epoch,
                first: self.acked + 1,
                last: self.acked,
                head: outgoing.head,
                head_hash: outgoing.last_hash,
                signature: String::new(),
                requests: ages.map(|payment| RequestAge { payment, age_ms: Some(10) }).collect(),
            },
            rows: outgoing.rows,
            blobs: outgoing.blobs.into_iter().map(|(sha256, bytes)| Blob { sha256, bytes }).collect(),
        };
        batch.envelope.last = batch.rows.last().map_or(self.acked, |row| row.seq);
        let e = &batch.envelope;
        let bytes = batch_bytes(e.device, e.epoch, e.last, e.head, &e.head_hash.to_string());
        batch.envelope.signature = hex::encode(self.key.sign(&bytes).to_bytes());
        let answer = self.office.ingest(self.device, &batch).unwrap();
        self.acked = answer.acked_through;
        answer.results.into_iter().map(|row| row.result.name().to_owned()).collect()
    }

    /// The office begins to talk to the processor.
    pub fn work(&mut self) {
        let (stop, stopped) = oneshot::channel();
        let working = worker::run(self.office.clone(), async move {
            let _ = stopped.await;
        });
        tokio::spawn(async move { working.await.unwrap() });
        self.working = Some(stop);
    }

    /// The same office at another processor.
    pub fn elsewhere(&mut self, processor: &str) {
        self.stop();
        let database = self.folder.path().join(format!("office{}/office.sqlite", self.offices - 1));
        self.office = open(&database, processor, &self.ahead_ms, self.began);
    }

    /// The worker ends; what it has under way is lost, as in a crash.
    pub fn stop(&mut self) {
        if let Some(stop) = self.working.take() {
            let _ = stop.send(());
        }
    }

    /// Waits until the office says this of a payment.
    pub async fn until(&self, id: PaymentId, state: &str) {
        self.until_true(|rig| rig.state(id) == state, || format!("{id} is {:?}, not {state}", self.state(id))).await;
    }

    pub async fn until_true(&self, done: impl Fn(&Rig) -> bool, else_say: impl Fn() -> String) {
        let began = Instant::now();
        while !done(self) {
            assert!(began.elapsed() < PATIENCE, "{}", else_say());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn text(&self, sql: &str) -> String {
        self.office.read(|db| db.query_row(sql, [], |r| r.get(0))).unwrap()
    }

    pub fn count(&self, sql: &str) -> i64 {
        self.office.read(|db| db.query_row(sql, [], |r| r.get(0))).unwrap()
    }

    /// Open exceptions, sorted.
    pub fn open(&self) -> Vec<String> {
        let sql = "SELECT type FROM exception WHERE state = 'open' ORDER BY type";
        self.office.read(|db| {
            let mut statement = db.prepare(sql).unwrap();
            let types = statement.query_map([], |r| r.get(0)).unwrap();
            types.map(Result::unwrap).collect()
        })
    }

    /// What the processor's own ledger has: authorisations, captured minor units.
    pub async fn ledger(&self) -> (usize, i64) {
        let book: Value = reqwest::get(format!("{}/v1/ledger", self.url)).await.unwrap().json().await.unwrap();
        (book["authorisations"].as_array().unwrap().len(), book["captured_net_minor"]["EUR"].as_i64().unwrap_or(0))
    }

    /// The office's database, as the command line names it.
    pub fn database(&self) -> String {
        format!("sqlite:{}", self.folder.path().join(format!("office{}/office.sqlite", self.offices - 1)).display())
    }

    /// Runs `tillroll office …` on the office's database; its exit status, and what it said as JSON.
    pub async fn command(&self, args: &[&str]) -> (i32, Value) {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_tillroll"));
        command.arg("office").args(args).args(["--db", &self.database(), "--json"]).env("TZ", "UTC");
        let output = command.output().await.unwrap();
        let text = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
        let json = serde_json::from_slice::<Value>(text);
        assert!(json.is_ok(), "{}", String::from_utf8_lossy(text));
        (output.status.code().unwrap(), json.unwrap())
    }

    /// A file in the rig's folder; its path.
    pub fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Takes money until the office has captured it; the attempt's key.
    pub async fn captured(&mut self, n: u128, minor: i64) -> String {
        self.pay(payment(n), "visa-tap", minor, How::Offline);
        self.push();
        self.until(payment(n), "captured").await;
        self.hear(payment(n));
        self.push();
        self.text(&format!("SELECT key FROM attempt WHERE payment = '{}' AND state = 'captured'", payment(n)))
    }

    /// A backup of the office's database.
    pub fn backup(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        self.office.read(|db| db.execute("VACUUM INTO ?1", [path.to_str().unwrap()])).unwrap();
        path
    }

    /// The office's machine is lost; another begins from a backup and the keys.
    pub fn restore(&mut self, backup: &Path) {
        self.stop();
        let old = self.folder.path().join(format!("office{}", self.offices - 1));
        let new = self.folder.path().join(format!("office{}", self.offices));
        self.offices += 1;
        std::fs::create_dir_all(new.join("sealing")).unwrap();
        std::fs::copy(backup, new.join("office.sqlite")).unwrap();
        std::fs::copy(old.join("office.key"), new.join("office.key")).unwrap();
        for file in std::fs::read_dir(old.join("sealing")).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), new.join("sealing").join(file.file_name())).unwrap();
        }
        let office = open(&new.join("office.sqlite"), &self.url, &self.ahead_ms, self.began);
        let before = office.epoch();
        self.office = office.begin_epoch().unwrap();
        assert_ne!(self.office.epoch(), before);
        // The handheld goes on from what this office has.
        let sql = "SELECT coalesce((SELECT acked_seq FROM device_epoch WHERE acked_seq > 0), 0)";
        self.acked = u64::try_from(self.count(sql)).unwrap();
    }
}

fn open(database: &Path, url: &str, ahead_ms: &Arc<AtomicI64>, began: Instant) -> Office {
    let merchant = Merchant { name: "M".into(), address: "A".into(), tax_id: "T".into(), ..Merchant::default() };
    let timing = Timing { answer_ms: 1_000, retry_ms: 20, ..Timing::STANDARD };
    let settings = Settings { processor_url: url.to_owned(), timing, currency: Currency::EUR, merchant };
    let ahead = ahead_ms.clone();
    let clock = move || *START_MS + i64::try_from(began.elapsed().as_millis()).unwrap() + ahead.load(Ordering::Acquire);
    Office::open(database, settings, Arc::new(clock)).unwrap()
}
