//! `tillroll receipt example`: a receipt as JSON to start from.

use super::CliError;
use super::output::line;
use crate::domain::receipt::Receipt;
use crate::domain::receipt::example::{self, Paid};
use std::io::Read as _;
use std::path::Path;

/// The largest receipt that is read, bytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A receipt as JSON, to try a printer with
#[derive(Debug, clap::Args)]
pub struct ReceiptArgs {
    #[command(subcommand)]
    command: ReceiptCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ReceiptCommand {
    /// Write one to standard output; change it and give it to `tillroll printer render` or `test`
    Example {
        /// How it was paid
        #[arg(long, value_enum, default_value = "card")]
        paid: PaidBy,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum PaidBy {
    /// By card, and the bank agreed
    Card,
    /// By card without the bank: pending
    Pending,
    /// In cash: the drawer opens
    Cash,
    /// Nothing was to be paid
    Zero,
}

/// Runs the command.
pub fn run(args: &ReceiptArgs) -> Result<bool, CliError> {
    let ReceiptCommand::Example { paid } = args.command;
    let paid = match paid {
        PaidBy::Card => Paid::Card,
        PaidBy::Pending => Paid::Stored,
        PaidBy::Cash => Paid::Cash,
        PaidBy::Zero => Paid::Nothing,
    };
    let json = serde_json::to_string_pretty(&of(paid)?).map_err(anyhow::Error::from)?;
    line(&json)?;
    Ok(true)
}

/// The receipt in a file, or the example.
pub fn read(path: Option<&Path>) -> Result<Receipt, CliError> {
    let Some(path) = path else { return of(Paid::Card) };
    let wrong = |why: String| {
        let message = format!("{} is no receipt: {why}", path.display());
        CliError::usage(message, "tillroll receipt example writes one to start from")
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|why| wrong(why.to_string()))?;
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(|why| wrong(why.to_string()))?;
    serde_json::from_str(&text).map_err(|why| wrong(why.to_string()))
}

fn of(paid: Paid) -> Result<Receipt, CliError> {
    example::example(paid).ok_or_else(|| CliError::from(anyhow::anyhow!("the example does not add up")))
}
