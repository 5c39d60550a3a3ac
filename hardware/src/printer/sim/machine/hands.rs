//! What a hand does to the simulated printer.

use super::{Machine, PaperEnd, Plan, ROLL_DOTS};
use crate::printer::Interruption;
use crate::printer::profile::DOTS_PER_MM;
use crate::printer::sim::interpreter::Interpreter;

impl Machine {
    /// Begins or ends a fault. `Stopped` is nothing that happens to a printer.
    pub fn fault(&mut self, now: u64, fault: Interruption, on: bool) {
        self.advance(now);
        match fault {
            Interruption::Unplugged => self.plug(!on),
            Interruption::CoverOpen => self.faults.cover_open = on,
            Interruption::Cooling => self.faults.hot = on,
            Interruption::Broken => self.faults.broken = on,
            Interruption::PaperOut => self.roll_dots = if on { 0 } else { ROLL_DOTS },
            Interruption::Stopped => {}
        }
        self.tell();
    }

    /// Puts in a roll of which so much is left, mm.
    pub fn roll(&mut self, left_mm: u32) {
        self.roll_dots = left_mm.saturating_mul(DOTS_PER_MM);
    }

    /// Lets a fault begin later by itself.
    pub fn plan(&mut self, plan: Plan) {
        self.plan = Some(match plan {
            Plan::AfterBytes(bytes, why) => Plan::AfterBytes(self.arrived.saturating_add(bytes), why),
            dots @ Plan::AfterDots(..) => dots,
        });
    }

    /// Tears off what hangs out, if anything is on it.
    pub fn tear(&mut self, now: u64) {
        self.advance(now);
        self.part(PaperEnd::Torn);
    }

    pub(super) fn plug(&mut self, plugged: bool) {
        self.faults.unplugged = !plugged;
        // Without power it forgets everything but the paper.
        self.buffer.clear();
        self.tail.clear();
        self.answers.clear();
        self.busy = false;
        self.drives_busy = self.printer.busy_enable.is_empty();
        self.automatic = false;
        self.free_at = self.now;
        let paper = self.interpreter.take();
        self.interpreter = Interpreter::new(&self.printer);
        self.interpreter.keep(paper);
    }
}
