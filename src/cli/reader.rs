//! `tillroll reader`: tools for a card reader, and a simulated one for other programs.

use super::output::{line, object};
use super::{CliError, hardware};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use tillroll_hardware::reader::mms::sim;
use tillroll_hardware::reader::{ArmRequest, CardRead, Op, ReaderCommand, ReaderEvent, ReaderInfo, ReaderLink};
use tillroll_hardware::transport::line as serial;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// How long a reader may take to answer.
const CONNECT: Duration = Duration::from_secs(10);

/// Seconds in which a card is put to the reader.
const PRESENT_S: u8 = 30;

/// Tools for a card reader
#[derive(Debug, clap::Args)]
pub struct ReaderArgs {
    #[command(subcommand)]
    command: ReaderToolCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ReaderToolCommand {
    /// Model, serial number and battery
    Info(Device),
    /// The same, and on request a read of 1.00 that is thrown away on the spot
    Test {
        #[command(flatten)]
        device: Device,
        /// Read a card too; nothing is charged and nothing kept
        #[arg(long)]
        read: bool,
    },
    /// Be a reader for another program, until interrupted
    Simulate {
        /// Which protocol it speaks
        #[arg(long, default_value = "mms", value_parser = ["mms"])]
        protocol: String,
        /// Where it listens; port 0 for any free one
        #[arg(long, value_name = "tcp:PORT")]
        transport: String,
        /// The card that is put to it; see `tillroll processor cards`
        #[arg(long, default_value = "visa-tap")]
        card: String,
        /// Where its key counter is kept; in memory unless named
        #[arg(long, value_name = "FILE")]
        ksn_file: Option<PathBuf>,
    },
}

/// Which reader.
#[derive(Debug, clap::Args)]
struct Device {
    /// The reader
    #[arg(long, value_name = "tcp:HOST:PORT")]
    device: String,
    /// Answer as one JSON object
    #[arg(long)]
    json: bool,
}

impl ReaderArgs {
    /// Whether errors are JSON too.
    pub fn json(&self) -> bool {
        match &self.command {
            ReaderToolCommand::Info(device) | ReaderToolCommand::Test { device, .. } => device.json,
            ReaderToolCommand::Simulate { .. } => false,
        }
    }
}

/// Runs the command.
pub async fn run(args: ReaderArgs) -> Result<bool, CliError> {
    match args.command {
        ReaderToolCommand::Info(device) => {
            let (_, info) = connected(&device).await?;
            told(&device, &info, None)?;
            Ok(true)
        }
        ReaderToolCommand::Test { device, read } => {
            let (mut link, info) = connected(&device).await?;
            let card = if read { Some(one_read(&mut link, device.json).await?) } else { None };
            told(&device, &info, card.as_deref())?;
            Ok(true)
        }
        ReaderToolCommand::Simulate { transport, card, ksn_file, .. } => simulate(&transport, &card, ksn_file).await,
    }
}

async fn connected(device: &Device) -> Result<(ReaderLink, ReaderInfo), CliError> {
    let mut link = hardware::reader_at(&device.device).map_err(|why| CliError::usage(why.to_string(), ""))?;
    let first = tokio::time::timeout(CONNECT, link.events.recv()).await;
    match first {
        Ok(Some(ReaderEvent::Connected(info))) => Ok((link, info)),
        Ok(_) | Err(_) => Err(CliError::not_now(
            "no_reader",
            format!("no reader answers at {}", device.device),
            "switch it on, check the address, and look whether another program has it",
        )),
    }
}

/// Reads a card for 1.00; what may be known of it. The read itself is dropped here.
async fn one_read(link: &mut ReaderLink, quiet: bool) -> Result<Box<CardRead>, CliError> {
    let request =
        ArmRequest { op: Op(1), amount_minor: 100, currency_numeric: 978, currency_exponent: 2, timeout_s: PRESENT_S };
    let gone = || CliError::not_now("reader_lost", "the reader was lost", "switch it on and try again");
    link.commands.send(ReaderCommand::Arm(request)).await.map_err(|_| gone())?;
    loop {
        match link.events.recv().await.ok_or_else(gone)? {
            ReaderEvent::CardRead { read, .. } => return Ok(read),
            ReaderEvent::DeclinedByCard { .. } => {
                return Err(CliError::not_now("declined", "the card itself refused", "try another card"));
            }
            ReaderEvent::Ended { why, .. } => {
                return Err(CliError::not_now("no_read", why.to_string(), "try again"));
            }
            ReaderEvent::Prompt { text, .. } if !quiet && !text.is_empty() => line(&text)?,
            ReaderEvent::ChooseApplication { op, .. } => {
                let first = ReaderCommand::SelectApplication { op, index: Some(0) };
                link.commands.send(first).await.map_err(|_| gone())?;
            }
            ReaderEvent::Prompt { .. }
            | ReaderEvent::CardSeen { .. }
            | ReaderEvent::Connected(_)
            | ReaderEvent::Lost
            | ReaderEvent::Battery(_) => {}
        }
    }
}

fn told(device: &Device, info: &ReaderInfo, card: Option<&CardRead>) -> Result<(), CliError> {
    let read = card.map(|card| {
        json!({ "brand": card.brand, "last4": card.last4, "aid": card.aid, "label": card.label,
                "entry": format!("{:?}", card.entry).to_lowercase() })
    });
    if device.json {
        let battery = info.battery_percent;
        let mut whole = json!({ "model": info.model, "serial": info.serial, "battery_percent": battery });
        if let (Some(object), Some(read)) = (whole.as_object_mut(), read) {
            object.insert("read".to_owned(), read);
        }
        return Ok(object(&whole)?);
    }
    let battery = info.battery_percent.map_or_else(|| "not said".to_owned(), |percent| format!("{percent} %"));
    line(&format!("{} {}, battery {battery}", info.model, info.serial))?;
    if let Some(read) = read {
        let of = |name: &str| read.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        line(&format!("read {} ....{} by {}; thrown away", of("brand"), of("last4"), of("entry")))?;
    }
    Ok(())
}

async fn simulate(transport: &str, card: &str, ksn_file: Option<PathBuf>) -> Result<bool, CliError> {
    let port = transport.strip_prefix("tcp:").and_then(|port| port.parse::<u16>().ok());
    let port = port.ok_or_else(|| CliError::usage(format!("{transport} is no transport"), "write it as tcp:PORT"))?;
    let socket = TcpListener::bind(("127.0.0.1", port)).await.map_err(|why| {
        CliError::not_now(
            "port",
            format!("port {port} cannot be used: {why}"),
            "choose another with --transport tcp:PORT",
        )
    })?;
    let (connect, links) = mpsc::channel(1);
    let control = sim::serve_links(hardware::simulated(ksn_file, Duration::from_millis(300)), links);
    if !control.present(Some(card)) {
        return Err(CliError::usage(format!("there is no card {card}"), "tillroll processor cards lists them"));
    }
    let at = socket.local_addr().map_err(anyhow::Error::from)?;
    line(&format!("A simulated reader listens at tcp:{at}, with the card {card}. Ctrl-C ends it."))?;
    loop {
        tokio::select! {
            accepted = socket.accept() => {
                let (stream, _) = accepted.map_err(anyhow::Error::from)?;
                let (link, _) = serial::mms(stream, serial::End::Reader);
                if connect.send(link).await.is_err() {
                    return Ok(false);
                }
            }
            _ = tokio::signal::ctrl_c() => return Ok(true),
        }
    }
}
