//! `tillroll reader`: tools for a card reader, and a simulated one for other programs.

mod pairing;
mod simulate;

use super::hardware::{self, ReaderName};
use super::output::{line, object};
use super::state::StateArgs;
use super::{CliError, error};
use serde_json::{Value, json};
use std::time::Duration;
use tillroll_hardware::reader::{
    ArmRequest, CardRead, LocalTime, Op, ReaderCommand, ReaderEvent, ReaderInfo, ReaderLink,
};

/// How long a reader may take to answer: looking for it over the air, connecting, asking for its name.
const CONNECT: Duration = Duration::from_secs(75);

/// Seconds in which a card is put to the reader.
const PRESENT_S: u8 = 30;

/// How long a beep may take.
const BEEP: Duration = Duration::from_secs(10);

/// Tools for a card reader
#[derive(Debug, clap::Args)]
pub struct ReaderArgs {
    #[command(subcommand)]
    command: ReaderToolCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ReaderToolCommand {
    /// Readers near by, over Bluetooth, for some seconds
    Scan(pairing::ScanArgs),
    /// Pair with a reader, trust it, and use it from now on
    Pair(pairing::PairArgs),
    /// Unpair, so that another handheld may have it
    Forget(pairing::ForgetArgs),
    /// Model, serial number, firmware and battery
    Info(Device),
    /// The same and a beep, and on request a read of 1.00 that is thrown away on the spot
    Test {
        #[command(flatten)]
        device: Device,
        /// Read a card too; nothing is charged and nothing kept
        #[arg(long)]
        read: bool,
    },
    /// Be a reader for another program, until interrupted
    Simulate(simulate::SimulateArgs),
}

/// Which reader.
#[derive(Debug, clap::Args)]
struct Device {
    /// The reader: ble:ADDRESS, rfcomm:ADDRESS, tcp:HOST:PORT, tty:PATH; the paired one if absent
    #[arg(long, value_name = "READER")]
    device: Option<ReaderName>,
    #[command(flatten)]
    radio: Radio,
}

/// Which radio, and which handheld.
#[derive(Debug, clap::Args)]
struct Radio {
    /// The Bluetooth adapter; the first one unless named
    #[arg(long, value_name = "hciN")]
    adapter: Option<String>,
    #[command(flatten)]
    state: StateArgs,
}

impl ReaderArgs {
    /// Whether errors are JSON too.
    pub fn json(&self) -> bool {
        match &self.command {
            ReaderToolCommand::Scan(args) => args.radio.state.json,
            ReaderToolCommand::Pair(args) => args.radio.state.json,
            ReaderToolCommand::Forget(args) => args.radio.state.json,
            ReaderToolCommand::Info(device) | ReaderToolCommand::Test { device, .. } => device.radio.state.json,
            ReaderToolCommand::Simulate(_) => false,
        }
    }
}

/// Runs the command.
pub async fn run(args: ReaderArgs) -> Result<bool, CliError> {
    match args.command {
        ReaderToolCommand::Scan(args) => pairing::scan(&args).await,
        ReaderToolCommand::Pair(args) => pairing::pair(&args).await,
        ReaderToolCommand::Forget(args) => pairing::forget(&args).await,
        ReaderToolCommand::Info(device) => {
            let (link, name, info) = connected(&device).await?;
            link.close().await;
            told(&device, &name, &info, None, None)?;
            Ok(true)
        }
        ReaderToolCommand::Test { device, read } => {
            let (mut link, name, info) = connected(&device).await?;
            let tried = tried(&mut link, read, device.radio.state.json).await;
            link.close().await;
            let (beeped, card) = tried?;
            told(&device, &name, &info, Some(beeped), card.as_deref())?;
            Ok(beeped)
        }
        ReaderToolCommand::Simulate(args) => simulate::simulate(args).await,
    }
}

/// The reader that was meant, and what it says of itself. That it answers at all is its echo.
async fn connected(device: &Device) -> Result<(ReaderLink, ReaderName, ReaderInfo), CliError> {
    let name = match &device.device {
        Some(name) => name.clone(),
        None => pairing::kept(&device.radio.state)?.ok_or_else(|| {
            CliError::usage("no reader is paired with this handheld".to_owned(), "name one with --device")
        })?,
    };
    let opened = hardware::reader_at(&name, device.radio.adapter.clone()).await;
    let mut link = opened.map_err(|why| error::bluetooth(&why))?;
    let coming = async {
        loop {
            match link.events.recv().await {
                Some(ReaderEvent::Connected(info)) => return Some(info),
                None => return None,
                // A first connection that breaks is followed by another.
                Some(_) => {}
            }
        }
    };
    let info = tokio::select! {
        info = tokio::time::timeout(CONNECT, coming) => info.ok().flatten(),
        _ = tokio::signal::ctrl_c() => None,
    };
    match info {
        Some(info) => Ok((link, name, info)),
        None => Err(CliError::not_now(
            "no_reader",
            format!("no reader answers at {name}"),
            "switch it on, check the address, and look whether another program has it",
        )),
    }
}

/// A beep, and a card if it is wanted.
async fn tried(link: &mut ReaderLink, read: bool, quiet: bool) -> Result<(bool, Option<Box<CardRead>>), CliError> {
    let beeped = beep(link).await?;
    Ok((beeped, if read { Some(one_read(link, quiet).await?) } else { None }))
}

fn gone() -> CliError {
    CliError::not_now("reader_lost", "the reader was lost", "switch it on and try again")
}

async fn beep(link: &mut ReaderLink) -> Result<bool, CliError> {
    link.commands.send(ReaderCommand::Identify).await.map_err(|_| gone())?;
    let answer = async {
        loop {
            match link.events.recv().await {
                Some(ReaderEvent::Identified(done)) => return Ok(done),
                None | Some(ReaderEvent::Lost) => return Err(gone()),
                Some(_) => {}
            }
        }
    };
    tokio::time::timeout(BEEP, answer).await.unwrap_or(Ok(false))
}

/// Reads a card for 1.00; what may be known of it. The read itself is dropped here.
async fn one_read(link: &mut ReaderLink, quiet: bool) -> Result<Box<CardRead>, CliError> {
    let request = ArmRequest {
        op: Op(1),
        amount_minor: 100,
        currency_numeric: 978,
        currency_exponent: 2,
        timeout_s: PRESENT_S,
        local: LocalTime { date: [26, 1, 1], time: [12, 0, 0] },
    };
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
            | ReaderEvent::Identified(_)
            | ReaderEvent::RestartsSoon { .. }
            | ReaderEvent::Battery(_) => {}
        }
    }
}

fn told(
    device: &Device,
    name: &ReaderName,
    info: &ReaderInfo,
    beeped: Option<bool>,
    card: Option<&CardRead>,
) -> Result<(), CliError> {
    let read = card.map(|card| {
        json!({ "brand": card.brand, "last4": card.last4, "aid": card.aid, "label": card.label,
                "entry": format!("{:?}", card.entry).to_lowercase() })
    });
    if device.radio.state.json {
        let mut whole = json!({
            "reader": name.to_string(), "model": info.model, "serial": info.serial, "firmware": info.firmware,
            "battery_percent": info.battery_percent, "echo": true,
        });
        let extra = [("beep", beeped.map(Value::from)), ("read", read)];
        if let Some(object) = whole.as_object_mut() {
            object.extend(extra.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        }
        return Ok(object(&whole)?);
    }
    let battery = info.battery_percent.map_or_else(|| "not said".to_owned(), |percent| format!("{percent} %"));
    let firmware = info.firmware.as_deref().unwrap_or("not said");
    line(&format!("{} {}, firmware {firmware}, battery {battery}", info.model, info.serial))?;
    match beeped {
        Some(true) => line("it answers, and it has beeped or shown its word")?,
        Some(false) => line("it answers, but it would not beep")?,
        None => {}
    }
    if let Some(read) = read {
        let of = |name: &str| read.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        line(&format!("read {} ....{} by {}; thrown away", of("brand"), of("last4"), of("entry")))?;
    }
    Ok(())
}
