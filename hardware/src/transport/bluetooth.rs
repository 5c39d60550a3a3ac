//! Bluetooth through BlueZ's daemon: which readers are near, pairing, and connections to them.
//!
//! `gatt` carries MMS over Bluetooth Low Energy and `gatt_reader` is its other side, for simulated readers; `serial`
//! carries Miura over the serial port profile, both sides. Built without the stack everything here
//! answers [`BluetoothError::NotBuilt`].

#[cfg(not(feature = "bluetooth"))]
mod absent;
#[cfg(feature = "bluetooth")]
mod agent;
#[cfg(feature = "bluetooth")]
mod devices;
#[cfg(feature = "bluetooth")]
mod failure;
#[cfg(feature = "bluetooth")]
mod gatt;
#[cfg(feature = "bluetooth")]
mod gatt_reader;
#[cfg(feature = "bluetooth")]
mod serial;

use std::fmt;
use std::str::FromStr;
use tokio::sync::oneshot;

#[cfg(not(feature = "bluetooth"))]
pub use absent::{SerialPort, adapters, forget, known, mms, pair, scan, serve_mms};
#[cfg(feature = "bluetooth")]
pub use {
    devices::{adapters, forget, known, pair, scan},
    gatt::mms,
    gatt_reader::serve_mms,
    serial::SerialPort,
};

/// Why Bluetooth does not do what was asked; each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BluetoothError {
    /// No socket of the system bus.
    #[error("Bluetooth needs the system's message bus, and there is none: install and start dbus")]
    NoBus,
    /// Nobody owns `org.bluez`.
    #[error("the Bluetooth daemon does not run: install bluez, then `sudo systemctl enable --now bluetooth`")]
    NoDaemon,
    /// No controller.
    #[error(
        "this machine has no Bluetooth adapter: plug one in, or on a Pi take dtoverlay=disable-bt out of config.txt"
    )]
    NoAdapter,
    /// A switch, in software or on the case.
    #[error("Bluetooth is switched off: `sudo rfkill unblock bluetooth`, or the switch on the case")]
    Blocked,
    /// The bus's policy.
    #[error("this user may not use Bluetooth: `sudo usermod -aG bluetooth $USER`, then log in again")]
    NoPermission,
    /// Compiled without it.
    #[error("this program was built without Bluetooth: use a build with the feature `bluetooth`")]
    NotBuilt,
    /// Not heard of for as long as was waited.
    #[error("{0} is not in reach: switch the reader on, bring it closer, and look whether it is connected elsewhere")]
    OutOfReach(Address),
    /// Its service is not there.
    #[error("{0} is no card reader of this kind")]
    OtherDevice(Address),
    /// The two did not agree.
    #[error(
        "pairing with {0} failed: look up the passkey (000000 unless it was changed) and put the reader into pairing"
    )]
    NotPaired(Address),
    /// Two adapters are needed to be both ends.
    #[error("a reader of one's own needs a second Bluetooth adapter; this machine has {0}")]
    OneAdapter(usize),
    /// Anything else, in the daemon's words.
    #[error("Bluetooth failed: {0}")]
    Other(String),
}

impl BluetoothError {
    /// Whether trying again is useless until somebody has done something.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, BluetoothError::OutOfReach(_) | BluetoothError::Other(_))
    }
}

/// A device's address, six bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(pub [u8; 6]);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{g:02X}")
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        let wrong = || format!("{text} is no Bluetooth address: write it as AA:BB:CC:DD:EE:FF");
        let bytes: Result<Vec<u8>, _> = text
            .split(':')
            .map(|part| u8::from_str_radix(part, 16).ok().filter(|_| part.len() == 2).ok_or(()))
            .collect();
        bytes.ok().and_then(|bytes| bytes.try_into().ok()).map(Address).ok_or_else(wrong)
    }
}

/// What kind of reader a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// MMS over Bluetooth Low Energy.
    Mms,
    /// Miura over the serial port profile.
    Miura,
}

impl Kind {
    /// As a reader's name begins: `ble`, `rfcomm`.
    pub fn scheme(self) -> &'static str {
        match self {
            Kind::Mms => "ble",
            Kind::Miura => "rfcomm",
        }
    }
}

/// A reader that was found or is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where.
    pub address: Address,
    /// As it calls itself, printable; empty if it does not.
    pub name: String,
    /// What kind.
    pub kind: Kind,
    /// Signal strength, dBm; absent when it was not heard just now.
    pub rssi_dbm: Option<i16>,
    /// Whether it is paired.
    pub paired: bool,
    /// Whether it is connected now.
    pub connected: bool,
}

/// A question of the pairing that only a person can answer: does the other side show this number too?
#[derive(Debug)]
pub struct Question {
    /// Six digits.
    pub number: u32,
    /// Yes or no; no answer is a no.
    pub answer: oneshot::Sender<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        let address: Address = "00:1f:A0:0b:0C:0d".parse().unwrap();
        assert_eq!(address.to_string(), "00:1F:A0:0B:0C:0D");
        for wrong in ["", "00:11:22:33:44", "00:11:22:33:44:5", "00:11:22:33:44:55:66", "gg:11:22:33:44:55"] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }
}
