//! The simulated mechanism: bytes come out of the cable and go on paper, the drawer opens, the fence is answered.
//!
//! A fault ends the cable's session and forgets everything unfinished, as a printer does that lost its power: no byte of
//! an old job can reach a new one, and none is answered.
//!
//! Invariant: owns all of the printer's state; a fence is answered only after the receipt before it was kept.

use super::folder;
use super::interpreter::{Deed, Interpreter};
use super::panel::{Panel, SimControl};
use crate::printer::Interruption;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::{mpsc, watch};

/// Bytes that fit into the cable and the printer's buffer. Small on purpose: the driver has to wait, as in life.
const PIPE_BYTES: usize = 256;

/// Bytes kept of one job; the rest is printed but not written to the `.bin` file.
const BYTES_KEPT_MAX: usize = 1 << 20;

/// The answer to `GS r 1` with paper present: 0xx0xxxx, bits 0-3 clear (Epson, Transmit status).
const PAPER_PRESENT: u8 = 0x00;

/// What the driver learns of its cable.
#[derive(Debug)]
pub(super) enum Cable {
    /// The printer can print; this is its new session.
    In(DuplexStream),
    /// The printer cannot print, and its last session, if any, is over.
    Out(Interruption),
}

/// How a session ended.
enum SessionEnd {
    /// By a fault.
    Stopped(Interruption),
    /// The driver is gone.
    DriverGone,
}

/// The task's state.
pub(super) struct Mechanism {
    columns: u16,
    folder: Option<Arc<PathBuf>>,
    control: SimControl,
    panel: watch::Receiver<Panel>,
    cable: mpsc::Sender<Cable>,
}

impl Mechanism {
    pub(super) fn new(
        columns: u16,
        folder: Option<PathBuf>,
        control: SimControl,
        cable: mpsc::Sender<Cable>,
    ) -> Mechanism {
        let panel = control.watch();
        Mechanism { columns, folder: folder.map(Arc::new), control, panel, cable }
    }

    /// Runs until the driver is gone.
    pub(super) async fn run(mut self) {
        loop {
            let stopped = self.panel.borrow_and_update().stopped();
            let going_on = match stopped {
                Some(why) => self.wait(why).await,
                None => self.work().await,
            };
            if !going_on {
                return;
            }
        }
    }

    /// Tells the driver why nothing goes, and waits for a hand.
    async fn wait(&mut self, why: Interruption) -> bool {
        if self.cable.send(Cable::Out(why)).await.is_err() {
            return false;
        }
        tokio::select! {
            changed = self.panel.changed() => changed.is_ok(),
            () = self.cable.closed() => false,
        }
    }

    /// Opens a session and prints until a fault or the end.
    async fn work(&mut self) -> bool {
        let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
        if self.cable.send(Cable::In(theirs)).await.is_err() {
            return false;
        }
        match self.session(ours).await {
            // Said here, since the fault may be over before the panel is looked at again.
            SessionEnd::Stopped(why) => self.cable.send(Cable::Out(why)).await.is_ok(),
            SessionEnd::DriverGone => false,
        }
    }

    async fn session(&mut self, mut pipe: DuplexStream) -> SessionEnd {
        let mut interpreter = Interpreter::new(self.columns);
        let mut job_bytes = Vec::new();
        let mut buffer = [0; PIPE_BYTES];
        loop {
            // Faults first: what a hand did before a byte was sent holds for that byte.
            let read = tokio::select! {
                biased;
                changed = self.panel.changed() => {
                    if changed.is_err() {
                        return SessionEnd::DriverGone;
                    }
                    let stopped = self.panel.borrow_and_update().stopped();
                    match stopped {
                        Some(why) => return SessionEnd::Stopped(why),
                        None => continue,
                    }
                }
                read = pipe.read(&mut buffer) => read,
            };
            let received = match read {
                Ok(0) | Err(_) => return SessionEnd::DriverGone,
                Ok(count) => buffer.get(..count).unwrap_or_default(),
            };
            for &byte in received {
                if job_bytes.len() < BYTES_KEPT_MAX {
                    job_bytes.push(byte);
                }
                match interpreter.feed(byte) {
                    None | Some(Deed::Cut) => {}
                    Some(Deed::Drawer) => self.control.drawer_kicked(),
                    Some(Deed::Row) => {
                        if let Some(why) = self.control.row() {
                            return SessionEnd::Stopped(why);
                        }
                    }
                    Some(Deed::Fence) => {
                        let text = interpreter.take().text();
                        self.keep(std::mem::take(&mut job_bytes), text).await;
                        if pipe.write_all(&[PAPER_PRESENT]).await.is_err() {
                            return SessionEnd::DriverGone;
                        }
                    }
                }
            }
        }
    }

    async fn keep(&self, bytes: Vec<u8>, text: String) {
        self.control.receipt_out(text.clone());
        let Some(folder) = self.folder.clone() else { return };
        let shown = folder.clone();
        let kept = tokio::task::spawn_blocking(move || folder::keep(&folder, &bytes, &text)).await;
        match kept {
            Ok(Ok(path)) => tracing::debug!(path = %path.display(), "the simulated printer kept a receipt"),
            Ok(Err(error)) => {
                tracing::warn!(folder = %shown.display(), %error, "the simulated printer could not keep a receipt");
            }
            Err(error) => {
                tracing::warn!(folder = %shown.display(), %error, "keeping a receipt was cut off");
            }
        }
    }
}
