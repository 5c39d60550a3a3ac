//! Serial lines and pseudo-terminals: 115200 baud, eight bits, no parity, one stop bit, no flow control (manual
//! D998200597, "DynaProx serial"; a pseudo-terminal does not care).

use super::line::{Framing, link};
use super::{Links, redial};
use pty_process::Pty;
use serial2_tokio::SerialPort;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::path::{Path, PathBuf};

/// Bits a second.
const BAUD: u32 = 115_200;

/// Connections to a reader at a serial line, one after the other.
pub fn links<F: Framing + Sync>(path: PathBuf, framing: F) -> Links<F::Message> {
    redial(move || {
        let (path, framing) = (path.clone(), framing.fresh());
        async move {
            let stream = open(&path).map_err(|why| format!("no serial line at {}: {why}", path.display()))?;
            Ok(link(stream, framing))
        }
    })
}

fn open(path: &Path) -> io::Result<SerialPort> {
    let line = SerialPort::open(path, BAUD)?;
    // What an earlier host did not read is not for this one.
    line.discard_input_buffer()?;
    Ok(line)
}

/// A pseudo-terminal for a simulated reader.
pub struct Terminal {
    /// The reader's end.
    pub reader: Pty,
    /// Where a host opens the other one.
    pub path: PathBuf,
    /// Without this the reader's end would be closed whenever a host leaves.
    kept: SerialPort,
}

impl Terminal {
    /// A new one.
    pub fn open() -> Result<Terminal, String> {
        let wrong = |why: &dyn std::fmt::Display| format!("no pseudo-terminal can be had: {why}");
        let (reader, other) = pty_process::open().map_err(|why| wrong(&why))?;
        let number = other.as_fd().as_raw_fd();
        let path = std::fs::read_link(format!("/proc/self/fd/{number}")).map_err(|why| wrong(&why))?;
        // Opening it as a serial line takes echo and line editing away.
        let kept = open(&path).map_err(|why| wrong(&why))?;
        Ok(Terminal { reader, path, kept })
    }

    /// The two ends that must live as long as each other.
    pub fn split(self) -> (Pty, SerialPort) {
        (self.reader, self.kept)
    }
}
