//! The right half of the top row, and the row about stored card money.
//!
//! Invariant: what is stored is always said, with its deadline.

use crate::app::model::{Model, Screen};
use crate::app::when::span;
use crate::domain::mode::Mode;
use crate::domain::money::Money;
use crate::domain::policy::HOUR_MS;
use crate::ui::Look;
use crate::ui::row::Row;
use crate::ui::theme::Role;

/// From this long before the deadline on the row is marked: a quarter of the usual day, milliseconds.
const SOON_MS: i64 = 6 * HOUR_MS;

/// A reader's battery below this is said, percent: it asks for its charger at 15.
const LOW_PERCENT: u8 = 20;

/// Link, unsent rows, reader, battery and clock; the longest way to say it first.
pub fn status(model: &Model, look: Look) -> (Vec<String>, Role) {
    let clock = model.now().map(|now| now.clock()).unwrap_or_default();
    if model.screen == Screen::Welcome {
        return (vec![clock], Role::Plain);
    }
    let waiting = if model.notice().is_none() { model.notices.len() } else { 0 };
    let notices = if waiting > 0 { format!("!{waiting}") } else { String::new() };
    let link = if model.link.online { "ONLINE" } else { "OFFLINE" };
    // In training nothing is ever sent, so nothing waits to be.
    let sent = model.sync.as_ref().filter(|_| model.settings.mode != Mode::Training);
    let unsent = match sent.map_or(0, |sync| sync.unsent()) {
        0 => String::new(),
        rows => format!("{}{rows}", look.glyphs.unsent),
    };
    let battery = model.battery_percent.map(|percent| format!("{percent}%")).unwrap_or_default();
    // Stands first: the percentage further on is the handheld's own.
    let (reader, reader_short) = match &model.reader {
        Some(reader) if !reader.connected => ("no reader".to_owned(), "R?".to_owned()),
        Some(reader) => match reader.battery_percent.filter(|percent| *percent <= LOW_PERCENT) {
            Some(percent) => (format!("reader {percent}%"), format!("R{percent}%")),
            None => ("reader ok".to_owned(), "R".to_owned()),
        },
        None => (String::new(), String::new()),
    };
    let join = |parts: &[&str]| {
        let said: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
        said.join(" ")
    };
    let role = if model.link.online { Role::Plain } else { Role::Strong };
    let ways = vec![
        join(&[&reader, &notices, link, &unsent, &battery, &clock]),
        join(&[&reader_short, &notices, link, &unsent, &battery, &clock]),
        join(&[&notices, link, &unsent, &battery, &clock]),
        join(&[&notices, link, &unsent, &clock]),
        join(&[&notices, link, &unsent]),
    ];
    (ways, role)
}

/// How much card money is stored, in how many payments, and how long there is to forward the first.
pub fn stored(model: &Model, columns: u16) -> Option<Row> {
    let exposure = model.sync.as_ref().map(|sync| sync.exposure).filter(|exposure| exposure.count > 0)?;
    let money = Money::new(exposure.minor, exposure.currency).plain();
    let left = model.now_ms.zip(exposure.first_deadline_ms).map(|(now, deadline)| deadline.saturating_sub(now));
    let (role, tail) = match left {
        None => (Role::Pending, String::new()),
        Some(left) if left <= 0 => (Role::Failed, ", TOO LATE to forward".to_owned()),
        Some(left) if columns < 40 => (soon(left), format!(", {} left", span(left))),
        Some(left) => (soon(left), format!(", forward within {}", span(left))),
    };
    let bang = if role == Role::Pending { ' ' } else { '!' };
    Some(Row::of(format!("{bang}stored {money} in {}{tail}", exposure.count), role))
}

fn soon(left_ms: i64) -> Role {
    if left_ms < SOON_MS { Role::Warn } else { Role::Pending }
}
