//! What a message changes and what is to be done about it.
//!
//! Invariant: pure. Start at [`update`]; keys go on in `keys`, answers in `answers`, payments in `pay`.

mod answers;
mod keys;
mod overlay;
pub mod pay;
pub mod pin;

pub use keys::{edit, step};

use super::effect::Effect;
use super::model::{Model, Screen};
use super::msg::Msg;
use super::screens::{add_line, devices, shift, today};

/// What to ask for first.
pub fn start(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    if model.screen != Screen::Welcome {
        model.ask_for_ids(&mut effects);
        effects.extend([Effect::LoadToday, Effect::LoadSync]);
    }
    effects
}

/// Takes one message and says what to do.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let mut effects = Vec::new();
    let out = &mut effects;
    match msg {
        Msg::Key(key) => keys::key(model, key, out),
        Msg::Paste(text) => keys::paste(model, &text, out),
        Msg::Resize { columns, rows } => {
            (model.columns, model.rows) = (columns, rows);
            today::update::preview(model, out);
        }
        Msg::Clock { now_ms, offset_minutes } => {
            (model.now_ms, model.offset_minutes) = (Some(now_ms), offset_minutes);
            if let Some(card) = &mut model.card {
                card.since_ms.get_or_insert(now_ms);
            }
        }
        Msg::Battery(percent) => model.battery_percent = percent,
        Msg::Ids(ids) => {
            model.ids.extend(ids);
            model.ids_asked = false;
        }
        Msg::Today(rows) => today::update::loaded(model, rows, out),
        Msg::Job(detail) => answers::job_came(model, detail, out),
        Msg::Prices { op, query, items } => add_line::update::found(model, op, &query, items),
        Msg::Sync(status) => {
            model.sync = Some(status);
            shift::update::refresh(model, out);
        }
        Msg::Link(link) => {
            let changed = model.link.online != link.online;
            model.link = link;
            if changed {
                out.push(Effect::LoadSync);
            }
        }
        Msg::Reader(reader) => answers::reader(model, reader),
        Msg::Devices(news) => devices::update::news(model, news),
        Msg::Committed { op, outcome } => answers::committed(model, op, outcome, out),
        Msg::Invoiced { op, outcome } => answers::invoiced(model, op, outcome, out),
        Msg::Payment { id, event } => pay::event(model, id, event, out),
        Msg::PaymentChanged { payment } => pay::changed(model, *payment, out),
        Msg::Resume(payments) => {
            model.unfinished.extend(payments);
            pay::take_up(model, out);
        }
        Msg::Receipt { op, outcome } => answers::receipt(model, op, outcome),
        Msg::PrinterChecked { op, trouble } => answers::printer_checked(model, op, trouble),
        Msg::Printing { sent, rows, waits } => answers::printing(model, sent, rows, waits),
        Msg::Printed { op, outcome } => answers::printed(model, op, outcome),
        Msg::PinChecked { op, outcome } => pin::checked(model, op, outcome, out),
        Msg::Shift(now) => shift::update::loaded(model, *now),
        Msg::ShiftPrinted { op, outcome } => shift::update::printed(model, op, outcome),
        Msg::ChainChecked { op, ok, rows } => answers::chain(model, op, ok, rows),
        Msg::DemoState { link_cut, card, cards } => answers::demo(model, link_cut, card, cards),
        Msg::Trouble(why) => model.tell("Something went wrong", &why, false),
        Msg::Notice { title, text } => model.tell(&title, &text, true),
    }
    effects
}
