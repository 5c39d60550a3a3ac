//! A simulated printer that is driven by real ESC/POS bytes: [`machine`] is its physics, [`interpreter`] what it makes of
//! the bytes, [`paper`] what comes out.
//!
//! [`wired`] hangs it on a line and pins of memory; the driver above is the real one. [`serve`] puts it behind a
//! pseudo-terminal for other programs.
//!
//! Invariant: a receipt is kept in the folder before anybody is told that it was printed, and only when it was parted from
//! the roll. Never overwrites a file.
//!
//! Start at [`spawn`]; tests that only want to read bytes take [`render`].

mod folder;
mod hand;
pub mod interpreter;
pub mod machine;
pub mod paper;
pub mod serve;
pub mod sweep;

pub use hand::SimControl;
pub use interpreter::render;
pub use paper::Rendered;

use super::PrinterLink;
use super::driver::{self, Driver};
use super::link::{ByteLink, Clock, Pins};
use super::profile::ProfileData;
use embedded_hal::digital::{ErrorType, InputPin, OutputPin};
use machine::{Machine, MachineConfig};
use std::convert::Infallible;
use std::io;
use std::path::PathBuf;

/// What kind of printer is simulated.
#[derive(Debug, Clone)]
pub struct SimConfig {
    /// The make.
    pub printer: ProfileData,
    /// Where each receipt's bytes go as `001.bin`, its text as `001.txt` and its picture as `001.png`; made if it is
    /// missing. `None` keeps nothing. A folder that cannot be written is logged as a warning and does not stop the
    /// printing.
    pub folder: Option<PathBuf>,
}

/// How time passes for a simulated printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As in life.
    Real,
    /// At once, however long it would take.
    AtOnce,
}

/// What of a simulated printer is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wires {
    /// The busy line.
    pub busy: bool,
    /// The paper sensor.
    pub paper: bool,
    /// The drawer, on a pin of its own.
    pub drawer: bool,
}

/// Starts a printer with its busy line, plugged in and with paper, and gives the hands on it. Ends when the link is
/// dropped.
pub fn spawn<C: Clock + Sync + 'static>(config: SimConfig, clock: C) -> (PrinterLink, SimControl<C>) {
    let machine = Machine::new(config.printer.clone(), MachineConfig::of(&config.printer));
    let control = SimControl::new(machine, clock, config.folder);
    let wires = Wires { busy: true, ..Wires::default() };
    (driver::spawn(wired(config.printer, &control, wires)), control)
}

/// The real driver on a simulated printer.
pub fn wired<C: Clock + 'static>(
    printer: ProfileData,
    control: &SimControl<C>,
    wires: Wires,
) -> Driver<SimLine<C>, SimInput<C>, SimOutput<C>, C> {
    let paced = control.machine(|machine, _| machine.is_paced());
    let input = |what| SimInput { control: control.clone(), what };
    let pins = Pins {
        busy: wires.busy.then(|| input(Sensor::Busy)),
        paper: wires.paper.then(|| input(Sensor::Paper)),
        drawer: wires.drawer.then(|| SimOutput { control: control.clone() }),
    };
    let line = control.clone();
    Driver::new(printer, paced, Box::new(move || Ok(SimLine(line.clone()))), pins, control.clock())
}

/// The line to a simulated printer.
pub struct SimLine<C>(SimControl<C>);

impl<C: Clock> ByteLink for SimLine<C> {
    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.0.machine(|machine, now| machine.receive(now, bytes)))
    }

    fn try_urgent(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.0.machine(|machine, now| machine.receive_urgent(now, bytes)))
    }

    fn pending(&mut self) -> io::Result<usize> {
        Ok(self.0.machine(Machine::on_the_line))
    }

    fn try_read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Ok(self.0.machine(|machine, now| machine.say(now, into)))
    }

    fn discard(&mut self) {
        self.0.machine(Machine::discard);
    }
}

/// A pin that the printer drives.
pub struct SimInput<C> {
    control: SimControl<C>,
    what: Sensor,
}

#[derive(Debug, Clone, Copy)]
enum Sensor {
    Busy,
    Paper,
}

impl<C> ErrorType for SimInput<C> {
    type Error = Infallible;
}

impl<C: Clock> InputPin for SimInput<C> {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(self.control.machine(|machine, _| match self.what {
            Sensor::Busy => machine.busy_level(),
            Sensor::Paper => machine.is_paper_out(),
        }))
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        self.is_high().map(|high| !high)
    }
}

/// The pin of the drawer.
pub struct SimOutput<C> {
    control: SimControl<C>,
}

impl<C> ErrorType for SimOutput<C> {
    type Error = Infallible;
}

impl<C: Clock> OutputPin for SimOutput<C> {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.control.drawer_pin(false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.control.drawer_pin(true);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
