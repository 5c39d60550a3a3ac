//! Which sheet of paper is which: copies, editions that replace one another, and what the journal keeps of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{ids, part, stamp, store_of};
use tillroll::domain::event::{
    CashRecorded, CashRefunded, Event, LineAdded, ReceiptEnded, ReceiptQueued, ReceiptState, RefundOutcomeSeen,
    RefundRequested, TenderRecorded,
};
use tillroll::domain::id::{DeviceId, RefundId};
use tillroll::domain::money::Money;
use tillroll::domain::payment::{Extras, Tender};
use tillroll::domain::receipt::standing::said;
use tillroll::domain::receipt::{Party, ReceiptStanding, RefundLine, Sheet, TenderLine};
use tillroll::domain::refund::{RefundKind, RefundState};
use tillroll::store::Store;
use uuid::Uuid;

fn store(dir: &std::path::Path) -> Store {
    let mut store = store_of(dir, DeviceId(Uuid::from_u128(9)), "D07", "");
    let (job, visit) = (ids().job, ids().visit);
    store.commit(&Event::LineAdded(LineAdded { job, visit, line: part(20) }), &stamp(), None).unwrap();
    store.issue_invoice(job, visit, ids().invoice, &stamp()).unwrap();
    store
}

/// Prints what says `said` for `party`, to this end; which sheet it was.
fn print(store: &mut Store, party: Party, said: &str, standing: ReceiptStanding, end: ReceiptState) -> Sheet {
    let sheet = store.next_sheet(ids().invoice, party, said).unwrap().sheet;
    let (job, visit, invoice) = (ids().job, ids().visit, ids().invoice);
    let queued = ReceiptQueued { invoice, job, visit, sheet, standing, said: said.into() };
    store.commit(&Event::ReceiptQueued(queued), &stamp(), None).unwrap();
    let ended = ReceiptEnded { invoice, job, visit, sheet, state: end, by: None, why: None };
    store.commit(&Event::ReceiptEnded(ended), &stamp(), None).unwrap();
    sheet
}

#[test]
fn each_party_has_its_own_copies_and_another_word_makes_another_edition() {
    use Party::{Customer, Merchant};
    use ReceiptStanding::{Paid, Pending};
    use ReceiptState::{Confirmed, Interrupted, Refused, SentUnconfirmed};
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(dir.path());
    for (party, said, standing, end, expect, replaces) in [
        (Customer, "a", Pending, Refused, (1, 1), false),
        (Customer, "a", Pending, Interrupted, (1, 1), false),
        (Customer, "a", Pending, Confirmed, (1, 2), false),
        (Merchant, "a", Pending, Confirmed, (1, 1), false),
        (Customer, "a", Pending, SentUnconfirmed, (1, 3), false),
        (Customer, "b", Paid, Refused, (2, 1), true),
        (Customer, "b", Paid, Confirmed, (2, 1), true),
        (Customer, "b", Paid, Confirmed, (2, 2), true),
        (Merchant, "a", Pending, Confirmed, (1, 2), false),
        (Merchant, "b", Paid, Confirmed, (2, 1), true),
    ] {
        let replaced = store.next_sheet(ids().invoice, party, said).unwrap().replaces_ms;
        let sheet = print(&mut store, party, said, standing, end);
        assert_eq!((sheet.edition, sheet.copy, replaced.is_some()), (expect.0, expect.1, replaces), "{party:?} {said}");
    }
    assert_eq!(store.unfinished_sheet(ids().invoice).unwrap(), None);
    assert!(store.verify().unwrap().violations.is_empty());
}

#[test]
fn a_new_receipt_is_due_when_the_customer_holds_one_that_was_overtaken() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(dir.path());
    let due = |store: &Store| store.job_detail(ids().job).unwrap().receipt_due;
    assert_eq!(due(&store), None, "nothing printed yet");
    print(&mut store, Party::Customer, "pending words", ReceiptStanding::Pending, ReceiptState::Confirmed);
    let found = due(&store).unwrap();
    assert_eq!((found.was, found.is), (ReceiptStanding::Pending, ReceiptStanding::Due));
    let cash = CashRecorded {
        payment: ids().payment,
        invoice: ids().invoice,
        document: "D07-000001".parse().unwrap(),
        job: ids().job,
        visit: ids().visit,
        amount: Money::new(3_450, "EUR".parse().unwrap()),
        extras: Extras::NONE,
        tendered_minor: 3_450,
        change_minor: 0,
        linked_to: None,
    };
    store.commit(&Event::CashRecorded(cash), &stamp(), None).unwrap();
    assert_eq!(due(&store).unwrap().is, ReceiptStanding::Paid);
    print(&mut store, Party::Merchant, "paid words", ReceiptStanding::Paid, ReceiptState::Confirmed);
    assert!(due(&store).is_some(), "the merchant's copy is no news to the customer");
    print(&mut store, Party::Customer, "paid words", ReceiptStanding::Paid, ReceiptState::Confirmed);
    assert_eq!(due(&store), None);
    // Money that goes back overtakes a receipt that says PAID; a new one that says so is up to date.
    for (back, total, is) in [(1_000, 1, ReceiptStanding::PartRefunded), (2_450, 2, ReceiptStanding::Refunded)] {
        let back = CashRefunded {
            refund: RefundId(Uuid::from_u128(700 + total)),
            payment: ids().payment,
            job: ids().job,
            visit: ids().visit,
            amount: Money::new(back, "EUR".parse().unwrap()),
            what: RefundKind::Credit,
            reason: "faulty".into(),
            manager: false,
        };
        store.commit(&Event::CashRefunded(back), &stamp(), None).unwrap();
        assert_eq!(due(&store).map(|due| due.is), Some(is));
        let detail = store.job_detail(ids().job).unwrap();
        let refunds = RefundLine::all(&detail.refunds, &detail.payments, detail.invoice.as_ref().unwrap());
        assert_eq!(refunds.len() as u128, total);
        let words = said(&TenderLine::all(&detail.payments, ids().invoice), &refunds, detail.open().unwrap());
        let sheet = print(&mut store, Party::Customer, &words, is, ReceiptState::Confirmed);
        assert_eq!((u128::from(sheet.edition), sheet.copy), (2 + total, 1), "it replaces the one before");
        assert_eq!(due(&store), None);
    }
    assert!(store.verify().unwrap().violations.is_empty());
}

#[test]
fn a_refund_that_waits_makes_a_new_receipt_due_and_so_does_its_answer() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(dir.path());
    let (job, visit, invoice) = (ids().job, ids().visit, ids().invoice);
    let eur = |minor| Money::new(minor, "EUR".parse().unwrap());
    let cheque = TenderRecorded {
        payment: ids().payment,
        tender: Tender::Cheque,
        invoice,
        document: "D07-000001".parse().unwrap(),
        job,
        visit,
        amount: eur(3_450),
        extras: Extras::NONE,
        reference: "000123".into(),
        linked_to: None,
    };
    store.commit(&Event::TenderRecorded(cheque), &stamp(), None).unwrap();
    let now = |store: &Store| {
        let detail = store.job_detail(job).unwrap();
        let refunds = RefundLine::all(&detail.refunds, &detail.payments, detail.invoice.as_ref().unwrap());
        let words = said(&TenderLine::all(&detail.payments, invoice), &refunds, detail.open().unwrap());
        (ReceiptStanding::of_job(&detail).unwrap(), words, detail.receipt_due)
    };
    let (mut standing, mut words, mut due) = now(&store);
    assert_eq!((standing, due), (ReceiptStanding::Paid, None));
    let refund = RefundId(Uuid::from_u128(700));
    let asked = RefundRequested {
        refund,
        payment: Some(ids().payment),
        job,
        visit,
        tender: Tender::Cheque,
        amount: eur(1_000),
        what: RefundKind::Reopen,
        reason: "faulty".into(),
        manager: false,
    };
    let answered = |state| {
        Event::RefundOutcomeSeen(RefundOutcomeSeen {
            refund,
            payment: Some(ids().payment),
            job,
            visit,
            state,
            amount: eur(1_000),
            what: RefundKind::Reopen,
            answer: None,
        })
    };
    for (event, expect) in [
        (Event::RefundRequested(asked), ReceiptStanding::RefundWaiting),
        (answered(RefundState::Refunded), ReceiptStanding::PartRefunded),
    ] {
        print(&mut store, Party::Customer, &words, standing, ReceiptState::Confirmed);
        store.commit(&event, &stamp(), None).unwrap();
        (standing, words, due) = now(&store);
        assert_eq!((standing, due.map(|due| due.is)), (expect, Some(expect)));
    }
    assert_eq!(store.job_detail(job).unwrap().open(), Some(eur(1_000)), "owed again");
}

#[test]
fn a_sheet_that_a_crash_left_is_asked_about() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(dir.path());
    let sheet = Sheet { party: Party::Merchant, ..Sheet::FIRST };
    let queued = ReceiptQueued {
        invoice: ids().invoice,
        job: ids().job,
        visit: ids().visit,
        sheet,
        standing: ReceiptStanding::Due,
        said: "a".into(),
    };
    store.commit(&Event::ReceiptQueued(queued), &stamp(), None).unwrap();
    assert_eq!(store.unfinished_sheet(ids().invoice).unwrap(), Some(sheet));
    assert_eq!(store.unfinished_receipts().unwrap(), ["D07-000001"]);
    let next = store.next_sheet(ids().invoice, Party::Merchant, "a").unwrap().sheet;
    assert_eq!(next.copy, 2, "what may be on paper counts");
}
