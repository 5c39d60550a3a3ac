//! Which reader is meant, in one word, and its driver.

use std::path::PathBuf;
use tillroll_hardware::reader::miura::driver::MiuraDriver;
use tillroll_hardware::reader::mms::driver::MmsDriver;
use tillroll_hardware::reader::{ReaderLink, session};
use tillroll_hardware::transport::bluetooth::{self, Address, BluetoothError, SerialPort};
use tillroll_hardware::transport::line::{self, End, MiuraLine, MmsLine};
use tillroll_hardware::transport::tty;
use tokio::sync::mpsc;

/// A reader's name, as it is written on the command line and kept: `tcp:HOST:PORT`, `miura-tcp:HOST:PORT`, `ble:ADDRESS`,
/// `rfcomm:ADDRESS`, `tty:PATH`, `miura-tty:PATH`. The last two are serial lines or pseudo-terminals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderName {
    /// Over TCP.
    Tcp(Protocol, String),
    /// Over a serial line.
    Tty(Protocol, PathBuf),
    /// MMS over Bluetooth Low Energy.
    Ble(Address),
    /// Miura over Bluetooth Classic.
    Rfcomm(Address),
}

/// What a reader speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Protocol {
    /// MagTek MMS (DynaFlex family)
    Mms,
    /// Miura MPI (M010 family)
    Miura,
}

impl std::str::FromStr for ReaderName {
    type Err = String;

    fn from_str(text: &str) -> Result<ReaderName, String> {
        let wrong = || {
            format!(
                "{text} names no reader: write it as ble:AA:BB:CC:DD:EE:FF, rfcomm:AA:BB:CC:DD:EE:FF, tcp:HOST:PORT or \
                 tty:PATH (miura-tcp and miura-tty for a Miura reader)"
            )
        };
        let (scheme, rest) = text.split_once(':').ok_or_else(wrong)?;
        match scheme {
            "tcp" if rest.contains(':') => Ok(ReaderName::Tcp(Protocol::Mms, rest.to_owned())),
            "miura-tcp" if rest.contains(':') => Ok(ReaderName::Tcp(Protocol::Miura, rest.to_owned())),
            "tty" if !rest.is_empty() => Ok(ReaderName::Tty(Protocol::Mms, rest.into())),
            "miura-tty" if !rest.is_empty() => Ok(ReaderName::Tty(Protocol::Miura, rest.into())),
            "ble" => rest.parse().map(ReaderName::Ble),
            "rfcomm" => rest.parse().map(ReaderName::Rfcomm),
            _ => Err(wrong()),
        }
    }
}

impl std::fmt::Display for ReaderName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ReaderName::Tcp(Protocol::Mms, address) => write!(f, "tcp:{address}"),
            ReaderName::Tcp(Protocol::Miura, address) => write!(f, "miura-tcp:{address}"),
            ReaderName::Tty(Protocol::Mms, path) => write!(f, "tty:{}", path.display()),
            ReaderName::Tty(Protocol::Miura, path) => write!(f, "miura-tty:{}", path.display()),
            ReaderName::Ble(address) => write!(f, "ble:{address}"),
            ReaderName::Rfcomm(address) => write!(f, "rfcomm:{address}"),
        }
    }
}

/// Starts the driver of a reader; `adapter` is the Bluetooth adapter, the first if absent.
pub async fn reader_at(name: &ReaderName, adapter: Option<String>) -> Result<ReaderLink, BluetoothError> {
    let mms = |links| session::spawn::<MmsDriver>(links);
    let miura = |links| session::spawn::<MiuraDriver>(links);
    Ok(match name {
        ReaderName::Tcp(Protocol::Mms, address) => mms(line::tcp(address.clone(), MmsLine::new(End::Host))),
        ReaderName::Tcp(Protocol::Miura, address) => miura(line::tcp(address.clone(), MiuraLine::default())),
        ReaderName::Tty(Protocol::Mms, path) => mms(tty::links(path.clone(), MmsLine::new(End::Host))),
        ReaderName::Tty(Protocol::Miura, path) => miura(tty::links(path.clone(), MiuraLine::default())),
        ReaderName::Ble(address) => mms(bluetooth::mms(adapter, *address)),
        ReaderName::Rfcomm(address) => miura(SerialPort::open().await?.miura(adapter, *address)),
    })
}

/// A reader that is never there: every payment at it ends with the reader's own sentence.
pub fn no_reader() -> ReaderLink {
    let (never, links) = mpsc::channel(1);
    // Kept open for as long as the program runs, so that the driver waits instead of ending.
    tokio::spawn(async move { never.closed().await });
    session::spawn::<MmsDriver>(links)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readers_name_is_read_as_it_is_written() {
        for name in ["ble:00:11:22:33:44:66", "rfcomm:00:11:22:33:44:66", "tcp:127.0.0.1:9", "miura-tty:/dev/ttyS1"] {
            assert_eq!(name.parse::<ReaderName>().unwrap().to_string(), name);
        }
        for wrong in ["", "ble", "ble:00:11", "tcp:9", "tty:", "usb:1"] {
            assert!(wrong.parse::<ReaderName>().is_err(), "{wrong}");
        }
    }
}
