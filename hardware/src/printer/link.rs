//! What a printer hangs on: a stream of bytes that says how much of it has left, header pins, and a clock.
//!
//! Pins are those of `embedded-hal` 1.0, so that one driver runs over rppal, the kernel's character device, and a
//! simulated header.

use embedded_hal::digital::{ErrorType, InputPin, OutputPin};
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A stream of bytes to a printer and back. Nothing here waits.
pub trait ByteLink: Send {
    /// Hands over as much as is taken at once, perhaps nothing.
    ///
    /// # Errors
    /// The line is gone.
    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Bytes that were handed over and have not left yet, as far as the line tells.
    ///
    /// # Errors
    /// The line is gone.
    fn pending(&mut self) -> io::Result<usize>;

    /// Takes what the printer said; 0 if there is nothing.
    ///
    /// # Errors
    /// The line is gone.
    fn try_read(&mut self, into: &mut [u8]) -> io::Result<usize>;

    /// Hands over a real-time question that must pass although the line may be stopped. Asked only when nothing else is on
    /// the line.
    ///
    /// # Errors
    /// The line is gone.
    fn try_urgent(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.try_write(bytes)
    }

    /// Throws away what has been handed over and has not left: the job was stopped.
    fn discard(&mut self) {}
}

impl ByteLink for Box<dyn ByteLink> {
    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.as_mut().try_write(bytes)
    }

    fn pending(&mut self) -> io::Result<usize> {
        self.as_mut().pending()
    }

    fn try_read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.as_mut().try_read(into)
    }

    fn try_urgent(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.as_mut().try_urgent(bytes)
    }

    fn discard(&mut self) {
        self.as_mut().discard();
    }
}

/// The header pins of a printer; each may be missing.
#[derive(Debug)]
pub struct Pins<I, O> {
    /// The printer must not be sent to. The profile says at which level.
    pub busy: Option<I>,
    /// High: no paper. Pulled up, so that a disconnected sensor says so too.
    pub paper: Option<I>,
    /// High: the drawer's solenoid draws.
    pub drawer: Option<O>,
}

impl<I, O> Default for Pins<I, O> {
    fn default() -> Self {
        Pins { busy: None, paper: None, drawer: None }
    }
}

/// A pin that does not exist, for printers without any.
#[derive(Debug, Clone, Copy)]
pub enum NoPin {}

impl ErrorType for NoPin {
    type Error = Infallible;
}

impl InputPin for NoPin {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        match *self {}
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        match *self {}
    }
}

impl OutputPin for NoPin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        match *self {}
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        match *self {}
    }
}

/// Time as the driver sees it, microseconds from any beginning.
pub trait Clock: Send + Clone {
    /// Now.
    fn now_us(&self) -> u64;
    /// Waits.
    fn sleep_us(&self, us: u64);
}

/// The machine's clock.
#[derive(Debug, Clone)]
pub struct RealClock(Instant);

impl Default for RealClock {
    fn default() -> RealClock {
        RealClock(Instant::now())
    }
}

impl Clock for RealClock {
    fn now_us(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn sleep_us(&self, us: u64) {
        std::thread::sleep(Duration::from_micros(us));
    }
}

/// A clock that goes on only when somebody sleeps, and then at once: for tests, benchmarks and days that are played.
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Arc<AtomicU64>);

impl Clock for ManualClock {
    fn now_us(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn sleep_us(&self, us: u64) {
        self.0.fetch_add(us, Ordering::SeqCst);
    }
}
