//! How card readers look: the one in use, then the ones near by.
//!
//! Invariant: paired, in use and out of reach are words; what went wrong stands there until something else was tried.

use crate::app::model::{DevicesStage, Model};
use crate::app::msg::DeviceRow;
use crate::app::view::{Body, Place, field_hints};
use crate::ui::page::Focus;
use crate::ui::row::Row;
use crate::ui::text::wrap;
use crate::ui::theme::Role;

/// From this width on the kind of radio is said too, cells.
const KIND_CELLS: usize = 50;

/// The page.
pub fn body(model: &Model, place: Place<'_>) -> Body {
    let cells = place.main();
    let mut rows = in_use(model, cells);
    let mut focus = Focus::Keep(0..1);
    let mut hints = None;
    match &model.devices.stage {
        DevicesStage::List => {
            let looking = if model.devices.news.scanning { "searching" } else { "" };
            rows.push(Row::of(" NEAR BY", Role::Dim).right(looking, Role::Dim));
            focus = list(model, place, &mut rows);
        }
        DevicesStage::Passkey { digits, .. } => {
            rows.extend(said("Put the reader into pairing, then type its passkey:", cells));
            rows.push(Row::of(format!("  {digits}"), Role::Strong).and(place.look.glyphs.caret, Role::Dim));
            rows.extend(said("000000 unless it was changed; it is on the label or in its menu.", cells));
            hints = field_hints(&[("Enter", "pair"), ("Esc", "leave it")]);
        }
        DevicesStage::Pairing { .. } => {
            rows.push(Row::centred("PAIRING", Role::Strong));
            rows.extend(said("This takes a few seconds. Keep the reader close.", cells));
            hints = field_hints(&[("", "one moment")]);
        }
        DevicesStage::Compare { number } => {
            rows.push(Row::centred("DOES THE READER SHOW THIS TOO?", Role::Strong));
            rows.push(Row::centred(format!("{number:06}"), Role::Strong));
        }
    }
    if let Some(problem) = &model.devices.news.problem {
        rows.extend(wrap(problem, cells.saturating_sub(3)).into_iter().map(|t| Row::of(format!("  {t}"), Role::Warn)));
    }
    Body {
        title: vec!["CARD READER".to_owned(), "READER".to_owned()],
        panes: vec![rows],
        focus,
        notes: Vec::new(),
        hints,
    }
}

fn in_use(model: &Model, cells: usize) -> Vec<Row> {
    let mut rows = vec![Row::of(" IN USE", Role::Dim)];
    let Some(reader) = model.reader.as_ref().filter(|reader| !reader.name.is_empty()) else {
        rows.extend(said("No reader yet: choose one below.", cells));
        return rows;
    };
    let state = if reader.connected { "connected" } else { "NOT HERE" };
    let role = if reader.connected { Role::Plain } else { Role::Warn };
    rows.push(Row::of(format!("  {}", reader.name), Role::Strong).right(state, role));
    let battery = reader.battery_percent.map(|percent| format!("battery {percent} %")).unwrap_or_default();
    let firmware = reader.firmware.as_ref().map(|firmware| format!("  {firmware}")).unwrap_or_default();
    rows.push(Row::of(firmware, Role::Dim).right(battery, Role::Plain));
    if let Some(seen) = model.devices.news.last_seen_ms.filter(|_| !reader.connected) {
        let at = model.local(seen);
        let when = model.now().map_or_else(|| at.clock(), |now| at.seen_from(now));
        rows.push(Row::of(format!("  last seen {when}"), Role::Dim));
    }
    if let Some(minutes) = reader.restart_in {
        rows.extend(said(&format!("It restarts for its daily self-test in {minutes} min."), cells));
    }
    rows
}

fn list(model: &Model, place: Place<'_>, rows: &mut Vec<Row>) -> Focus {
    let found = &model.devices.news.rows;
    if found.is_empty() && model.devices.news.problem.is_some() {
        return Focus::Keep(0..1);
    }
    if found.is_empty() {
        rows.extend(said(
            "None heard. Put the reader into pairing: it beeps four times, or its menu says so.",
            place.main(),
        ));
        return Focus::Keep(0..1);
    }
    let mut focus = Focus::Keep(0..1);
    for (index, row) in found.iter().enumerate() {
        let selected = index == model.devices.selected;
        if selected {
            focus = Focus::Keep(rows.len()..rows.len() + 1);
        }
        rows.push(item(row, selected, place));
    }
    focus
}

fn item(row: &DeviceRow, selected: bool, place: Place<'_>) -> Row {
    let cursor = if selected { place.look.glyphs.cursor } else { " " };
    let role = if selected { Role::Selected } else { Role::Plain };
    let name = if row.name.is_empty() { &row.address } else { &row.name };
    let kind = if place.main() >= KIND_CELLS { format!("  {}", row.kind) } else { String::new() };
    let word = match (row.used, row.paired) {
        (true, _) => "in use ",
        (false, true) => "paired ",
        (false, false) => "",
    };
    let signal = row.rssi_dbm.map_or_else(|| "not heard".to_owned(), |dbm| format!("{dbm} dBm"));
    Row::of(format!("{cursor} {name}{kind}"), role).right(format!("{word}{signal}"), Role::Plain)
}

fn said(text: &str, cells: usize) -> Vec<Row> {
    wrap(text, cells.saturating_sub(3)).into_iter().map(|text| Row::text(format!("  {text}"))).collect()
}
