//! An office with its worker, the simulated processor on a real socket, and handhelds' stores between them. Time is a
//! number that tests move; what a network would carry is handed over, lost or doubled by the test.

use crate::common::{Ids, ids, part, store_of};
use crate::processor::{Running, card_data};
use ed25519_dalek::{Signer as _, SigningKey};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tillroll::domain::event::{
    Event, LineAdded, PaymentAcceptedOffline, PaymentCardRead, PaymentIntended, PaymentOutcomeSeen, PaymentRequested,
    PaymentStep, RefundOutcomeSeen,
};
use tillroll::domain::id::{DeviceId, InvoiceId, JobId, PaymentId, RowId, VisitId};
use tillroll::domain::invoice::Invoice;
use tillroll::domain::journal::{Hash, Stamp};
use tillroll::domain::money::{Currency, Money};
use tillroll::domain::payment::{CardEntry, CardSummary, Extras, Payment, PaymentState};
use tillroll::domain::policy::HOUR_MS;
use tillroll::domain::receipt::Merchant;
use tillroll::office::payments::{Timing, facts::due, refunds, worker};
use tillroll::office::{Office, Settings, feed};
use tillroll::store::{FeedApplied, NewBlob, Store};
use tillroll::sync::wire::batch::{Batch, Blob, Envelope};
use tillroll::sync::wire::seal::{CardData, SealingKey, seal};
use tillroll::sync::wire::{FeedOp, PushAnswer, RequestAge, RowResult, batch_bytes};
use tokio::sync::oneshot;
use uuid::Uuid;

/// When every story begins, Unix milliseconds.
pub const START_MS: i64 = 1_764_000_000_000;

/// How long an office may take to have done all that is due.
const QUIET_MAX: Duration = Duration::from_secs(20);

pub struct World {
    pub office: Office,
    pub processor: Running,
    pub folder: TempDir,
    now: Arc<AtomicI64>,
}

impl World {
    pub async fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let processor = Running::start(folder.path()).await;
        let now = Arc::new(AtomicI64::new(START_MS));
        let office = World::open(&folder, &format!("http://{}", processor.address), &now);
        World { office, processor, folder, now }
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
        let mut running = Vec::new();
        for _ in 0..workers {
            let (stop, stopped) = oneshot::channel::<()>();
            let office = self.office.clone();
            let task = tokio::spawn(async move { worker::run(office, async { drop(stopped.await) }).await });
            running.push((stop, task));
        }
        let begun = Instant::now();
        let (mut quiet, now) = (0, self.now());
        let due = |db: &_| due(db, now, 10).unwrap().len() + refunds::due(db, now, 10).unwrap().len();
        while quiet < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let left = self.office.read(due);
            quiet = if left == 0 { quiet + 1 } else { 0 };
            assert!(begun.elapsed() < QUIET_MAX, "{left} payments are never done");
        }
        for (stop, task) in running {
            let _ = stop.send(());
            task.await.unwrap().unwrap();
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
        self.office.add_device(name, None).unwrap();
        let key = SigningKey::from_bytes(&[name.len() as u8 + name.as_bytes()[2]; 32]);
        let public = hex::encode(key.verifying_key().to_bytes());
        let sql = "UPDATE device SET public_key = ?2, enrolled_ms = 0 WHERE name = ?1";
        self.office.write(|tx| tx.execute(sql, (name, &public))).unwrap();
        let id: String =
            self.office.read(|db| db.query_row("SELECT id FROM device WHERE name = ?1", [name], |r| r.get(0))).unwrap();
        let id: DeviceId = id.parse().unwrap();
        let folder = self.folder.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        let store = store_of(&folder, id);
        let mut device =
            Device { store, key, id, now: self.now.clone(), cards: name.as_bytes()[2], next: 0, name: name.to_owned() };
        device.pull(self);
        device
    }
}

pub struct Device {
    pub store: Store,
    key: SigningKey,
    id: DeviceId,
    now: Arc<AtomicI64>,
    cards: u8,
    next: u128,
    name: String,
}

impl Device {
    pub fn fresh(&mut self) -> Uuid {
        self.next += 1;
        Uuid::from_u128((self.id.0.as_u128() << 16) + self.next)
    }

    /// The program is killed, and begins again from what the disk holds.
    pub fn crash(&mut self, world: &World) {
        let path = world.folder.path().join(&self.name).join("device.sqlite");
        self.store = Store::open(&path, Currency::EUR).unwrap();
    }

    fn stamp(&self) -> Stamp {
        let now = self.now.load(Ordering::SeqCst);
        Stamp {
            id: RowId(Uuid::now_v7()),
            at_ms: now,
            boot: Uuid::nil(),
            mono_ms: u64::try_from(now - START_MS).unwrap() + 1,
            offset_ms: Some(0),
            actor: "test".into(),
        }
    }

    pub fn commit(&mut self, event: &Event) {
        self.store.commit(event, &self.stamp(), None).unwrap();
    }

    pub fn may_commit(&mut self, event: &Event) -> bool {
        self.store.commit(event, &self.stamp(), None).is_ok()
    }

    /// The sample job with one part for 34.50, invoiced.
    pub fn work(&mut self) -> Invoice {
        let Ids { job, visit, .. } = ids();
        self.work_on(job, visit)
    }

    pub fn work_on(&mut self, job: JobId, visit: VisitId) -> Invoice {
        let line = part(self.fresh().as_u128());
        self.commit(&Event::LineAdded(LineAdded { job, visit, line }));
        let (id, stamp) = (InvoiceId(self.fresh()), self.stamp());
        self.store.issue_invoice(job, visit, id, &stamp).unwrap()
    }

    /// A card is presented and read: intent and sealed blob are on the disk.
    pub fn read(&mut self, invoice: &Invoice, card: &str) -> PaymentId {
        self.cards = self.cards.wrapping_add(1);
        let data = card_data(card, self.cards, invoice.totals.total_minor);
        self.read_as(invoice, &data)
    }

    /// The same with what a reader handed over before.
    pub fn read_as(&mut self, invoice: &Invoice, data: &serde_json::Value) -> PaymentId {
        let payment = PaymentId(self.fresh());
        let amount = invoice.totals.total();
        self.commit(&Event::PaymentIntended(PaymentIntended {
            payment,
            invoice: invoice.id,
            document: invoice.document.clone(),
            job: invoice.job,
            visit: invoice.visit,
            amount,
            extras: Extras::NONE,
            linked_to: None,
        }));
        let text = |name: &str| data[name].as_str().unwrap().to_owned();
        let tags = BTreeMap::from([("9F02".to_owned(), format!("{:012}", amount.minor))]);
        let card = CardData {
            ciphertext: text("ciphertext"),
            ksn: text("ksn"),
            encryption_type: 0x80,
            reader: "test".into(),
            emv: tags,
        };
        let key: SealingKey = self.store.document("sealing_key").unwrap().unwrap();
        let bytes = seal(&key, payment, amount, &card).unwrap();
        let sha256 = Hash::of(&bytes).to_string();
        let summary = CardSummary {
            brand: "VISA".into(),
            last4: "1111".into(),
            aid: "A0000000031010".into(),
            label: "VISA".into(),
            cvm: "No verification".into(),
            entry: CardEntry::Chip,
        };
        let read = Event::PaymentCardRead(PaymentCardRead {
            payment,
            job: invoice.job,
            visit: invoice.visit,
            card: summary,
            blob: sha256.clone(),
            sealing_key: key.id,
            ksn: text("ksn"),
            ciphertext_sha256: Hash::of(text("ciphertext").as_bytes()).to_string(),
            salt: "s".into(),
        });
        let stamp = self.stamp();
        self.store.commit(&read, &stamp, Some(&NewBlob { sha256, bytes })).unwrap();
        payment
    }

    pub fn payment(&self, id: PaymentId) -> Payment {
        self.store.payment(id).unwrap()
    }

    pub fn state(&self, id: PaymentId) -> PaymentState {
        self.payment(id).state
    }

    pub fn step(&self, id: PaymentId, why: &str) -> PaymentStep {
        let of = self.payment(id);
        PaymentStep { payment: id, job: of.job, visit: of.visit, why: why.into() }
    }

    pub fn request(&mut self, id: PaymentId) {
        let of = self.payment(id);
        let (amount, blob) = (of.amount, of.blob.unwrap());
        let row = PaymentRequested { payment: id, job: of.job, visit: of.visit, amount, blob };
        self.commit(&Event::PaymentRequested(row));
    }

    pub fn accept(&mut self, id: PaymentId) {
        let of = self.payment(id);
        let deadline_ms = self.now.load(Ordering::SeqCst) + 24 * HOUR_MS;
        self.commit(&Event::PaymentAcceptedOffline(PaymentAcceptedOffline {
            payment: id,
            job: of.job,
            visit: of.visit,
            amount: of.amount,
            blob: of.blob.unwrap(),
            deadline_ms,
            policy: 1,
        }));
    }

    pub fn unknown(&mut self, id: PaymentId) {
        let step = self.step(id, "no answer came in time");
        self.commit(&Event::PaymentUnknown(step));
    }

    pub fn void(&mut self, id: PaymentId) {
        let step = self.step(id, "the customer left");
        self.commit(&Event::PaymentVoidRequested(step));
    }

    /// The next batch, signed, with at most so many rows.
    pub fn batch(&self, rows: usize) -> Batch {
        let outgoing = self.store.outgoing(rows).unwrap();
        let now = self.now.load(Ordering::SeqCst);
        let first = self.store.acked().unwrap() + 1;
        let last = outgoing.rows.last().map_or(first - 1, |row| row.seq);
        let age = |mono: u64| u64::try_from(now - START_MS).unwrap() + 1 - mono;
        let requests = outgoing
            .requests
            .iter()
            .map(|(payment, _, mono)| RequestAge { payment: payment.parse().unwrap(), age_ms: Some(age(*mono)) });
        let epoch = self.store.identity().unwrap().epoch;
        let head_hash = outgoing.last_hash;
        let bytes = batch_bytes(self.id, epoch, last, outgoing.head, &head_hash.to_string());
        Batch {
            envelope: Envelope {
                device: self.id,
                epoch,
                first,
                last,
                head: outgoing.head,
                head_hash,
                signature: hex::encode(self.key.sign(&bytes).to_bytes()),
                requests: requests.collect(),
            },
            rows: outgoing.rows,
            blobs: outgoing.blobs.into_iter().map(|(sha256, bytes)| Blob { sha256, bytes }).collect(),
        }
    }

    /// Hands a batch over; the answer is what comes back.
    pub fn hand(&self, world: &World, batch: &Batch) -> PushAnswer {
        world.office.ingest(self.id, batch).unwrap()
    }

    /// Notes an answer of the office.
    pub fn heard(&mut self, answer: &PushAnswer) {
        let now = self.now.load(Ordering::SeqCst);
        self.store.note_ack(answer.acked_through, answer.durable_through, answer.office_epoch, now).unwrap();
    }

    /// Everything goes to the office and is acknowledged; what became of the rows.
    pub fn push(&mut self, world: &World) -> Vec<RowResult> {
        let batch = self.batch(500);
        let answer = self.hand(world, &batch);
        self.heard(&answer);
        answer.results.iter().map(|row| row.result).collect()
    }

    /// The office's news come, and what follows is journalled, as the exchange's task does.
    pub fn pull(&mut self, world: &World) {
        let (_, cursor) = self.store.feed_cursor().unwrap();
        let (entries, next, _) = world.office.read(|db| feed::page(db, self.id, &cursor)).unwrap().unwrap();
        let applied: Vec<FeedApplied> = entries
            .into_iter()
            .map(|e| FeedApplied { kind: e.kind, id: e.id, body: e.body.filter(|_| e.op == FeedOp::Put) })
            .collect();
        self.store.apply_feed(&applied, &next, Uuid::nil(), self.now.load(Ordering::SeqCst)).unwrap();
        for outcome in self.store.unseen_outcomes().unwrap() {
            let of = self.payment(outcome.payment);
            if of.after_outcome(&outcome).is_some() {
                let (payment, job, visit) = (of.id, of.job, of.visit);
                let outcome = outcome.clone();
                self.commit(&Event::PaymentOutcomeSeen(PaymentOutcomeSeen { payment, job, visit, outcome }));
            }
            self.store.outcome_seen(&outcome).unwrap();
        }
        for word in self.store.unseen_refunds().unwrap() {
            let refund = word.refund.clone();
            self.commit(&Event::RefundOutcomeSeen(RefundOutcomeSeen {
                refund: refund.id,
                payment: refund.payment,
                job: refund.job,
                visit: refund.visit,
                state: refund.state,
                amount: refund.amount,
                what: refund.kind,
                answer: refund.answer,
            }));
            self.store.refund_seen(&word).unwrap();
        }
    }

    /// Push, let the office work, hear what came of it, tell that it was heard, and let the office go on from there.
    pub async fn exchange(&mut self, world: &World) {
        for _ in 0..3 {
            self.push(world);
            world.work().await;
            self.pull(world);
        }
    }

    pub fn open(&self, invoice: &Invoice) -> Money {
        self.store.job_detail(invoice.job).unwrap().open().unwrap()
    }
}
