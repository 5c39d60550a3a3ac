//! The hands on the simulated printer: paper, cover, plug, and what came out.

use super::folder;
use super::machine::{Machine, Plan, Strip};
use crate::printer::Interruption;
use crate::printer::link::Clock;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Receipts that are remembered; the oldest is forgotten first.
const STRIPS_KEPT_MAX: usize = 256;

/// What a hand can do to the printer, and what an eye can see of it. Cheap to clone; all clones are the same printer.
#[derive(Debug)]
pub struct SimControl<C> {
    state: Arc<Mutex<State>>,
    clock: C,
}

#[derive(Debug)]
struct State {
    machine: Machine,
    folder: Option<PathBuf>,
    strips: Vec<Strip>,
    /// When the drawer's pin went up.
    drawer_up: Option<u64>,
    pulses_us: Vec<u64>,
}

impl<C: Clock> Clone for SimControl<C> {
    fn clone(&self) -> Self {
        SimControl { state: Arc::clone(&self.state), clock: self.clock.clone() }
    }
}

impl<C: Clock> SimControl<C> {
    /// A printer by this clock.
    pub fn new(machine: Machine, clock: C, folder: Option<PathBuf>) -> SimControl<C> {
        let state = State { machine, folder, strips: Vec::new(), drawer_up: None, pulses_us: Vec::new() };
        SimControl { state: Arc::new(Mutex::new(state)), clock }
    }

    /// The clock that it runs by.
    pub fn clock(&self) -> C {
        self.clock.clone()
    }

    /// Does something with the machine as it is now; receipts that have come out are kept before anybody learns of it.
    pub fn machine<T>(&self, act: impl FnOnce(&mut Machine, u64) -> T) -> T {
        let mut state = self.state();
        let now = self.clock.now_us();
        state.machine.advance(now);
        let done = act(&mut state.machine, now);
        state.collect();
        done
    }

    /// Begins or ends a fault.
    pub fn fault(&self, fault: Interruption, on: bool) {
        self.machine(|machine, now| machine.fault(now, fault, on));
    }

    /// Lets a fault begin later by itself.
    pub fn plan(&self, plan: Plan) {
        self.machine(|machine, _| machine.plan(plan));
    }

    /// Tears off what hangs out.
    pub fn tear(&self) {
        self.machine(Machine::tear);
    }

    /// The pieces of paper that came out, oldest first.
    pub fn strips(&self) -> Vec<Strip> {
        self.machine(|_, _| ());
        self.state().strips.clone()
    }

    /// Takes them away.
    pub fn take_strips(&self) -> Vec<Strip> {
        self.machine(|_, _| ());
        std::mem::take(&mut self.state().strips)
    }

    /// How often the drawer was kicked, by the printer and by its pin.
    pub fn drawer_pulses(&self) -> usize {
        let by_printer = self.machine(|machine, _| machine.drawer_pulses());
        usize::try_from(by_printer).unwrap_or(usize::MAX) + self.state().pulses_us.len()
    }

    /// How long the drawer's pin was up each time, microseconds; one that is still up is missing.
    pub fn drawer_pulses_us(&self) -> Vec<u64> {
        self.state().pulses_us.clone()
    }

    pub(super) fn drawer_pin(&self, high: bool) {
        let now = self.clock.now_us();
        let mut state = self.state();
        match (high, state.drawer_up) {
            (true, None) => state.drawer_up = Some(now),
            (false, Some(since)) => {
                state.drawer_up = None;
                state.pulses_us.push(now.saturating_sub(since));
            }
            (true, Some(_)) | (false, None) => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn collect(&mut self) {
        for strip in self.machine.take_strips() {
            if let Some(folder) = &self.folder {
                match folder::keep(folder, &strip) {
                    Ok(path) => tracing::debug!(path = %path.display(), "the simulated printer kept a receipt"),
                    Err(error) => {
                        tracing::warn!(folder = %folder.display(), %error, "the simulated printer could not keep a receipt");
                    }
                }
            }
            if self.strips.len() == STRIPS_KEPT_MAX {
                self.strips.remove(0);
            }
            self.strips.push(strip);
        }
    }
}
