//! What the simulated printer says, and what it obeys in real time.

use super::{ANSWERS_MAX, Machine};
use crate::printer::escpos::CLEARED;
use crate::printer::profile::FenceCommand;
use crate::printer::sim::interpreter::Interpreter;

impl Machine {
    pub(super) fn paper_answer(&self) -> u8 {
        match (self.printer.fence, self.roll_dots == 0) {
            (FenceCommand::EscV, true) => 0x04,
            (FenceCommand::GsR, true) => 0x0C,
            (FenceCommand::None | FenceCommand::EscV | FenceCommand::GsR, _) => 0x00,
        }
    }

    /// Obeyed as they come in, whatever waits in the buffer.
    pub(super) fn real_time(&mut self, byte: u8) {
        self.tail.push(byte);
        if self.tail.len() > 10 {
            self.tail.remove(0);
        }
        let tail = std::mem::take(&mut self.tail);
        match tail.as_slice() {
            [.., 0x10, 0x04, n @ 1..=4] => self.answer(&[self.status(*n)]),
            [.., 0x10, 0x14, 0x01, 0..=1, 1..=8] => self.kick(),
            [.., 0x10, 0x14, 0x08, 0x01, 0x03, 0x14, 0x01, 0x06, 0x02, 0x08] if self.printer.real_time_clear => {
                self.buffer.clear();
                let paper = self.interpreter.take();
                self.interpreter = Interpreter::new(&self.printer);
                self.interpreter.keep(paper);
                self.look_at_busy();
                self.answer(&CLEARED);
            }
            _ => {
                self.tail = tail;
                return;
            }
        }
        // It was a whole command: nothing of it begins another.
        self.tail.clear();
    }

    /// Automatic status back: four bytes.
    pub(super) fn tell(&mut self) {
        if !self.automatic || self.faults.unplugged {
            return;
        }
        let offline = u8::from(self.stopped().is_some());
        let first = 0x10 | offline << 3 | u8::from(self.faults.cover_open) << 5;
        let second = u8::from(self.faults.broken) << 3 | u8::from(self.faults.hot) << 6;
        let third = if self.roll_dots == 0 { 0x0C } else { 0 };
        self.answer(&[first, second, third, 0]);
    }

    /// The answer to `DLE EOT n`.
    pub(super) fn status(&self, n: u8) -> u8 {
        let paper = self.roll_dots == 0;
        let bits = match n {
            1 => u8::from(self.stopped().is_some()) << 3,
            2 => u8::from(self.faults.cover_open) << 2 | u8::from(paper) << 5 | u8::from(self.faults.broken) << 6,
            3 => u8::from(self.faults.broken) << 3 | u8::from(self.faults.hot) << 6,
            _ => {
                if paper {
                    0b0110_1100
                } else {
                    0
                }
            }
        };
        0x12 | bits
    }

    pub(super) fn answer(&mut self, bytes: &[u8]) {
        self.answer_at(self.now, bytes);
    }

    /// When the paper stands still.
    pub(super) fn answer_later(&mut self, bytes: &[u8]) {
        self.answer_at(self.free_at.max(self.now), bytes);
    }

    pub(super) fn answer_at(&mut self, at: u64, bytes: &[u8]) {
        if !self.config.answers {
            return;
        }
        let took = self.printer.bytes_us(bytes.len(), self.config.baud);
        self.answers.extend(bytes.iter().map(|byte| (at + took, *byte)));
        while self.answers.len() > ANSWERS_MAX {
            self.answers.pop_front();
        }
    }
}
