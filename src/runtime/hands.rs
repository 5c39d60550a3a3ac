//! What the screen works with, without a terminal: effects done beside it, and what happens by itself.
//!
//! Invariant: never waits for the screen. Start at [`Hands::perform`] and [`News::next`].

use super::actors::pin::approve;
use super::actors::printer::Progress;
use super::actors::reader::ReaderState;
use super::clock::local_day;
use super::link::LinkState;
use super::till::Till;
use crate::app::effect::{DemoCommand, Effect, IDS_WANTED};
use crate::app::model::Model;
use crate::app::msg::{DevicesNews, LinkView, Msg, OpId, ReaderView};
use crate::domain::id::{JobId, PaymentId, ShiftId};
use crate::domain::receipt::ReceiptOf;
use crate::flow::payment::{Effect as PaymentEffect, Event};
use jiff::tz::TimeZone;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
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

/// Does effects beside the screen.
#[derive(Clone)]
pub struct Hands {
    till: Till,
    tell: mpsc::Sender<Msg>,
    switches: Option<Arc<dyn Switches>>,
}

impl Hands {
    /// Hands, and what they tell the screen.
    pub fn new(till: Till, switches: Option<Arc<dyn Switches>>) -> (Hands, mpsc::Receiver<Msg>) {
        let (tell, told) = mpsc::channel(MESSAGES);
        (Hands { till, tell, switches }, told)
    }

    /// What the screen is told without having asked; over when all of it is told.
    pub fn begin(&self) -> JoinHandle<()> {
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
        })
    }

    /// Payment effects of one round stay in their order; everything else goes its own way, and is over when its answer is
    /// told.
    pub fn perform(&self, effects: Vec<Effect>) -> Vec<JoinHandle<()>> {
        let mut doing = Vec::new();
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
                    doing.push(tokio::spawn(async move { hands.one(other).await }));
                }
            }
        }
        for (id, list) in payments {
            self.till.spawn(id, list);
        }
        doing
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
                let issued = store.issue_invoice(job, visit).await.map(drop);
                self.issued(op, job, issued).await;
            }
            Effect::IssueDeposit { op, job, visit, id, amount } => {
                let issued = store.issue_deposit(job, visit, id, amount).await;
                self.issued(op, job, issued).await;
            }
            Effect::RenderReceipt { op, of, columns } => {
                let outcome = self.till.printer.preview(of, columns).await;
                self.say(Msg::Receipt { op, outcome }).await;
            }
            Effect::CheckPrinter { op } => {
                let trouble = self.till.printer.trouble().await.map(str::to_owned);
                self.say(Msg::PrinterChecked { op, trouble }).await;
            }
            Effect::Print { op, of } => self.print(op, of).await,
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

    /// The job as it is with its new document.
    async fn issued(&self, op: OpId, job: JobId, issued: Result<(), String>) {
        let outcome = match issued {
            Ok(()) => self.till.store.run(move |store| store.job_detail(job)).await.map(Box::new),
            Err(why) => Err(why),
        };
        self.say(Msg::Invoiced { op, outcome }).await;
    }

    async fn print(&self, op: OpId, of: ReceiptOf) {
        let outcome = self.till.printer.print(of).await;
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

/// What happens by itself.
#[derive(Debug)]
pub enum Happened {
    /// The screen is told.
    Told(Msg),
    /// The feed has changed what the store holds: what is shown is read again.
    Applied,
}

/// What happens to payments, link, reader, printer and feed.
pub struct News {
    events: mpsc::Receiver<(PaymentId, Event)>,
    link: watch::Receiver<LinkState>,
    reader: watch::Receiver<ReaderState>,
    devices: watch::Receiver<DevicesNews>,
    applied: watch::Receiver<u64>,
    printing: watch::Receiver<Progress>,
}

impl News {
    /// Of this handheld; link and reader are told at once. `events`: what happens to its payments.
    pub fn new(till: &Till, events: mpsc::Receiver<(PaymentId, Event)>) -> News {
        let mut news = News {
            events,
            link: till.sync.link(),
            reader: till.reader.state(),
            devices: till.devices.news(),
            applied: till.sync.applied(),
            printing: till.printer.progress(),
        };
        news.link.mark_changed();
        news.reader.mark_changed();
        news
    }

    /// The next thing that happens. Nothing is lost when this is dropped before it has ended.
    pub async fn next(&mut self) -> Happened {
        Happened::Told(tokio::select! {
            Some((id, event)) = self.events.recv() => Msg::Payment { id, event },
            Ok(()) = self.link.changed() => Msg::Link(link_view(&self.link.borrow_and_update())),
            Ok(()) = self.reader.changed() => {
                let state = self.reader.borrow_and_update().clone();
                Msg::Reader(ReaderView {
                    name: state.name,
                    firmware: state.firmware,
                    battery_percent: state.battery_percent,
                    connected: state.connected,
                    restart_in: state.restart_in,
                })
            }
            Ok(()) = self.printing.changed() => {
                let Progress { sent, rows, waits } = *self.printing.borrow_and_update();
                Msg::Printing { sent, rows, waits: waits.map(str::to_owned) }
            }
            Ok(()) = self.devices.changed() => Msg::Devices(self.devices.borrow_and_update().clone()),
            Ok(()) = self.applied.changed() => return Happened::Applied,
            else => std::future::pending().await,
        })
    }
}

/// What is read again when the feed has changed what the store holds.
pub fn read_again(model: &Model) -> Vec<Effect> {
    let job = model.wanted.map(Effect::LoadJob);
    [Effect::LoadToday, Effect::LoadSync].into_iter().chain(job).collect()
}

fn link_view(link: &LinkState) -> LinkView {
    LinkView { online: link.online, next_try_ms: link.next_try_ms, last_error: link.last_error.clone() }
}
