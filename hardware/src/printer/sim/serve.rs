//! The simulated printer behind a pseudo-terminal, for programs that print to a serial line.
//!
//! The kernel keeps what was written and not read yet, as it does on a serial line; bytes are taken from it by the baud
//! rate.

use super::hand::SimControl;
use super::machine::{LINE_BYTES, Machine};
use crate::printer::link::RealClock;
use crate::transport::tty::Terminal;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// How often the printer is looked at.
const TICK: Duration = Duration::from_millis(1);

/// Paper that nothing was added to for so long is torn off, microseconds.
const TORN_AFTER_US: u64 = 1_000_000;

/// Serves until the terminal fails, and tells of each piece of paper.
pub async fn on_a_terminal(
    control: SimControl<RealClock>,
    terminal: Terminal,
    mut told: impl FnMut(&super::machine::Strip),
) {
    let (printer, _kept) = terminal.split();
    let (mut from, mut to) = tokio::io::split(printer);
    let mut chunk = [0_u8; 16];
    loop {
        let room = control.machine(Machine::on_the_line) < LINE_BYTES / 256;
        tokio::select! {
            read = from.read(&mut chunk), if room => match read {
                Ok(count @ 1..) => {
                    let bytes = chunk.get(..count).unwrap_or_default();
                    control.machine(|machine, now| machine.receive(now, bytes));
                }
                Ok(_) | Err(_) => return,
            },
            () = tokio::time::sleep(TICK) => {}
        }
        let mut answers = [0; 64];
        let count = control.machine(|machine, now| machine.say(now, &mut answers));
        if to.write_all(answers.get(..count).unwrap_or_default()).await.is_err() {
            return;
        }
        control.machine(|machine, now| {
            if machine.is_idle(now) && now.saturating_sub(machine.still_at()) > TORN_AFTER_US {
                machine.tear(now);
            }
        });
        control.take_strips().iter().for_each(&mut told);
    }
}
