//! Pins of either make behind one type each.

use super::{GpioError, HeaderKind};
use crate::printer::profile::Level;
use embedded_hal::digital::{ErrorKind, ErrorType, InputPin, OutputPin};
use gpiocdev::Request;
use gpiocdev::line::{Bias, EdgeDetection, EdgeKind, Value};
use rppal::gpio::Gpio;
use std::path::PathBuf;
use std::time::Duration;

/// Labels of the header's chip on Raspberry Pis: Pi 1 to 3, 4, 5. Their numbers move with the kernel.
const LABELS: [&str; 3] = ["pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"];

/// Who asks, as `gpioinfo` shows it.
const CONSUMER: &str = "tillroll";

/// A header that can be asked for pins.
#[derive(Debug)]
pub enum Header {
    /// By rppal.
    Rppal(Gpio),
    /// By the kernel; this chip.
    Gpiocdev(PathBuf),
}

impl Header {
    /// Finds the header. `chip`: the label of its chip, for the kernel's device; the Raspberry Pis' own if absent.
    ///
    /// # Errors
    /// No Pi, no such chip, no right to touch it; each says what to do.
    pub fn open(kind: HeaderKind, chip: Option<&str>) -> Result<Header, GpioError> {
        match kind {
            HeaderKind::Rppal => Gpio::new().map(Header::Rppal).map_err(|why| match why {
                rppal::gpio::Error::UnknownModel => GpioError::NoPi,
                rppal::gpio::Error::PermissionDenied(path) => GpioError::Forbidden(path),
                rppal::gpio::Error::Io(why) => GpioError::Other(why.to_string()),
                other => GpioError::Other(other.to_string()),
            }),
            HeaderKind::Gpiocdev => find(chip).map(Header::Gpiocdev),
        }
    }

    /// A pin to read, pulled to `when_open` so that a disconnected one reads so.
    ///
    /// # Errors
    /// The line is in use or does not exist.
    pub fn input(&self, line: u8, when_open: Level) -> Result<Input, GpioError> {
        match self {
            Header::Rppal(gpio) => {
                let pin = gpio.get(line).map_err(|why| GpioError::Line(line, why.to_string()))?;
                Ok(Input::Rppal(match when_open {
                    Level::High => pin.into_input_pullup(),
                    Level::Low => pin.into_input_pulldown(),
                }))
            }
            Header::Gpiocdev(chip) => {
                let bias = match when_open {
                    Level::High => Bias::PullUp,
                    Level::Low => Bias::PullDown,
                };
                let mut request = Request::builder();
                request.on_chip(chip).with_consumer(CONSUMER).with_line(line.into()).as_input().with_bias(bias);
                request.request().map(Input::Gpiocdev).map_err(|why| GpioError::Line(line, why.to_string()))
            }
        }
    }

    /// A pin to drive, low to begin with.
    ///
    /// # Errors
    /// The line is in use or does not exist.
    pub fn output(&self, line: u8) -> Result<Output, GpioError> {
        match self {
            Header::Rppal(gpio) => {
                let pin = gpio.get(line).map_err(|why| GpioError::Line(line, why.to_string()))?;
                Ok(Output::Rppal(pin.into_output_low()))
            }
            Header::Gpiocdev(chip) => {
                let mut request = Request::builder();
                request.on_chip(chip).with_consumer(CONSUMER).with_line(line.into()).as_output(Value::Inactive);
                request.request().map(Output::Gpiocdev).map_err(|why| GpioError::Line(line, why.to_string()))
            }
        }
    }

    /// The edges of a line; the kernel's device only.
    ///
    /// # Errors
    /// The line is in use or does not exist, or the header is rppal's.
    pub fn edges(&self, line: u8) -> Result<Edges, GpioError> {
        match self {
            Header::Rppal(_) => Err(GpioError::Other("edges need `header` gpiocdev".to_owned())),
            Header::Gpiocdev(chip) => {
                let mut request = Request::builder();
                request.on_chip(chip).with_consumer(CONSUMER).with_line(line.into()).as_input();
                request.with_edge_detection(EdgeDetection::BothEdges);
                request.request().map(Edges).map_err(|why| GpioError::Line(line, why.to_string()))
            }
        }
    }
}

fn find(label: Option<&str>) -> Result<PathBuf, GpioError> {
    let chips = gpiocdev::chip::chips().map_err(|why| GpioError::Other(why.to_string()))?;
    let wanted = |found: &str| label.map_or_else(|| LABELS.contains(&found), |label| found == label);
    let mut forbidden = None;
    for path in chips {
        match gpiocdev::Chip::from_path(&path).and_then(|chip| chip.info()) {
            Ok(info) if wanted(&info.label) => return Ok(path),
            Ok(_) => {}
            Err(why) => forbidden = Some(format!("{}: {why}", path.display())),
        }
    }
    match forbidden {
        Some(why) => Err(GpioError::Forbidden(why)),
        None => Err(GpioError::NoChip(label.unwrap_or(LABELS[0]).to_owned())),
    }
}

/// A pin that did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a header pin does not answer: {0}")]
pub struct PinError(String);

impl embedded_hal::digital::Error for PinError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

/// A pin to read.
#[derive(Debug)]
pub enum Input {
    /// By rppal.
    Rppal(rppal::gpio::InputPin),
    /// By the kernel.
    Gpiocdev(Request),
}

impl ErrorType for Input {
    type Error = PinError;
}

impl InputPin for Input {
    fn is_high(&mut self) -> Result<bool, PinError> {
        match self {
            Input::Rppal(pin) => Ok(pin.read() == rppal::gpio::Level::High),
            Input::Gpiocdev(pin) => {
                pin.lone_value().map(|value| value == Value::Active).map_err(|why| PinError(why.to_string()))
            }
        }
    }

    fn is_low(&mut self) -> Result<bool, PinError> {
        self.is_high().map(|high| !high)
    }
}

/// A pin to drive. Goes back to what the board pulls it to when it is dropped.
#[derive(Debug)]
pub enum Output {
    /// By rppal.
    Rppal(rppal::gpio::OutputPin),
    /// By the kernel.
    Gpiocdev(Request),
}

impl Output {
    fn drive(&mut self, high: bool) -> Result<(), PinError> {
        match self {
            Output::Rppal(pin) => {
                pin.write(if high { rppal::gpio::Level::High } else { rppal::gpio::Level::Low });
                Ok(())
            }
            Output::Gpiocdev(pin) => {
                let value = if high { Value::Active } else { Value::Inactive };
                pin.set_lone_value(value).map_err(|why| PinError(why.to_string()))
            }
        }
    }
}

impl ErrorType for Output {
    type Error = PinError;
}

impl OutputPin for Output {
    fn set_low(&mut self) -> Result<(), PinError> {
        self.drive(false)
    }

    fn set_high(&mut self) -> Result<(), PinError> {
        self.drive(true)
    }
}

/// A line whose edges are told.
#[derive(Debug)]
pub struct Edges(Request);

impl Edges {
    /// The next edge, `true` for rising; `None` if there was none for so long.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn next(&self, within: Duration) -> Result<Option<bool>, GpioError> {
        let failed = |why: gpiocdev::Error| GpioError::Other(why.to_string());
        if !self.0.wait_edge_event(within).map_err(failed)? {
            return Ok(None);
        }
        Ok(Some(self.0.read_edge_event().map_err(failed)?.kind == EdgeKind::Rising))
    }
}
