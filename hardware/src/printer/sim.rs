//! A simulated printer that is driven by real ESC/POS bytes.
//!
//! Two tasks: the `driver` half encodes a job and writes it into an in-memory pipe, as any driver would into a cable;
//! the `mechanism` half interprets the bytes, keeps what came out and answers the fence. Neither knows the other but
//! through the pipe and the state of the cable. No time passes for show.
//!
//! Invariant: what is called printed was whole: a job that was stopped leaves no file and no text, as if its torn
//! paper had been thrown away. Never overwrites a file.
//!
//! Start at [`spawn`]; tests that only want to read bytes take [`render_text`].

mod driver;
mod folder;
mod interpreter;
mod mechanism;
mod panel;

pub use interpreter::{Deed, Interpreter, ROWS_KEPT_MAX, Rendered, render_text};
pub use panel::{SimControl, TEXTS_KEPT_MAX};

use super::escpos::EncodeOptions;
use super::{COLUMNS_MAX, COLUMNS_MIN, COMMANDS_MAX, EVENTS_MAX, PrinterLink};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;

/// Cable states that may wait for the driver.
const CABLE_MAX: usize = 4;

/// How long the driver waits for the fence before it calls a job unconfirmed. Drivers in the field use 2.5 s.
const FENCE_WAIT: Duration = Duration::from_millis(2_500);

/// What kind of printer is simulated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimConfig {
    /// Where each job's bytes go as `001.bin` and its text as `001.txt`; made if it is missing. `None` keeps nothing.
    /// A folder that cannot be written is logged as a warning and does not stop the printing.
    pub folder: Option<PathBuf>,
    /// Characters in a row; brought into [`COLUMNS_MIN`]..=[`COLUMNS_MAX`].
    pub columns: u16,
}

/// Starts a printer, plugged in and with paper. Must be called within a tokio runtime. Ends when the link is dropped.
pub fn spawn(config: SimConfig) -> (PrinterLink, SimControl) {
    let columns = config.columns.clamp(COLUMNS_MIN, COLUMNS_MAX);
    let control = SimControl::new();
    let (command_tx, command_rx) = mpsc::channel(COMMANDS_MAX);
    let (event_tx, event_rx) = mpsc::channel(EVENTS_MAX);
    let (cable_tx, cable_rx) = mpsc::channel(CABLE_MAX);
    let driver = driver::Driver {
        options: EncodeOptions::epson(columns),
        fence_wait: FENCE_WAIT,
        commands: command_rx,
        events: event_tx,
        cable: cable_rx,
    };
    let mechanism = mechanism::Mechanism::new(columns, config.folder, control.clone(), cable_tx);
    tokio::spawn(driver.run());
    tokio::spawn(mechanism.run());
    (PrinterLink { commands: command_tx, events: event_rx, columns }, control)
}

#[cfg(test)]
mod tests;
