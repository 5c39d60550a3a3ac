//! The customer is asked whether the card is kept: what is written, and how it looks.
//!
//! Invariant: nothing but the letter for yes agrees to anything.

use super::looks::{SIZES, check};
use super::sample::*;
use crate::app::effect::Effect;
use crate::app::model::Screen;
use crate::domain::consent::ConsentText;
use crate::domain::event::{Event as Row, PaymentIntended};
use crate::domain::payment::PaymentState;
use crate::domain::read::JobDetail;
use crate::domain::rules::Rules;
use crate::flow::payment::Effect as Step;

const TEXT: &str = "I agree that Alder Services keeps my card for the payments that we agree on in writing. I am told \
                    before an amount changes, and I may end this at any time by telling the office.";

fn consent() -> ConsentText {
    ConsentText { version: "2026-1".into(), text: TEXT.into() }
}

fn asked(columns: u16, rows: u16) -> Till {
    let rules = Rules { card_consent: Some(consent()), ..Rules::NONE };
    let mut till = Till::on_job(columns, rows, JobDetail { rules, ..job(true, Vec::new()) });
    till.keys("CC");
    till
}

fn intent(effects: &[Effect]) -> Option<PaymentIntended> {
    effects.iter().find_map(|effect| match effect {
        Effect::StoreIntent { effect: Step::Commit(Row::PaymentIntended(intent)), .. } => Some(intent.clone()),
        _ => None,
    })
}

#[test]
fn the_answer_goes_into_the_row_that_begins_the_payment() {
    for (keys, keep) in [("Y", Some(consent().consent())), ("N", None)] {
        let mut till = asked(40, 15);
        assert_eq!(till.model.screen, Screen::Consent);
        assert_eq!(intent(&till.keys(keys)).unwrap().keep, keep, "{keys}");
        assert_eq!(till.model.screen, Screen::Card);
    }
    for keys in ["⏎", "⎋", "↓"] {
        let mut till = asked(40, 15);
        assert_eq!(intent(&till.keys(keys)), None, "{keys} agrees to nothing and begins nothing");
    }
    let mut till = Till::on_job(40, 15, job(true, Vec::new()));
    assert_eq!(intent(&till.keys("CC")).unwrap().keep, None, "nobody is asked where the office keeps no cards");
}

#[test]
fn back_from_the_card_leads_to_the_ways_to_pay_and_not_to_the_question() {
    let mut till = asked(40, 15);
    till.keys("Y");
    assert!(!till.model.below.contains(&Screen::Consent), "{:?}", till.model.below);
    let mut till = asked(40, 15);
    till.keys("⎋");
    assert_eq!(till.model.screen, Screen::Checkout);
}

#[test]
fn the_screen_says_what_becomes_of_the_card() {
    let ended = |state| {
        let mut payment = payment(2, 12_000, state);
        payment.keep = Some(consent().consent());
        let mut till = Till::on_job(53, 20, job(true, vec![payment]));
        till.keys("P");
        till.frame()
    };
    for (state, words) in [
        (PaymentState::Stored, "kept when the bank approved"),
        (PaymentState::Held, "kept when the bank approved"),
        (PaymentState::Approved, "the office keeps the card"),
    ] {
        let frame = ended(state).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(frame.contains(words), "{state:?}: {frame}");
    }
}

#[test]
fn consent_looks() {
    check("consent", &SIZES, asked);
    check("consent_scrolled", &SIZES[..1], |columns, rows| {
        let mut till = asked(columns, rows);
        till.keys("↓↓↓");
        till
    });
}
