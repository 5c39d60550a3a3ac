//! Surcharges for credit cards: who is asked, what is written, how it looks.
//!
//! Invariant: nothing is sent and nothing surcharged before the customer has said yes.

use super::looks::{SIZES, check};
use super::sample::*;
use crate::app::effect::Effect;
use crate::app::model::{Overlay, Question};
use crate::domain::event::Event as Row;
use crate::domain::payment::{CardEntry, CardSummary, Extras, PaymentState};
use crate::domain::read::JobDetail;
use crate::domain::rules::{Rules, SurchargeRule, TipRule};
use crate::flow::payment::{Effect as Step, Event, ReadFacts};

/// 4 % from 2026 on, capped at 3 %.
fn rules(place: &str) -> Rules {
    let rule = SurchargeRule { place: place.into(), from: "2026-01-01".into(), until: None, rate_bp: 400, cap_bp: 300 };
    let tips = Some(TipRule { presets_percent: vec![], max_percent: 20 });
    Rules { surcharges: vec![rule], tips, ..Rules::NONE }
}

fn read(label: &str, entry: CardEntry) -> Event {
    let card = CardSummary { label: label.into(), entry, ..card() };
    Event::CardRead(Box::new(ReadFacts { card, ksn: "FF".into(), ciphertext_sha256: "cd".into() }))
}

/// The reader waits for a card that pays 120.00 and a tip of 5.00.
fn armed(columns: u16, rows: u16, place: &str) -> Till {
    let detail = JobDetail { rules: rules(place), ..job(true, Vec::new()) };
    let mut till = Till::on_job(columns, rows, detail);
    till.keys("CT500⏎C");
    till.commit();
    till
}

fn steps(effects: &[Effect]) -> Vec<&Step> {
    let mut steps = Vec::new();
    for effect in effects {
        if let Effect::Payment { effect, .. } | Effect::StoreIntent { effect, .. } = effect {
            steps.push(effect);
        }
    }
    steps
}

#[test]
fn a_credit_card_is_asked_about_and_read_again_for_the_higher_amount() {
    let mut till = armed(40, 15, "us-tx");
    let effects = till.pay(read("VISA CREDIT", CardEntry::Chip));
    assert_eq!(kinds(&effects), ["payment.abandoned"]);
    assert!(steps(&effects).contains(&&Step::DropRead), "{effects:?}");
    let question = Question::Surcharge { surcharge: eur(360), total: eur(12_860), linked_to: None };
    assert_eq!(till.model.overlay, Some(Overlay::Confirm(question)));
    assert_eq!(kinds(&till.keys("Y")), Vec::<&str>::new(), "the first read has not ended");
    till.commit();
    assert!(till.keys("⏎").is_empty(), "Enter says no yes");
    let effects = till.keys("Y");
    let [Step::Commit(Row::PaymentIntended(intent))] = steps(&effects)[..] else { panic!("{effects:?}") };
    let extras = Extras { tip_minor: 500, surcharge_minor: 360, rounding_minor: 0 };
    assert_eq!((intent.amount, intent.extras), (eur(12_860), extras));
    till.commit();
    assert!(till.frame().contains("surcharge"), "{}", till.frame());
    let effects = till.pay(read("VISA CREDIT", CardEntry::Chip));
    assert!(matches!(steps(&effects)[..], [Step::CommitRead(_)]), "{effects:?}");
}

#[test]
fn a_surcharged_payment_takes_no_other_card() {
    for (label, entry) in
        [("VISA DEBIT", CardEntry::Chip), ("VISA", CardEntry::Chip), ("VISA CREDIT", CardEntry::Magstripe)]
    {
        let mut till = armed(40, 15, "US-TX");
        till.pay(read("VISA CREDIT", CardEntry::Chip));
        till.commit();
        till.keys("Y");
        till.commit();
        assert_eq!(kinds(&till.pay(read(label, entry))), ["payment.abandoned"], "{label}");
        till.commit();
        let state = till.model.card.as_ref().and_then(|card| card.machine.payment()).map(|payment| payment.state);
        assert_eq!(state, Some(PaymentState::Abandoned));
        // The next one begins without.
        till.keys("⎋");
        let effects = till.keys("C");
        let [Step::Commit(Row::PaymentIntended(intent))] = steps(&effects)[..] else { panic!("{effects:?}") };
        assert_eq!(intent.extras.surcharge_minor, 0);
    }
}

#[test]
fn nobody_else_is_asked() {
    for (place, label, entry) in [
        ("US-TX", "VISA DEBIT", CardEntry::Chip),
        ("US-TX", "PREPAID", CardEntry::Chip),
        ("US-TX", "VISA", CardEntry::Chip),
        ("US-TX", "VISA CREDIT", CardEntry::Magstripe),
        ("US-CT", "VISA CREDIT", CardEntry::Chip),
    ] {
        let mut till = armed(40, 15, place);
        let effects = till.pay(read(label, entry));
        assert!(matches!(steps(&effects)[..], [Step::CommitRead(_)]), "{place} {label}: {effects:?}");
        assert_eq!(till.model.overlay, None);
    }
    // A read that overtook the cancel is thrown away, and nobody is asked.
    let mut till = armed(40, 15, "US-TX");
    till.pay(Event::Cancel);
    assert_eq!(kinds(&till.pay(read("VISA CREDIT", CardEntry::Chip))), ["payment.abandoned"]);
    assert_eq!(till.model.overlay, None);
}

#[test]
fn looks() {
    check("checkout_surcharge", &SIZES, |c, r| {
        let mut till = armed(c, r, "US-TX");
        till.pay(Event::ReaderEnded("cancelled".into()));
        till.commit();
        till.keys("⎋");
        till
    });
    check("surcharge", &SIZES, |c, r| {
        let mut till = armed(c, r, "US-TX");
        till.pay(read("VISA CREDIT", CardEntry::Chip));
        till.commit();
        till
    });
    check("card_surcharge", &SIZES[..2], |c, r| {
        let mut till = armed(c, r, "US-TX");
        till.pay(read("VISA CREDIT", CardEntry::Chip));
        till.commit();
        till.keys("Y");
        till.commit();
        till
    });
}
