//! `tillroll office agreements`: what customers pay again and again with a kept card.

use super::{Db, defaults, open, path};
use crate::cli::CliError;
use crate::cli::output::{line, object};
use crate::domain::money::{Currency, Money};
use crate::office::agreements::list::{self, Agreement};
use crate::office::agreements::schedule::{Every, Unit};
use crate::office::agreements::{self, NewAgreement, runs};
use crate::office::decide::Refused;
use crate::office::kept;
use jiff::civil::Date;
use serde_json::json;
use uuid::Uuid;

/// Who did it, where a person at the command line gives no name.
const NOBODY: &str = "command line";

/// What is done with agreements.
#[derive(Debug, clap::Subcommand)]
pub enum AgreementsCommand {
    /// List agreements with their next date and what became of the last ones, and the cards on file
    List(Db),
    /// Make an agreement on a kept card
    Add(AddArgs),
    /// Stop an agreement: nothing is charged from now on
    Stop {
        /// The agreement's id
        id: String,
        /// Why; it stays with the agreement
        #[arg(long)]
        reason: String,
        /// Who says so
        #[arg(long, default_value = NOBODY)]
        by: String,
        #[command(flatten)]
        db: Db,
    },
}

/// Arguments of `office agreements add`.
#[derive(Debug, clap::Args)]
pub struct AddArgs {
    /// The kept card's id, from `list`
    #[arg(long)]
    card: String,
    /// What for, as it stands on the bill
    #[arg(long)]
    what: String,
    /// How much each time, tax included
    #[arg(long)]
    amount: String,
    /// ISO 4217
    #[arg(long, default_value = "EUR")]
    currency: Currency,
    /// The tax that the amount contains: standard, reduced or zero
    #[arg(long, default_value = "standard")]
    tax: String,
    /// Every so many
    #[arg(long, default_value_t = 1)]
    every: u16,
    /// Days, weeks or months
    #[arg(long, default_value = "months")]
    unit: Unit,
    /// The first day
    #[arg(long, value_name = "DATE")]
    first: Date,
    /// Days after which a soft decline is tried again
    #[arg(long, default_value_t = 3)]
    retry_days: u32,
    /// Tries in all
    #[arg(long, default_value_t = 4)]
    tries: u32,
    /// Who makes it
    #[arg(long, default_value = NOBODY)]
    by: String,
    #[command(flatten)]
    db: Db,
}

impl AgreementsCommand {
    /// Whether errors are JSON too.
    pub fn json(&self) -> bool {
        match self {
            AgreementsCommand::List(db) | AgreementsCommand::Stop { db, .. } => db.json,
            AgreementsCommand::Add(args) => args.db.json,
        }
    }
}

/// Runs the command.
pub fn run(command: &AgreementsCommand) -> Result<bool, CliError> {
    match command {
        AgreementsCommand::List(db) => told(db),
        AgreementsCommand::Add(args) => add(args),
        AgreementsCommand::Stop { id, reason, by, db } => {
            let office = open(&path(&db.db)?, defaults())?;
            let now_ms = office.now_ms();
            office.write(|tx| agreements::stop_by(tx, id, by, reason, now_ms)).map_err(refused)?;
            if db.json {
                object(&json!({ "id": id, "state": "stopped" }))?;
            } else {
                line("The agreement is stopped: nothing is charged from now on.")?;
            }
            Ok(true)
        }
    }
}

fn add(args: &AddArgs) -> Result<bool, CliError> {
    let usage = |message: String| CliError::usage(message, "nothing was changed");
    let amount = Money::parse(&args.amount, args.currency).map_err(|why| usage(why.to_string()))?;
    let every = Every::new(args.every, args.unit);
    let every = every.ok_or_else(|| usage("every: 1 to 366 days, weeks or months".to_owned()))?;
    let office = open(&path(&args.db.db)?, defaults())?;
    let (id, now_ms) = (Uuid::now_v7().to_string(), office.now_ms());
    let new = NewAgreement {
        id: &id,
        card: &args.card,
        what: args.what.trim(),
        amount,
        tax: &args.tax,
        every,
        first: args.first,
        retry_days: args.retry_days,
        tries: args.tries,
        by: &args.by,
    };
    office.write(|tx| agreements::add(tx, &new, runs::today(now_ms), now_ms)).map_err(refused)?;
    if args.db.json {
        object(&json!({ "id": id, "state": "active", "next_due": args.first.to_string() }))?;
    } else {
        line(&format!("Agreement {id}: {amount} {every}, first on {}.", args.first))?;
    }
    Ok(true)
}

fn refused(why: Refused) -> CliError {
    if why.is_permanent() {
        CliError::usage(why.to_string(), "tillroll office agreements list shows cards and agreements")
    } else {
        CliError::not_now("database", why.to_string(), "try again when the office is less busy")
    }
}

fn told(db: &Db) -> Result<bool, CliError> {
    let office = open(&path(&db.db)?, defaults())?;
    let all = office.read(list::all).map_err(anyhow::Error::from)?;
    let cards = office.read(kept::all).map_err(anyhow::Error::from)?;
    if db.json {
        object(&json!({ "agreements": all, "cards": cards }))?;
        return Ok(true);
    }
    for one in &all {
        line(&row(one)?)?;
        for run in &one.runs {
            let document = run.document.as_deref().unwrap_or("no bill");
            line(&format!("    {}  {}  {document}", run.due, run.state.word()))?;
        }
    }
    for card in &cards {
        let ended = card.ended_why.as_ref().map(|why| format!(", ended: {why}")).unwrap_or_default();
        let (brand, last4, name, consent) = (&card.brand, &card.last4, &card.customer_name, &card.consent);
        line(&format!("card {}  {brand} ....{last4}  {name}, consent {consent}{ended}", card.id))?;
    }
    if all.is_empty() && cards.is_empty() {
        line("No agreements, and no cards on file.")?;
    }
    Ok(true)
}

fn row(one: &Agreement) -> Result<String, CliError> {
    let amount = one.amount().map_err(anyhow::Error::from)?;
    let next = match one.state.as_str() {
        "active" => format!("next on {}", one.next_due),
        state => format!("{state}: {}", one.why),
    };
    Ok(format!("{}  {}, {}: {amount} {}, {}, {next}", one.id, one.customer, one.what, one.every, one.card))
}
