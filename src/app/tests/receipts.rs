//! Whose copy, by e-mail or on paper, and what follows a late word.

use super::looks::{SIZES, check, with_receipt};
use super::paper::*;
use super::sample::*;
use crate::app::effect::Effect;
use crate::app::model::Screen;
use crate::app::msg::{Msg, OpId};
use crate::domain::event::{Event, ReceiptState};
use crate::domain::id::RefundId;
use crate::domain::payment::{PaymentState, Tender};
use crate::domain::read::{JobDetail, ReceiptDue};
use crate::domain::receipt::{Party, ReceiptPreview, ReceiptStanding, TenderLine, mark};
use crate::domain::refund::{Refund, RefundKind, RefundState};

fn overtaken() -> JobDetail {
    let due = ReceiptDue { printed_ms: NOW_MS - 2 * HOUR_MS, was: ReceiptStanding::Pending, is: ReceiptStanding::Paid };
    JobDetail { receipt_due: Some(due), ..job(true, vec![payment(1, 12_000, PaymentState::Approved)]) }
}

fn party(effects: &[Effect]) -> Option<Party> {
    effects.iter().find_map(|effect| match effect {
        Effect::RenderReceipt { of, .. } | Effect::Print { of, .. } => Some(of.party),
        _ => None,
    })
}

/// A job whose money was given back in part, or is asked to be.
fn given_back(state: RefundState) -> JobDetail {
    let minor = 2_000;
    let mut paid = payment(1, 12_000, PaymentState::Approved);
    (paid.refunded_minor, paid.refund_open_minor) = match state {
        RefundState::Refunded => (minor, 0),
        RefundState::Requested => (0, minor),
        RefundState::Refused => (0, 0),
    };
    let refund = Refund {
        id: RefundId(uuid::Uuid::from_u128(700)),
        payment: Some(paid.id),
        job: paid.job,
        visit: paid.visit,
        tender: Tender::Card,
        amount: eur(minor),
        kind: RefundKind::Credit,
        reason: "leaks again".into(),
        manager: false,
        state,
        answer: None,
        at_ms: NOW_MS,
    };
    let was = ReceiptStanding::Paid;
    let mut job = JobDetail { refunds: vec![refund], ..job(true, vec![paid]) };
    job.sums.approved_minor = 12_000;
    let is = ReceiptStanding::of_job(&job).unwrap();
    job.receipt_due = Some(ReceiptDue { printed_ms: NOW_MS - HOUR_MS, was, is }).filter(|_| is.is_refund());
    job
}

#[test]
fn a_job_whose_money_went_back_says_so() {
    for (state, word) in [
        (RefundState::Requested, "REFUND WAITS for the office"),
        (RefundState::Refunded, "PART REFUNDED"),
        (RefundState::Refused, "PAID"),
    ] {
        let frame = Till::on_job(53, 20, given_back(state)).frame();
        assert!(frame.contains(word), "{state:?}: {frame}");
    }
    check("job_refunded", &SIZES[..3], |c, r| Till::on_job(c, r, given_back(RefundState::Refunded)));
    check("receipt_refund", &SIZES[..2], |c, r| {
        let mut till = Till::on_job(c, r, given_back(RefundState::Requested));
        till.keys("R");
        let preview = receipt(&given_back(RefundState::Requested), c);
        till.send(Msg::Receipt { op: OpId(till.model.last_op), outcome: Ok(preview) });
        till
    });
}

#[test]
fn what_the_processor_did_since_is_said_and_a_disputed_payment_is_not_paid() {
    for (state, word, paid) in [
        (PaymentState::Captured, "CAPTURED", true),
        (PaymentState::Settled, "SETTLED", true),
        (PaymentState::Disputed, "DISPUTED", false),
    ] {
        let mut detail = job(true, vec![payment(1, 12_000, PaymentState::Approved)]);
        detail.payments[0].went_on = Some(state);
        for (columns, rows) in SIZES {
            let mut till = Till::on_job(columns, rows, detail.clone());
            let mut seen = till.frame();
            for _ in 0..20 {
                till.keys("↓");
                seen.push_str(&till.frame());
            }
            let says_paid = seen.lines().any(|line| line.contains(" PAID "));
            assert!(seen.contains(word) && says_paid == paid, "{state:?} at {columns}: {seen}");
        }
        let receipt = TenderLine::of(&detail.payments[0]).statement();
        assert_eq!(receipt.starts_with("APPROVED"), paid, "{receipt}");
    }
    let mut disputed = job(true, vec![payment(1, 12_000, PaymentState::Approved)]);
    disputed.payments[0].went_on = Some(PaymentState::Disputed);
    check("job_disputed", &SIZES[..3], |c, r| Till::on_job(c, r, disputed.clone()));
}

#[test]
fn the_days_list_says_what_went_back_of_a_paid_visit_in_a_word() {
    for (standing, word) in [
        (ReceiptStanding::Refunded, "REFUNDED"),
        (ReceiptStanding::PartRefunded, "PART REFUNDED"),
        (ReceiptStanding::RefundWaiting, "REFUND WAITS"),
    ] {
        for (columns, rows) in SIZES {
            let mut till = Till::new(columns, rows);
            let mut list = day();
            list[0].back = Some(standing);
            till.send(Msg::Today(list));
            for keys in ["", "↓"] {
                till.keys(keys);
                let frame = till.frame();
                let visit: String = frame.lines().skip_while(|line| !line.contains("Ferry House")).take(3).collect();
                assert!(visit.contains(word) && !visit.contains(" PAID"), "{standing:?} at {columns}: {frame}");
            }
        }
    }
    check("today_refunded", &SIZES[..2], |c, r| {
        let mut till = Till::new(c, r);
        let mut list = day();
        list[0].back = Some(ReceiptStanding::Refunded);
        till.send(Msg::Today(list));
        till
    });
}

#[test]
fn how_it_looks() {
    check("job_receipt_due", &SIZES[..3], |c, r| Till::on_job(c, r, overtaken()));
    check("receipt_replaces", &SIZES[..2], |c, r| {
        let mut till = Till::on_job(c, r, overtaken());
        till.keys("R");
        let preview = receipt(&overtaken(), c);
        let outcome = Ok(ReceiptPreview { replaces: Some("2026-11-24 07:41".into()), ..preview });
        till.send(Msg::Receipt { op: OpId(till.model.last_op), outcome });
        till
    });
    check("receipt_merchant_signs", &SIZES[..2], |c, r| {
        let mut till = with_receipt(c, r, None);
        till.model.receipt.as_mut().unwrap().signature = true;
        till
    });
    check("receipt_email", &SIZES, |c, r| {
        let mut till = with_receipt(c, r, None);
        till.keys("E");
        till
    });
    check("receipt_email_wrong", &SIZES[..2], |c, r| {
        let mut till = with_receipt(c, r, None);
        till.keys("E⌫⌫⌫⌫⌫⌫⌫⌫⏎");
        till
    });
    check("receipt_emailed", &SIZES[..2], |c, r| {
        let mut till = with_receipt(c, r, None);
        till.keys("E⏎");
        till.send(Msg::Committed { op: OpId(till.model.last_op), outcome: Ok(()) });
        till
    });
}

#[test]
fn the_customers_copy_comes_first_and_letters_choose() {
    let mut till = with_receipt(40, 15, None);
    assert_eq!(party(&till.effects), Some(Party::Customer));
    assert!(till.keys("C").is_empty(), "it is shown already");
    assert_eq!(party(&till.keys("M")), Some(Party::Merchant));
    till.send(Msg::Receipt { op: OpId(till.model.last_op), outcome: Ok(ReceiptPreview::default()) });
    assert_eq!(party(&till.keys("P")), Some(Party::Merchant));
    assert!(till.keys("C").is_empty() && till.keys("E").is_empty(), "not while it is printed");
    till.send(Msg::Printed { op: OpId(till.model.last_op), outcome: Ok(printed(1, ReceiptState::Confirmed)) });
    assert_eq!(party(&till.keys("C")), Some(Party::Customer));
    // A stale layout does not come back.
    till.send(Msg::Receipt { op: OpId(1), outcome: Err("old".into()) });
    assert!(!till.frame().contains("old"));
}

#[test]
fn an_address_is_checked_at_the_field_and_nothing_typed_is_lost() {
    let mut till = with_receipt(40, 15, None);
    till.keys("E");
    let typed = |till: &Till| till.model.receipt.as_ref().unwrap().email.clone().map(|field| field.text);
    assert_eq!(typed(&till).as_deref(), Some("office@kestrel.example"), "what the office knows");
    // Letters go into the field, not to commands.
    till.keys(" P\u{202e}");
    assert!(kinds(&till.keys("⏎")).is_empty());
    assert_eq!(typed(&till).as_deref(), Some("office@kestrel.example P\u{202e}"));
    assert!(till.frame().contains("cannot have"), "{}", till.frame());
    till.keys("⌫⌫⌫");
    let effects = till.keys("⏎");
    assert_eq!(kinds(&effects), ["receipt.email_requested"]);
    let Some(Effect::Commit { op, event: Event::ReceiptEmailRequested(row) }) =
        effects.iter().find(|effect| matches!(effect, Effect::Commit { .. })).cloned()
    else {
        panic!("{effects:?}")
    };
    assert_eq!((row.to.as_str(), row.standing), ("office@kestrel.example", ReceiptStanding::Pending));
    assert!(kinds(&till.keys("⏎")).is_empty(), "once");
    till.send(Msg::Committed { op, outcome: Err("The disk is full.".into()) });
    till.keys("⏎");
    assert!(typed(&till).is_some(), "still there");
    till.keys("⏎");
    till.send(Msg::Committed { op: OpId(till.model.last_op), outcome: Ok(()) });
    assert!(typed(&till).is_none());
    let said: String = till.frame().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("sends it to office@kestrel.example."), "{said}");
    // A pasted address is taken whole, lines and all that is no character left out.
    till.keys("E");
    for _ in 0..22 {
        till.keys("⌫");
    }
    till.send(Msg::Paste(format!("{}@kestrel.example\r\n", "x".repeat(64))));
    assert_eq!(typed(&till), Some(format!("{}@kestrel.example", "x".repeat(64))));
    till.keys("⎋");
    assert!(typed(&till).is_none() && till.model.screen == Screen::Receipt);
}

#[test]
fn a_receipt_in_front_that_is_overtaken_is_laid_out_anew() {
    let mut till = with_receipt(40, 15, None);
    let effects = till.send(Msg::Job(Box::new(overtaken())));
    assert_eq!(party(&effects), Some(Party::Customer), "{effects:?}");
    assert!(party(&till.send(Msg::Job(Box::new(till.model.job.as_deref().unwrap().clone())))).is_none(), "no news");
    assert_eq!(till.model.screen, Screen::Receipt);
}

#[test]
fn paper_and_a_screen_of_seven_bits_tell_standings_apart_by_the_same_shapes() {
    use crate::domain::payment::Standing;
    let glyphs = crate::ui::glyphs::ASCII;
    for (standing, shape) in [
        (Standing::Paid, glyphs.paid),
        (Standing::Pending, glyphs.pending),
        (Standing::Unknown, glyphs.unknown),
        (Standing::Failed, glyphs.failed),
        (Standing::Open, glyphs.due),
    ] {
        assert_eq!(mark(standing), shape);
    }
}
