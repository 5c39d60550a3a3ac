//! `tillroll office reconcile --date DATE`: a day's card money by handheld, processor and settlement. Exit status 1 when
//! they differ, 3 when the processor cannot be asked.

use super::{Db, defaults, open, path};
use crate::cli::CliError;
use crate::cli::output::{line, object};
use crate::domain::money::{Currency, Money};
use crate::office::Office;
use crate::office::books::{Books, compare, read};
use crate::office::import::settlement::UNSETTLED_DAYS;
use crate::office::processors::{self, Booked, ProcessorError};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;
use tokio::sync::mpsc;

/// How long the processor may take to answer, milliseconds.
const ANSWER_MS: u64 = 30_000;
const DAY_MS: i64 = 24 * 3_600_000;
/// Payments of a day may be booked so much later: stored ones are forwarded within a day, or longer by a setting.
const BOOKED_LATER_MS: i64 = 8 * DAY_MS;

/// Arguments of `office reconcile`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The day on which payments began, by the handhelds' clocks and this machine's time zone: 2025-11-24
    #[arg(long)]
    date: Date,
    /// Where the processor is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8742")]
    processor: String,
    #[command(flatten)]
    db: Db,
}

impl Args {
    /// Whether errors are JSON too.
    pub fn json(&self) -> bool {
        self.db.json
    }
}

/// Runs the command; whether the books agree.
pub async fn run(args: &Args) -> Result<bool, CliError> {
    let office = open(&path(&args.db.db)?, defaults())?;
    let (from_ms, until_ms) = span(args.date)?;
    let booked = booked(&args.processor, from_ms, until_ms).await?;
    let books = books(&office, from_ms, until_ms, booked.as_deref())?;
    if args.db.json {
        object(&json!({ "date": args.date.to_string(), "processor_can_tell": booked.is_some(), "books": books }))?;
    } else {
        told(args.date, &books, booked.is_some())?;
    }
    Ok(books.agree)
}

/// The day's begin and end, Unix milliseconds.
fn span(date: Date) -> Result<(i64, i64), CliError> {
    let zone = TimeZone::system();
    let begin = |date: Date| zone.to_timestamp(date.at(0, 0, 0, 0)).map(|at| at.as_millisecond());
    let wrong = |why: jiff::Error| CliError::usage(format!("{date} is no day here: {why}"), "write it as 2025-11-24");
    let next = date.tomorrow().map_err(wrong)?;
    Ok((begin(date).map_err(wrong)?, begin(next).map_err(wrong)?))
}

/// What the processor has around that day; `None` when it has no such answer.
async fn booked(url: &str, from_ms: i64, until_ms: i64) -> Result<Option<Vec<Booked>>, CliError> {
    let (late, _) = mpsc::channel(1);
    let setting = |why: ProcessorError| CliError::usage(why.to_string(), "name the processor with --processor");
    let processor = processors::open(url, ANSWER_MS, late).map_err(setting)?;
    match processor.booked(from_ms.saturating_sub(DAY_MS), until_ms.saturating_add(BOOKED_LATER_MS)).await {
        Ok(booked) => Ok(Some(booked)),
        Err(ProcessorError::Unable(_)) => Ok(None),
        Err(why @ (ProcessorError::InDoubt(_) | ProcessorError::Refused(_) | ProcessorError::Setting(_))) => {
            let hint = "check the address and that the processor runs, and try again";
            Err(CliError::not_now("processor", why.to_string(), hint))
        }
    }
}

fn books(office: &Office, from_ms: i64, until_ms: i64, booked: Option<&[Booked]>) -> Result<Books, CliError> {
    let (rows, strangers) = office.read(|db| read(db, from_ms, until_ms, booked)).map_err(anyhow::Error::from)?;
    Ok(compare(rows, &strangers, office.now_ms().saturating_sub(UNSETTLED_DAYS * DAY_MS)))
}

fn told(date: Date, books: &Books, can_tell: bool) -> Result<(), CliError> {
    let cell = |minor: Option<i64>, currency: Currency, none: &str| {
        minor.map_or_else(|| none.to_owned(), |minor| Money::new(minor, currency).plain())
    };
    let none = if can_tell { "0" } else { "cannot tell" };
    let row = |name: &str, cells: [String; 4]| {
        let [handheld, office, processor, settled] = cells;
        line(&format!("{name:<34} {handheld:>12} {office:>12} {processor:>12} {settled:>12}"))
    };
    line(&format!("Card money of {date}"))?;
    row("", ["handheld", "office", "processor", "settled"].map(str::to_owned))?;
    for one in &books.payments {
        let money = |minor| cell(minor, one.currency, "-");
        let cells = [
            money(Some(one.handheld_minor)),
            money(Some(one.office_minor)),
            cell(one.processor_minor, one.currency, none),
            money(one.settled_minor),
        ];
        row(&format!("{} {} {}", one.document, one.state, one.currency), cells)?;
    }
    for (code, sums) in &books.totals {
        let currency = code.parse().unwrap_or(Currency::EUR);
        let money = |minor| cell(Some(minor), currency, "-");
        let cells = [
            money(sums.handheld_minor),
            money(sums.office_minor),
            cell(sums.processor_minor, currency, none),
            money(sums.settled_minor),
        ];
        row(&format!("TOTAL {code}"), cells)?;
    }
    for text in &books.notes {
        line(&format!("note     {text}"))?;
    }
    for text in &books.differences {
        line(&format!("DIFFERS  {text}"))?;
    }
    line(if books.agree { "The books agree." } else { "The books do not agree." })?;
    Ok(())
}
