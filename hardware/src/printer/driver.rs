//! Runs the flow machine over a byte link, header pins and a clock: the same code on rppal, the kernel's character device,
//! a pseudo-terminal, TCP and the simulated printer.
//!
//! Invariant: one job at a time, each ended exactly once; a line that fails is opened anew for the next job, never for the
//! one in hand. The drawer's pin is high for [`DRAWER_PULSE_US`] and low on every way out.
//!
//! Start at [`spawn`]; tests and benchmarks take a [`Driver`] and their own clock.

use super::escpos::{self, encode};
use super::flow::{Action, CHUNK, Flow, POLL_US, Seen, Wiring};
use super::layout::Row;
use super::link::{ByteLink, Clock, Pins};
use super::profile::{DrawerCommand, Level, ProfileData};
use super::{COMMANDS_MAX, EVENTS_MAX, Health, Interruption, JobEnd, JobId, PrinterCommand, PrinterEvent, PrinterLink};
use embedded_hal::digital::{InputPin, OutputPin};
use std::collections::VecDeque;
use tokio::sync::mpsc;

/// How long the drawer's solenoid draws. Drawers want 50 to 200 ms; more burns them.
pub const DRAWER_PULSE_US: u64 = 100_000;

/// The shortest time from one pulse to the next: a fifth of the time at most, which solenoids bear.
pub const DRAWER_REST_US: u64 = 5 * DRAWER_PULSE_US;

/// How long an idle printer may be busy.
const SETTLE_US: u64 = 500_000;

/// What the program itself slept through, on a busy machine or while it was suspended, is not the printer's fault.
const AWAY_US: u64 = 250_000;

/// Bytes of answers read at once. A flood is cut here and looked at again a moment later.
const ANSWERS_MAX: usize = 256;

/// Opens the line anew.
pub type Open<L> = Box<dyn FnMut() -> Result<L, String> + Send>;

/// A printer and everything that it hangs on.
pub struct Driver<L, I, O, C> {
    open: Open<L>,
    line: Option<L>,
    pins: Pins<I, O>,
    printer: ProfileData,
    flow: Flow,
    clock: C,
    drawer_rests_until: u64,
    /// The last job stopped somewhere.
    unclean: bool,
    stepped_at: u64,
}

/// A job to be printed.
pub struct Print<'a> {
    /// Its rows.
    pub rows: &'a [Row],
    /// An earlier one may have stopped anywhere.
    pub unclean: bool,
}

/// What somebody else wants of a job under way, and is told.
pub trait Watch {
    /// So many rows of so many are sent; it waits for this.
    fn progress(&mut self, sent: u16, rows: u16, waits: Option<Interruption>);
    /// Whether it is to stop.
    fn stops(&mut self) -> bool;
}

/// Nobody watches.
impl Watch for () {
    fn progress(&mut self, _: u16, _: u16, _: Option<Interruption>) {}

    fn stops(&mut self) -> bool {
        false
    }
}

impl<L: ByteLink, I: InputPin, O: OutputPin, C: Clock> Driver<L, I, O, C> {
    /// A printer whose line is opened when it is first needed. `paced`: the line itself stops (CTS, TCP).
    pub fn new(printer: ProfileData, paced: bool, open: Open<L>, mut pins: Pins<I, O>, clock: C) -> Self {
        let wiring = Wiring { line: paced, busy: pins.busy.is_some() };
        if let Some(drawer) = &mut pins.drawer {
            low(drawer);
        }
        let flow = Flow::new(printer.clone(), wiring);
        Driver { open, line: None, pins, printer, flow, clock, drawer_rests_until: 0, unclean: false, stepped_at: 0 }
    }

    /// Opens the line if it is not open.
    ///
    /// # Errors
    /// Why it cannot be opened, in a sentence.
    pub fn connect(&mut self) -> Result<(), String> {
        if self.line.is_none() {
            self.flow.lost();
            self.line = Some((self.open)()?);
        }
        Ok(())
    }

    /// What the printer is known to be able to, and what would stop a job.
    pub fn check(&mut self) -> Health {
        if self.connect().is_err() {
            return Health { stopped: Some(Interruption::Unplugged), ..Health::default() };
        }
        self.flow.check(self.clock.now_us());
        let end = self.run(&mut ());
        let seen = self.settled();
        let health = self.flow.health(seen);
        let stopped = match end {
            JobEnd::Refused(why) | JobEnd::Interrupted(why) => Some(why),
            // Nothing was sent: one that is busy all the same is not there.
            JobEnd::Confirmed(_) | JobEnd::SentUnconfirmed => {
                health.stopped.or_else(|| (seen.busy == Some(true)).then_some(Interruption::Unplugged))
            }
        };
        if stopped == Some(Interruption::Unplugged) {
            self.flow.lost();
        }
        Health { stopped, ..health }
    }

    /// Prints a job and says how it ended.
    pub fn print(&mut self, print: &Print<'_>, watch: &mut dyn Watch) -> JobEnd {
        if self.connect().is_err() {
            return JobEnd::Refused(Interruption::Unplugged);
        }
        // How pictures are cut depends on how the printer is kept from being sent too much.
        if self.flow.is_unknown() {
            let health = self.check();
            if let Some(why) = health.stopped {
                return JobEnd::Refused(why);
            }
        }
        let encoded = encode(print.rows, &self.printer, self.flow.strip_bytes());
        self.flow.begin(self.clock.now_us(), &encoded, print.unclean || self.unclean);
        let end = self.run(&mut Job { rows: encoded.rows, told: None, watch });
        if let JobEnd::Interrupted(Interruption::Unplugged) | JobEnd::Refused(Interruption::Unplugged) = end {
            // Whatever comes back may be another one.
            self.flow.lost();
        }
        match end {
            JobEnd::Interrupted(_) => self.unclean = true,
            JobEnd::Confirmed(_) | JobEnd::SentUnconfirmed => self.unclean = false,
            JobEnd::Refused(_) => {}
        }
        end
    }

    /// Opens the drawer: by its pin if there is one, by the printer otherwise. `false` if it could not be asked to.
    pub fn drawer(&mut self) -> bool {
        if self.pins.drawer.is_some() {
            return self.pulse();
        }
        let bytes = escpos::drawer(&self.printer);
        if bytes.is_empty() || self.connect().is_err() {
            return false;
        }
        let Some(line) = &mut self.line else { return false };
        let taken = match self.printer.drawer {
            DrawerCommand::RealTime => line.try_urgent(bytes),
            DrawerCommand::None | DrawerCommand::Stream => line.try_write(bytes),
        };
        match taken {
            Ok(count) => count == bytes.len() && self.drained(),
            Err(_) => {
                self.line = None;
                false
            }
        }
    }

    /// Waits until everything has left, for a while.
    fn drained(&mut self) -> bool {
        for _ in 0..SETTLE_US / POLL_US {
            self.clock.sleep_us(POLL_US);
            if self.seen().is_ok_and(|seen| seen.pending == 0) {
                return true;
            }
        }
        false
    }

    fn pulse(&mut self) -> bool {
        let now = self.clock.now_us();
        self.clock.sleep_us(self.drawer_rests_until.saturating_sub(now));
        let Some(drawer) = &mut self.pins.drawer else { return false };
        let begun = drawer.set_high().is_ok();
        self.clock.sleep_us(DRAWER_PULSE_US);
        low(drawer);
        self.drawer_rests_until = self.clock.now_us() + DRAWER_REST_US;
        begun
    }

    /// What is seen once the printer is not busy, or has been for a while.
    fn settled(&mut self) -> Seen {
        let mut seen = self.seen().unwrap_or_default();
        for _ in 0..SETTLE_US / POLL_US {
            if seen.busy != Some(true) {
                break;
            }
            self.clock.sleep_us(POLL_US);
            seen = self.seen().unwrap_or_default();
        }
        seen
    }

    fn seen(&mut self) -> Result<Seen, ()> {
        let busy_high = self.printer.busy == Level::High;
        let read = |pin: &mut Option<I>| pin.as_mut().and_then(|pin| pin.is_high().ok());
        let busy = read(&mut self.pins.busy).map(|high| high == busy_high);
        let paper_out = read(&mut self.pins.paper);
        let pending = self.line.as_mut().ok_or(())?.pending().map_err(drop)?;
        Ok(Seen { busy, paper_out, pending })
    }

    /// Steps until the flow is done, or the line fails.
    fn run(&mut self, watch: &mut dyn Watch) -> JobEnd {
        self.stepped_at = self.clock.now_us();
        loop {
            match self.step(watch) {
                Ok(Some(end)) => return end,
                Ok(None) => {}
                Err(()) => {
                    let begun = self.flow.has_begun();
                    self.line = None;
                    self.flow.lost();
                    let why = Interruption::Unplugged;
                    return if begun { JobEnd::Interrupted(why) } else { JobEnd::Refused(why) };
                }
            }
        }
    }

    fn step(&mut self, watch: &mut dyn Watch) -> Result<Option<JobEnd>, ()> {
        let mut answers = [0; ANSWERS_MAX];
        let count = self.line.as_mut().ok_or(())?.try_read(&mut answers).map_err(drop)?;
        let now = self.clock.now_us();
        let away = now.saturating_sub(std::mem::replace(&mut self.stepped_at, now));
        if away > AWAY_US {
            self.flow.slept(away);
        }
        for byte in answers.iter().take(count) {
            self.flow.heard(now, *byte);
        }
        if watch.stops() {
            let line = self.line.as_mut().ok_or(())?;
            line.discard();
            let why = Interruption::Stopped;
            return Ok(Some(if self.flow.has_begun() { JobEnd::Interrupted(why) } else { JobEnd::Refused(why) }));
        }
        let seen = self.seen()?;
        let line = self.line.as_mut().ok_or(())?;
        match self.flow.step(now, seen) {
            Action::Write(bytes) => {
                let count = line.try_write(bytes.get(..bytes.len().min(CHUNK)).unwrap_or_default()).map_err(drop)?;
                self.flow.wrote(now, count);
                watch.progress(self.flow.rows_sent(), 0, self.flow.waits());
                if count == 0 {
                    self.clock.sleep_us(POLL_US);
                }
                Ok(None)
            }
            Action::Ask(bytes) => {
                let count = line.try_urgent(bytes).map_err(drop)?;
                self.flow.wrote(now, count);
                if count == 0 {
                    self.clock.sleep_us(POLL_US);
                }
                Ok(None)
            }
            Action::Wait(us) => {
                watch.progress(self.flow.rows_sent(), 0, self.flow.waits());
                self.clock.sleep_us(us);
                Ok(None)
            }
            Action::Done(end) => {
                if matches!(end, JobEnd::Interrupted(_)) {
                    line.discard();
                }
                Ok(Some(end))
            }
        }
    }
}

impl<L, I, O, C> Drop for Driver<L, I, O, C> {
    fn drop(&mut self) {
        // A pin that is left goes back to what the board pulls it to; it was low already.
        self.pins.drawer = None;
    }
}

fn low(drawer: &mut impl OutputPin) {
    if drawer.set_low().is_err() {
        tracing::error!("the drawer's pin cannot be driven low: unplug the drawer");
    }
}

/// Tells of progress when it changes, with the job's own rows.
struct Job<'a> {
    rows: u16,
    told: Option<(u16, Option<Interruption>)>,
    watch: &'a mut dyn Watch,
}

impl Watch for Job<'_> {
    fn progress(&mut self, sent: u16, _: u16, waits: Option<Interruption>) {
        if self.told != Some((sent, waits)) {
            self.told = Some((sent, waits));
            self.watch.progress(sent, self.rows, waits);
        }
    }

    fn stops(&mut self) -> bool {
        self.watch.stops()
    }
}

/// Starts a thread for a printer: pins and serial lines are asked, they do not call.
pub fn spawn<L, I, O, C>(mut driver: Driver<L, I, O, C>) -> PrinterLink
where
    L: ByteLink + 'static,
    I: InputPin + Send + 'static,
    O: OutputPin + Send + 'static,
    C: Clock + 'static,
{
    let (commands, command_rx) = mpsc::channel(COMMANDS_MAX);
    let (event_tx, events) = mpsc::channel(EVENTS_MAX);
    let printer = driver.printer.clone();
    let drawer = driver.pins.drawer.is_some() || !escpos::drawer(&printer).is_empty();
    let mut desk = Desk { commands: command_rx, events: event_tx, waiting: VecDeque::new(), job: JobId(0) };
    std::thread::spawn(move || while desk.next(&mut driver) {});
    PrinterLink { commands, events, printer, drawer }
}

/// The driver's end of the channels.
struct Desk {
    commands: mpsc::Receiver<PrinterCommand>,
    events: mpsc::Sender<PrinterEvent>,
    /// What came while a job was printed.
    waiting: VecDeque<PrinterCommand>,
    job: JobId,
}

impl Desk {
    /// Does one thing; `false` at the end.
    fn next<L: ByteLink, I: InputPin, O: OutputPin, C: Clock>(&mut self, driver: &mut Driver<L, I, O, C>) -> bool {
        let Some(command) = self.waiting.pop_front().or_else(|| self.commands.blocking_recv()) else { return false };
        let event = match command {
            PrinterCommand::Print { job, rows, unclean } => {
                self.job = job;
                let how = driver.print(&Print { rows: &rows, unclean }, self);
                PrinterEvent::Ended { job, how }
            }
            // The job that it was meant for is over.
            PrinterCommand::Stop => return true,
            PrinterCommand::Drawer => PrinterEvent::Drawer(driver.drawer()),
            PrinterCommand::Check => PrinterEvent::Health(driver.check()),
        };
        self.events.blocking_send(event).is_ok()
    }
}

impl Watch for Desk {
    fn progress(&mut self, rows_sent: u16, rows: u16, waits: Option<Interruption>) {
        // A full channel loses progress only: the app has more to read than it can show anyway.
        let told = self.events.try_send(PrinterEvent::Progress { job: self.job, rows_sent, rows, waits });
        if let Err(error) = told {
            tracing::trace!(%error, "progress not told");
        }
    }

    fn stops(&mut self) -> bool {
        while let Ok(command) = self.commands.try_recv() {
            if command == PrinterCommand::Stop {
                return true;
            }
            if self.waiting.len() < COMMANDS_MAX {
                self.waiting.push_back(command);
            }
        }
        false
    }
}
