//! Money paid ahead: on the handheld's real store, and between handhelds, office and processor.
#![cfg(feature = "office")]
#![expect(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test fails by panicking")]

mod common;
#[path = "deposits/ends.rs"]
mod ends;
#[path = "processor/rig.rs"]
#[expect(dead_code, reason = "shared with the processor's own tests")]
mod processor;
#[path = "stories/rig.rs"]
#[expect(dead_code, reason = "shared with the stories")]
mod rig;
#[path = "deposits/stories.rs"]
mod stories;
#[path = "deposits/till.rs"]
mod till;

use proptest::prelude::*;
use till::{Till, eur};
use tillroll::domain::id::{InvoiceId, PaymentId};
use tillroll::domain::invoice::InvoiceState;
use tillroll::domain::job::MoneyState;
use tillroll::domain::ledger::Account;
use tillroll::domain::money::{Currency, Money};
use tillroll::domain::outcome::OutcomeState;
use tillroll::domain::payment::PaymentState;
use tillroll::domain::receipt::{Party, ReceiptOf, ReceiptRow};
use uuid::Uuid;

#[test]
fn a_deposit_is_owed_to_the_customer_until_the_invoice_takes_it_off() {
    let mut till = Till::new();
    let deposit = till.deposit(2_000).unwrap();
    assert_eq!(till.books(), [], "an unpaid deposit is nobody's debt");
    till.cash(&deposit, 2_000).unwrap();
    assert_eq!(till.books(), [(Account::Cash, 2_000), (Account::Deposits, -2_000)]);
    let row = till.detail().row;
    assert_eq!((row.money, row.deposit), (MoneyState::None, Some(eur(2_000))), "the visit itself is not paid");
    let invoice = till.invoice();
    assert_ne!(invoice.document, deposit.document);
    assert_eq!(till.open(), (1_450, InvoiceState::PartPaid));
    assert_eq!(till.books(), [(Account::Receivable, 1_450), (Account::Cash, 2_000)]);
    assert_eq!(till.left(), 0);
    till.cash(&invoice, 1_450).unwrap();
    assert_eq!(till.open(), (0, InvoiceState::Paid));
    assert_eq!((till.detail().row.money, till.detail().row.deposit), (MoneyState::Paid, None));
    assert_eq!(till.books(), [(Account::Cash, 3_450)], "taken once, booked once");
}

#[test]
fn what_the_invoice_leaves_is_the_customers_credit() {
    let mut till = Till::new();
    let deposit = till.deposit(5_000).unwrap();
    till.cash(&deposit, 5_000).unwrap();
    till.invoice();
    assert_eq!((till.open(), till.left()), ((0, InvoiceState::Paid), 1_550));
    // Another job of the same customer: the technician chooses to use it.
    let other = till.another_invoice();
    assert_eq!(till.open_on(&other), 3_450, "a credit of another job is not used by itself");
    till.use_deposit(&deposit, &other, 1_550).unwrap();
    assert_eq!((till.open_on(&other), till.left()), (1_900, 0));
    assert_eq!(till.books(), [(Account::Receivable, 1_900), (Account::Cash, 5_000)]);
}

#[test]
fn no_more_than_is_left_is_used_or_goes_back_whoever_writes() {
    let mut till = Till::new();
    let deposit = till.deposit(2_000).unwrap();
    let invoice = till.invoice();
    assert_eq!(till.open().0, 3_450, "nothing was paid ahead yet");
    let none = till.use_deposit(&deposit, &invoice, 1).unwrap_err();
    assert!(none.contains("EUR 0.00 of the deposit is left"), "{none}");
    let paid = till.cash(&deposit, 2_000).unwrap();
    assert!(till.use_deposit(&deposit, &invoice, 2_001).is_err());
    let used = till.use_deposit(&deposit, &invoice, 1_500).unwrap();
    till.cash_back(paid, 501).unwrap_err();
    till.cash_back(paid, 500).unwrap();
    assert_eq!(till.left(), 0);
    assert_eq!(till.books(), [(Account::Receivable, 1_950), (Account::Cash, 1_500)]);
    // What is used cannot be taken back by another door.
    let spent = till.correct(paid).unwrap_err();
    assert!(spent.contains("refund") || spent.contains("recorded"), "{spent}");
    till.correct(used).unwrap();
    assert_eq!((till.left(), till.open().0), (1_500, 3_450));
    for change in ["used_minor = 1501", "back_minor = 2001", "used_minor = 1000, back_minor = 1001", "used_minor = -1"]
    {
        let sql = format!("UPDATE invoice SET {change} WHERE kind = 'deposit'");
        assert!(till.raw().execute(&sql, []).unwrap_err().to_string().contains("CHECK"), "{change}");
    }
    let sale = till.raw().execute("UPDATE invoice SET used_minor = 1 WHERE kind = 'invoice'", []);
    assert!(sale.unwrap_err().to_string().contains("CHECK"), "an invoice is no deposit");
}

#[test]
fn a_deposit_that_paid_an_invoice_is_not_taken_back_before_that_entry_is() {
    let mut till = Till::new();
    let deposit = till.deposit(2_000).unwrap();
    let paid = till.cash(&deposit, 2_000).unwrap();
    till.invoice();
    let why = till.correct(paid).unwrap_err();
    assert_eq!(why, "the deposit has paid an invoice: take that entry back first");
    let used = till.uses()[0].0;
    till.correct(used).unwrap();
    till.correct(paid).unwrap();
    assert_eq!((till.open().0, till.left()), (3_450, 0));
    assert_eq!(till.books(), [(Account::Receivable, 3_450)]);
}

#[test]
fn a_request_to_give_it_back_counts_until_it_is_answered() {
    let mut till = Till::new();
    let deposit = till.deposit(2_000).unwrap();
    let paid = till.cheque(&deposit, 2_000).unwrap();
    let asked = till.ask_back(paid, 1_200).unwrap();
    assert_eq!(till.left(), 800, "asked for is not there any more");
    till.ask_back(paid, 801).unwrap_err();
    till.answered(asked, false).unwrap();
    assert_eq!(till.left(), 2_000);
    let asked = till.ask_back(paid, 2_000).unwrap();
    till.answered(asked, true).unwrap();
    assert_eq!((till.left(), till.books()), (0, vec![]), "and no sale was credited");
}

#[test]
fn a_deposit_is_an_amount_before_there_is_an_invoice() {
    let mut till = Till::new();
    for minor in [0, -1, i64::MIN] {
        assert!(till.deposit(minor).is_err(), "{minor}");
    }
    let unpaid = till.deposit(700).unwrap();
    till.cancel(&unpaid).unwrap();
    assert_eq!(till.detail().deposits, []);
    let paid = till.deposit(700).unwrap();
    till.cash(&paid, 700).unwrap();
    assert!(till.cancel(&paid).unwrap_err().contains("money has moved"));
    assert!(till.cash(&paid, 100).is_ok(), "more than agreed stays visible as more");
    let invoice = till.invoice();
    assert_eq!(till.deposit(100).unwrap_err(), "the invoice is issued: take it back before changing its lines");
    // It pays invoices, not itself, and no other customer's.
    till.use_deposit(&paid, &paid, 1).unwrap_err();
    let foreign = till.invoice_of_another_customer();
    assert!(till.use_deposit(&paid, &foreign, 1).unwrap_err().contains("this customer"));
    let dollars = Money::new(1, "USD".parse::<Currency>().unwrap());
    till.use_money(&paid, &invoice, dollars).unwrap_err();
}

#[test]
fn the_banks_late_word_is_taken_even_when_the_deposit_is_spent() {
    let mut till = Till::new();
    let deposit = till.deposit(2_000).unwrap();
    let card = till.card(&deposit, 2_000);
    till.outcome(card, OutcomeState::Approved);
    till.invoice();
    assert_eq!(till.open().0, 1_450);
    assert!(till.void(card).unwrap_err().contains("take that entry back first"), "nobody voids what is spent");
    till.outcome(card, OutcomeState::Expired);
    assert_eq!(till.payment(card).state, PaymentState::Expired);
    assert_eq!(till.left(), 0);
    // The invoice stays paid that far; the customer owes the deposit.
    assert_eq!(till.books(), [(Account::Receivable, 1_450), (Account::Deposits, 2_000)]);
    till.cash(&deposit, 2_000).unwrap();
    assert_eq!(till.books(), [(Account::Receivable, 1_450), (Account::Cash, 2_000)]);
}

#[test]
fn a_pending_deposit_pays_nothing() {
    let mut till = Till::new();
    let deposit = till.deposit(2_000).unwrap();
    let card = till.card(&deposit, 2_000);
    till.accept_offline(card);
    let invoice = till.invoice();
    assert_eq!((till.open().0, till.left()), (3_450, 0), "pending is not paid");
    assert_eq!(till.detail().deposits[0].pending_minor, 2_000);
    till.use_deposit(&deposit, &invoice, 1).unwrap_err();
    till.outcome(card, OutcomeState::Approved);
    till.use_deposit(&deposit, &invoice, 2_000).unwrap();
    assert_eq!(till.open().0, 1_450);
}

/// Through the store's thread and the printer's: the invoice takes the deposit off by itself, and both receipts say so.
#[tokio::test]
async fn both_receipts_say_what_was_paid_ahead() {
    let till = Till::new();
    let (handle, printer, _folder) = till.at_the_printer();
    let (job, visit) = (common::ids().job, common::ids().visit);
    let deposit = InvoiceId(Uuid::from_u128(70));
    handle.issue_deposit(job, visit, deposit, eur(2_000)).await.unwrap();
    let mut detail = handle.run(move |store| store.job_detail(job)).await.unwrap();
    detail.show(Some(deposit));
    let of = detail.invoice.unwrap();
    let paid = till::cash_row(PaymentId(Uuid::from_u128(71)), &of, 2_000);
    handle.commit(paid, None).await.unwrap();
    let preview = |document| {
        let printer = printer.clone();
        async move {
            let of = ReceiptOf { job, document, party: Party::Customer };
            let text = |row: &ReceiptRow| match row {
                ReceiptRow::Text { text, .. } => text.trim().to_owned() + "\n",
                ReceiptRow::Qr(_) | ReceiptRow::Logo => String::new(),
            };
            printer.preview(of, 42).await.unwrap().rows.iter().map(text).collect::<String>()
        }
    };
    let ahead = preview(Some(deposit)).await;
    for says in ["DEPOSIT", "Your invoice takes this off.", "This is no tax invoice.", "PAID CASH", "D07-000001"] {
        assert!(ahead.contains(says), "{says} is not in {ahead}");
    }
    assert!(!ahead.contains("SALE") && !ahead.contains("VAT 20"), "{ahead}");
    handle.issue_invoice(job, visit).await.unwrap();
    let sale = preview(None).await;
    for says in
        ["SALE", "D07-000002", "[x] Deposit", "PAID FROM THE DEPOSIT", "Reference D07-000001", "TO PAY", "14.50"]
    {
        assert!(sale.contains(says), "{says} is not in {sale}");
    }
    assert!(!sale.contains("PAID CASH"), "the deposit's own payment is on its own receipt: {sale}");
    assert_eq!(preview(Some(deposit)).await.matches("PAID CASH").count(), 1);
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Pay(i64),
    Use(i64),
    Back(i64),
    Ask(i64),
    Answer(bool),
    Correct,
    CorrectUse,
}

fn act() -> impl Strategy<Value = Act> {
    let minor = 1_i64..4_000;
    prop_oneof![
        minor.clone().prop_map(Act::Pay),
        minor.clone().prop_map(Act::Use),
        minor.clone().prop_map(Act::Back),
        minor.prop_map(Act::Ask),
        any::<bool>().prop_map(Act::Answer),
        Just(Act::Correct),
        Just(Act::CorrectUse),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Whatever is done in whatever order: the ledger, the figures and the tables agree, and nobody takes more than there is.
    #[test]
    fn figures_and_ledger_agree_after_any_acts(acts in prop::collection::vec(act(), 1..14)) {
        let mut till = Till::new();
        let deposit = till.deposit(3_000).unwrap();
        let invoice = till.invoice();
        let (mut paid, mut used, mut asked) = (Vec::new(), Vec::new(), Vec::new());
        for act in acts {
            let before = till.left();
            match act {
                Act::Pay(minor) => paid.extend(till.cash(&deposit, minor)),
                Act::Use(minor) => {
                    let done = till.use_deposit(&deposit, &invoice, minor);
                    prop_assert_eq!(done.is_ok(), minor <= before);
                    used.extend(done);
                }
                Act::Back(minor) => drop(paid.last().map(|last| till.cash_back(*last, minor))),
                Act::Ask(minor) => asked.extend(paid.first().map(|first| till.ask_back(*first, minor)).transpose().ok().flatten()),
                Act::Answer(yes) => drop(asked.pop().map(|refund| till.answered(refund, yes))),
                Act::Correct => drop(paid.pop().map(|last| till.correct(last))),
                Act::CorrectUse => drop(used.pop().map(|last| till.correct(last))),
            }
            till.books();
            prop_assert!(till.left() >= 0);
        }
    }
}
