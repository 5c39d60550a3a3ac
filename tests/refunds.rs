//! Tips, cash rounding, other tenders, corrections and refunds, through the handheld's real store.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{ids, part, stamp, store_of};
use rusqlite::Connection;
use std::path::Path;
use tillroll::domain::event::{
    CashRecorded, CashRefunded, Event, LineAdded, PaymentStep, RefundOutcomeSeen, RefundRequested, TenderRecorded,
};
use tillroll::domain::id::{DeviceId, PaymentId, RefundId};
use tillroll::domain::invoice::{Invoice, InvoiceState};
use tillroll::domain::ledger::Account;
use tillroll::domain::money::{Currency, Money};
use tillroll::domain::payment::{Extras, PaymentState, Tender};
use tillroll::domain::receipt::TenderLine;
use tillroll::domain::refund::{RefundKind, RefundState};
use tillroll::store::Store;
use uuid::Uuid;

struct Till {
    store: Store,
    invoice: Invoice,
    next: u128,
    folder: tempfile::TempDir,
}

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

impl Till {
    /// A visit with one part for 34.50, invoiced.
    fn new() -> Till {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store_of(folder.path(), DeviceId(Uuid::from_u128(9)), "D07", "");
        let ids = ids();
        let line = Event::LineAdded(LineAdded { job: ids.job, visit: ids.visit, line: part(20) });
        store.commit(&line, &stamp(), None).unwrap();
        let invoice = store.issue_invoice(ids.job, ids.visit, ids.invoice, &stamp()).unwrap();
        Till { store, invoice, next: 1_000, folder }
    }

    fn id(&mut self) -> Uuid {
        self.next += 1;
        Uuid::from_u128(self.next)
    }

    fn commit(&mut self, event: &Event) -> Result<(), String> {
        self.store.commit(event, &stamp(), None).map(drop).map_err(|why| why.to_string())
    }

    fn cash(&mut self, base: i64, extras: Extras) -> PaymentId {
        let payment = PaymentId(self.id());
        let minor = base + extras.sum_minor().unwrap();
        let event = Event::CashRecorded(CashRecorded {
            payment,
            invoice: self.invoice.id,
            document: self.invoice.document.clone(),
            job: self.invoice.job,
            visit: self.invoice.visit,
            amount: eur(minor),
            extras,
            tendered_minor: minor,
            change_minor: 0,
            linked_to: None,
        });
        self.commit(&event).unwrap();
        payment
    }

    fn other(&mut self, tender: Tender, minor: i64) -> Result<PaymentId, String> {
        let payment = PaymentId(self.id());
        let event = Event::TenderRecorded(TenderRecorded {
            payment,
            tender,
            invoice: self.invoice.id,
            document: self.invoice.document.clone(),
            job: self.invoice.job,
            visit: self.invoice.visit,
            amount: eur(minor),
            extras: Extras::NONE,
            reference: "000123".into(),
            linked_to: None,
        });
        self.commit(&event).map(|()| payment)
    }

    fn cash_back(&mut self, payment: PaymentId, minor: i64, what: RefundKind) -> Result<(), String> {
        let refund = RefundId(self.id());
        let (job, visit) = (self.invoice.job, self.invoice.visit);
        let (reason, manager) = ("faulty".to_owned(), false);
        let amount = eur(minor);
        self.commit(&Event::CashRefunded(CashRefunded { refund, payment, job, visit, amount, what, reason, manager }))
    }

    fn ask_back(&mut self, payment: Option<PaymentId>, tender: Tender, minor: i64) -> Result<RefundId, String> {
        let refund = RefundId(self.id());
        let event = Event::RefundRequested(RefundRequested {
            refund,
            payment,
            job: self.invoice.job,
            visit: self.invoice.visit,
            tender,
            amount: eur(minor),
            what: RefundKind::Reopen,
            reason: "faulty".into(),
            manager: payment.is_none(),
        });
        self.commit(&event).map(|()| refund)
    }

    fn answered(&mut self, refund: RefundId, state: RefundState) -> Result<(), String> {
        let asked = self.store.refund(refund).unwrap().unwrap();
        self.commit(&Event::RefundOutcomeSeen(RefundOutcomeSeen {
            refund,
            payment: asked.payment,
            job: asked.job,
            visit: asked.visit,
            state,
            amount: asked.amount,
            what: asked.kind,
            answer: None,
        }))
    }

    /// Balances of the accounts that are not zero, and that everything fits together.
    fn books(&self) -> Vec<(Account, i64)> {
        assert_eq!(self.store.verify().unwrap().violations, Vec::<String>::new());
        let all = Account::ALL.map(|account| (account, self.store.balance(account).unwrap()));
        let of_the_sale = [Account::Tax, Account::Revenue];
        all.into_iter().filter(|(account, minor)| *minor != 0 && !of_the_sale.contains(account)).collect()
    }

    fn open(&self) -> (i64, InvoiceState) {
        let detail = self.store.job_detail(self.invoice.job).unwrap();
        (detail.open().unwrap().minor, detail.invoice.unwrap().state)
    }

    fn raw(&self) -> Connection {
        raw(self.folder.path())
    }
}

fn raw(dir: &Path) -> Connection {
    Connection::open(dir.join("device.sqlite")).unwrap()
}

#[test]
fn tip_discount_and_rounding_pay_no_part_of_the_invoice() {
    let mut till = Till::new();
    let extras = Extras { tip_minor: 300, surcharge_minor: -69, rounding_minor: -1 };
    till.cash(3_450, extras);
    assert_eq!(till.open(), (0, InvoiceState::Paid));
    let expect = [(Account::Cash, 3_680), (Account::Rounding, 1), (Account::Tips, -300), (Account::Surcharges, 69)];
    assert_eq!(till.books(), expect);
}

#[test]
fn cash_goes_back_in_parts_and_never_more_than_was_taken() {
    let mut till = Till::new();
    let extras = Extras { tip_minor: 345, ..Extras::NONE };
    let payment = till.cash(3_450, extras);
    till.cash_back(payment, 1_265, RefundKind::Credit).unwrap();
    // A third of tip and goods; the customer owes nothing again.
    assert_eq!(till.open(), (0, InvoiceState::Paid));
    let expect = [(Account::Cash, 2_530), (Account::Tips, -230), (Account::Refunds, 1_150)];
    assert_eq!(till.books(), expect);
    assert!(till.cash_back(payment, 2_531, RefundKind::Credit).is_err());
    till.cash_back(payment, 2_530, RefundKind::Reopen).unwrap();
    assert_eq!(till.open(), (2_300, InvoiceState::PartPaid));
    assert_eq!(till.books(), [(Account::Receivable, 2_300), (Account::Refunds, 1_150)]);
    assert!(till.cash_back(payment, 1, RefundKind::Credit).is_err());
    // The table holds it, whoever writes.
    let over = till.raw().execute("UPDATE payment SET refunded_minor = refunded_minor + 1", []);
    assert!(over.unwrap_err().to_string().contains("CHECK"));
}

#[test]
fn what_is_asked_for_counts_until_it_is_refused() {
    let mut till = Till::new();
    let payment = till.other(Tender::Cheque, 3_450).unwrap();
    let first = till.ask_back(Some(payment), Tender::Cheque, 3_000).unwrap();
    assert!(till.ask_back(Some(payment), Tender::Cheque, 451).is_err(), "asked for twice");
    assert_eq!(till.open(), (0, InvoiceState::Paid), "asked is not given");
    till.answered(first, RefundState::Refused).unwrap();
    assert!(till.answered(first, RefundState::Refunded).is_err(), "an end is an end");
    let second = till.ask_back(Some(payment), Tender::Cheque, 3_450).unwrap();
    till.answered(second, RefundState::Refunded).unwrap();
    assert_eq!(till.open(), (3_450, InvoiceState::Issued));
    assert_eq!(till.books(), [(Account::Receivable, 3_450)]);
}

#[test]
fn a_refund_that_is_linked_to_nothing_touches_no_payment() {
    let mut till = Till::new();
    let payment = till.cash(3_450, Extras::NONE);
    let refund = till.ask_back(None, Tender::Transfer, 9_999).unwrap();
    till.answered(refund, RefundState::Refunded).unwrap();
    assert_eq!(till.store.payment(payment).unwrap().refunded_minor, 0);
    let expect = [(Account::Cash, 3_450), (Account::Refunds, 9_999), (Account::Transfers, -9_999)];
    assert_eq!(till.books(), expect);
    let cash = till.ask_back(None, Tender::Cash, 450).unwrap();
    assert_eq!(till.books(), expect, "asked is not given");
    till.answered(cash, RefundState::Refunded).unwrap();
    let expect = [(Account::Cash, 3_000), (Account::Refunds, 10_449), (Account::Transfers, -9_999)];
    assert_eq!(till.books(), expect, "the drawer holds that much less");
    let refused = till.ask_back(None, Tender::Cash, 1).unwrap();
    till.answered(refused, RefundState::Refused).unwrap();
    assert_eq!(till.books(), expect);
}

#[test]
fn a_transfer_is_pending_until_the_office_has_seen_it_and_a_cheque_is_not() {
    let mut till = Till::new();
    till.other(Tender::Cheque, 1_450).unwrap();
    assert_eq!(till.open(), (2_000, InvoiceState::PartPaid));
    let transfer = till.other(Tender::Transfer, 2_000).unwrap();
    assert_eq!(till.open(), (0, InvoiceState::PartPaid), "pending is not paid");
    assert_eq!(till.store.payment(transfer).unwrap().state, PaymentState::Tendered);
    assert!(till.ask_back(Some(transfer), Tender::Transfer, 1).is_err(), "nothing came that could go back");
    assert!(till.other(Tender::Card, 1).is_err(), "a card goes through the reader");
    assert_eq!(till.store.exposure().unwrap().minor, 0, "no card money is at risk");
}

#[test]
fn a_wrong_entry_is_taken_back_once_and_stays_in_the_books() {
    let mut till = Till::new();
    let payment = till.cash(3_450, Extras { tip_minor: 50, ..Extras::NONE });
    let step = |why: &str| {
        let (job, visit) = (ids().job, ids().visit);
        Event::PaymentCorrected(PaymentStep { payment, job, visit, why: why.into() })
    };
    till.commit(&step("it was a cheque")).unwrap();
    assert_eq!(till.open(), (3_450, InvoiceState::Issued));
    assert_eq!(till.books(), [(Account::Receivable, 3_450)]);
    assert!(till.commit(&step("again")).is_err());
    assert!(till.cash_back(payment, 1, RefundKind::Credit).is_err());
    assert_eq!(till.store.payment(payment).unwrap().state, PaymentState::Corrected);
}

#[test]
fn wrong_amounts_are_refused_and_change_nothing() {
    let mut till = Till::new();
    let payment = till.cash(3_450, Extras::NONE);
    let before = till.books();
    for minor in [0, -1, i64::MIN, i64::MAX] {
        assert!(till.cash_back(payment, minor, RefundKind::Credit).is_err(), "{minor}");
        assert!(till.ask_back(Some(payment), Tender::Cash, minor).is_err(), "{minor}");
    }
    assert!(till.cash_back(ids().payment, 1, RefundKind::Credit).is_err(), "no such payment");
    assert_eq!(till.books(), before);
}

#[test]
fn a_surcharge_is_on_the_receipt_and_goes_back_in_proportion() {
    let payment = |minor: i64, extras| {
        let mut till = Till::new();
        let id = till.cash(minor, extras);
        let view = till.store.payments().unwrap().remove(0);
        (till, id, TenderLine::of(&view).extras.surcharge_minor)
    };
    // The ledger's side of it is the same for every tender.
    let (mut till, id, said_minor) = payment(3_450, Extras { surcharge_minor: 104, ..Extras::NONE });
    assert_eq!(said_minor, 104);
    assert_eq!(till.books(), [(Account::Cash, 3_554), (Account::Surcharges, -104)]);
    till.cash_back(id, 1_777, RefundKind::Credit).unwrap();
    assert_eq!(till.books(), [(Account::Cash, 1_777), (Account::Surcharges, -52), (Account::Refunds, 1_725)]);
    assert_eq!(payment(3_450, Extras { surcharge_minor: -69, ..Extras::NONE }).2, -69);
    assert_eq!(payment(3_450, Extras::NONE).2, 0);
}
