//! The task around a simulated reader, whatever protocol it speaks, and the hands around it: which card is put to it, when
//! it is switched off, and what goes wrong on the way.
//!
//! It presents the test cards of [`super::cards`]. Its key counter is on the disk before a cipher text goes out, as in a
//! real reader: a key is never used twice, whatever is killed. Start at [`Simulated`].

mod cipher;
mod fault;
mod ksn;

use super::ReaderLink;
use super::cards::{self, TestCard};
use super::link::{Link, pair};
use super::session::{self, Driver};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

pub use cipher::{Cipher, Sealed};
pub use fault::Fault;

/// Under which keys a simulated reader encrypts; all of them are public and protect nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keys {
    /// TDES DUKPT (ANSI X9.24-1:2009).
    #[default]
    Tdes,
    /// AES-128 DUKPT (ANSI X9.24-3:2017).
    Aes128,
}

/// What a simulated reader is made of.
#[derive(Debug, Clone)]
pub struct SimConfig {
    /// Seven hex digits.
    pub serial: String,
    /// Where the key counter is kept; in memory only if `None`.
    pub ksn_file: Option<PathBuf>,
    /// Which cipher.
    pub keys: Keys,
    /// How long after arming the customer's card comes.
    pub present_after: Duration,
}

/// What the world around the reader does.
#[derive(Debug, Clone, PartialEq, Eq)]
struct World {
    card: Option<&'static TestCard>,
    here: bool,
    battery: u8,
    /// Counted, so that the same one may come again.
    fault: (u64, Option<Fault>),
    restart_in: Option<u8>,
}

/// The hands around a simulated reader; cheap to clone.
#[derive(Debug, Clone)]
pub struct SimControl(watch::Sender<World>);

impl SimControl {
    fn new() -> (SimControl, watch::Receiver<World>) {
        let (control, world) =
            watch::channel(World { card: None, here: true, battery: 100, fault: (0, None), restart_in: None });
        (SimControl(control), world)
    }

    /// The customer presents this card from now on; `None`: no card at all. Says whether there is such a card.
    pub fn present(&self, name: Option<&str>) -> bool {
        let card = name.map(cards::by_name);
        if card == Some(None) {
            return false;
        }
        self.0.send_modify(|world| world.card = card.flatten());
        true
    }

    /// The reader is switched off.
    pub fn vanish(&self) {
        self.0.send_modify(|world| world.here = false);
    }

    /// The reader is switched on.
    pub fn come_back(&self) {
        self.0.send_modify(|world| world.here = true);
    }

    /// Its battery, percent.
    pub fn set_battery(&self, percent: u8) {
        self.0.send_modify(|world| world.battery = percent.min(100));
    }

    /// Something goes wrong, once, on the next connection.
    pub fn fail(&self, fault: Option<Fault>) {
        self.0.send_modify(|world| world.fault = (world.fault.0 + 1, fault));
    }

    /// It announces its daily restart.
    pub fn restart_in(&self, minutes: u8) {
        self.0.send_modify(|world| world.restart_in = Some(minutes));
    }
}

/// An operation that waits for a card.
#[derive(Debug, Clone, Copy)]
pub struct Armed {
    /// Since when.
    pub since: Instant,
    /// For how long.
    pub timeout: Duration,
}

/// A reader of one protocol; pure but for its key counter's file.
pub trait Simulated: Send + 'static {
    /// What goes over the connection.
    type Message: Send + Clone + 'static;

    /// A reader that was just switched on.
    fn new(config: &SimConfig) -> Self;
    /// A host has connected: what ran before is forgotten.
    fn reset(&mut self);
    /// The battery's charge, percent.
    fn charge(&mut self, percent: u8);
    /// Answers a message of the host.
    fn message(&mut self, message: Self::Message) -> Vec<Self::Message>;
    /// The operation that waits for a card.
    fn armed(&self) -> Option<Armed>;
    /// A card touches the reader.
    fn touch(&mut self, card: &'static TestCard) -> Vec<Self::Message>;
    /// No card came.
    fn time_out(&mut self) -> Vec<Self::Message>;
    /// It will restart in so many minutes.
    fn restart_in(&mut self, minutes: u8) -> Vec<Self::Message>;
}

/// Starts a reader and its driver in this process.
pub fn spawn<R, D>(config: SimConfig) -> (ReaderLink, SimControl)
where
    R: Simulated,
    D: Driver<Message = R::Message>,
{
    let (control, world) = SimControl::new();
    let (connect, links) = mpsc::channel(1);
    tokio::spawn(live::<R>(config, world, connect));
    (session::spawn::<D>(links), control)
}

/// Starts a reader without a driver, for hosts elsewhere: each of `links` is a connection that some host made.
pub fn serve_links<R: Simulated>(config: SimConfig, mut links: mpsc::Receiver<Link<R::Message>>) -> SimControl {
    let (control, mut world) = SimControl::new();
    tokio::spawn(async move {
        let (mut reader, mut spent) = (R::new(&config), 0);
        while let Some(link) = links.recv().await {
            serve(&mut reader, link, &mut world, config.present_after, &mut spent).await;
        }
    });
    control
}

/// Is there while the world says so; a new connection each time.
async fn live<R: Simulated>(
    config: SimConfig,
    mut world: watch::Receiver<World>,
    connect: mpsc::Sender<Link<R::Message>>,
) {
    let (mut reader, mut spent) = (R::new(&config), 0);
    while world.wait_for(|world| world.here).await.is_ok() {
        let (host, own) = pair();
        if connect.send(host).await.is_err() {
            return;
        }
        serve(&mut reader, own, &mut world, config.present_after, &mut spent).await;
    }
}

/// One connection. `spent` is the last fault that has happened.
async fn serve<R: Simulated>(
    reader: &mut R,
    mut link: Link<R::Message>,
    world: &mut watch::Receiver<World>,
    after: Duration,
    spent: &mut u64,
) {
    reader.reset();
    let (number, fault) = world.borrow().fault;
    let mut faults = fault::Faults::new(fault.filter(|_| number != *spent));
    *spent = number;
    let mut announced = world.borrow().restart_in;
    loop {
        let now = world.borrow_and_update().clone();
        if !now.here {
            return;
        }
        reader.charge(now.battery);
        let armed = reader.armed();
        let card = now.card.filter(|_| armed.is_some());
        let touch = armed.map_or_else(Instant::now, |armed| armed.since) + after;
        let give_up = armed.map_or_else(Instant::now, |armed| armed.since + armed.timeout);
        let messages = if now.restart_in != announced {
            announced = now.restart_in;
            reader.restart_in(now.restart_in.unwrap_or(0))
        } else {
            tokio::select! {
                message = link.incoming.recv() => match message {
                    Some(message) => reader.message(message),
                    None => return,
                },
                changed = world.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return,
                },
                () = tokio::time::sleep_until(touch), if card.is_some() => card.map_or_else(Vec::new, |c| reader.touch(c)),
                () = tokio::time::sleep_until(give_up), if armed.is_some() => reader.time_out(),
            }
        };
        for message in messages {
            for message in faults.pass(message).await {
                if link.outgoing.send(message).await.is_err() {
                    return;
                }
            }
            if faults.is_cut() {
                return;
            }
        }
    }
}
