//! The screen program without a terminal: keys in, frames as text.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tillroll::app::effect::Effect;
use tillroll::app::model::{GlyphChoice, Model, Settings, ThemeChoice};
use tillroll::app::msg::{Key, Msg};
use tillroll::app::update::{start, update};
use tillroll::app::view::view;
use tillroll::domain::mode::Mode;
use tillroll::domain::money::Currency;
use tillroll::domain::read::JobDetail;
use tillroll::flow::payment::Timing;
use uuid::Uuid;

/// A column of text, so that a sentence is not interleaved with another pane's.
const COLUMNS: u16 = 40;
/// High enough that nothing scrolls away.
const ROWS: u16 = 44;

pub struct Screen {
    pub model: Model,
}

impl Screen {
    /// Just started; with what it asks for.
    pub fn new() -> (Screen, Vec<Effect>) {
        let mut model = Model::new(Settings {
            mode: Mode::Live,
            currency: Currency::EUR,
            device_name: "D01".into(),
            technician_name: "Ada Example".into(),
            glyphs: GlyphChoice::Ascii,
            theme: ThemeChoice::Mono,
            timing: Timing::STANDARD,
            demo: false,
            enrolled: true,
            columns: COLUMNS,
            rows: ROWS,
        });
        let effects = start(&mut model);
        (Screen { model }, effects)
    }

    /// On a job, as the disk holds it.
    pub fn on(detail: JobDetail) -> Screen {
        let (mut screen, _) = Screen::new();
        screen.send(Msg::Clock { now_ms: detail.row.window_end_ms, offset_minutes: 0 });
        screen.send(Msg::Ids((1..=16).map(Uuid::from_u128).collect()));
        screen.send(Msg::Today(vec![detail.row.clone()]));
        screen.keys("⏎");
        screen.send(Msg::Job(Box::new(detail)));
        screen
    }

    /// What the last of the keys asks for.
    pub fn keys(&mut self, keys: &str) -> Vec<Effect> {
        keys.chars().fold(Vec::new(), |_, c| self.send(key(c)))
    }

    pub fn send(&mut self, msg: Msg) -> Vec<Effect> {
        update(&mut self.model, msg)
    }

    /// What the frame says, as one line of words.
    pub fn words(&self) -> String {
        let mut terminal = Terminal::new(TestBackend::new(COLUMNS, ROWS)).unwrap();
        terminal.draw(|frame| view(&self.model, frame)).unwrap();
        let text: String =
            terminal.backend().buffer().content().chunks(usize::from(COLUMNS)).fold(String::new(), |text, row| {
                text + &row.iter().map(|cell| cell.symbol()).collect::<String>() + "\n"
            });
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// `⏎` is Enter, `⎋` Esc, everything else the character.
pub fn key(c: char) -> Msg {
    Msg::Key(match c {
        '⏎' => Key::Enter,
        '⎋' => Key::Esc,
        c => Key::Char(c),
    })
}
