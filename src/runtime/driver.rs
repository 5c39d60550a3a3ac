//! Runs the screen program on a terminal: messages in, effects done, a frame only when something changed.
//!
//! Invariant: never blocks the screen. Every effect is done beside it and answers with a message. Start at [`run`].

use super::actors::pin::approve;
use super::actors::printer::Progress;
use super::clock::local_day;
use super::link::LinkState;
use super::terminal::{self, Guard};
use super::till::Till;
use crate::app::effect::{DemoCommand, Effect, IDS_WANTED};
use crate::app::model::{Model, Settings};
use crate::app::msg::{LinkView, Msg, OpId, ReaderView};
use crate::app::update::{start, update};
use crate::app::view::view;
use crate::domain::id::{JobId, PaymentId, ShiftId};
use crate::domain::receipt::Party;
use crate::flow::payment::{Effect as PaymentEffect, Event};
use crossterm::event::EventStream;
use futures_util::StreamExt as _;
use jiff::tz::TimeZone;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Messages that may wait for the screen.
const MESSAGES: usize = 256;

/// What the demo's keys work on.
pub trait Switches: Send + Sync {
    /// Does it.
    fn command(&self, command: &DemoCommand);
    /// Link cut, card of the customer, every card.
    fn state(&self) -> (bool, String, Vec<String>);
}

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
    let Desk { till, mut events, switches, greeting } = desk;
    let (tell, mut told) = mpsc::channel(MESSAGES);
    let mut guard = Guard::take()?;
    let size = guard.terminal().size()?;
    let mut model = Model::new(Settings { columns: size.width, rows: size.height, ..settings });
    let hands = Hands { till: till.clone(), tell, switches };
    let mut keys = EventStream::new();
    let mut link = till.sync.link();
    let mut reader = till.reader.state();
    let mut devices = till.devices.news();
    let mut applied = till.sync.applied();
    let mut printing = till.printer.progress();
    let mut end = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    link.mark_changed();
    reader.mark_changed();
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
            Some((id, event)) = events.recv() => Msg::Payment { id, event },
            Ok(()) = link.changed() => Msg::Link(link_view(&link.borrow_and_update())),
            Ok(()) = reader.changed() => {
                let state = reader.borrow_and_update().clone();
                Msg::Reader(ReaderView {
                    name: state.name,
                    firmware: state.firmware,
                    battery_percent: state.battery_percent,
                    connected: state.connected,
                    restart_in: state.restart_in,
                })
            }
            Ok(()) = printing.changed() => {
                let Progress { sent, rows, waits } = *printing.borrow_and_update();
                Msg::Printing { sent, rows, waits: waits.map(str::to_owned) }
            }
            Ok(()) = devices.changed() => Msg::Devices(devices.borrow_and_update().clone()),
            Ok(()) = applied.changed() => {
                effects.extend([Effect::LoadToday, Effect::LoadSync]);
                effects.extend(model.wanted.map(Effect::LoadJob));
                continue;
            }
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

fn link_view(link: &LinkState) -> LinkView {
    LinkView { online: link.online, next_try_ms: link.next_try_ms, last_error: link.last_error.clone() }
}

/// Minutes to add to UTC for local time.
fn offset_minutes(at_ms: i64) -> i32 {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    TimeZone::system().to_offset(at).seconds() / 60
}

/// Does effects beside the screen.
#[derive(Clone)]
struct Hands {
    till: Till,
    tell: mpsc::Sender<Msg>,
    switches: Option<Arc<dyn Switches>>,
}

impl Hands {
    /// What the screen is told without having asked.
    fn begin(&self) {
        let hands = self.clone();
        tokio::spawn(async move {
            hands.demo_state().await;
            let found = hands.till.store.run(|store| store.interrupted_payments()).await;
            hands.answer(found.map(Msg::Resume)).await;
            let left = hands.till.store.run(|store| store.unfinished_receipts()).await.unwrap_or_default();
            if !left.is_empty() {
                let text = format!(
                    "The program stopped while a receipt was printed: {}. Look at the paper, then open the receipt of \
                     that job: it asks what came out, and prints nothing by itself.",
                    left.join(", ")
                );
                hands.say(Msg::Notice { title: "Receipt".to_owned(), text }).await;
            }
        });
    }

    /// Payment effects of one round stay in their order; everything else goes its own way.
    fn perform(&self, effects: Vec<Effect>) {
        let mut payments: Vec<(PaymentId, Vec<PaymentEffect>)> = Vec::new();
        for effect in effects {
            match effect {
                Effect::StoreIntent { payment: id, effect } | Effect::Payment { id, effect } => {
                    match payments.iter_mut().find(|(of, _)| *of == id) {
                        Some((_, list)) => list.push(effect),
                        None => payments.push((id, vec![effect])),
                    }
                }
                other => {
                    let hands = self.clone();
                    tokio::spawn(async move { hands.one(other).await });
                }
            }
        }
        for (id, list) in payments {
            self.till.spawn(id, list);
        }
    }

    async fn one(&self, effect: Effect) {
        let store = &self.till.store;
        match effect {
            Effect::NeedIds => {
                self.say(Msg::Ids(std::iter::repeat_with(Uuid::now_v7).take(IDS_WANTED).collect())).await;
            }
            Effect::LoadToday => {
                let (from, until) = local_day(store.clock().now_ms(), &TimeZone::system());
                self.answer(store.run(move |store| store.today(from, until)).await.map(Msg::Today)).await;
            }
            Effect::LoadJob(job) => {
                let found = store.run(move |store| store.job_detail(job)).await;
                self.answer(found.map(|detail| Msg::Job(Box::new(detail)))).await;
            }
            Effect::LoadSync => self.answer(store.run(|store| store.sync_status()).await.map(Msg::Sync)).await,
            Effect::SearchPrices { op, query } => {
                let text = query.clone();
                let found = store.run(move |store| store.search_prices(&text)).await;
                self.answer(found.map(|items| Msg::Prices { op, query, items })).await;
            }
            Effect::Commit { op, event } => {
                let outcome = store.commit(event, None).await.map(drop);
                self.say(Msg::Committed { op, outcome }).await;
            }
            Effect::IssueInvoice { op, job, visit } => {
                let outcome = match store.issue_invoice(job, visit).await {
                    Ok(_) => store.run(move |store| store.job_detail(job)).await.map(Box::new),
                    Err(why) => Err(why),
                };
                self.say(Msg::Invoiced { op, outcome }).await;
            }
            Effect::RenderReceipt { op, job, party, columns } => {
                let outcome = self.till.printer.preview(job, party, columns).await;
                self.say(Msg::Receipt { op, outcome }).await;
            }
            Effect::CheckPrinter { op } => {
                let trouble = self.till.printer.trouble().await.map(str::to_owned);
                self.say(Msg::PrinterChecked { op, trouble }).await;
            }
            Effect::Print { op, job, party } => self.print(op, job, party).await,
            Effect::StopPrint => self.till.printer.stop().await,
            Effect::OpenDrawer(row) => {
                if let Err(text) = self.till.printer.open_drawer(row).await {
                    self.say(Msg::Notice { title: "Drawer".to_owned(), text }).await;
                }
            }
            Effect::CheckPin { op, pin, what } => {
                let outcome = approve(store, pin, what).await;
                self.say(Msg::PinChecked { op, outcome }).await;
            }
            Effect::LoadShift => self.load_shift().await,
            Effect::Shift { op, command } => {
                self.say(Msg::Committed { op, outcome: store.shift(command).await }).await;
            }
            Effect::PrintShift { op, shift } => self.print_shift(op, shift).await,
            Effect::SyncNow => self.till.sync.nudge(),
            Effect::CheckChain { op } => {
                let checked = store.run(|store| store.verify()).await;
                let said = checked.map(|v| Msg::ChainChecked { op, ok: v.violations.is_empty(), rows: v.rows });
                self.answer(said).await;
            }
            Effect::Devices(command) => self.till.devices.command(command).await,
            Effect::Demo(command) => {
                if let Some(switches) = &self.switches {
                    switches.command(&command);
                    self.till.sync.nudge();
                    self.demo_state().await;
                }
            }
            // Done by the caller.
            Effect::StoreIntent { .. } | Effect::Payment { .. } | Effect::Quit => {}
        }
    }

    async fn print(&self, op: OpId, job: JobId, party: Party) {
        let outcome = self.till.printer.print(job, party).await;
        self.say(Msg::Printed { op, outcome }).await;
        self.answer(self.till.store.run(|store| store.sync_status()).await.map(Msg::Sync)).await;
    }

    async fn print_shift(&self, op: OpId, shift: ShiftId) {
        let outcome = self.till.printer.print_shift(shift).await;
        self.say(Msg::ShiftPrinted { op, outcome }).await;
    }

    async fn load_shift(&self) {
        let found = self.till.store.run(|store| store.shift_now()).await;
        self.answer(found.map(|now| Msg::Shift(Box::new(now)))).await;
    }

    async fn demo_state(&self) {
        if let Some(switches) = &self.switches {
            let (link_cut, card, cards) = switches.state();
            self.say(Msg::DemoState { link_cut, card, cards }).await;
        }
    }

    async fn answer(&self, outcome: Result<Msg, String>) {
        self.say(outcome.unwrap_or_else(Msg::Trouble)).await;
    }

    /// A screen that has gone wants no answer.
    async fn say(&self, msg: Msg) {
        let _ = self.tell.send(msg).await;
    }
}
