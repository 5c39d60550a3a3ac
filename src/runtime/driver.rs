//! Runs the screen program on a terminal: messages in, effects done, a frame only when something changed.
//!
//! Invariant: never blocks the screen. Every effect is done beside it and answers with a message. Start at [`run`].

use super::hands::{Hands, Happened, News, Switches, read_again};
use super::terminal::{self, Guard};
use super::till::Till;
use crate::app::effect::Effect;
use crate::app::model::{Model, Settings};
use crate::app::msg::Msg;
use crate::app::update::{start, update};
use crate::app::view::view;
use crate::domain::id::PaymentId;
use crate::flow::payment::Event;
use crossterm::event::EventStream;
use futures_util::StreamExt as _;
use jiff::tz::TimeZone;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// What the screen works with.
pub struct Desk {
    /// The handheld.
    pub till: Till,
    /// What happens to payments.
    pub events: mpsc::Receiver<(PaymentId, Event)>,
    /// The demo's switches, in the demo.
    pub switches: Option<Arc<dyn Switches>>,
    /// Said at the start.
    pub greeting: Option<String>,
}

/// Runs until the technician leaves.
pub async fn run(settings: Settings, desk: Desk) -> io::Result<()> {
    let Desk { till, events, switches, greeting } = desk;
    let (hands, mut told) = Hands::new(till.clone(), switches);
    let mut news = News::new(&till, events);
    let mut guard = Guard::take()?;
    let size = guard.terminal().size()?;
    let mut model = Model::new(Settings { columns: size.width, rows: size.height, ..settings });
    let mut keys = EventStream::new();
    let mut end = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    hands.begin();
    let mut effects = start(&mut model);
    if let Some(text) = greeting {
        effects.extend(update(&mut model, Msg::Notice { title: "WELCOME".to_owned(), text }));
    }
    let mut next_clock = tokio::time::Instant::now();
    loop {
        if effects.contains(&Effect::Quit) {
            return Ok(());
        }
        hands.perform(std::mem::take(&mut effects));
        guard.terminal().draw(|frame| view(&model, frame))?;
        let msg = tokio::select! {
            key = keys.next() => match key {
                Some(Ok(event)) => match terminal::msg(event) {
                    Some(msg) => msg,
                    None => continue,
                },
                Some(Err(why)) => return Err(why),
                None => return Ok(()),
            },
            _ = end.recv() => return Ok(()),
            _ = hangup.recv() => return Ok(()),
            Some(msg) = told.recv() => msg,
            happened = news.next() => match happened {
                Happened::Told(msg) => msg,
                Happened::Applied => {
                    effects.extend(read_again(&model));
                    continue;
                }
            },
            () = tokio::time::sleep_until(next_clock) => {
                let now_ms = till.store.clock().now_ms();
                Msg::Clock { now_ms, offset_minutes: offset_minutes(now_ms) }
            }
        };
        let clock = matches!(msg, Msg::Clock { .. });
        let step = model.clock_step_ms();
        effects = update(&mut model, msg);
        if clock || model.clock_step_ms() < step {
            next_clock = tokio::time::Instant::now() + until_next(model.clock_step_ms(), till.store.clock().now_ms());
        }
    }
}

/// The page of a handheld that is not enrolled: until a key ends it.
pub async fn welcome(settings: Settings) -> io::Result<()> {
    let mut guard = Guard::take()?;
    let size = guard.terminal().size()?;
    let mut model = Model::new(Settings { columns: size.width, rows: size.height, ..settings });
    let mut keys = EventStream::new();
    loop {
        guard.terminal().draw(|frame| view(&model, frame))?;
        let Some(event) = keys.next().await else { return Ok(()) };
        let Some(msg) = terminal::msg(event?) else { continue };
        if update(&mut model, msg).contains(&Effect::Quit) {
            return Ok(());
        }
    }
}

/// To the next full second or minute of the wall clock.
fn until_next(step_ms: u64, now_ms: i64) -> Duration {
    let into = u64::try_from(now_ms).unwrap_or(0) % step_ms.max(1);
    Duration::from_millis(step_ms - into)
}

/// Minutes to add to UTC for local time.
fn offset_minutes(at_ms: i64) -> i32 {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    TimeZone::system().to_offset(at).seconds() / 60
}
