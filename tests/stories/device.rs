//! A handheld's store with the office's documents, and what a technician and the exchange do with it.

use super::reads::card_read;
use super::{START_MS, World};
use crate::common::{Ids, ids, job_entry, part, store_of};
use crate::processor::card_data;
use ed25519_dalek::{Signer as _, SigningKey};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tillroll::domain::event::{
    CashRecorded, Event, LineAdded, PaymentAcceptedOffline, PaymentCardRead, PaymentIntended, PaymentOutcomeSeen,
    PaymentRequested, PaymentStep, RefundOutcomeSeen,
};
use tillroll::domain::id::{DeviceId, InvoiceId, JobId, PaymentId, RowId, VisitId};
use tillroll::domain::invoice::Invoice;
use tillroll::domain::journal::{Hash, Stamp};
use tillroll::domain::money::{Currency, Money};
use tillroll::domain::payment::{Extras, Payment, PaymentState};
use tillroll::domain::policy::HOUR_MS;
use tillroll::office::feed;
use tillroll::store::{FeedApplied, NewBlob, Store};
use tillroll::sync::wire::batch::{Batch, Blob, Envelope};
use tillroll::sync::wire::seal::{CardData, SealingKey, seal};
use tillroll::sync::wire::{FeedOp, PushAnswer, RequestAge, RowResult, batch_bytes};
use uuid::Uuid;

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
    pub(super) fn new(world: &World, name: &str, id: DeviceId, key: SigningKey) -> Device {
        let folder = world.folder.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        let store = store_of(&folder, id, name, "");
        let (now, cards) = (world.now.clone(), name.as_bytes()[2]);
        let mut device = Device { store, key, id, now, cards, next: 0, name: name.to_owned() };
        device.pull(world);
        device
    }

    pub fn fresh(&mut self) -> Uuid {
        self.next += 1;
        Uuid::from_u128((self.id.0.as_u128() << 16) + self.next)
    }

    /// The program is killed, and begins again from what the disk holds.
    pub fn crash(&mut self, world: &World) {
        let path = world.folder.path().join(&self.name).join("device.sqlite");
        self.store = Store::open(&path, Currency::EUR).unwrap();
    }

    pub fn stamp(&self) -> Stamp {
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
        self.invoice(job, visit)
    }

    /// Another job of the office, worked on in the same way; the same number is the same job on any handheld.
    pub fn work_at(&mut self, n: u128) -> Invoice {
        let (job, visit) = self.job(n);
        self.work_on(job, visit)
    }

    /// Another job of the office.
    pub fn job(&mut self, n: u128) -> (JobId, VisitId) {
        let (job, visit) = (JobId(Uuid::from_u128(1_000 + n)), VisitId(Uuid::from_u128(2_000 + n)));
        let (epoch, cursor) = self.store.feed_cursor().unwrap();
        self.store.apply_feed(&[job_entry(job, visit)], &cursor, epoch.unwrap_or_default(), 1).unwrap();
        (job, visit)
    }

    /// The invoice of what stands on a visit.
    pub fn invoice(&mut self, job: JobId, visit: VisitId) -> Invoice {
        let (id, stamp) = (InvoiceId(self.fresh()), self.stamp());
        self.store.issue_invoice(job, visit, id, &stamp).unwrap()
    }

    /// A document for money that is paid ahead for the sample job.
    pub fn deposit(&mut self, minor: i64) -> Invoice {
        self.deposit_on(ids().job, ids().visit, minor)
    }

    pub fn deposit_on(&mut self, job: JobId, visit: VisitId, minor: i64) -> Invoice {
        let (id, stamp) = (InvoiceId(self.fresh()), self.stamp());
        let amount = Money::new(minor, Currency::EUR);
        self.store.issue_deposit(job, visit, amount, id, &stamp).unwrap()
    }

    /// A card is presented and read: intent and sealed blob are on the disk.
    pub fn read(&mut self, invoice: &Invoice, card: &str) -> PaymentId {
        self.cards = self.cards.wrapping_add(1);
        let data = card_data(card, self.cards, invoice.totals.total_minor);
        self.read_as(invoice, &data)
    }

    /// The same with what a reader handed over before.
    pub fn read_as(&mut self, invoice: &Invoice, data: &serde_json::Value) -> PaymentId {
        let payment = self.intend(invoice, Extras::NONE, None);
        self.present(payment, data);
        payment
    }

    /// A card payment of the invoice's total and what comes on top begins.
    pub fn intend(&mut self, invoice: &Invoice, extras: Extras, linked_to: Option<PaymentId>) -> PaymentId {
        let payment = PaymentId(self.fresh());
        let minor = invoice.totals.total_minor + extras.sum_minor().unwrap();
        self.commit(&Event::PaymentIntended(PaymentIntended {
            keep: None,
            payment,
            invoice: invoice.id,
            document: invoice.document.clone(),
            job: invoice.job,
            visit: invoice.visit,
            amount: Money::new(minor, invoice.totals.currency),
            extras,
            linked_to,
        }));
        payment
    }

    /// A card of this name for the payment that has begun.
    pub fn tap(&mut self, payment: PaymentId, card: &str) {
        self.cards = self.cards.wrapping_add(1);
        let data = card_data(card, self.cards, self.payment(payment).amount.minor);
        self.present(payment, &data);
    }

    fn present(&mut self, payment: PaymentId, data: &serde_json::Value) {
        let of = self.payment(payment);
        let amount = of.amount;
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
        let read = Event::PaymentCardRead(PaymentCardRead {
            sealing_key: key.id,
            ksn: text("ksn"),
            ciphertext_sha256: Hash::of(text("ciphertext").as_bytes()).to_string(),
            ..card_read(payment, of.job, of.visit, &sha256)
        });
        let stamp = self.stamp();
        self.store.commit(&read, &stamp, Some(&NewBlob { sha256, bytes })).unwrap();
    }

    /// All that is open on an invoice is paid in cash.
    pub fn cash(&mut self, invoice: &Invoice) -> PaymentId {
        let (payment, amount) = (PaymentId(self.fresh()), self.open(invoice));
        self.commit(&Event::CashRecorded(CashRecorded {
            payment,
            invoice: invoice.id,
            document: invoice.document.clone(),
            job: invoice.job,
            visit: invoice.visit,
            amount,
            extras: Extras::NONE,
            tendered_minor: amount.minor,
            change_minor: 0,
            linked_to: None,
        }));
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

    /// The office's news come; nothing is done about them yet.
    pub fn receive(&mut self, world: &World) {
        let (_, cursor) = self.store.feed_cursor().unwrap();
        let (entries, next, _) = world.office.read(|db| feed::page(db, self.id, &cursor)).unwrap().unwrap();
        let applied: Vec<FeedApplied> = entries
            .into_iter()
            .map(|e| FeedApplied { kind: e.kind, id: e.id, body: e.body.filter(|_| e.op == FeedOp::Put) })
            .collect();
        self.store.apply_feed(&applied, &next, Uuid::nil(), self.now.load(Ordering::SeqCst)).unwrap();
    }

    /// The office's news come, and what follows is journalled, as the exchange's task does.
    pub fn pull(&mut self, world: &World) {
        self.receive(world);
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
            self.commit(&Event::RefundOutcomeSeen(RefundOutcomeSeen::of(&word.refund)));
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
        let mut detail = self.store.job_detail(invoice.job).unwrap();
        detail.show(Some(invoice.id));
        detail.open().unwrap()
    }
}
