//! Which sheet of paper is which: copies, editions that replace one another, and what the journal keeps of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{ids, part, stamp, store_of};
use tillroll::domain::event::{CashRecorded, Event, LineAdded, ReceiptEnded, ReceiptQueued, ReceiptState};
use tillroll::domain::id::DeviceId;
use tillroll::domain::money::Money;
use tillroll::domain::receipt::{Party, ReceiptStanding, Sheet};
use tillroll::store::Store;
use uuid::Uuid;

fn store(dir: &std::path::Path) -> Store {
    let mut store = store_of(dir, DeviceId(Uuid::from_u128(9)));
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
