//! An office without a socket, and a handheld that is enrolled at it.

#[path = "../common/office.rs"]
mod office;

use crate::common::{ids, part, stamp, store_of};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use tempfile::TempDir;
use tillroll::domain::event::{Event, LineAdded, PaymentIntended, VisitMoved};
use tillroll::domain::id::DeviceId;
use tillroll::domain::job::VisitState;
use tillroll::domain::journal::{Hash, Row};
use tillroll::domain::line::Line;
use tillroll::office::{Office, api};
use tillroll::store::Store;
use tillroll::sync::wire::batch::{Batch, Blob, Envelope};
use tillroll::sync::wire::{batch_bytes, challenge_bytes};
use tower::ServiceExt as _;

pub struct Rig {
    pub office: Office,
    router: Router,
    key: SigningKey,
    device: DeviceId,
    token: String,
    store: Store,
    folder: TempDir,
}

impl Rig {
    pub async fn new() -> Rig {
        let folder = tempfile::tempdir().unwrap();
        let office = office::office(folder.path());
        office.publish().unwrap();
        let router = api::router(office.clone());
        let key = SigningKey::from_bytes(&[7; 32]);
        let code = office.add_device("D07", None).unwrap();
        let public_key = hex::encode(key.verifying_key().to_bytes());
        let enrol = json!({ "code": code, "public_key": public_key, "program": "test" });
        let (status, answer) = call(&router, "/v1/enrol", None, enrol.to_string().into_bytes()).await;
        assert_eq!(status, 200, "{answer}");
        let device: DeviceId = answer["device"].as_str().unwrap().parse().unwrap();
        let again = call(&router, "/v1/enrol", None, enrol.to_string().into_bytes()).await;
        assert_eq!(again.0, 403, "a code is good once");
        let token = token(&router, &key, device).await;
        std::fs::create_dir(folder.path().join("device")).unwrap();
        let store = store_of(&folder.path().join("device"), device, "D07", "");
        Rig { office, router, key, device, token, store, folder }
    }

    /// A visit with two lines and an invoice.
    pub fn work(&mut self) {
        let (job, visit) = (ids().job, ids().visit);
        let moved = VisitMoved { job, visit, from: VisitState::New, to: VisitState::OnSite };
        for event in [
            Event::VisitMoved(moved),
            Event::LineAdded(LineAdded { job, visit, line: part(20) }),
            Event::LineAdded(LineAdded { job, visit, line: part(21) }),
        ] {
            self.commit(&event);
        }
    }

    /// An invoice, and a card payment whose intent is on the disk; its id.
    pub fn card_payment(&mut self) -> String {
        let (job, visit) = (ids().job, ids().visit);
        let invoice = self.store.issue_invoice(job, visit, ids().invoice, &stamp()).unwrap();
        let intended = PaymentIntended {
            extras: tillroll::domain::payment::Extras::NONE,
            payment: ids().payment,
            invoice: invoice.id,
            document: invoice.document.clone(),
            job,
            visit,
            amount: invoice.totals.total(),
            linked_to: None,
            keep: None,
        };
        self.store.commit(&Event::PaymentIntended(intended), &stamp(), None).unwrap();
        ids().payment.to_string()
    }

    /// Writes one more row on the handheld.
    pub fn commit(&mut self, event: &Event) {
        self.store.commit(event, &stamp(), None).unwrap();
    }

    /// Everything that the handheld has, signed.
    pub fn batch(&self) -> Batch {
        let outgoing = self.store.outgoing(500).unwrap();
        let blobs = outgoing.blobs.into_iter().map(|(sha256, bytes)| Blob { sha256, bytes }).collect();
        let batch = Batch {
            envelope: Envelope {
                device: self.device,
                epoch: self.store.identity().unwrap().epoch,
                first: 1,
                last: 1,
                head: outgoing.head,
                head_hash: Hash::START,
                signature: String::new(),
                requests: Vec::new(),
            },
            rows: outgoing.rows,
            blobs,
        };
        self.signed(batch)
    }

    /// The batch with the hashes and the signature of its rows, as an honest handheld would make them.
    pub fn signed(&self, mut batch: Batch) -> Batch {
        let last = batch.rows.last().unwrap().seq;
        batch.envelope.last = last;
        batch.envelope.head = batch.envelope.head.max(last);
        batch.envelope.head_hash = *batch.hashes(Hash::START).last().unwrap();
        let e = &batch.envelope;
        let bytes = batch_bytes(e.device, e.epoch, e.last, e.head, &e.head_hash.to_string());
        batch.envelope.signature = hex::encode(self.key.sign(&bytes).to_bytes());
        batch
    }

    /// Puts a row about another visit behind the others.
    pub fn line(&self, batch: &mut Batch, line: Line) {
        let (job, visit) = (uuid::Uuid::from_u128(501), uuid::Uuid::from_u128(502));
        let event = Event::LineAdded(LineAdded { job: job.into(), visit: visit.into(), line });
        let last = batch.rows.last().unwrap();
        batch.rows.push(Row {
            seq: last.seq + 1,
            id: stamp().id,
            kind: event.kind().to_owned(),
            v: 1,
            subjects: event.subjects(),
            body: event.body().unwrap(),
            ..last.clone()
        });
    }

    pub async fn push(&self, bytes: &[u8]) -> (u16, Value) {
        self.push_as(&self.token, bytes).await
    }

    pub async fn push_as(&self, token: &str, bytes: &[u8]) -> (u16, Value) {
        call(&self.router, "/v1/journal", Some(token), bytes.to_vec()).await
    }

    pub fn count(&self, sql: &str) -> i64 {
        self.office.read(|db| db.query_row(sql, [], |r| r.get(0))).unwrap()
    }

    /// Every row of the tables that a batch may touch, as text.
    pub fn dump(&self) -> String {
        let db = rusqlite::Connection::open(self.folder.path().join("office.sqlite")).unwrap();
        let mut all = String::new();
        for table in ["journal", "journal_fork", "visit_work", "line", "invoice", "payment", "exception", "blob"] {
            let mut statement = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
            let columns = statement.column_count();
            let mut rows = statement.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let cells: Vec<String> = (0..columns).map(|i| format!("{:?}", row.get_ref(i).unwrap())).collect();
                all.push_str(&format!("{table}: {}\n", cells.join(" | ")));
            }
        }
        all
    }
}

async fn token(router: &Router, key: &SigningKey, device: DeviceId) -> String {
    let ask = json!({ "device": device, "answer": null }).to_string();
    let (_, challenge) = call(router, "/v1/session", None, ask.into_bytes()).await;
    let nonce = challenge["challenge"]["nonce"].as_str().unwrap();
    let signature = hex::encode(key.sign(&challenge_bytes(device, nonce)).to_bytes());
    let answer = json!({ "device": device, "answer": { "nonce": nonce, "signature": signature } }).to_string();
    let (status, token) = call(router, "/v1/session", None, answer.into_bytes()).await;
    assert_eq!(status, 200, "{token}");
    token["token"]["token"].as_str().unwrap().to_owned()
}

async fn call(router: &Router, path: &str, token: Option<&str>, body: Vec<u8>) -> (u16, Value) {
    let mut request = Request::post(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let response = router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    if status >= 400 {
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    }
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap())
}
