//! Training and test: by word and by a reversed row, on every screen and at every width.

use super::looks::{SIZES, check};
use super::sample::*;
use crate::app::model::{Model, Overlay, Screen};
use crate::app::msg::Msg;
use crate::app::update::update;
use crate::app::view::view;
use crate::domain::mode::Mode;
use crate::domain::payment::PaymentState;
use crate::domain::receipt::Dots;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Modifier;

fn in_mode(mode: Mode, columns: u16, rows: u16) -> Till {
    let mut till = Till::on_job(columns, rows, job(true, vec![payment(1, 12_000, PaymentState::Stored)]));
    till.model.settings.mode = mode;
    till
}

#[test]
fn how_it_looks() {
    check("training_today", &SIZES[..3], |c, r| {
        let mut till = in_mode(Mode::Training, c, r);
        till.keys("⎋");
        till
    });
    check("training_job", &SIZES[..2], |c, r| in_mode(Mode::Training, c, r));
    check("test_job", &SIZES[..2], |c, r| in_mode(Mode::Test, c, r));
    check("training_hint", &SIZES[1..2], |c, r| {
        let mut till = in_mode(Mode::Live, c, r);
        till.keys(":training⏎");
        till
    });
}

/// The top row and whether all of it is reversed.
fn top_row(model: &Model) -> (String, bool) {
    let mut terminal = Terminal::new(TestBackend::new(model.columns, model.rows)).unwrap();
    terminal.draw(|frame| view(model, frame)).unwrap();
    let cells = &terminal.backend().buffer().content()[..usize::from(model.columns)];
    let reversed = cells.iter().filter(|cell| cell.modifier.contains(Modifier::REVERSED)).count();
    (cells.iter().map(|cell| cell.symbol()).collect(), reversed == cells.len())
}

#[test]
fn every_screen_says_it_by_word_and_by_shape_at_every_width() {
    let screens = [
        Screen::Today,
        Screen::Job,
        Screen::AddLine,
        Screen::Checkout,
        Screen::Card,
        Screen::Cash,
        Screen::Receipt,
        Screen::Unknown,
        Screen::Sync,
        Screen::Devices,
        Screen::Help,
    ];
    for (columns, rows) in [(30, 12), (30, 15), (40, 15), (53, 20), (80, 24), (128, 36)] {
        for (mode, word) in [(Mode::Training, "TRAINING"), (Mode::Test, "TEST")] {
            for screen in screens {
                let mut till = in_mode(mode, columns, rows);
                till.model.screen = screen;
                for _ in 0..3 {
                    let (row, reversed) = top_row(&till.model);
                    assert!(row.starts_with(word) && reversed, "{screen:?} {columns}: {row:?}");
                    // Notices that wait, many rows unsent and a low battery take none of it away.
                    till.send(Msg::Notice { title: "X".into(), text: "y".into() });
                    till.model.sync.as_mut().unwrap().head_seq += 100_000;
                }
                till.model.settings.mode = Mode::Live;
                let (row, reversed) = top_row(&till.model);
                assert!(!row.contains(word) && !reversed, "{row:?}");
            }
        }
    }
}

#[test]
fn the_code_that_covers_the_screen_says_it_too() {
    let mut till = in_mode(Mode::Training, 40, 15);
    till.model.overlay = Some(Overlay::Code(Dots { side: 21, black: vec![true; 441] }));
    assert!(till.frame().contains("TRAINING"), "{}", till.frame());
}

#[test]
fn in_training_nothing_waits_to_be_sent_and_the_hint_is_not_needed() {
    let mut till = in_mode(Mode::Training, 53, 20);
    assert!(!till.frame().contains("^12"), "{}", till.frame());
    till.keys(":training");
    assert!(till.frame().contains("nothing here has this name"), "{}", till.frame());
    let _ = update(&mut till.model, Msg::Notice { title: "X".into(), text: "y".into() });
}
