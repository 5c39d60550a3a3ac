//! Which reader and printer a command works with.

use super::{CliError, config, error};
pub use crate::runtime::actors::devices::{Protocol, ReaderName, no_reader, reader_at};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tillroll_hardware::printer::link::{ManualClock, RealClock};
use tillroll_hardware::printer::profile::{Cut, Profile, ProfileData};
use tillroll_hardware::printer::sim::{self as printer_sim, Pace};
use tillroll_hardware::printer::{PrinterLink, ports};
use tillroll_hardware::reader::miura::driver::MiuraDriver;
use tillroll_hardware::reader::mms::driver::MmsDriver;
use tillroll_hardware::reader::sim::{self, Keys, SimConfig, SimControl};
use tillroll_hardware::reader::{ReaderLink, miura, mms, session};
use tillroll_hardware::transport::bluetooth::{self, BluetoothError, Kind, Question, SerialPort};
use tokio::sync::mpsc;

/// How simulated readers call themselves, as the vendors' own do by default.
pub const NAME_MMS: &str = "DF II Go-5A11D01";
/// The same for the other family.
pub const NAME_MIURA: &str = "Miura 010-5A11D01";

/// The passkey that readers are delivered with.
pub const PASSKEY: u32 = 0;

/// The profile of a printer that nobody has named.
pub const PROFILE: &str = "generic-58";

/// A printer that is never there.
pub fn no_printer() -> anyhow::Result<PrinterLink> {
    let (commands, _) = mpsc::channel(1);
    let (_, events) = mpsc::channel(1);
    Ok(PrinterLink { commands, events, printer: Profile::named(PROFILE)?.data, drawer: false })
}

/// The printer that `config.toml` in the handheld's folder names, or none.
pub fn configured_printer(dir: &Path) -> Result<PrinterLink, CliError> {
    match config::read(dir)?.printer {
        Some(printer) => Ok(ports::open(&printer).map_err(|why| error::printer(&why))?.spawn()),
        None => Ok(no_printer()?),
    }
}

/// A simulated printer for 58 mm paper with a cutter and a drawer, which keeps its receipts in a folder.
pub fn simulated_printer(folder: PathBuf, pace: Pace) -> anyhow::Result<PrinterLink> {
    let printer = ProfileData { cut: Cut::Cut, ..Profile::named(PROFILE)?.data };
    let config = printer_sim::SimConfig { printer, folder: Some(folder) };
    Ok(match pace {
        Pace::Real => printer_sim::spawn(config, RealClock::default()).0,
        Pace::AtOnce => printer_sim::spawn(config, ManualClock::default()).0,
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
