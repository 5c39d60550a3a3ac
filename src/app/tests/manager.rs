//! A manager's PIN: for refunds that are linked to nothing, and for soft limits of the offline policy.
//!
//! Invariant: a digit that was typed is on no screen and in no debug text.

use super::looks::{SIZES, check};
use super::sample::*;
use crate::app::effect::Effect;
use crate::app::model::{Overlay, Screen};
use crate::app::msg::{Msg, OpId};
use crate::domain::event::{Approved, Event as Row};
use crate::domain::payment::{Payment, Tender};
use crate::domain::read::JobDetail;
use crate::domain::rules::Rules;
use crate::flow::payment::{Event, Offline, Phase};

fn detail(payments: Vec<Payment>) -> JobDetail {
    let rules = Rules { manager_pin: Some("$argon2id$".into()), unlinked_refund_max_minor: 5_000, ..Rules::NONE };
    JobDetail { rules, ..job(true, payments) }
}

/// At the question for the PIN, for a refund of 15.00.
fn asked(columns: u16, rows: u16, how: &str) -> Till {
    let mut till = Till::on_job(columns, rows, detail(Vec::new()));
    till.keys("U1500⏎wrong part last week⏎");
    till.keys(how);
    till
}

fn needs_manager() -> Offline {
    let why = "a card payment over EUR 100.00 needs the network: take less by card, or cash".to_owned();
    Offline::NeedsManager { deadline_ms: NOW_MS + 24 * HOUR_MS, policy: 1, why }
}

/// Read without a link, over a soft limit.
fn over_a_limit(columns: u16, rows: u16) -> Till {
    let mut till = Till::on_job(columns, rows, detail(Vec::new()));
    till.keys("C");
    let mut till = till.card_read();
    till.pay(Event::Assessed { online: false, offline: needs_manager() });
    till
}

/// The check that was asked for last.
fn check_of(effects: &[Effect]) -> Option<(OpId, &[u8], Approved)> {
    effects.iter().find_map(|effect| match effect {
        Effect::CheckPin { op, pin, what } => Some((*op, pin.bytes(), what.what)),
        _ => None,
    })
}

fn answer(till: &mut Till, outcome: Result<(), String>) -> Vec<Effect> {
    let op = OpId(till.model.last_op);
    till.send(Msg::PinChecked { op, outcome })
}

#[test]
fn a_refund_without_a_payment_is_asked_for_after_the_pin_and_not_before() {
    for (how, tender) in [("H", Tender::Cash), ("B", Tender::Transfer)] {
        let mut till = asked(40, 15, how);
        assert_eq!(kinds(&till.effects), Vec::<&str>::new(), "nothing is written yet");
        assert_eq!(check_of(&till.keys("24680⏎")), None, "too short");
        let effects = till.keys("1⏎");
        assert_eq!(
            check_of(&effects).map(|(_, pin, what)| (pin, what)),
            Some((&b"246801"[..], Approved::UnlinkedRefund))
        );
        assert!(!format!("{effects:?}{:?}", till.model).contains("246801"), "a PIN in debug text");
        assert!(answer(&mut till, Err("that is not the manager's PIN: 9 tries are left".into())).is_empty());
        assert!(till.frame().contains("manager's PIN: 9"), "{}", till.frame());
        till.keys("135790⏎");
        let effects = answer(&mut till, Ok(()));
        let Some(Effect::Commit { event: Row::RefundRequested(row), op }) = effects.first() else {
            panic!("{effects:?}")
        };
        assert_eq!((row.payment, row.tender, row.amount, row.manager), (None, tender, eur(1_500), true));
        assert_eq!(row.reason, "wrong part last week");
        till.send(Msg::Committed { op: *op, outcome: Ok(()) });
        assert_eq!(till.model.screen, Screen::Job);
    }
}

#[test]
fn an_answer_to_an_older_check_changes_nothing_and_esc_gives_up() {
    let mut till = asked(40, 15, "H");
    till.keys("135790⏎");
    let stale = Msg::PinChecked { op: OpId(till.model.last_op - 1), outcome: Ok(()) };
    assert!(till.send(stale).is_empty());
    till.keys("⎋");
    assert!(matches!(till.model.overlay, Some(Overlay::Pin(_))), "a check that runs is waited for");
    answer(&mut till, Err("no".into()));
    till.keys("⎋");
    assert_eq!(till.model.overlay, None);
    assert_eq!(kinds(&till.effects), Vec::<&str>::new());
}

#[test]
fn nothing_is_offered_without_a_pin_or_a_cap_and_nothing_over_it() {
    for rules in [
        Rules::NONE,
        Rules { unlinked_refund_max_minor: 5_000, ..Rules::NONE },
        Rules { manager_pin: Some("x".into()), ..Rules::NONE },
    ] {
        let mut till = Till::on_job(40, 15, JobDetail { rules, ..job(true, Vec::new()) });
        till.keys("U");
        assert_eq!(till.model.screen, Screen::Job);
    }
    let mut till = Till::on_job(40, 15, detail(Vec::new()));
    till.keys("U5001⏎");
    assert!(till.frame().contains("At most EUR 50.00"), "{}", till.frame());
    till.keys("⌫⌫⌫⌫⏎");
    assert!(till.frame().contains("Type an amount"), "{}", till.frame());
}

#[test]
fn a_manager_lifts_a_soft_limit_and_the_technician_still_takes_the_risk() {
    let mut till = over_a_limit(40, 15);
    till.keys("A");
    assert_eq!(kinds(&till.effects).last(), Some(&"payment.intended"), "no key gets past the manager");
    till.keys("M");
    assert_eq!(check_of(&till.keys("135790⏎")).map(|(.., what)| what), Some(Approved::OfflineLimit));
    answer(&mut till, Ok(()));
    let phase = till.model.card.as_ref().map(|card| card.machine.phase().clone());
    assert!(matches!(phase, Some(Phase::ConfirmOffline { .. })), "{phase:?}");
    assert_eq!(kinds(&till.keys("A")), ["payment.accepted_offline"]);

    let mut till = over_a_limit(40, 15);
    assert_eq!(kinds(&till.keys("⎋")), ["payment.refused"]);
}

#[test]
fn a_manager_may_allow_an_unknown_payment_to_be_stored() {
    let mut till = Till::on_job(40, 15, detail(Vec::new()));
    till.keys("C");
    let mut till = till.card_read().assessed(true);
    till.commit();
    till.pay(Event::OutcomeOverdue);
    till.commit();
    till.pay(Event::Assessed { online: false, offline: needs_manager() });
    till.keys("A");
    assert_eq!(till.model.overlay, None);
    till.keys("M135790⏎");
    answer(&mut till, Ok(()));
    assert_eq!(kinds(&till.keys("AY")), ["payment.accepted_offline"]);
}

#[test]
fn looks() {
    check("entry_unlinked", &SIZES, |c, r| asked(c, r, ""));
    check("pin", &SIZES, |c, r| {
        let mut till = asked(c, r, "H");
        till.keys("000000⏎");
        answer(&mut till, Err("that is not the manager's PIN: 7 tries are left".into()));
        till.keys("1234");
        till
    });
    check("card_manager", &SIZES, over_a_limit);
}
