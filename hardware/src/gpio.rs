//! The 40-pin header: pins by `rppal`, which knows Raspberry Pis, or by the kernel's character device, which knows every
//! board and tells of edges. Both are given out as `embedded-hal` 1.0 pins.
//!
//! Lines are GPIO numbers ("BCM"), not places on the header.
//!
//! Start at [`Header::open`].

#[cfg(feature = "gpio")]
mod lines;

#[cfg(feature = "gpio")]
pub use lines::{Edges, Header, Input, Output};

use serde::Deserialize;
use std::fmt;
use std::str::FromStr;

/// The highest GPIO number that is taken.
pub const LINE_MAX: u8 = 63;

/// Whose code drives the pins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeaderKind {
    /// `rppal`: Raspberry Pis up to the Pi 5.
    #[default]
    Rppal,
    /// The kernel's character device: any board.
    Gpiocdev,
}

impl fmt::Display for HeaderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HeaderKind::Rppal => "rppal",
            HeaderKind::Gpiocdev => "gpiocdev",
        })
    }
}

impl FromStr for HeaderKind {
    type Err = String;

    fn from_str(text: &str) -> Result<HeaderKind, String> {
        match text {
            "rppal" => Ok(HeaderKind::Rppal),
            "gpiocdev" => Ok(HeaderKind::Gpiocdev),
            other => Err(format!("{other:?} drives no pins: rppal or gpiocdev")),
        }
    }
}

/// Why a pin cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GpioError {
    /// rppal does not know this machine.
    #[error("this machine is no Raspberry Pi that rppal knows: set `header` to gpiocdev, or leave the pins out")]
    NoPi,
    /// The pins are somebody else's.
    #[error("the header's pins may not be touched ({0}): add this user to the group gpio")]
    Forbidden(String),
    /// No such chip.
    #[error("no GPIO chip is labelled {0:?}: `gpiodetect` lists them, `chip` names one")]
    NoChip(String),
    /// The line is in use, or does not exist.
    #[error("GPIO{0} cannot be had: {1}")]
    Line(u8, String),
    /// Anything else.
    #[error("the header does not work: {0}")]
    Other(String),
    /// Built without it.
    #[error("this program was built without the header (feature gpio)")]
    NotBuilt,
}

impl GpioError {
    /// Whether trying again is useless.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, GpioError::Line(..) | GpioError::Other(_))
    }
}

/// The board's model, or why it is none, in a sentence.
#[cfg(feature = "gpio")]
pub fn board() -> Result<String, String> {
    let info = rppal::system::DeviceInfo::new();
    info.map(|info| info.model().to_string()).map_err(|why| format!("this machine is no Raspberry Pi: {why}"))
}

/// Built without the header.
#[cfg(not(feature = "gpio"))]
pub fn board() -> Result<String, String> {
    Err("this program was built without the header".to_owned())
}
