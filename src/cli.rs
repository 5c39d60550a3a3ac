//! The commands: one file each. The one place that may import everything.
//!
//! Start at [`main`]. Exit status: 0 done, 1 the answer is no, 2 wrong usage, 3 cannot be done now.

pub mod config;
#[cfg(feature = "office")]
pub mod demo;
pub mod doctor;
pub mod enrol;
pub mod error;
pub mod export;
pub mod handheld;
pub mod hands;
pub mod hardware;
#[cfg(feature = "office")]
pub mod listen;
#[cfg(feature = "office")]
pub mod office;
#[cfg(feature = "office")]
pub mod office_import;
pub mod output;
pub mod printer;
#[cfg(feature = "office")]
pub mod processor;
pub mod reader;
pub mod receipt;
pub mod rig;
pub mod screen;
pub mod shift;
pub mod state;
pub mod status;
pub mod sync;
pub mod training;
pub mod verify;
pub mod verify_receipt;

pub use error::CliError;

use clap::{Parser, Subcommand};
use state::StateArgs;
use std::process::ExitCode;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// A till for technicians: card and cash on the doorstep, with or without a network.
///
/// Without a command: the handheld's screen. To try everything with simulated hardware: tillroll demo
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Practise: jobs, books, reader and printer that are not real, in a folder of their own; nothing is ever sent
    #[arg(long)]
    training: bool,
    /// The handheld's folder, when no command is named
    #[arg(long, value_name = "DIR")]
    state: Option<std::path::PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try everything on this machine, with simulated hardware
    #[cfg(feature = "office")]
    Demo(demo::DemoArgs),
    /// Make this handheld known to an office
    Enrol(enrol::EnrolArgs),
    /// Exchange with the office once, without the screen
    Sync(StateArgs),
    /// How this handheld stands with its office
    Status(StateArgs),
    /// The cash shift's X report, or the Z report of the last one
    Shift(StateArgs),
    /// Recompute every hash of the journal and look for what must not be
    Verify(StateArgs),
    /// The whole journal as JSON, one row a line
    Export(StateArgs),
    /// Look at what a handheld needs, and say what is missing
    Doctor(StateArgs),
    /// The back office
    #[cfg(feature = "office")]
    Office(office::OfficeArgs),
    /// Tools for a card reader, and a simulated one
    Reader(reader::ReaderArgs),
    /// Tools for a receipt printer, and a simulated one
    Printer(printer::PrinterArgs),
    /// A receipt as JSON, to try a printer with
    Receipt(receipt::ReceiptArgs),
    /// Check what a receipt's QR code says, with no network and no account
    VerifyReceipt(verify_receipt::Args),
    /// The simulated card processor
    #[cfg(feature = "office")]
    Processor(processor::ProcessorArgs),
}

/// The program.
pub fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("TILLROLL_LOG").unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let cli = Cli::parse();
    let json = json(&cli);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(run(cli));
            runtime.shutdown_timeout(Duration::from_millis(200));
            outcome
        }
        Err(why) => Err(CliError::from(anyhow::Error::from(why))),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => why.tell(json),
    }
}

fn json(cli: &Cli) -> bool {
    match &cli.command {
        #[cfg(feature = "office")]
        Some(Command::Demo(args)) => args.json(),
        #[cfg(feature = "office")]
        Some(Command::Office(args)) => args.json(),
        #[cfg(feature = "office")]
        Some(Command::Processor(_)) => false,
        Some(Command::Reader(args)) => args.json(),
        Some(Command::Printer(args)) => args.json(),
        Some(Command::Receipt(_)) => false,
        Some(Command::VerifyReceipt(args)) => args.json,
        Some(Command::Enrol(args)) => args.state.json,
        Some(
            Command::Sync(args)
            | Command::Status(args)
            | Command::Shift(args)
            | Command::Verify(args)
            | Command::Export(args)
            | Command::Doctor(args),
        ) => args.json,
        None => false,
    }
}

async fn run(cli: Cli) -> Result<bool, CliError> {
    if cli.training && cli.command.is_some() {
        let message = "--training is for the screen, not for a command";
        return Err(CliError::usage(message, "leave the command out; its folder is `training` in the handheld's own"));
    }
    match cli.command {
        #[cfg(feature = "office")]
        Some(Command::Demo(args)) => demo::run(args).await,
        #[cfg(feature = "office")]
        Some(Command::Office(args)) => office::run(args).await,
        #[cfg(feature = "office")]
        Some(Command::Processor(args)) => Ok(processor::run(args).await.map(|()| true)?),
        Some(Command::Reader(args)) => reader::run(args).await,
        Some(Command::Printer(args)) => printer::run(args).await,
        Some(Command::Receipt(args)) => receipt::run(&args),
        Some(Command::VerifyReceipt(args)) => verify_receipt::run(&args),
        Some(Command::Enrol(args)) => enrol::run(args).await,
        Some(Command::Sync(args)) => sync::run(&args).await,
        Some(Command::Status(args)) => status::run(&args),
        Some(Command::Shift(args)) => shift::run(&args),
        Some(Command::Verify(args)) => verify::run(&args),
        Some(Command::Export(args)) => export::run(&args),
        Some(Command::Doctor(args)) => doctor::run(&args).await,
        None if cli.training => training::run(&StateArgs::of(cli.state)).await,
        None => handheld::run(&StateArgs::of(cli.state)).await,
    }
}
