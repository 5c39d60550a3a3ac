//! `tillroll office settlement import FILE.csv`: the processor's settlement file, all or nothing, matched both ways.
//!
//! The columns are those of `office::import::settlement`. Exit status 1 when something that was settled does not fit.

use super::{Db, defaults, open, path};
use crate::cli::CliError;
use crate::cli::office_import::read_file;
use crate::cli::output::{line, object};
use crate::domain::money::{Currency, Money};
use crate::office::import::ImportErrors;
use crate::office::import::settlement::{PaidOut, Report, SettlementError, UNSETTLED_DAYS, import_settlement};
use rusqlite::TransactionBehavior;
use serde_json::json;
use std::path::PathBuf;
use std::sync::PoisonError;

/// The processor's settlement files
#[derive(Debug, clap::Subcommand)]
pub enum SettlementCommand {
    /// Bring a file in and match it
    Import(ImportArgs),
}

/// Arguments of `office settlement import`.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// The CSV file: line,reference,type,amount,currency,fee,settled_on,batch,payout
    file: PathBuf,
    /// Check and match the file; change nothing
    #[arg(long)]
    dry_run: bool,
    /// What the bank's statement shows for a batch
    #[arg(long, value_name = "BATCH=AMOUNT")]
    payout: Vec<PaidOut>,
    /// List captured payments that are not settled after so many days
    #[arg(long, default_value_t = UNSETTLED_DAYS)]
    days: i64,
    #[command(flatten)]
    db: Db,
}

impl SettlementCommand {
    /// Whether errors are JSON too.
    pub fn json(&self) -> bool {
        let SettlementCommand::Import(args) = self;
        args.db.json
    }
}

/// Runs the command; whether everything that was settled fits.
pub fn run(command: &SettlementCommand) -> Result<bool, CliError> {
    let SettlementCommand::Import(args) = command;
    let csv = read_file(&args.file)?;
    let office = open(&path(&args.db.db)?, defaults())?;
    let (connection, clock, _) = office.parts();
    let mut db = connection.lock().unwrap_or_else(PoisonError::into_inner);
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(anyhow::Error::from)?;
    let report = import_settlement(&tx, &csv, &args.payout, clock(), args.days).map_err(|why| refused(args, &why))?;
    let ended = if args.dry_run { tx.rollback() } else { tx.commit() };
    ended.map_err(anyhow::Error::from)?;
    told(args, &report)?;
    Ok(report.agrees())
}

fn refused(args: &ImportArgs, why: &SettlementError) -> CliError {
    let message = format!("{}: {why}", args.file.display());
    let (code, hint) = match why {
        SettlementError::Import(ImportErrors::Rows(_)) => ("bad_rows", "correct these rows and import the file again"),
        SettlementError::PaidOut(_) => ("bad_payout", "name a batch of the file, and its amount"),
        SettlementError::Import(ImportErrors::Database(_)) | SettlementError::Office(_) => {
            return CliError::not_now("database", message, "try again when the office is less busy");
        }
    };
    if let (true, SettlementError::Import(ImportErrors::Rows(rows))) = (args.db.json, why) {
        return CliError::whole(json!({ "error": { "code": code, "message": message, "hint": hint, "rows": rows } }));
    }
    CliError { code, message, hint: hint.to_owned(), ..CliError::usage("", "") }
}

fn told(args: &ImportArgs, report: &Report) -> Result<(), CliError> {
    if args.db.json {
        return Ok(object(&json!({ "dry_run": args.dry_run, "agrees": report.agrees(), "settlement": report }))?);
    }
    let verb = if args.dry_run { "would be imported (dry run, nothing was changed)" } else { "imported" };
    line(&format!(
        "settlement {verb}: {} lines added, {} unchanged, {} matched in all",
        report.added, report.unchanged, report.matched
    ))?;
    let money = |minor: i64, code: &str| {
        let currency = code.parse().unwrap_or(Currency::EUR);
        format!("{code} {}", Money::new(minor, currency).plain())
    };
    for one in &report.unmatched {
        line(&format!("DIFFERS  {}: {}", money(one.amount_minor, &one.currency), one.note))?;
    }
    for one in &report.disputed {
        line(&format!("disputed  {}: {}", money(one.amount_minor, &one.currency), one.note))?;
    }
    for batch in &report.batches {
        let net = money(batch.net_minor, &batch.currency);
        let (mark, paid) = match (batch.paid_out_minor, batch.agrees) {
            (None, _) => ("open", "nothing was paid out yet".to_owned()),
            (Some(paid), true) => ("agrees", format!("paid out {}", money(paid, &batch.currency))),
            (Some(paid), false) => ("DIFFERS", format!("paid out {}", money(paid, &batch.currency))),
        };
        line(&format!("{mark}  batch {}: {net} after refunds, chargebacks and fees, {paid}", batch.batch))?;
    }
    for one in &report.unsettled {
        let money = money(one.captured_minor, &one.currency);
        line(&format!("not settled  {} {money}, payment {}", one.document, one.payment))?;
    }
    Ok(())
}
