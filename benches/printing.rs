//! Paid → receipt finished, against the mechanism's own time: `cargo bench -p tillroll-hardware --bench printing`.
//!
//! In the simulated printer's time: the same figures on every machine. Forty rows of text; each figure is the worst over
//! three thresholds of the busy line and three speeds of the mechanism (50, 60, 80 mm/s).
#![expect(clippy::print_stdout, reason = "a benchmark prints a table")]

use tillroll_hardware::printer::flow::Policy;
use tillroll_hardware::printer::sim::sweep::{BAUDS, BUFFERS, Sample, sweep};

const POLICIES: [(Policy, &str); 4] = [
    (Policy::Line, "CTS, or TCP"),
    (Policy::Busy, "busy line on a pin"),
    (Policy::Fence, "fences"),
    (Policy::OpenLoop, "nothing: by the clock"),
];

fn main() {
    println!("| what holds back | buffer | {} | bytes lost |", BAUDS.map(|baud| format!("{baud} baud")).join(" | "));
    println!("|---|---|---|---|---|---|---|");
    for (policy, name) in POLICIES {
        let samples = sweep(policy);
        for buffer in BUFFERS {
            let of = |baud| samples.iter().filter(move |s: &&Sample| s.buffer == buffer && s.baud == baud);
            let worst = BAUDS.map(|baud| of(baud).map(Sample::ratio_milli).max().unwrap_or(0));
            let cells = worst.map(|milli| format!("{}.{:03}", milli / 1_000, milli % 1_000)).join(" | ");
            let lost: u64 = BAUDS.into_iter().flat_map(of).map(|s| s.lost).sum();
            println!("| {name} | {buffer} B | {cells} | {lost} |");
        }
    }
}
