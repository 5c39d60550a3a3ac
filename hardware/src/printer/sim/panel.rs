//! The hands on the simulated printer: paper, cover, plug, and what came out.
//!
//! Invariant: does not print; the mechanism watches it.

use crate::printer::Interruption;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Receipts whose text is remembered; the oldest is forgotten first.
pub const TEXTS_KEPT_MAX: usize = 256;

/// What a hand can do to the printer, and what an eye can see of it. Cheap to clone; all clones are the same printer.
#[derive(Debug, Clone)]
pub struct SimControl {
    panel: Arc<watch::Sender<Panel>>,
    output: Arc<Mutex<Output>>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Panel {
    unplugged: bool,
    cover_open: bool,
    paper_out: bool,
    cooling: bool,
    /// Rows that still come out, and what happens then.
    fails_after: Option<(u32, Interruption)>,
}

#[derive(Debug, Default)]
struct Output {
    texts: VecDeque<String>,
    drawer_pulses: u32,
}

impl SimControl {
    pub(super) fn new() -> SimControl {
        SimControl { panel: Arc::new(watch::Sender::new(Panel::default())), output: Arc::default() }
    }

    /// Puts paper in or takes it out.
    pub fn paper(&self, present: bool) {
        self.fault(Interruption::PaperOut, !present);
    }

    /// Plugs the printer in or pulls the plug.
    pub fn plugged(&self, plugged: bool) {
        self.fault(Interruption::Unplugged, !plugged);
    }

    /// Begins or ends any fault.
    pub fn fault(&self, fault: Interruption, on: bool) {
        self.panel.send_modify(|panel| panel.set(fault, on));
    }

    /// Lets `rows` more rows come out, of this job or the next ones, and begins the fault at the row after.
    pub fn fail_after(&self, rows: u32, fault: Interruption) {
        self.panel.send_modify(|panel| panel.fails_after = Some((rows, fault)));
    }

    /// The texts of the receipts that came out whole, oldest first; the last [`TEXTS_KEPT_MAX`] of them.
    pub fn jobs(&self) -> Vec<String> {
        self.output().texts.iter().cloned().collect()
    }

    /// How often the drawer was kicked.
    pub fn drawer_pulses(&self) -> u32 {
        self.output().drawer_pulses
    }

    pub(super) fn watch(&self) -> watch::Receiver<Panel> {
        self.panel.subscribe()
    }

    /// One more row is to come out; the fault that stops it, if one does.
    pub(super) fn row(&self) -> Option<Interruption> {
        let mut began = None;
        self.panel.send_if_modified(|panel| {
            began = panel.row();
            began.is_some()
        });
        began
    }

    pub(super) fn drawer_kicked(&self) {
        let mut output = self.output();
        output.drawer_pulses = output.drawer_pulses.saturating_add(1);
    }

    pub(super) fn receipt_out(&self, text: String) {
        let mut output = self.output();
        if output.texts.len() == TEXTS_KEPT_MAX {
            output.texts.pop_front();
        }
        output.texts.push_back(text);
    }

    fn output(&self) -> MutexGuard<'_, Output> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Panel {
    /// What keeps the printer from printing; the gravest if there are several.
    pub(super) fn stopped(&self) -> Option<Interruption> {
        [
            (self.unplugged, Interruption::Unplugged),
            (self.cover_open, Interruption::CoverOpen),
            (self.paper_out, Interruption::PaperOut),
            (self.cooling, Interruption::Cooling),
        ]
        .into_iter()
        .find_map(|(on, fault)| on.then_some(fault))
    }

    fn set(&mut self, fault: Interruption, on: bool) {
        match fault {
            Interruption::Unplugged => self.unplugged = on,
            Interruption::CoverOpen => self.cover_open = on,
            Interruption::PaperOut => self.paper_out = on,
            Interruption::Cooling => self.cooling = on,
        }
    }

    fn row(&mut self) -> Option<Interruption> {
        match &mut self.fails_after {
            None => None,
            Some((0, fault)) => {
                let fault = *fault;
                self.fails_after = None;
                self.set(fault, true);
                Some(fault)
            }
            Some((rows, _)) => {
                *rows -= 1;
                None
            }
        }
    }
}
