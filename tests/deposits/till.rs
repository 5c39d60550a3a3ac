//! A handheld's store with one visit, and what a technician does with deposits there.

use crate::common::{ids, job_entry, part, stamp, store_of};
use crate::rig::reads::card_read;
use rusqlite::Connection;
use tillroll::domain::deposit::Deposit;
use tillroll::domain::event::{
    CashRecorded, CashRefunded, DepositUsed, Event, InvoiceCancelled, LineAdded, PaymentAcceptedOffline,
    PaymentIntended, PaymentOutcomeSeen, PaymentRequested, PaymentStep, RefundOutcomeSeen, RefundRequested,
    TenderRecorded,
};
use tillroll::domain::id::{DeviceId, InvoiceId, JobId, PaymentId, RefundId, VisitId};
use tillroll::domain::invoice::{Invoice, InvoiceState};
use tillroll::domain::ledger::Account;
use tillroll::domain::money::{Currency, Money};
use tillroll::domain::outcome::{Outcome, OutcomeState};
use tillroll::domain::payment::{Extras, Payment, Tender};
use tillroll::domain::read::JobDetail;
use tillroll::domain::refund::{RefundKind, RefundState};
use tillroll::runtime::actors::printer::{self, PrinterHandle};
use tillroll::runtime::actors::store::{self, StoreHandle};
use tillroll::runtime::clock::Clock;
use tillroll::store::{FeedApplied, NewBlob, Store};
use tillroll_hardware::printer::PrinterLink;
use tillroll_hardware::printer::profile::Profile;
use tokio::sync::mpsc;
use uuid::Uuid;

pub fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

pub struct Till {
    store: Store,
    next: u128,
    words: u32,
    folder: tempfile::TempDir,
}

type Done<T> = Result<T, String>;

/// Cash for a document.
pub fn cash_row(payment: PaymentId, of: &Invoice, minor: i64) -> Event {
    Event::CashRecorded(CashRecorded {
        payment,
        invoice: of.id,
        document: of.document.clone(),
        job: of.job,
        visit: of.visit,
        amount: eur(minor),
        extras: Extras::NONE,
        tendered_minor: minor,
        change_minor: 0,
        linked_to: None,
    })
}

impl Till {
    /// A visit with one part for 34.50, not invoiced.
    pub fn new() -> Till {
        let folder = tempfile::tempdir().unwrap();
        let store = store_of(folder.path(), DeviceId(Uuid::from_u128(9)), "D07", "");
        let mut till = Till { store, next: 1_000, words: 0, folder };
        till.line(ids().job, ids().visit);
        till
    }

    fn line(&mut self, job: JobId, visit: VisitId) {
        let line = part(self.id().as_u128());
        self.commit(&Event::LineAdded(LineAdded { job, visit, line })).unwrap();
    }

    fn id(&mut self) -> Uuid {
        self.next += 1;
        Uuid::from_u128(self.next)
    }

    fn commit(&mut self, event: &Event) -> Done<()> {
        self.store.commit(event, &stamp(), None).map(drop).map_err(|why| why.to_string())
    }

    pub fn deposit(&mut self, minor: i64) -> Done<Invoice> {
        self.deposit_of(eur(minor))
    }

    pub fn deposit_of(&mut self, amount: Money) -> Done<Invoice> {
        let id = InvoiceId(self.id());
        let done = self.store.issue_deposit(ids().job, ids().visit, amount, id, &stamp());
        done.map_err(|why| why.to_string())
    }

    /// The invoice, and what was paid ahead for its job pays it, as the store's thread does.
    fn invoice_of(&mut self, job: JobId, visit: VisitId) -> Invoice {
        let id = InvoiceId(self.id());
        let invoice = self.store.issue_invoice(job, visit, id, &stamp()).unwrap();
        loop {
            let payment = PaymentId(self.id());
            let Some(used) = self.store.deposit_for(&invoice, payment).unwrap() else { return invoice };
            self.commit(&Event::DepositUsed(used)).unwrap();
        }
    }

    pub fn invoice(&mut self) -> Invoice {
        self.invoice_of(ids().job, ids().visit)
    }

    /// Another job on the list, where nothing was done.
    pub fn bare_job(&mut self) -> (JobId, VisitId) {
        let (job, visit) = (JobId(self.id()), VisitId(self.id()));
        self.feed(job_entry(job, visit));
        (job, visit)
    }

    fn feed(&mut self, entry: FeedApplied) {
        self.store.apply_feed(&[entry], &[("d".to_owned(), 2)].into(), Uuid::nil(), 1).unwrap();
    }

    /// The office has given the job to somebody else.
    pub fn gone(&mut self, job: JobId) {
        self.feed(FeedApplied { kind: "job".into(), id: job.to_string(), body: None });
    }

    /// How many jobs the list has.
    pub fn today(&self) -> usize {
        self.store.today(0, i64::MAX).unwrap().len()
    }

    pub fn deposit_for(&mut self, job: JobId, visit: VisitId, minor: i64) -> Invoice {
        let id = InvoiceId(self.id());
        self.store.issue_deposit(job, visit, eur(minor), id, &stamp()).unwrap()
    }

    pub fn another_invoice(&mut self) -> Invoice {
        let (job, visit) = self.bare_job();
        self.line(job, visit);
        self.invoice_of(job, visit)
    }

    pub fn invoice_of_another_customer(&mut self) -> Invoice {
        let (job, visit, customer) = (JobId(self.id()), VisitId(self.id()), self.id());
        let mut entry = job_entry(job, visit);
        entry.body.as_mut().unwrap()["customer"] = customer.to_string().into();
        self.store.apply_feed(&[entry], &[("d".to_owned(), 3)].into(), Uuid::nil(), 1).unwrap();
        self.line(job, visit);
        self.invoice_of(job, visit)
    }

    pub fn cancel(&mut self, of: &Invoice) -> Done<()> {
        let (invoice, job, visit, why) = (of.id, of.job, of.visit, "not wanted".to_owned());
        self.commit(&Event::InvoiceCancelled(InvoiceCancelled { invoice, job, visit, why }))
    }

    pub fn cash(&mut self, of: &Invoice, minor: i64) -> Done<PaymentId> {
        let payment = PaymentId(self.id());
        self.commit(&cash_row(payment, of, minor)).map(|()| payment)
    }

    pub fn cash_of(&mut self, of: &Invoice, amount: Money) -> Done<()> {
        let Event::CashRecorded(row) = cash_row(PaymentId(self.id()), of, amount.minor) else { unreachable!() };
        self.commit(&Event::CashRecorded(CashRecorded { amount, ..row }))
    }

    pub fn cheque(&mut self, of: &Invoice, minor: i64) -> Done<PaymentId> {
        let payment = PaymentId(self.id());
        self.commit(&Event::TenderRecorded(TenderRecorded {
            payment,
            tender: Tender::Cheque,
            invoice: of.id,
            document: of.document.clone(),
            job: of.job,
            visit: of.visit,
            amount: eur(minor),
            extras: Extras::NONE,
            reference: "000123".into(),
            linked_to: None,
        }))
        .map(|()| payment)
    }

    pub fn use_deposit(&mut self, deposit: &Invoice, invoice: &Invoice, minor: i64) -> Done<PaymentId> {
        self.use_money(deposit, invoice, eur(minor))
    }

    pub fn use_money(&mut self, deposit: &Invoice, invoice: &Invoice, amount: Money) -> Done<PaymentId> {
        let payment = PaymentId(self.id());
        self.commit(&Event::DepositUsed(DepositUsed {
            payment,
            deposit: deposit.id,
            deposit_document: deposit.document.clone(),
            invoice: invoice.id,
            document: invoice.document.clone(),
            job: invoice.job,
            visit: invoice.visit,
            amount,
            linked_to: None,
        }))
        .map(|()| payment)
    }

    fn step(&self, payment: PaymentId) -> PaymentStep {
        let of = self.payment(payment);
        PaymentStep { payment, job: of.job, visit: of.visit, why: "wrong".into() }
    }

    pub fn correct(&mut self, payment: PaymentId) -> Done<()> {
        let step = self.step(payment);
        self.commit(&Event::PaymentCorrected(step))
    }

    pub fn void(&mut self, payment: PaymentId) -> Done<()> {
        let step = self.step(payment);
        self.commit(&Event::PaymentVoidRequested(step))
    }

    pub fn cash_back(&mut self, payment: PaymentId, minor: i64) -> Done<()> {
        let (refund, of) = (RefundId(self.id()), self.payment(payment));
        let (job, visit, amount, what) = (of.job, of.visit, eur(minor), RefundKind::Reopen);
        let (reason, manager) = ("not needed".to_owned(), false);
        self.commit(&Event::CashRefunded(CashRefunded { refund, payment, job, visit, amount, what, reason, manager }))
    }

    /// As an older handheld would ask: as a credit on a sale, which a deposit never is.
    pub fn ask_back(&mut self, payment: PaymentId, minor: i64) -> Done<RefundId> {
        let (refund, of) = (RefundId(self.id()), self.payment(payment));
        self.commit(&Event::RefundRequested(RefundRequested {
            refund,
            payment: Some(payment),
            job: of.job,
            visit: of.visit,
            tender: of.tender,
            amount: eur(minor),
            what: RefundKind::Credit,
            reason: "not needed".into(),
            manager: false,
        }))
        .map(|()| refund)
    }

    pub fn answered(&mut self, refund: RefundId, yes: bool) -> Done<()> {
        let asked = self.store.refund(refund).unwrap().unwrap();
        self.commit(&Event::RefundOutcomeSeen(RefundOutcomeSeen {
            refund,
            payment: asked.payment,
            job: asked.job,
            visit: asked.visit,
            state: if yes { RefundState::Refunded } else { RefundState::Refused },
            amount: asked.amount,
            what: asked.kind,
            answer: None,
        }))
    }

    /// The office gives a card payment back that nobody here asked for.
    pub fn given_back(&mut self, payment: PaymentId, minor: i64) -> Done<()> {
        let (refund, of) = (RefundId(self.id()), self.payment(payment));
        self.commit(&Event::RefundOutcomeSeen(RefundOutcomeSeen {
            refund,
            payment: Some(payment),
            job: of.job,
            visit: of.visit,
            state: RefundState::Refunded,
            amount: eur(minor),
            what: RefundKind::Reopen,
            answer: None,
        }))
    }

    /// A card that was read for it and asked for.
    pub fn card(&mut self, of: &Invoice, minor: i64) -> PaymentId {
        let payment = PaymentId(self.id());
        let (job, visit, amount) = (of.job, of.visit, eur(minor));
        self.commit(&Event::PaymentIntended(PaymentIntended {
            payment,
            invoice: of.id,
            document: of.document.clone(),
            job,
            visit,
            amount,
            extras: Extras::NONE,
            linked_to: None,
            keep: None,
        }))
        .unwrap();
        let blob = format!("{:064x}", payment.0.as_u128());
        let read = card_read(payment, job, visit, &blob);
        let new = NewBlob { sha256: blob.clone(), bytes: vec![1] };
        self.store.commit(&Event::PaymentCardRead(read), &stamp(), Some(&new)).unwrap();
        self.commit(&Event::PaymentRequested(PaymentRequested { payment, job, visit, amount, blob })).unwrap();
        payment
    }

    pub fn accept_offline(&mut self, payment: PaymentId) {
        let step = self.step(payment);
        let of = self.payment(payment);
        self.commit(&Event::PaymentUnknown(step)).unwrap();
        self.commit(&Event::PaymentAcceptedOffline(PaymentAcceptedOffline {
            payment,
            job: of.job,
            visit: of.visit,
            amount: of.amount,
            blob: of.blob.unwrap(),
            deadline_ms: i64::MAX,
            policy: 1,
        }))
        .unwrap();
    }

    pub fn outcome(&mut self, payment: PaymentId, state: OutcomeState) {
        self.words += 1;
        let of = self.payment(payment);
        let outcome = Outcome {
            payment,
            state,
            amount_minor: of.amount.minor,
            auth_code: None,
            response_code: None,
            reason: None,
            at_ms: 0,
            n: self.words,
        };
        let (job, visit) = (of.job, of.visit);
        self.commit(&Event::PaymentOutcomeSeen(PaymentOutcomeSeen { payment, job, visit, outcome })).unwrap();
    }

    pub fn payment(&self, id: PaymentId) -> Payment {
        self.store.payment(id).unwrap()
    }

    pub fn detail(&self) -> JobDetail {
        self.store.job_detail(ids().job).unwrap()
    }

    /// What is open on the visit's invoice, and where that stands.
    pub fn open(&self) -> (i64, InvoiceState) {
        let detail = self.detail();
        (detail.open().unwrap().minor, detail.invoice.unwrap().state)
    }

    pub fn open_on(&self, invoice: &Invoice) -> i64 {
        self.store.job_detail(invoice.job).unwrap().open().unwrap().minor
    }

    fn ahead(&self) -> Vec<Deposit> {
        self.detail().deposits
    }

    /// What is left of all deposits.
    pub fn left(&self) -> i64 {
        self.ahead().iter().map(|deposit| deposit.left_minor).sum()
    }

    pub fn uses(&self) -> Vec<(PaymentId, i64)> {
        self.ahead().into_iter().flat_map(|deposit| deposit.uses).collect()
    }

    /// Balances of the accounts that are not zero but for the sale's own, and that everything fits together.
    pub fn books(&self) -> Vec<(Account, i64)> {
        assert_eq!(self.store.verify().unwrap().violations, Vec::<String>::new());
        let all = Account::ALL.map(|account| (account, self.store.balance(account).unwrap()));
        let of_the_sale = [Account::Tax, Account::Revenue];
        all.into_iter().filter(|(account, minor)| *minor != 0 && !of_the_sale.contains(account)).collect()
    }

    /// The store's thread and a printer that only shows what it would print.
    pub fn at_the_printer(mut self) -> (StoreHandle, PrinterHandle, tempfile::TempDir) {
        let merchant = serde_json::json!({ "name": "M", "address": "A", "tax_id": "T" });
        let entry = FeedApplied { kind: "merchant".into(), id: "merchant".into(), body: Some(merchant) };
        self.store.apply_feed(&[entry], &[("m".to_owned(), 1)].into(), Uuid::nil(), 1).unwrap();
        let (handle, _) = store::spawn(self.store, Clock::new("test")).unwrap();
        let (commands, _) = mpsc::channel(1);
        let (_, events) = mpsc::channel(1);
        let data = Profile::named("generic-80").unwrap().data;
        let link = PrinterLink { commands, events, printer: data, drawer: false };
        let printer = printer::spawn(link, handle.clone(), ed25519_dalek::SigningKey::from_bytes(&[7; 32]));
        (handle, printer, self.folder)
    }

    pub fn raw(&self) -> Connection {
        Connection::open(self.folder.path().join("device.sqlite")).unwrap()
    }
}
