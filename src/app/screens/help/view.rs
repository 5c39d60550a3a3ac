//! How the help looks: the keys of the screen it was called from, the marks, then every other key.
//!
//! Invariant: every word comes from the command table or from the marks.

use crate::app::command::{COMMANDS, Command, key_name};
use crate::app::model::{GlyphChoice, Model, Screen};
use crate::app::view::Body;
use crate::ui::glyphs::{ASCII, CP437, UNICODE};
use crate::ui::page::Focus;
use crate::ui::row::Row;
use crate::ui::text::wrap;
use crate::ui::theme::Role;

/// Cells of the keys.
const KEY_CELLS: usize = 6;

/// The page.
pub fn body(model: &Model, columns: u16) -> Body {
    let cells = usize::from(columns).saturating_sub(KEY_CELLS + 2).min(70);
    let from = model.below.last().copied().unwrap_or(Screen::Today);
    let mut rows = vec![Row::of(" Here", Role::Strong)];
    let listed = |c: &&Command| c.key.is_some() && !c.help.is_empty();
    let (here, other): (Vec<&Command>, Vec<&Command>) =
        COMMANDS.iter().filter(listed).partition(|c| c.screens.contains(&from));
    for command in here {
        rows.extend(entry(command, cells));
    }
    rows.push(
        Row::of(format!(" {:<KEY_CELLS$}", "Up"), Role::Key)
            .and("and Down move; letters take either case.", Role::Plain),
    );
    rows.push(Row::of(" Marks", Role::Strong));
    rows.extend(marks(model));
    rows.push(Row::of(" Elsewhere", Role::Strong));
    for command in other {
        rows.extend(entry(command, cells));
    }
    Body {
        title: vec!["HELP".to_owned()],
        panes: vec![rows],
        focus: Focus::From(model.help_scroll),
        notes: Vec::new(),
        hints: None,
    }
}

fn entry(command: &Command, cells: usize) -> Vec<Row> {
    let key = command.key.map(key_name).unwrap_or_default();
    let parts = wrap(command.help, cells).into_iter().enumerate();
    let row = |(index, text): (usize, String)| {
        let key = if index == 0 { key.as_str() } else { "" };
        Row::of(format!(" {key:<KEY_CELLS$}"), Role::Key).and(text, Role::Plain)
    };
    parts.map(row).collect()
}

fn marks(model: &Model) -> Vec<Row> {
    let glyphs = match model.settings.glyphs {
        GlyphChoice::Unicode => UNICODE,
        GlyphChoice::Cp437 => CP437,
        GlyphChoice::Ascii => ASCII,
    };
    let unsent = format!("{}12", glyphs.unsent);
    [
        (glyphs.paid, "paid: the money is certain"),
        (glyphs.pending, "pending: accepted, not certain"),
        (glyphs.unknown, "nobody knows yet"),
        (glyphs.failed, "failed: no money from this"),
        (glyphs.due, "due"),
        (unsent.as_str(), "rows not yet at the office"),
        ("R", "card reader ready; R? not here, R9% low"),
    ]
    .into_iter()
    .map(|(mark, text)| Row::of(format!(" {mark:<KEY_CELLS$}"), Role::Strong).and(text, Role::Plain))
    .collect()
}
