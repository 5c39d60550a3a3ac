//! How long a receipt takes from the command to the last dot, against the mechanism's own time, and how many bytes are
//! lost: over baud rates, buffers, thresholds, speeds and every way to hold back. In the simulated printer's time, so that
//! the same figures come out on every machine.
//!
//! Start at [`sweep`].

use super::machine::{Machine, MachineConfig};
use super::{SimControl, Wires, wired};
use crate::printer::driver::Print;
use crate::printer::escpos::encode;
use crate::printer::flow::Policy;
use crate::printer::layout::{Block, Line, Size, layout};
use crate::printer::link::{Clock as _, ManualClock};
use crate::printer::profile::{Profile, ProfileData};
use crate::printer::{Confirmation, JobEnd};

/// Baud rates of printers in the field.
pub const BAUDS: [u32; 4] = [9_600, 19_200, 38_400, 115_200];

/// Buffers of printers in the field, bytes.
pub const BUFFERS: [u32; 4] = [72, 256, 1_024, 4_096];

/// Speeds of mechanisms, mm/s.
pub const SPEEDS: [u16; 3] = [50, 60, 80];

/// Rows of text on the receipt that is printed.
pub const ROWS: usize = 40;

/// One printer and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// How it was held back.
    pub policy: Policy,
    /// Bits a second.
    pub baud: u32,
    /// Bytes that it holds.
    pub buffer: u32,
    /// Bytes free when busy rises.
    pub busy_at_free: u32,
    /// mm/s.
    pub speed: u16,
    /// From the command to the last dot, microseconds.
    pub took_us: u64,
    /// What the mechanism alone needs, microseconds.
    pub floor_us: u64,
    /// From the command to the end of the job as it was told, microseconds.
    pub told_us: u64,
    /// Bytes that did not fit.
    pub lost: u64,
    /// How it ended.
    pub end: JobEnd,
}

impl Sample {
    /// Time taken over the mechanism's own, in thousandths.
    pub fn ratio_milli(&self) -> u64 {
        self.took_us * 1_000 / self.floor_us.max(1)
    }
}

/// Every combination for one way to hold back.
pub fn sweep(policy: Policy) -> Vec<Sample> {
    let mut samples = Vec::new();
    for baud in BAUDS {
        for buffer in BUFFERS {
            // Busy rises as late as makers do it and as early as is sensible. What leaves behind a raised busy line is a
            // chunk that was begun: less room than that is for a line that stops by itself.
            let late = if policy == Policy::Busy { 20 } else { 10 };
            for busy_at_free in [late, buffer / 4, buffer / 2] {
                samples.extend(SPEEDS.map(|speed| sample(policy, baud, buffer, busy_at_free, speed)));
            }
        }
    }
    samples
}

/// One receipt on one printer.
pub fn sample(policy: Policy, baud: u32, buffer_bytes: u32, busy_at_free: u32, speed_mm_s: u16) -> Sample {
    let profile = match Profile::named("generic-58") {
        Ok(profile) => profile.data,
        // The library is in order, which a test says.
        Err(_) => return nothing(policy),
    };
    let printer = ProfileData { baud, buffer_bytes, speed_mm_s, ..profile };
    let config = MachineConfig {
        cts: policy == Policy::Line,
        answers: matches!(policy, Policy::Fence | Policy::Line),
        ..MachineConfig::with_busy_at(&printer, busy_at_free)
    };
    let machine = Machine::new(printer.clone(), config);
    let control = SimControl::new(machine, ManualClock::default(), None);
    let wires = Wires { busy: policy == Policy::Busy, ..Wires::default() };
    let mut driver = wired(printer.clone(), &control, wires);
    // Who is there is asked once, when the program starts.
    driver.check();
    let clock = control.clock();
    let rows = layout(&receipt(), printer.columns, &printer.pages);
    let floor_us = printer.dots_us(encode(&rows, &printer, u32::MAX).dots());
    let begun = clock.now_us();
    let end = driver.print(&Print { rows: &rows, unclean: false }, &mut ());
    let told_us = clock.now_us() - begun;
    while !control.machine(Machine::is_idle) {
        clock.sleep_us(1_000);
    }
    let (still, lost) = control.machine(|machine, _| (machine.still_at(), machine.lost()));
    let took_us = still.saturating_sub(begun);
    Sample {
        policy,
        baud,
        buffer: buffer_bytes,
        busy_at_free,
        speed: speed_mm_s,
        took_us,
        floor_us,
        told_us,
        lost,
        end,
    }
}

fn nothing(policy: Policy) -> Sample {
    let end = JobEnd::Confirmed(Confirmation::Model);
    Sample { policy, baud: 0, buffer: 0, busy_at_free: 0, speed: 0, took_us: 0, floor_us: 0, told_us: 0, lost: 0, end }
}

/// Forty rows of text: a shop, what was done, a total twice as large.
fn receipt() -> Vec<Block> {
    let line = |left: String, right: &str| Block::Line(Line { right: right.to_owned(), ..Line::plain(left) });
    let mut blocks: Vec<Block> = (1..ROWS).map(|n| line(format!("{n:>2} a part of the heating"), "12.50")).collect();
    blocks.push(Block::Line(Line {
        right: "EUR 487.50".to_owned(),
        bold: true,
        large: Size::Double,
        ..Line::plain("TOTAL")
    }));
    blocks
}
