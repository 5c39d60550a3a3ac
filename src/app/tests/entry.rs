//! Tips, split, cheques, transfers, refunds and corrections: what is written, what is refused, how it looks.
//!
//! Invariant: Enter never sends money out.

use super::looks::{SIZES, check};
use super::sample::*;
use crate::app::effect::Effect;
use crate::app::model::Screen;
use crate::app::msg::Msg;
use crate::domain::event::{CashRecorded, Event as Row};
use crate::domain::payment::{Extras, Payment, PaymentState, Tender};
use crate::domain::read::JobDetail;
use crate::domain::refund::RefundKind;
use crate::domain::rules::{Rules, TipRule};
use crate::flow::payment::Effect as Step;

fn rules() -> Rules {
    let tips = TipRule { presets_percent: vec![5, 10, 15], max_percent: 20 };
    Rules { cash_step_minor: 5, cash_discount_bp: 200, tips: Some(tips), ..Rules::NONE }
}

fn with_rules(payments: Vec<Payment>) -> JobDetail {
    JobDetail { rules: rules(), ..job(true, payments) }
}

fn at_checkout(columns: u16, rows: u16) -> Till {
    let mut till = Till::on_job(columns, rows, with_rules(Vec::new()));
    till.keys("C");
    till
}

fn cash(minor: i64) -> Payment {
    let mut cash = payment(3, minor, PaymentState::Recorded);
    (cash.tender, cash.card, cash.approved_minor, cash.tendered_minor) = (Tender::Cash, None, minor, minor);
    cash
}

fn paid(columns: u16, rows: u16) -> Till {
    Till::on_job(columns, rows, with_rules(vec![payment(2, 8_000, PaymentState::Approved), cash(4_000)]))
}

/// The row that the last keys asked to write.
fn row(effects: &[Effect]) -> Option<Row> {
    effects.iter().find_map(|effect| match effect {
        Effect::Commit { event, .. } => Some(event.clone()),
        Effect::StoreIntent { effect: Step::Commit(row), .. } => Some(row.clone()),
        _ => None,
    })
}

fn saved(till: &mut Till) {
    let op = till.model.saving.as_ref().unwrap().op;
    till.send(Msg::Committed { op, outcome: Ok(()) });
}

#[test]
fn a_tip_is_chosen_before_the_card_and_goes_with_it() {
    for (keys, tip) in [("TW⏎", 1_200), ("T250⏎", 250), ("T250⏎TN", 0), ("T0⏎", 0)] {
        let mut till = at_checkout(40, 15);
        till.keys(keys);
        let Some(Row::PaymentIntended(intent)) = row(&till.keys("C")) else { panic!("{keys}") };
        assert_eq!(
            (intent.amount, intent.extras),
            (eur(12_000 + tip), Extras { tip_minor: tip, ..Extras::NONE }),
            "{keys}"
        );
    }
    let mut till = at_checkout(40, 15);
    till.keys("T2401⏎");
    assert_eq!(till.model.screen, Screen::Entry);
    assert!(till.frame().contains("at most EUR 24.00"), "{}", till.frame());
}

#[test]
fn no_tips_are_offered_where_the_office_takes_none() {
    let mut till = Till::on_job(40, 15, job(true, Vec::new()));
    till.keys("CT");
    assert_eq!(till.model.screen, Screen::Checkout);
    assert!(!till.frame().contains("tip"));
}

#[test]
fn cash_is_discounted_and_rounded_and_the_invoice_is_paid_whole() {
    let mut till = at_checkout(40, 15);
    till.keys("T3⏎A");
    assert!(till.frame().contains("EUR 117.65"), "{}", till.frame());
    let Some(Row::CashRecorded(CashRecorded { amount, extras, change_minor, .. })) = row(&till.keys("12000⏎")) else {
        panic!("not written")
    };
    let expect = Extras { tip_minor: 3, surcharge_minor: -240, rounding_minor: 2 };
    assert_eq!((amount, extras, change_minor), (eur(11_765), expect, 235));
}

#[test]
fn a_part_of_the_balance_is_paid_by_each_tender() {
    let mut till = at_checkout(40, 15);
    till.keys("S5000⏎");
    let Some(Row::PaymentIntended(intent)) = row(&till.keys("C")) else { panic!("not written") };
    assert_eq!(intent.amount, eur(5_000));
    let mut till = at_checkout(40, 15);
    till.keys("S12001⏎");
    assert!(till.frame().contains("Only EUR 120.00 is open"), "{}", till.frame());
    till.keys("⌫⌫⌫⌫⌫⏎");
    assert!(till.frame().contains("Type an amount"), "{}", till.frame());
}

#[test]
fn cheques_and_transfers_are_written_with_their_reference() {
    for (key, tender) in [("Q", Tender::Cheque), ("F", Tender::Transfer)] {
        let mut till = at_checkout(40, 15);
        till.keys(key);
        till.keys("Q⏎⏎");
        assert!(till.frame().contains("Type a few letters"), "{}", till.frame());
        let Some(Row::TenderRecorded(taken)) = row(&till.keys("no. 17?:⏎")) else { panic!("not written") };
        assert_eq!((taken.tender, taken.amount, taken.reference.as_str()), (tender, eur(12_000), "no. 17?:"));
        saved(&mut till);
        assert_eq!(till.model.screen, Screen::Checkout);
    }
}

#[test]
fn money_goes_back_by_a_letter_alone() {
    let mut till = paid(40, 15);
    till.keys("F");
    // Cash was last: it is offered first, the card with the arrow.
    assert!(till.frame().contains("Cash"), "{}", till.frame());
    assert_eq!(row(&till.keys("1500⏎faulty⏎⏎⏎")), None);
    let Some(Row::CashRefunded(back)) = row(&till.keys("C")) else { panic!("not written") };
    assert_eq!((back.amount, back.what, back.reason.as_str()), (eur(1_500), RefundKind::Credit, "faulty"));
    saved(&mut till);
    assert_eq!(till.model.screen, Screen::Job);

    let mut till = paid(40, 15);
    let Some(Row::RefundRequested(asked)) = row(&till.keys("F↓Q⏎wrong card⏎O")) else { panic!("not written") };
    assert_eq!((asked.amount, asked.tender, asked.what), (eur(8_000), Tender::Card, RefundKind::Reopen));
    let mut till = paid(40, 15);
    till.keys("F4001⏎");
    assert!(till.frame().contains("Only EUR 40.00 of this"), "{}", till.frame());
}

#[test]
fn a_wrong_entry_is_taken_back_by_a_letter_alone() {
    let mut till = paid(40, 15);
    assert_eq!(row(&till.keys("Xtwice⏎⏎")), None);
    let Some(Row::PaymentCorrected(step)) = row(&till.keys("Y")) else { panic!("not written") };
    assert_eq!(step.why, "twice");
    let mut till = Till::on_job(40, 15, with_rules(vec![payment(2, 12_000, PaymentState::Approved)]));
    till.keys("X");
    assert_eq!(till.model.screen, Screen::Job, "a card payment is voided or refunded");
}

#[test]
fn ways_to_type_an_amount() {
    check("entry_tip", &SIZES, |c, r| {
        let mut till = at_checkout(c, r);
        till.keys("TW");
        till
    });
    check("entry_cheque", &SIZES[..2], |c, r| {
        let mut till = at_checkout(c, r);
        till.keys("QQ⏎000123, Union Bank");
        till
    });
    check("entry_refund", &SIZES, |c, r| {
        let mut till = paid(c, r);
        till.keys("F1500⏎the part was faulty⏎");
        till
    });
    check("entry_correct", &SIZES[..2], |c, r| {
        let mut till = paid(c, r);
        till.keys("Xtyped twice⏎");
        till
    });
    check("checkout_chosen", &SIZES, |c, r| {
        let mut till = at_checkout(c, r);
        till.keys("T500⏎S6000⏎");
        till
    });
}
