//! A handheld whose drawer is worked with, one act after the other.

use crate::common::{ids, job_entry, part, stamp, store_of};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tempfile::TempDir;
use tillroll::domain::event::{
    CashMoved, CashRecorded, Event, LineAdded, PaymentAcceptedOffline, PaymentCardRead, PaymentIntended,
    PaymentOutcomeSeen,
};
use tillroll::domain::id::{DeviceId, Epoch, InvoiceId, JobId, MoveId, PaymentId, ShiftId, VisitId};
use tillroll::domain::invoice::Invoice;
use tillroll::domain::ledger::Account;
use tillroll::domain::money::{Currency, Money};
use tillroll::domain::outcome::{Outcome, OutcomeState};
use tillroll::domain::payment::{CardEntry, CardSummary};
use tillroll::domain::shift::{Closed, MoveKind, Report, ShiftNow};
use tillroll::store::{NewBlob, Outgoing, Store};
use uuid::Uuid;

pub fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

/// Something that may be done. Cash names a job of its own, so that each pays an invoice of its own.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    Open(i64),
    Cash(u8, i64),
    Move(MoveKind, i64),
    Close(i64),
}

pub struct Till {
    store: Option<Store>,
    folder: TempDir,
    /// The shift that was opened last.
    shift: ShiftId,
    invoices: BTreeMap<u8, Invoice>,
}

impl Till {
    pub fn new() -> Till {
        Till::of(DeviceId(Uuid::from_u128(70)))
    }

    pub fn of(device: DeviceId) -> Till {
        let folder = tempfile::tempdir().unwrap();
        let store = Some(store_of(folder.path(), device, "D07", ""));
        Till { store, folder, shift: ShiftId(Uuid::nil()), invoices: BTreeMap::new() }
    }

    /// The database and the folder that it lies in.
    pub fn into_parts(mut self) -> (Store, TempDir) {
        (self.store.take().unwrap(), self.folder)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("device.sqlite")
    }

    /// What is to be sent.
    pub fn outgoing(&self) -> Outgoing {
        self.store.as_ref().unwrap().outgoing(500).unwrap()
    }

    /// The journal's epoch.
    pub fn epoch(&self) -> Epoch {
        self.store.as_ref().unwrap().identity().unwrap().epoch
    }

    fn store(&mut self) -> &mut Store {
        self.store.as_mut().unwrap()
    }

    /// The program stops without a word and starts again.
    pub fn reopen(&mut self) {
        self.store = None;
        self.store = Some(Store::open(&self.path(), Currency::EUR).unwrap());
    }

    pub fn act(&mut self, act: Act) -> Result<(), String> {
        match act {
            Act::Open(minor) => self.open(minor),
            Act::Cash(n, minor) => self.cash(n, minor),
            Act::Move(kind, minor) => self.moves(kind, minor),
            Act::Close(minor) => self.close(minor).map(drop),
        }
    }

    pub fn open(&mut self, minor: i64) -> Result<(), String> {
        let id = ShiftId(Uuid::now_v7());
        self.store().open_shift(id, eur(minor), &stamp()).map_err(|why| why.to_string())?;
        self.shift = id;
        Ok(())
    }

    pub fn moves(&mut self, kind: MoveKind, minor: i64) -> Result<(), String> {
        let (shift, id) = (self.shift, MoveId(Uuid::now_v7()));
        let done = self.store().move_cash(shift, id, kind, eur(minor), " why ", &stamp());
        done.map_err(|why| why.to_string())
    }

    pub fn close(&mut self, counted: i64) -> Result<Closed, String> {
        let shift = self.shift;
        self.store().close_shift(shift, eur(counted), &stamp()).map_err(|why| why.to_string())?;
        Ok(self.store().shift_report(shift).unwrap().closed.unwrap())
    }

    /// A row about a move, past the store's own checks.
    pub fn commit_move(&mut self, shift: ShiftId) -> Result<(), String> {
        let movement = MoveId(Uuid::now_v7());
        let moved = CashMoved { shift, movement, kind: MoveKind::PaidIn, amount: eur(1), reason: "x".into() };
        self.store().commit(&Event::CashMoved(moved), &stamp(), None).map(drop).map_err(|why| why.to_string())
    }

    /// A job of its own with one line of 34.50 and its invoice.
    pub fn invoice(&mut self, n: u8) -> Invoice {
        if let Some(invoice) = self.invoices.get(&n) {
            return invoice.clone();
        }
        let of = |kind: u128| Uuid::from_u128(kind * 1_000 + u128::from(n));
        let id = InvoiceId(Uuid::from_u128(ids().invoice.0.as_u128() * 100_000 + u128::from(n)));
        let (job, visit) = (JobId(of(100)), VisitId(of(200)));
        let entry = job_entry(job, visit);
        self.store().apply_feed(&[entry], &[("d".to_owned(), 1)].into(), Uuid::nil(), 1).unwrap();
        let line = part(of(300).as_u128());
        self.store().commit(&Event::LineAdded(LineAdded { job, visit, line }), &stamp(), None).unwrap();
        let invoice = self.store().issue_invoice(job, visit, id, &stamp()).unwrap();
        self.invoices.insert(n, invoice.clone());
        invoice
    }

    /// Cash for a job of its own.
    pub fn cash(&mut self, n: u8, minor: i64) -> Result<(), String> {
        let invoice = self.invoice(n);
        let event = Event::CashRecorded(CashRecorded {
            extras: tillroll::domain::payment::Extras::NONE,
            payment: PaymentId(Uuid::now_v7()),
            invoice: invoice.id,
            document: invoice.document.clone(),
            job: invoice.job,
            visit: invoice.visit,
            amount: eur(minor),
            tendered_minor: minor,
            change_minor: 0,
            linked_to: None,
        });
        self.store().commit(&event, &stamp(), None).map(drop).map_err(|why| why.to_string())
    }

    /// A card payment that was taken without the bank.
    pub fn card_stored(&mut self, n: u8, minor: i64) {
        let invoice = self.invoice(n);
        let (payment, job, visit) = (card_id(n), invoice.job, invoice.visit);
        let intended = PaymentIntended {
            extras: tillroll::domain::payment::Extras::NONE,
            payment,
            invoice: invoice.id,
            document: invoice.document.clone(),
            job,
            visit,
            amount: eur(minor),
            linked_to: None,
            keep: None,
        };
        self.store().commit(&Event::PaymentIntended(intended), &stamp(), None).unwrap();
        let blob = format!("{n:064x}");
        let text = |text: &str| text.to_owned();
        let card = CardSummary {
            brand: text("VISA"),
            last4: text("0010"),
            aid: text("A0"),
            label: text("VISA"),
            cvm: text("none"),
            entry: CardEntry::Chip,
            marks: Default::default(),
        };
        let read = PaymentCardRead {
            payment,
            job,
            visit,
            card,
            blob: blob.clone(),
            sealing_key: text("k"),
            ksn: format!("{n:020x}"),
            ciphertext_sha256: blob.clone(),
            salt: text("s"),
        };
        let bytes = NewBlob { sha256: blob.clone(), bytes: vec![n] };
        self.store().commit(&Event::PaymentCardRead(read), &stamp(), Some(&bytes)).unwrap();
        let stored =
            PaymentAcceptedOffline { payment, job, visit, amount: eur(minor), blob, deadline_ms: 9, policy: 1 };
        self.store().commit(&Event::PaymentAcceptedOffline(stored), &stamp(), None).unwrap();
    }

    /// The bank's late word on it.
    pub fn outcome(&mut self, n: u8, approved: bool) {
        let invoice = self.invoice(n);
        let outcome = Outcome {
            payment: card_id(n),
            state: if approved { OutcomeState::Approved } else { OutcomeState::LateDeclined },
            amount_minor: 3_450,
            auth_code: None,
            response_code: None,
            reason: None,
            at_ms: 1,
            n: 1,
        };
        let seen = PaymentOutcomeSeen { payment: card_id(n), job: invoice.job, visit: invoice.visit, outcome };
        self.store().commit(&Event::PaymentOutcomeSeen(seen), &stamp(), None).unwrap();
    }

    pub fn now(&self) -> ShiftNow {
        self.store.as_ref().unwrap().shift_now().unwrap()
    }

    /// The report of the shift with this close.
    pub fn report(&self, closed: &Closed) -> Report {
        let db = Connection::open(self.path()).unwrap();
        let sql = "SELECT id FROM shift WHERE number = ?1";
        let id: String = db.query_row(sql, [closed.number.to_string()], |r| r.get(0)).unwrap();
        self.store.as_ref().unwrap().shift_report(id.parse().unwrap()).unwrap()
    }

    /// Cash in the ledger.
    pub fn drawer(&self) -> i64 {
        self.store.as_ref().unwrap().balance(Account::Cash).unwrap()
    }

    /// The journal's last row.
    pub fn head(&self) -> u64 {
        self.store.as_ref().unwrap().sync_status().unwrap().head_seq
    }

    pub fn verify(&self) {
        assert_eq!(self.store.as_ref().unwrap().verify().unwrap().violations, Vec::<String>::new());
    }

    /// Runs SQL beside the program.
    pub fn sql(&self, sql: &str) -> rusqlite::Result<()> {
        Connection::open(self.path()).unwrap().execute_batch(sql)
    }

    /// Every row that a shift may touch, as text.
    pub fn dump(&self) -> String {
        dump(&Connection::open(self.path()).unwrap(), &["journal", "payment"]) + &self.shift_tables()
    }

    /// The shift's own tables, as text.
    pub fn shift_tables(&self) -> String {
        tables_of(&Connection::open(self.path()).unwrap())
    }
}

fn card_id(n: u8) -> PaymentId {
    PaymentId(Uuid::from_u128(ids().payment.0.as_u128() * 100_000 + u128::from(n)))
}

const SHIFT_TABLES: &[&str] =
    &["shift", "cash_move", "shift_payment", "shift_entry", "shift_late", "ledger_entry", "ledger_posting"];

/// The shift's own tables of any database, as text.
pub fn tables_of(db: &Connection) -> String {
    dump(db, SHIFT_TABLES)
}

fn dump(db: &Connection, tables: &[&str]) -> String {
    let mut all = String::new();
    for table in tables {
        let mut statement = db.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells: Vec<String> = (0..columns).map(|i| format!("{:?}", row.get_ref(i).unwrap())).collect();
            all.push_str(&format!("{table}: {}\n", cells.join(" | ")));
        }
    }
    all
}
