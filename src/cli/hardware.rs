//! Which reader and printer a command works with. The driver for the header is not built yet: until then a real
//! handheld has no printer, and the screen says so.

use std::path::PathBuf;
use std::time::Duration;
use tillroll_hardware::printer::PrinterLink;
use tillroll_hardware::reader::miura::driver::MiuraDriver;
use tillroll_hardware::reader::mms::driver::MmsDriver;
use tillroll_hardware::reader::sim::{self, Keys, SimConfig, SimControl};
use tillroll_hardware::reader::{ReaderLink, miura, mms, session};
use tillroll_hardware::transport::bluetooth::{self, Address, BluetoothError, Kind, Question, SerialPort};
use tillroll_hardware::transport::line::{self, End, MiuraLine, MmsLine};
use tillroll_hardware::transport::tty;
use tokio::sync::mpsc;

/// How simulated readers call themselves, as the vendors' own do by default.
pub const NAME_MMS: &str = "DF II Go-5A11D01";
/// The same for the other family.
pub const NAME_MIURA: &str = "Miura 010-5A11D01";

/// The passkey that readers are delivered with.
pub const PASSKEY: u32 = 0;

/// Columns of a 58 mm roll.
const COLUMNS: u16 = 32;

/// A reader that is never there: every payment at it ends with the reader's own sentence.
pub fn no_reader() -> ReaderLink {
    let (never, links) = mpsc::channel(1);
    // Kept open for as long as the program runs, so that the driver waits instead of ending.
    tokio::spawn(async move { never.closed().await });
    session::spawn::<MmsDriver>(links)
}

/// A printer that is never there.
pub fn no_printer() -> PrinterLink {
    let (commands, _) = mpsc::channel(1);
    let (_, events) = mpsc::channel(1);
    PrinterLink { commands, events, columns: COLUMNS }
}

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

/// A simulated reader and its driver in this process, with Bluetooth between them: `ble` or `rfcomm`. It needs two
/// adapters, the reader's is the second.
pub async fn over_bluetooth(kind: Kind, config: SimConfig) -> Result<(ReaderLink, SimControl), BluetoothError> {
    let adapters = bluetooth::adapters().await?;
    let [host, other, ..] = adapters.as_slice() else { return Err(BluetoothError::OneAdapter(adapters.len())) };
    let (questions, mut asked) = mpsc::channel::<Question>(1);
    // Both ends are this program: the numbers are the same.
    tokio::spawn(async move {
        while let Some(question) = asked.recv().await {
            let _ = question.answer.send(true);
        }
    });
    let host = Some(host.clone());
    match kind {
        Kind::Mms => {
            let (address, links) = bluetooth::serve_mms(Some(other), NAME_MMS, true).await?;
            let control = sim::serve_links::<mms::sim::Reader>(config, links);
            bluetooth::pair(host.as_deref(), address, PASSKEY, questions).await?;
            Ok((session::spawn::<MmsDriver>(bluetooth::mms(host, address)), control))
        }
        Kind::Miura => {
            let port = SerialPort::open().await?;
            let (address, links) = port.serve_miura(Some(other), NAME_MIURA).await?;
            let control = sim::serve_links::<miura::sim::Reader>(config, links);
            Ok((session::spawn::<MiuraDriver>(port.miura(host, address)), control))
        }
    }
}

/// A simulated reader under the public test key.
pub fn simulated(ksn_file: Option<PathBuf>, present_after: Duration) -> SimConfig {
    SimConfig { serial: "5A11D01".to_owned(), ksn_file, keys: Keys::Tdes, present_after }
}
