//! `tillroll reader simulate`: a reader for another program, over Bluetooth, a pseudo-terminal or TCP.

use crate::cli::hardware::{self, Protocol};
use crate::cli::output::line;
use crate::cli::{CliError, error};
use std::path::PathBuf;
use std::time::Duration;
use tillroll_hardware::reader::link::Link;
use tillroll_hardware::reader::sim::{Fault, Keys, SimControl, Simulated, serve_links};
use tillroll_hardware::reader::{miura, mms};
use tillroll_hardware::transport::bluetooth::{self, SerialPort};
use tillroll_hardware::transport::line::{self as lines, End, Framing, MiuraLine, MmsLine};
use tillroll_hardware::transport::tty::Terminal;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// How long after arming the card comes.
const PRESENT_AFTER: Duration = Duration::from_millis(300);

/// What is simulated.
#[derive(Debug, clap::Args)]
pub struct SimulateArgs {
    /// Which protocol it speaks
    #[arg(long, value_enum, default_value = "mms")]
    protocol: Protocol,
    /// How a host reaches it; tcp:0 for any free port
    #[arg(long, value_name = "ble|rfcomm|pty|tcp:PORT")]
    transport: Transport,
    /// The card that is put to it; see `tillroll processor cards`
    #[arg(long, default_value = "visa-tap")]
    card: String,
    /// Where its key counter is kept; in memory unless named
    #[arg(long, value_name = "FILE")]
    ksn_file: Option<PathBuf>,
    /// Encrypt under AES-128 DUKPT instead of TDES; mms only
    #[arg(long)]
    aes: bool,
    /// What goes wrong at its Nth message, once: lost:N, doubled:N, late:N or cut:N
    #[arg(long, value_name = "FAULT")]
    fault: Option<Fault>,
    /// Its battery, percent
    #[arg(long, value_name = "PERCENT", default_value_t = 100, value_parser = clap::value_parser!(u8).range(0..=100))]
    battery: u8,
    /// The Bluetooth adapter; the first one unless named
    #[arg(long, value_name = "hciN")]
    adapter: Option<String>,
    /// Over ble: take nothing from a host that is not paired, as a real reader does
    #[arg(long)]
    encrypted: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Transport {
    Ble,
    Rfcomm,
    Pty,
    Tcp(u16),
}

impl std::str::FromStr for Transport {
    type Err = String;

    fn from_str(text: &str) -> Result<Transport, String> {
        match (text, text.strip_prefix("tcp:").map(str::parse)) {
            ("ble", _) => Ok(Transport::Ble),
            ("rfcomm", _) => Ok(Transport::Rfcomm),
            ("pty", _) => Ok(Transport::Pty),
            (_, Some(Ok(port))) => Ok(Transport::Tcp(port)),
            _ => Err(format!("{text} is no transport: write ble, rfcomm, pty or tcp:PORT")),
        }
    }
}

/// Runs until interrupted.
pub async fn simulate(args: SimulateArgs) -> Result<bool, CliError> {
    match (args.protocol, &args.transport) {
        (Protocol::Mms, Transport::Ble) => {
            let adapter = args.adapter.as_deref();
            let served = bluetooth::serve_mms(adapter, hardware::NAME_MMS, args.encrypted).await;
            let (address, links) = served.map_err(|why| error::bluetooth(&why))?;
            serve::<mms::sim::Reader>(&args, links, &format!("ble:{address}")).await
        }
        (Protocol::Miura, Transport::Rfcomm) => {
            let port = SerialPort::open().await.map_err(|why| error::bluetooth(&why))?;
            let served = port.serve_miura(args.adapter.as_deref(), hardware::NAME_MIURA).await;
            let (address, links) = served.map_err(|why| error::bluetooth(&why))?;
            serve::<miura::sim::Reader>(&args, links, &format!("rfcomm:{address}")).await
        }
        (Protocol::Mms, Transport::Rfcomm) | (Protocol::Miura, Transport::Ble) => Err(CliError::usage(
            "this protocol does not go over this transport".to_owned(),
            "mms goes over ble, miura over rfcomm; both over pty and tcp:PORT",
        )),
        (Protocol::Mms, _) => on_line::<mms::sim::Reader, _>(&args, "", MmsLine::new(End::Reader)).await,
        (Protocol::Miura, _) => on_line::<miura::sim::Reader, _>(&args, "miura-", MiuraLine::default()).await,
    }
}

/// Over a pseudo-terminal or TCP.
async fn on_line<R, F>(args: &SimulateArgs, prefix: &str, framing: F) -> Result<bool, CliError>
where
    R: Simulated<Message = F::Message>,
    F: Framing,
{
    let (connect, links) = mpsc::channel(1);
    if let Transport::Tcp(port) = args.transport {
        let socket = TcpListener::bind(("127.0.0.1", port)).await.map_err(|why| {
            CliError::not_now(
                "port",
                format!("port {port} cannot be used: {why}"),
                "choose another with --transport tcp:PORT",
            )
        })?;
        let at = format!("{prefix}tcp:{}", socket.local_addr().map_err(anyhow::Error::from)?);
        tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                if connect.send(lines::link(stream, framing.fresh()).0).await.is_err() {
                    return;
                }
            }
        });
        return serve::<R>(args, links, &at).await;
    }
    let terminal = Terminal::open().map_err(|why| CliError::not_now("pty", why, "try --transport tcp:0"))?;
    let at = format!("{prefix}tty:{}", terminal.path.display());
    let (reader, kept) = terminal.split();
    let (link, closed) = lines::link(reader, framing);
    tokio::spawn(async move {
        if connect.send(link).await.is_ok() {
            let _ = closed.await;
        }
        drop((connect, kept));
    });
    serve::<R>(args, links, &at).await
}

async fn serve<R: Simulated>(
    args: &SimulateArgs,
    links: mpsc::Receiver<Link<R::Message>>,
    at: &str,
) -> Result<bool, CliError> {
    let keys = if args.aes { Keys::Aes128 } else { Keys::Tdes };
    let mut config = hardware::simulated(args.ksn_file.clone(), PRESENT_AFTER);
    config.keys = keys;
    let control: SimControl = serve_links::<R>(config, links);
    if !control.present(Some(&args.card)) {
        let message = format!("there is no card {}", args.card);
        return Err(CliError::usage(message, "tillroll processor cards lists them"));
    }
    control.set_battery(args.battery);
    control.fail(args.fault);
    line(&format!("A simulated reader listens at {at}, with the card {}. Ctrl-C ends it.", args.card))?;
    // Without somebody to tell, it goes on all the same.
    let _ = tokio::signal::ctrl_c().await;
    Ok(true)
}
