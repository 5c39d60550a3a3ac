//! A serial line through rppal: by its path, never the board's default.

use crate::printer::link::ByteLink;
use rppal::uart::{Error, Parity, Queue, Uart};
use std::io;
use std::path::Path;

/// A serial line.
pub(super) struct Line {
    uart: Uart,
    cts: bool,
}

/// Opens it: eight bits, no parity, one stop bit, raw, nothing waits.
pub(super) fn open(path: &Path, baud: u32, cts: bool) -> Result<Line, String> {
    let shown = path.display();
    let wrong = |why: Error| match why {
        Error::Io(why) if why.kind() == io::ErrorKind::NotFound => {
            format!("there is no such line as {shown}: check the path")
        }
        Error::Io(why) if why.kind() == io::ErrorKind::PermissionDenied => {
            format!("{shown} may not be opened: add this user to the group dialout")
        }
        // ENOTTY: the path is something else.
        Error::Io(why) if why.raw_os_error() == Some(NOT_A_TTY) => format!("{shown} is no serial line"),
        Error::InvalidValue => format!("{shown} cannot do {baud} baud"),
        other => format!("{shown} cannot be opened: {other}"),
    };
    let mut uart = Uart::with_path(path, baud, Parity::None, 8, 1).map_err(wrong)?;
    if cts {
        uart.set_hardware_flow_control(true).map_err(wrong)?;
    }
    Ok(Line { uart, cts })
}

/// `ENOTTY` of Linux, "Inappropriate ioctl for device".
const NOT_A_TTY: i32 = 25;

impl ByteLink for Line {
    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.uart.write(bytes).map_err(io::Error::other)
    }

    fn pending(&mut self) -> io::Result<usize> {
        self.uart.output_len().map_err(io::Error::other)
    }

    fn try_read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.uart.read(into).map_err(io::Error::other)
    }

    /// A stopped printer holds its CTS: past it goes what is asked in real time.
    fn try_urgent(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.cts {
            return self.try_write(bytes);
        }
        self.uart.set_hardware_flow_control(false).map_err(io::Error::other)?;
        let written = self.uart.write(bytes).map_err(io::Error::other);
        let left = self.uart.drain().map_err(io::Error::other);
        self.uart.set_hardware_flow_control(true).map_err(io::Error::other)?;
        left.and(written)
    }

    fn discard(&mut self) {
        if let Err(error) = self.uart.flush(Queue::Output) {
            tracing::warn!(%error, "bytes for the printer could not be taken back");
        }
    }
}
