//! Money that the office gives back: a payment whose void came too late, and what is too much on an invoice.

use crate::agreed::{keeping, kept_card, monthly, until};
use crate::common::ids;
use crate::rig::{How, Rig, payment};
use crate::{decide, read_feed};
use serde_json::json;
use std::time::Duration;
use tillroll::domain::decision::Action;
use tillroll::domain::event::{
    CashRecorded, CashRefunded, Event, PaymentStep, ReceiptEmailRequested, RefundOutcomeSeen, RefundRequested,
};
use tillroll::domain::id::{PaymentId, RefundId};
use tillroll::domain::invoice::InvoiceState;
use tillroll::domain::money::{Currency, Money};
use tillroll::domain::payment::{Extras, PaymentState, Tender};
use tillroll::domain::receipt::ReceiptStanding;
use tillroll::domain::refund::{RefundKind, RefundState};
use tillroll::office::agreements::list::RunState;
use tillroll::office::decide::Refused;
use tillroll::office::ereceipts::outbox::{Outbox, Way};
use tillroll::office::ereceipts::step;
use uuid::Uuid;

/// The handheld reads its feed and journals the office's words on refunds, as its sync does; how many fitted.
fn hear_refunds(rig: &mut Rig) -> usize {
    read_feed(rig);
    let mut fitted = 0;
    for word in rig.store.unseen_refunds().unwrap() {
        let seen = RefundOutcomeSeen::of(&word.refund);
        if rig.store.commit(&Event::RefundOutcomeSeen(seen), &crate::common::stamp(), None).is_ok() {
            rig.store.refund_seen(&word).unwrap();
            fitted += 1;
        }
    }
    fitted
}

/// A captured payment of 69.00 whose void comes too late; its attempt's key.
async fn void_failed(rig: &mut Rig) -> String {
    let id = payment(1);
    rig.pay(id, "visa-tap", 6_900, How::Offline);
    rig.push();
    rig.work();
    rig.until(id, "captured").await;
    let step = PaymentStep { payment: id, job: ids().job, visit: ids().visit, why: "wrong card".into() };
    rig.tell(&Event::PaymentVoidRequested(step), None);
    rig.push();
    rig.until(id, "void_failed").await;
    rig.hear(id);
    rig.push();
    assert_eq!(rig.open(), ["void_failed"]);
    rig.text("SELECT key FROM attempt")
}

async fn until_refund_is(rig: &Rig, state: &str) {
    let sql = "SELECT coalesce((SELECT state FROM refund_work ORDER BY refund DESC LIMIT 1), '')";
    rig.until_true(|rig| rig.text(sql) == state, || format!("the refund is {}", rig.text(sql))).await;
}

fn open_minor(rig: &Rig) -> i64 {
    rig.store.job_detail(ids().job).unwrap().open().unwrap().minor
}

#[tokio::test]
async fn a_payment_whose_void_came_too_late_is_refunded_by_the_office() {
    let mut rig = Rig::new().await;
    void_failed(&mut rig).await;
    assert_eq!(rig.ledger().await, (1, 6_900));
    rig.stop();
    tokio::time::sleep(Duration::from_millis(50)).await;
    decide(&rig, "void_failed", Action::Refund, None).unwrap();
    for action in [Action::Refund, Action::Note] {
        let again = decide(&rig, "void_failed", action, None);
        assert!(matches!(again, Err(Refused::Conflict(why)) if why.contains("wait for the processor")), "{action:?}");
    }
    assert_eq!(rig.open(), ["void_failed"], "until the money is on its way");
    rig.work();
    until_refund_is(&rig, "done").await;
    assert_eq!(rig.open(), Vec::<String>::new());
    let resolved = rig.text("SELECT owner || ': ' || resolution FROM exception WHERE type = 'void_failed'");
    assert_eq!(resolved, "dina: the money goes back to the card: as agreed");
    assert_eq!(rig.text("SELECT action || ' ' || amount_minor || ' ' || decided_by FROM decision"), "refund 6900 dina");
    assert_eq!(rig.ledger().await, (1, 0), "the processor has given it back");

    assert_eq!(open_minor(&rig), 0);
    assert_eq!(hear_refunds(&mut rig), 1);
    let known = rig.store.payment(payment(1)).unwrap();
    assert_eq!((known.state, known.refunded_minor), (PaymentState::VoidFailed, 6_900));
    assert_eq!(open_minor(&rig), 6_900, "the customer owes it again");
    assert!(rig.push().iter().all(|result| result == "applied"));
    assert_eq!(rig.count("SELECT refunded_minor FROM payment"), 6_900);
    assert_eq!(rig.office.verify().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_refund_that_the_processor_refuses_brings_the_exception_back() {
    let mut rig = Rig::new().await;
    let key = void_failed(&mut rig).await;
    // Somebody has given it back at the processor's own desk.
    let body = json!({ "key": "by-hand", "of": key, "amount_minor": 6_900 });
    let sent = reqwest::Client::new().post(format!("{}/v1/refund", rig.url)).json(&body).send().await.unwrap();
    assert!(sent.status().is_success());
    decide(&rig, "void_failed", Action::Refund, None).unwrap();
    rig.office.changed();
    until_refund_is(&rig, "refused").await;
    assert_eq!(rig.open(), ["void_failed"]);
    let note = rig.text("SELECT note FROM exception WHERE state = 'open'");
    assert!(
        note.starts_with("a refund of EUR 69.00 that dina began came to nothing: the processor refused it"),
        "{note}"
    );
    assert_eq!(hear_refunds(&mut rig), 0, "the handheld hears nothing of what came to nothing");
    assert!(rig.store.unseen_refunds().unwrap().is_empty());
    assert_eq!(rig.count("SELECT refunded_minor FROM card_payment"), 0);
    // It can be tried again, or be left with a note.
    decide(&rig, "void_failed", Action::Refund, None).unwrap();
    rig.until_true(|rig| rig.count("SELECT count(*) FROM refund_work WHERE state = 'refused'") == 2, || "".into())
        .await;
    decide(&rig, "void_failed", Action::Note, None).unwrap();
    assert_eq!(rig.open(), Vec::<String>::new());
}

#[tokio::test]
async fn a_technician_who_asks_for_the_same_money_is_told_that_it_goes_back() {
    let mut rig = Rig::new().await;
    void_failed(&mut rig).await;
    let ask = |rig: &mut Rig, n: u128| {
        let (id, amount) = (RefundId(Uuid::from_u128(n)), Money::new(6_900, Currency::EUR));
        let asked = RefundRequested {
            refund: id,
            payment: Some(payment(1)),
            job: ids().job,
            visit: ids().visit,
            tender: Tender::Card,
            amount,
            what: RefundKind::Credit,
            reason: "void failed".into(),
            manager: false,
        };
        rig.tell(&Event::RefundRequested(asked), None);
        id
    };
    let asked = ask(&mut rig, 77);
    decide(&rig, "void_failed", Action::Refund, None).unwrap();
    rig.office.changed();
    until_refund_is(&rig, "done").await;
    assert_eq!(hear_refunds(&mut rig), 0, "the handheld holds that no more goes back than was taken");
    assert!(rig.push().iter().all(|result| result == "applied"));
    assert_eq!(rig.text(&format!("SELECT state FROM refund_work WHERE refund = '{asked}'")), "refused");
    assert_eq!(rig.open(), Vec::<String>::new(), "nobody has to decide about it");
    assert!(hear_refunds(&mut rig) + hear_refunds(&mut rig) >= 2, "first the refusal, then the refund");
    assert_eq!(rig.store.refund(asked).unwrap().unwrap().state, RefundState::Refused);
    assert_eq!(rig.store.payment(payment(1)).unwrap().refunded_minor, 6_900);
    rig.push();
    assert_eq!(rig.ledger().await, (1, 0));
    // And the other way round: what waits on the page of refunds is not begun once more.
    let mut rig = Rig::new().await;
    void_failed(&mut rig).await;
    ask(&mut rig, 78);
    rig.push();
    let refused = decide(&rig, "void_failed", Action::Refund, None);
    assert!(matches!(refused, Err(Refused::Conflict(why)) if why.contains("page of refunds")));
    let too_much = rig.office.write(|tx| tx.execute("UPDATE card_payment SET refunded_minor = 6901", []));
    assert!(too_much.unwrap_err().to_string().contains("CHECK"), "the table holds it, whoever writes");
}

#[tokio::test]
async fn a_payment_that_the_office_began_itself_is_given_back_without_a_handheld() {
    let mut rig = keeping().await;
    let card = kept_card(&mut rig, "visa-tap").await;
    monthly(&rig, "a-1", &card, 3).unwrap();
    rig.office.changed();
    until(&rig, &[RunState::Paid]).await;
    let before = rig.ledger().await;
    let sql = "INSERT INTO exception
               SELECT 'x', 'void_failed', payment, NULL, NULL, 4900, 'EUR', '', 1, NULL, NULL, 'open', NULL, NULL
               FROM agreement_run";
    rig.office.write(|tx| tx.execute(sql, [])).unwrap();
    decide(&rig, "void_failed", Action::Refund, None).unwrap();
    rig.office.changed();
    until_refund_is(&rig, "done").await;
    let minor = rig.count("SELECT amount_minor FROM refund_work");
    assert_eq!(rig.ledger().await, (before.0, before.1 - minor));
    let of = "FROM agreement_run r JOIN payment p ON p.id = r.payment JOIN invoice i ON i.id = p.invoice";
    assert_eq!(rig.text(&format!("SELECT i.state || ' ' || p.refunded_minor {of}")), format!("issued {minor}"));
    assert_eq!(rig.count("SELECT count(*) FROM refund WHERE state = 'refunded'"), 1);
    assert_eq!(rig.office.verify().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_customer_with_a_receipt_by_mail_hears_that_the_office_gave_it_back() {
    let mut rig = Rig::new().await;
    void_failed(&mut rig).await;
    let asked = ReceiptEmailRequested {
        invoice: ids().invoice,
        job: ids().job,
        visit: ids().visit,
        to: "ada@example.com".parse().unwrap(),
        standing: ReceiptStanding::Unknown,
        salt: "dd".into(),
    };
    rig.tell(&Event::ReceiptEmailRequested(asked), None);
    rig.push();
    let folder = tempfile::tempdir().unwrap();
    let outbox =
        Outbox { from: "receipts@northwick.example".parse().unwrap(), way: Way::Folder(folder.path().to_owned()) };
    assert_eq!(step(&rig.office, &outbox).unwrap(), 1);
    decide(&rig, "void_failed", Action::Refund, None).unwrap();
    rig.office.changed();
    until_refund_is(&rig, "done").await;
    assert_eq!(step(&rig.office, &outbox).unwrap(), 1, "the handheld has not heard of it yet");
    assert_eq!(rig.text("SELECT group_concat(standing) FROM ereceipt"), "unknown,refunded");
    // Nor does it hear twice once the handheld has.
    hear_refunds(&mut rig);
    rig.push();
    assert_eq!(step(&rig.office, &outbox).unwrap(), 0);
}

/// Cash on the rig's invoice.
fn cash(rig: &mut Rig, n: u128, minor: i64, linked_to: Option<PaymentId>) {
    let document = rig.store.job_detail(ids().job).unwrap().invoice.unwrap().document;
    let taken = CashRecorded {
        payment: payment(n),
        invoice: ids().invoice,
        document,
        job: ids().job,
        visit: ids().visit,
        amount: Money::new(minor, Currency::EUR),
        extras: Extras::NONE,
        tendered_minor: minor,
        change_minor: 0,
        linked_to,
    };
    rig.tell(&Event::CashRecorded(taken), None);
}

/// So much of the second payment goes back in cash.
fn cash_back(rig: &mut Rig, n: u128, minor: i64) {
    let back = CashRefunded {
        refund: RefundId(Uuid::from_u128(n)),
        payment: payment(2),
        job: ids().job,
        visit: ids().visit,
        amount: Money::new(minor, Currency::EUR),
        what: RefundKind::Reopen,
        reason: "paid twice".into(),
        manager: false,
    };
    rig.tell(&Event::CashRefunded(back), None);
}

/// Cash of `minor` is taken beside a card of 69.00 of which nothing is known yet, and which is then agreed to.
pub async fn cash_beside_a_card(minor: i64) -> Rig {
    let mut rig = Rig::new().await;
    let id = payment(1);
    rig.pay(id, "visa-tap", 6_900, How::Online);
    rig.push();
    rig.work();
    rig.until(id, "approved").await;
    let step = PaymentStep { payment: id, job: ids().job, visit: ids().visit, why: "no answer".into() };
    rig.tell(&Event::PaymentUnknown(step), None);
    cash(&mut rig, 2, minor, Some(id));
    rig.push();
    assert_eq!(rig.open(), Vec::<String>::new(), "nobody has confirmed the card yet");
    rig.hear(id);
    rig.push();
    rig.until(id, "captured").await;
    assert_eq!(rig.open(), ["overpaid"]);
    rig
}

#[tokio::test]
async fn what_is_too_much_goes_back_to_the_card_and_not_a_cent_more() {
    for minor in [6_900, 5_000] {
        let mut rig = cash_beside_a_card(minor).await;
        assert_eq!(rig.count("SELECT amount_minor FROM exception WHERE state = 'open'"), minor);
        let came_in = Money::new(6_900 + minor, Currency::EUR);
        let note = rig.text("SELECT note FROM exception WHERE state = 'open'");
        assert_eq!(note, format!("{came_in} came in for an invoice of EUR 69.00"));
        decide(&rig, "overpaid", Action::Refund, None).unwrap();
        rig.office.changed();
        until_refund_is(&rig, "done").await;
        assert_eq!(rig.open(), Vec::<String>::new(), "settled when the money is on its way");
        assert_eq!(rig.ledger().await, (1, 6_900 - minor));
        assert_eq!(hear_refunds(&mut rig), 1);
        rig.push();
        let detail = rig.store.job_detail(ids().job).unwrap();
        assert_eq!((open_minor(&rig), detail.invoice.unwrap().state), (0, InvoiceState::Paid));
        assert_eq!(detail.sums.approved_minor, 6_900);
        assert_eq!(rig.count("SELECT count(*) FROM exception"), 1, "it does not come back");
        assert_eq!(rig.office.verify().unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_no_card_can_give_back_is_dealt_with_by_a_note() {
    let mut rig = Rig::new().await;
    cash(&mut rig, 1, 6_900, None);
    cash(&mut rig, 2, 2_000, None);
    rig.push();
    assert_eq!(rig.open(), ["overpaid"]);
    let refused = decide(&rig, "overpaid", Action::Refund, None);
    assert!(matches!(refused, Err(Refused::Conflict(why)) if why.contains("another way")));
    decide(&rig, "overpaid", Action::Note, None).unwrap();
    cash_back(&mut rig, 70, 500);
    rig.push();
    assert_eq!(rig.open(), Vec::<String>::new(), "what was noted is not raised again, nor less of it");
    cash(&mut rig, 4, 501, None);
    rig.push();
    assert_eq!(rig.open(), ["overpaid"], "more of it is");
    assert_eq!(rig.count("SELECT amount_minor FROM exception WHERE state = 'open'"), 2_001);
}

#[tokio::test]
async fn what_a_technician_gives_back_takes_the_excess_off_the_list() {
    let mut rig = Rig::new().await;
    cash(&mut rig, 1, 6_900, None);
    cash(&mut rig, 2, 2_000, None);
    rig.push();
    for (n, minor, left) in [(70, 500, 1_500), (71, 1_500, 0)] {
        cash_back(&mut rig, n, minor);
        rig.push();
        let sum = "SELECT coalesce(sum(amount_minor), 0) FROM exception WHERE state = 'open'";
        assert_eq!(rig.count(sum), left);
    }
    assert_eq!(rig.open(), Vec::<String>::new());
}
