//! The commands: one file each. The one place that may import everything.
//!
//! Start at [`main`]. Exit status: 0 done, 1 the answer is no, 2 wrong usage, 3 cannot be done now.

#[cfg(feature = "office")]
pub mod demo;
pub mod error;
#[cfg(feature = "office")]
pub mod office_import;
#[cfg(feature = "office")]
pub mod processor;
pub mod rig;

pub use error::CliError;

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// A till for technicians: card and cash on the doorstep, with or without a network.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try everything on this machine, with simulated hardware
    #[cfg(feature = "office")]
    Demo(demo::DemoArgs),
    /// The simulated card processor
    #[cfg(feature = "office")]
    Processor(processor::ProcessorArgs),
}

/// The program.
pub fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("TILLROLL_LOG").unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let cli = Cli::parse();
    let json = json(&cli);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(run(cli));
            runtime.shutdown_timeout(std::time::Duration::from_millis(200));
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
        Some(Command::Processor(_)) => false,
        None => false,
    }
}

async fn run(cli: Cli) -> Result<bool, CliError> {
    match cli.command {
        #[cfg(feature = "office")]
        Some(Command::Demo(args)) => demo::run(args).await,
        #[cfg(feature = "office")]
        Some(Command::Processor(args)) => Ok(processor::run(args).await.map(|()| true)?),
        None => Err(CliError::usage("no command", "see tillroll --help")),
    }
}
