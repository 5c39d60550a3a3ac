//! Real printers: on a serial line, with or without header pins, and on the network.
//!
//! Serial lines go through rppal, which opens any tty by its path: the header's UART, a USB adapter, a pseudo-terminal.
//!
//! Start at [`open`].

mod tcp;
#[cfg(feature = "gpio")]
mod uart;

use super::PrinterLink;
#[cfg(feature = "gpio")]
use super::driver::Driver;
use super::driver::{self, Open};
use super::link::{ByteLink, NoPin, Pins, RealClock};
use super::profile::{Profile, ProfileData, ProfileError};
use super::{Health, JobEnd};
use crate::gpio::{GpioError, HeaderKind, LINE_MAX};
use serde::Deserialize;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The port of printers on the network ("raw", JetDirect).
pub const TCP_PORT: u16 = 9100;

/// Where a printer is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Device {
    /// `tcp:HOST` or `tcp:HOST:PORT`.
    Tcp(String),
    /// The path of a serial line.
    Line(PathBuf),
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Tcp(address) => write!(f, "tcp:{address}"),
            Device::Line(path) => write!(f, "{}", path.display()),
        }
    }
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Device, String> {
        match text.strip_prefix("tcp:") {
            Some("") => Err("a printer on the network is tcp:HOST or tcp:HOST:PORT".to_owned()),
            Some(host) if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) => {
                Ok(Device::Tcp(host.to_owned()))
            }
            Some(host) => Ok(Device::Tcp(format!("{host}:{TCP_PORT}"))),
            None if text.starts_with('/') => Ok(Device::Line(PathBuf::from(text))),
            None => Err(format!("{text:?} is no printer: a path such as /dev/ttyAMA0, or tcp:HOST")),
        }
    }
}

impl TryFrom<String> for Device {
    type Error = String;

    fn try_from(text: String) -> Result<Device, String> {
        text.parse()
    }
}

/// Which printer, and how it is wired. The table `printer` of `config.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PrinterConfig {
    /// Where it is.
    pub device: Device,
    /// What it can do: a name of the library, or a file.
    pub profile: String,
    /// Bits a second, if not the profile's.
    #[serde(default)]
    pub baud: Option<u32>,
    /// Its busy line is wired to CTS, so that the line itself stops.
    #[serde(default)]
    pub cts: bool,
    /// Whose code drives the pins.
    #[serde(default)]
    pub header: HeaderKind,
    /// The label of the header's chip, for gpiocdev.
    #[serde(default)]
    pub chip: Option<String>,
    /// GPIO number of the busy line.
    #[serde(default)]
    pub busy: Option<u8>,
    /// GPIO number of the paper sensor.
    #[serde(default)]
    pub paper: Option<u8>,
    /// GPIO number that kicks the drawer.
    #[serde(default)]
    pub drawer: Option<u8>,
}

/// Why a printer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// No such profile.
    #[error("printer.profile: {0}")]
    Profile(#[from] ProfileError),
    /// The line or the address does not open.
    #[error("printer.device: {0}")]
    Device(String),
    /// A setting that cannot be.
    #[error("printer.{0}: {1}")]
    Setting(&'static str, String),
    /// A pin.
    #[error("printer.{0}: {1}")]
    Pin(&'static str, GpioError),
}

impl PortError {
    /// Whether trying again is useless.
    pub fn is_permanent(&self) -> bool {
        match self {
            PortError::Profile(why) => why.is_permanent(),
            PortError::Setting(..) => true,
            PortError::Pin(_, why) => why.is_permanent(),
            PortError::Device(_) => false,
        }
    }
}

impl PrinterConfig {
    /// The profile, with this printer's own baud rate.
    ///
    /// # Errors
    /// No such profile, or a baud rate that is none.
    pub fn printer(&self) -> Result<ProfileData, PortError> {
        let printer = Profile::named(&self.profile)?.data;
        match self.baud {
            Some(baud @ 1_200..=1_000_000) => Ok(ProfileData { baud, ..printer }),
            Some(baud) => Err(PortError::Setting("baud", format!("{baud} is no baud rate: 1200 to 1000000"))),
            None => Ok(printer),
        }
    }

    fn check(&self) -> Result<(), PortError> {
        for (name, line) in [("busy", self.busy), ("paper", self.paper), ("drawer", self.drawer)] {
            if let Some(line) = line.filter(|line| *line > LINE_MAX) {
                return Err(PortError::Setting(name, format!("{line} is no GPIO number: 0 to {LINE_MAX}")));
            }
        }
        if self.cts && matches!(self.device, Device::Tcp(_)) {
            return Err(PortError::Setting("cts", "a printer on the network has no CTS: leave it out".to_owned()));
        }
        Ok(())
    }
}

/// A printer that is ready to be driven on this thread.
pub trait Ready: Send {
    /// Opens its line, so that a wrong one is told at once.
    ///
    /// # Errors
    /// Why it cannot be opened.
    fn connect(&mut self) -> Result<(), String>;
    /// What it is able to, and what would stop a job.
    fn check(&mut self) -> Health;
    /// Prints.
    fn print(&mut self, print: &driver::Print<'_>, watch: &mut dyn driver::Watch) -> JobEnd;
    /// Opens the drawer.
    fn drawer(&mut self) -> bool;
    /// Starts its thread.
    fn spawn(self: Box<Self>) -> PrinterLink;
}

/// A configured printer. Pins are taken now, the line is opened when it is first needed.
///
/// # Errors
/// A wrong setting, named, or a pin that cannot be had.
pub fn open(config: &PrinterConfig) -> Result<Box<dyn Ready>, PortError> {
    config.check()?;
    let printer = config.printer()?;
    let paced = config.cts || matches!(config.device, Device::Tcp(_));
    let line = line_of(config, printer.baud)?;
    let clock = RealClock::default();
    if [config.busy, config.paper, config.drawer] == [None; 3] {
        let pins: Pins<NoPin, NoPin> = Pins::default();
        return Ok(Box::new(driver::Driver::new(printer, paced, line, pins, clock)));
    }
    with_pins(config, printer, paced, line, clock)
}

#[cfg(feature = "gpio")]
fn with_pins(
    config: &PrinterConfig,
    printer: ProfileData,
    paced: bool,
    line: Open<Box<dyn ByteLink>>,
    clock: RealClock,
) -> Result<Box<dyn Ready>, PortError> {
    use crate::gpio::Header;
    use crate::printer::profile::Level;
    let header = Header::open(config.header, config.chip.as_deref()).map_err(|why| PortError::Pin("header", why))?;
    let input = |name, line: Option<u8>, when_open| {
        line.map(|line| header.input(line, when_open)).transpose().map_err(|why| PortError::Pin(name, why))
    };
    let pins = Pins {
        // Disconnected is busy, and no paper.
        busy: input("busy", config.busy, printer.busy)?,
        paper: input("paper", config.paper, Level::High)?,
        drawer: config
            .drawer
            .map(|line| header.output(line))
            .transpose()
            .map_err(|why| PortError::Pin("drawer", why))?,
    };
    Ok(Box::new(Driver::new(printer, paced, line, pins, clock)))
}

#[cfg(not(feature = "gpio"))]
fn with_pins(
    _: &PrinterConfig,
    _: ProfileData,
    _: bool,
    _: Open<Box<dyn ByteLink>>,
    _: RealClock,
) -> Result<Box<dyn Ready>, PortError> {
    Err(PortError::Pin("header", GpioError::NotBuilt))
}

fn line_of(config: &PrinterConfig, baud: u32) -> Result<Open<Box<dyn ByteLink>>, PortError> {
    match &config.device {
        Device::Tcp(address) => {
            let address = address.clone();
            Ok(Box::new(move || tcp::open(&address).map(|line| Box::new(line) as Box<dyn ByteLink>)))
        }
        Device::Line(path) => serial(path.clone(), baud, config.cts),
    }
}

#[cfg(feature = "gpio")]
fn serial(path: PathBuf, baud: u32, cts: bool) -> Result<Open<Box<dyn ByteLink>>, PortError> {
    Ok(Box::new(move || uart::open(&path, baud, cts).map(|line| Box::new(line) as Box<dyn ByteLink>)))
}

#[cfg(not(feature = "gpio"))]
fn serial(_: PathBuf, _: u32, _: bool) -> Result<Open<Box<dyn ByteLink>>, PortError> {
    Err(PortError::Device("serial lines were left out of this program (feature gpio); tcp:HOST works".to_owned()))
}

impl<L, I, O, C> Ready for driver::Driver<L, I, O, C>
where
    L: ByteLink + 'static,
    I: embedded_hal::digital::InputPin + Send + 'static,
    O: embedded_hal::digital::OutputPin + Send + 'static,
    C: super::link::Clock + 'static,
{
    fn connect(&mut self) -> Result<(), String> {
        driver::Driver::connect(self)
    }

    fn check(&mut self) -> Health {
        driver::Driver::check(self)
    }

    fn print(&mut self, print: &driver::Print<'_>, watch: &mut dyn driver::Watch) -> JobEnd {
        driver::Driver::print(self, print, watch)
    }

    fn drawer(&mut self) -> bool {
        driver::Driver::drawer(self)
    }

    fn spawn(self: Box<Self>) -> PrinterLink {
        driver::spawn(*self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(device: &str) -> PrinterConfig {
        let device = device.parse().unwrap();
        let profile = "generic-58".to_owned();
        let header = HeaderKind::Rppal;
        PrinterConfig {
            device,
            profile,
            baud: None,
            cts: false,
            header,
            chip: None,
            busy: None,
            paper: None,
            drawer: None,
        }
    }

    #[track_caller]
    fn told(config: &PrinterConfig) -> String {
        match open(config) {
            Ok(mut printer) => format!("printer.device: {}", printer.connect().unwrap_err()),
            Err(why) => why.to_string(),
        }
    }

    #[test]
    fn devices_are_read_and_written() {
        for text in ["/dev/ttyAMA0", "tcp:10.0.0.9:9100", "tcp:[::1]:9100"] {
            assert_eq!(text.parse::<Device>().unwrap().to_string(), text);
        }
        assert_eq!("tcp:till".parse::<Device>().unwrap().to_string(), "tcp:till:9100");
        assert!("COM1".parse::<Device>().unwrap_err().contains("/dev/ttyAMA0") && "tcp:".parse::<Device>().is_err());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_setting() {
        assert!(
            told(&PrinterConfig { profile: "mine".into(), ..config("/dev/null") }).starts_with("printer.profile: ")
        );
        assert!(told(&PrinterConfig { baud: Some(3), ..config("/dev/null") }).starts_with("printer.baud: 3 is no"));
        assert!(told(&PrinterConfig { busy: Some(99), ..config("/dev/null") }).starts_with("printer.busy: 99 is no"));
        assert!(told(&PrinterConfig { cts: true, ..config("tcp:till") }).starts_with("printer.cts: "));
        assert!(told(&config("tcp:127.0.0.1:1")).contains("127.0.0.1:1"));
    }

    #[cfg(feature = "gpio")]
    #[test]
    fn a_path_that_is_no_line_and_a_machine_without_pins_say_so() {
        let not_there = told(&config("/dev/no-such-line"));
        assert!(not_there.contains("/dev/no-such-line") && not_there.contains("there is no such"), "{not_there}");
        let no_tty = told(&config("/dev/null"));
        assert!(no_tty.contains("/dev/null") && no_tty.contains("is no serial line"), "{no_tty}");
        // On a machine that is no Pi.
        if crate::gpio::board().is_err() {
            let no_pi = told(&PrinterConfig { busy: Some(16), ..config("/dev/null") });
            assert!(no_pi.starts_with("printer.header: ") && no_pi.contains("gpiocdev"), "{no_pi}");
            let cdev = PrinterConfig { busy: Some(16), header: HeaderKind::Gpiocdev, ..config("/dev/null") };
            assert!(told(&cdev).starts_with("printer.header: "), "{}", told(&cdev));
        }
    }
}
