//! Every screen as text at every breakpoint.
//!
//! Invariant: a frame is exactly as wide as its terminal.

use super::paper::*;
use super::sample::*;
use super::shift::at_shift;
use crate::app::msg::{DevicesNews, Msg, OpId};
use crate::domain::event::ReceiptState;
use crate::domain::payment::{Payment, PaymentState};
use crate::domain::receipt::{PrintedReceipt, ReceiptPreview, Sheet};
use crate::flow::payment::{Event, Offline};
use tillroll_hardware::printer::Interruption;
use unicode_width::UnicodeWidthStr;

pub const SIZES: [(u16, u16); 4] = [(30, 15), (40, 15), (53, 20), (80, 24)];

pub fn check(name: &str, sizes: &[(u16, u16)], scene: impl Fn(u16, u16) -> Till) {
    let mut text = String::new();
    for (columns, rows) in sizes {
        let frame = scene(*columns, *rows).frame();
        for line in frame.lines() {
            assert_eq!(line.width(), usize::from(*columns), "{name} at {columns}x{rows}: {line:?}");
        }
        let trimmed: String = frame.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        text.push_str(&format!("{columns}x{rows}\n{trimmed}\n"));
    }
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, text);
    });
}

fn checkout(columns: u16, rows: u16) -> Till {
    let mut till = Till::on_job(columns, rows, job(true, Vec::new()));
    till.keys("C");
    till
}

fn settle(mut till: Till, change: impl Fn(&mut Payment)) -> Till {
    let mut payment = till.model.card.as_ref().unwrap().machine.payment().unwrap().clone();
    change(&mut payment);
    payment.rev += 1;
    till.pay(Event::Settled(Box::new(payment.clone())));
    till.send(Msg::Job(Box::new(job(true, vec![payment]))));
    till
}

fn requested(columns: u16, rows: u16) -> Till {
    let mut till = checkout(columns, rows).card_read();
    till.link(true);
    let mut till = till.assessed(true);
    till.commit();
    till.send(Msg::Clock { now_ms: NOW_MS, offset_minutes: 0 });
    till.send(Msg::Clock { now_ms: NOW_MS + 7_000, offset_minutes: 0 });
    till
}

fn unknown(columns: u16, rows: u16, offline: &Offline) -> Till {
    let mut till = requested(columns, rows);
    till.pay(Event::OutcomeOverdue);
    till.commit();
    till.pay(Event::Assessed { online: false, offline: offline.clone() });
    till
}

#[test]
fn lists() {
    let mut sizes = SIZES.to_vec();
    sizes.push((128, 36));
    check("today", &sizes, |c, r| {
        let mut till = Till::new(c, r);
        till.keys("↓↓");
        let mut stored = payment(1, 4_000, PaymentState::LateDeclined);
        stored.reason = Some("declined by the issuer".into());
        till.send(Msg::Job(Box::new(job(true, vec![stored]))));
        till
    });
    check("today_find", &SIZES[1..2], |c, r| {
        let mut till = Till::new(c, r);
        till.keys("/lane");
        till
    });
    check("today_empty", &SIZES[1..2], |c, r| {
        let mut till = Till::new(c, r);
        till.send(Msg::Today(Vec::new()));
        till
    });
    check("sync", &SIZES, |c, r| {
        let mut till = Till::new(c, r);
        till.keys("YP");
        let op = OpId(till.model.last_op);
        till.send(Msg::ChainChecked { op, ok: true, rows: 4_194 });
        till
    });
    check("help", &SIZES, |c, r| {
        let mut till = Till::new(c, r);
        till.keys("?");
        till
    });
    check("menu", &SIZES, |c, r| {
        let mut till = Till::new(c, r);
        till.keys(":demo");
        till
    });
}

#[test]
fn jobs() {
    check("job_open", &SIZES, |c, r| Till::on_job(c, r, job(false, Vec::new())));
    check("job_paid", &SIZES, |c, r| {
        Till::on_job(
            c,
            r,
            job(true, vec![payment(1, 4_000, PaymentState::Declined), payment(2, 12_000, PaymentState::Approved)]),
        )
    });
    check("job_unknown", &SIZES[1..2], |c, r| {
        Till::on_job(
            c,
            r,
            job(true, vec![payment(1, 4_000, PaymentState::Stored), payment(2, 8_000, PaymentState::Unknown)]),
        )
    });
    check("add_line", &SIZES, |c, r| {
        let mut till = Till::on_job(c, r, job(false, Vec::new()));
        till.keys("Alab");
        let op = OpId(till.model.last_op);
        till.send(Msg::Prices { op, query: "lab".into(), items: prices() });
        till.keys("↓");
        till
    });
    check("add_line_quantity", &SIZES, |c, r| {
        let mut till = Till::on_job(c, r, job(false, Vec::new()));
        till.keys("A");
        let op = OpId(till.model.last_op);
        till.send(Msg::Prices { op, query: String::new(), items: prices() });
        till.keys("⏎1,5");
        till
    });
    check("delete_line", &SIZES[1..2], |c, r| {
        let mut till = Till::on_job(c, r, job(false, Vec::new()));
        till.keys("↓D");
        till
    });
}

#[test]
fn ways_to_pay() {
    check("checkout", &SIZES, checkout);
    check("checkout_second_tender", &SIZES[..2], |c, r| {
        let mut till = Till::on_job(c, r, job(true, vec![payment(2, 8_400, PaymentState::Unknown)]));
        till.keys("CA");
        till
    });
    check("cash", &SIZES, |c, r| {
        let mut till = checkout(c, r);
        till.keys("A15000");
        till
    });
    check("cash_part", &SIZES[..2], |c, r| {
        let mut till = checkout(c, r);
        till.keys("A5000⏎");
        till
    });
    check("receipt", &SIZES, |c, r| {
        let detail = job(true, vec![payment(1, 12_000, PaymentState::Stored)]);
        let mut till = Till::on_job(c, r, detail.clone());
        till.keys("R");
        let op = OpId(till.model.last_op);
        till.send(Msg::Receipt { op, outcome: Ok(receipt(&detail, c)) });
        till
    });
    check("receipt_printing", &SIZES[..2], |c, r| {
        let mut till = with_receipt(c, r, None);
        till.keys("P");
        till.send(Msg::Printing { sent: 12, rows: 31, waits: None });
        till
    });
    check("receipt_no_paper", &SIZES[..2], |c, r| {
        let mut till = with_receipt(c, r, None);
        let op = till.model.receipt.as_ref().unwrap().op;
        let trouble = Interruption::PaperOut.refusal().to_owned();
        till.send(Msg::PrinterChecked { op, trouble: Some(trouble) });
        till
    });
    check("receipt_interrupted", &SIZES[..2], |c, r| {
        let mut till = with_receipt(c, r, None);
        till.keys("P");
        let op = OpId(till.model.last_op);
        let sentence = Interruption::CoverOpen.sentence().to_owned();
        let outcome = Ok(PrintedReceipt { sheet: Sheet::FIRST, state: ReceiptState::Interrupted, sentence });
        till.send(Msg::Printed { op, outcome });
        till
    });
    check("receipt_after_a_crash", &SIZES[..2], |c, r| with_receipt(c, r, Some(1)));
    check("receipt_code", &SIZES[..2], |c, r| {
        let mut till = with_receipt(c, r, None);
        till.keys("Q");
        till
    });
}

#[test]
fn card_payments() {
    check("card_presenting", &SIZES, |c, r| {
        let mut till = checkout(c, r);
        till.keys("C");
        till.commit();
        till.send(Msg::Clock { now_ms: NOW_MS, offset_minutes: 0 });
        till.send(Msg::Clock { now_ms: NOW_MS + 7_000, offset_minutes: 0 });
        till
    });
    check("card_cancelling", &SIZES[1..2], |c, r| {
        let mut till = checkout(c, r);
        till.keys("C");
        till.commit();
        till.keys("⎋");
        till
    });
    check("card_confirm", &SIZES, |c, r| checkout(c, r).card_read().assessed(false));
    check("card_waiting", &SIZES[1..2], requested);
    check("card_part", &SIZES, |c, r| {
        settle(requested(c, r), |p| {
            p.state = PaymentState::PartlyApproved;
            p.offered_minor = 6_000;
        })
    });
    check("card_approved", &SIZES, |c, r| {
        settle(requested(c, r), |p| {
            p.state = PaymentState::Approved;
            p.approved_minor = 12_000;
            p.auth_code = Some("402117".into());
        })
    });
    check("card_pending", &SIZES, |c, r| {
        let mut till = checkout(c, r).card_read().assessed(false);
        till.keys("A");
        till.commit();
        till
    });
    check("card_declined", &SIZES, |c, r| {
        settle(requested(c, r), |p| {
            p.state = PaymentState::Declined;
            p.reason = Some("not sufficient funds".into());
        })
    });
    check("card_void", &SIZES[1..2], |c, r| {
        let mut till = checkout(c, r).card_read().assessed(false);
        till.keys("A");
        till.commit();
        till.keys("V");
        till
    });
    check("unknown", &SIZES, |c, r| unknown(c, r, &allowed()));
    check("unknown_refused", &SIZES[..2], |c, r| {
        let why = "a card payment over EUR 100.00 needs the network: take less by card, or cash".to_owned();
        unknown(c, r, &Offline::Refused(why))
    });
}

#[test]
fn card_readers() {
    let opened = |c, r| {
        let mut till = Till::new(c, r);
        till.keys("E");
        till.send(Msg::Devices(readers()));
        till
    };
    check("devices", &SIZES, opened);
    check("devices_none", &SIZES, |c, r| {
        let mut till = Till::new(c, r);
        till.keys("E");
        let problem = "The Bluetooth daemon does not run: install bluez, then `sudo systemctl enable --now bluetooth`";
        till.send(Msg::Devices(DevicesNews { problem: Some(problem.into()), ..DevicesNews::default() }));
        till
    });
    check("devices_passkey", &SIZES, |c, r| {
        let mut till = opened(c, r);
        till.keys("↓↓⏎12");
        till
    });
    check("devices_compare", &SIZES, |c, r| {
        let mut till = opened(c, r);
        till.keys("↓↓⏎⏎");
        till.send(Msg::Devices(DevicesNews { compare: Some(7_421), pairing: true, ..readers() }));
        till
    });
    check("card_applications", &SIZES, |c, r| {
        let mut till = checkout(c, r);
        till.keys("C");
        till.commit();
        till.pay(Event::Applications(vec!["VISA CREDIT".into(), "DEBIT".into()]));
        till
    });
}

#[test]
fn cash_shifts() {
    let keyed = |open, last, keys: &'static str| {
        move |c, r| {
            let mut till = at_shift(c, r, open, last);
            till.keys(keys);
            till
        }
    };
    let mut sizes = SIZES.to_vec();
    sizes.push((128, 36));
    check("shift_none", &SIZES, keyed(false, false, ""));
    check("shift_float", &SIZES, keyed(false, true, "s12000"));
    check("shift_x", &sizes, keyed(true, false, ""));
    check("shift_x_late", &SIZES[1..2], keyed(true, true, "↓↓↓↓↓↓↓↓↓↓↓↓↓"));
    check("shift_z", &sizes, keyed(false, true, ""));
    check("shift_paid_out", &SIZES, keyed(true, false, "o99900"));
    check("shift_reason", &SIZES, keyed(true, false, "o500⏎↓"));
    check("shift_reason_typed", &SIZES[..2], keyed(true, false, "d500⏎to the depot in Kendal"));
    check("shift_cash_out", &SIZES[..2], keyed(true, false, "d500⏎⏎"));
    check("shift_count", &SIZES, keyed(true, false, "z11100"));
    check("shift_close", &SIZES, keyed(true, false, "z11100⏎"));
    check("cash_without_a_shift", &SIZES[..2], |c, r| {
        let mut till = checkout(c, r);
        till.send(Msg::Sync(crate::domain::read::SyncStatus { shift_open: false, ..sync() }));
        till.keys("A15000");
        till
    });
}

#[test]
fn notices_and_small_terminals() {
    check("late_decline", &SIZES, |c, r| {
        let mut till = Till::new(c, r);
        let payment = Box::new(payment(1, 8_400, PaymentState::LateDeclined));
        till.send(Msg::PaymentChanged { payment });
        till
    });
    check("not_saved", &SIZES[1..2], |c, r| {
        let mut till = checkout(c, r);
        till.keys("AQ⏎");
        let op = OpId(till.model.last_op);
        till.send(Msg::Committed { op, outcome: Err("The disk is full.".into()) });
        till
    });
    check("welcome", &SIZES, |c, r| {
        let settings = crate::app::model::Settings { enrolled: false, demo: false, ..settings(c, r) };
        Till { model: crate::app::model::Model::new(settings), effects: Vec::new() }
    });
    check("too_small", &[(29, 15), (40, 11), (17, 1), (5, 2)], Till::new);
}

#[test]
fn glyph_sets_and_data_stay_in_their_rows() {
    use crate::app::model::{GlyphChoice, ThemeChoice};
    for glyphs in [GlyphChoice::Unicode, GlyphChoice::Cp437, GlyphChoice::Ascii] {
        let mut till = Till::new(40, 15);
        till.model.settings.glyphs = glyphs;
        till.model.settings.theme = ThemeChoice::Colour;
        let mut rows = day();
        rows[0].customer_name = "日本語のとても長い名前の会社とその子供たち".into();
        rows[0].title = "evil\u{1b}[2J\u{202e}\ttitle\u{200d}\u{fe0f}".into();
        rows[0].address = "👩‍👩‍👧‍👦 e\u{301}e\u{301} ".repeat(20);
        till.send(Msg::Today(rows));
        let frame = till.frame();
        assert!(!frame.chars().any(|c| c != '\n' && c.is_control()), "{frame}");
        assert_eq!(frame.is_ascii(), glyphs == GlyphChoice::Ascii);
    }
}

pub fn with_receipt(columns: u16, rows: u16, unfinished: Option<u32>) -> Till {
    let detail = job(true, vec![payment(1, 12_000, PaymentState::Stored)]);
    let mut till = Till::on_job(columns, rows, detail.clone());
    till.keys("R");
    let op = OpId(till.model.last_op);
    let unfinished = unfinished.map(|copy| Sheet { copy, ..Sheet::FIRST });
    let preview = ReceiptPreview { unfinished, ..receipt(&detail, columns) };
    till.send(Msg::Receipt { op, outcome: Ok(preview) });
    till
}
