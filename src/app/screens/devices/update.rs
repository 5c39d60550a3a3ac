//! What the keys of the card readers' screen do, and what its news change.
//!
//! Invariant: nothing is paired or forgotten without a key that says so; money that is stored keeps its reader.

use crate::app::effect::{DeviceCommand, Effect};
use crate::app::model::{DevicesStage, Model, Overlay, Question, Screen};
use crate::app::msg::{DeviceRow, DevicesNews, Key};
use crate::app::update::{edit, step};

/// Digits of a passkey.
const PASSKEY_DIGITS: usize = 6;

/// What readers are delivered with.
const PASSKEY: &str = "000000";

/// Opens the screen and looks for readers.
pub fn open(model: &mut Model, out: &mut Vec<Effect>) {
    model.go(Screen::Devices);
    model.devices.stage = DevicesStage::List;
    out.push(Effect::Devices(DeviceCommand::Scan(true)));
}

/// Leaves it; the search ends.
pub fn leave(model: &mut Model, out: &mut Vec<Effect>) {
    out.push(Effect::Devices(DeviceCommand::Scan(false)));
    model.devices.stage = DevicesStage::List;
    model.back();
}

/// Starts or ends the search.
pub fn scan(model: &Model, out: &mut Vec<Effect>) {
    out.push(Effect::Devices(DeviceCommand::Scan(!model.devices.news.scanning)));
}

/// The selected reader: asks for its passkey, or uses it at once when it is paired.
pub fn take(model: &mut Model, out: &mut Vec<Effect>) {
    let Some(row) = super::selected(model) else { return };
    let address = row.address.clone();
    if row.paired {
        pair(model, address, 0, out);
    } else {
        let digits = model.devices.news.passkey.clone().unwrap_or_else(|| PASSKEY.to_owned());
        model.devices.stage = DevicesStage::Passkey { address, digits };
    }
}

fn pair(model: &mut Model, address: String, passkey: u32, out: &mut Vec<Effect>) {
    model.devices.news.problem = None;
    model.devices.stage = DevicesStage::Pairing { address: address.clone() };
    out.push(Effect::Devices(DeviceCommand::Pair { address, passkey }));
}

/// Asks before the selected reader is unpaired; not while card money is stored that it read.
pub fn ask_forget(model: &mut Model) {
    let Some(row) = super::selected(model).cloned() else { return };
    let stored = model.sync.as_ref().is_some_and(|sync| sync.exposure.count > 0);
    if row.used && stored {
        let text = "Card payments are stored on this handheld. Connect to the office first; then it can be forgotten.";
        model.tell("Not now", text, false);
    } else {
        model.overlay = Some(Overlay::Confirm(Question::Forget(row)));
    }
}

/// Unpairs.
pub fn forget(row: DeviceRow, out: &mut Vec<Effect>) {
    out.push(Effect::Devices(DeviceCommand::Forget { address: row.address }));
}

/// The technician compared the two numbers.
pub fn compared(model: &mut Model, same: bool, out: &mut Vec<Effect>) {
    if let DevicesStage::Compare { .. } = model.devices.stage {
        model.devices.stage = DevicesStage::Pairing { address: String::new() };
        out.push(Effect::Devices(DeviceCommand::Answer(same)));
    }
}

/// Up and down in the list.
pub fn moved(model: &mut Model, key: Key) {
    model.devices.selected = step(model.devices.selected, key, model.devices.news.rows.len());
}

/// A key while a passkey is typed; false if no field is open.
pub fn key(model: &mut Model, key: Key, out: &mut Vec<Effect>) -> bool {
    let DevicesStage::Passkey { address, digits } = &mut model.devices.stage else { return false };
    match key {
        Key::Esc => model.devices.stage = DevicesStage::List,
        Key::Enter if digits.len() == PASSKEY_DIGITS => {
            let (address, passkey) = (address.clone(), digits.parse().unwrap_or(0));
            pair(model, address, passkey, out);
        }
        // The first digit replaces the one that was offered.
        Key::Char(c) if c.is_ascii_digit() => {
            if digits.len() >= PASSKEY_DIGITS {
                digits.clear();
            }
            digits.push(c);
        }
        Key::Backspace => {
            edit(digits, key);
        }
        Key::Char(_) | Key::Enter | Key::Up | Key::Down | Key::PageUp | Key::PageDown | Key::Interrupt => {}
    }
    true
}

/// What is known of readers changed. The selection stays on its reader.
pub fn news(model: &mut Model, news: DevicesNews) {
    let view = &mut model.devices;
    let before = view.news.rows.get(view.selected).map(|row| row.address.clone());
    let place = news.rows.iter().position(|row| Some(&row.address) == before.as_ref());
    view.selected = place.unwrap_or(view.selected).min(news.rows.len().saturating_sub(1));
    view.stage = match (&view.stage, news.compare, news.pairing) {
        (_, Some(number), _) => DevicesStage::Compare { number },
        (DevicesStage::Pairing { .. } | DevicesStage::Compare { .. }, None, false) => DevicesStage::List,
        (stage, None, _) => stage.clone(),
    };
    view.news = news;
}
