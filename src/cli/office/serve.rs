//! `tillroll office serve`: handhelds, pages and the worker that talks to the processor.

use super::{open, path};
use crate::cli::CliError;
use crate::cli::listen::listener;
use crate::cli::output::line;
use crate::domain::email::EmailAddress;
use crate::domain::money::Currency;
use crate::domain::receipt::Merchant;
use crate::domain::receipt::content::LOGO_DOTS_MAX;
use crate::office::ereceipts::outbox::{Outbox, Way};
use crate::office::pages::{self, PagesState};
use crate::office::payments::{Timing, worker};
use crate::office::{Settings, api, ereceipts};
use anyhow::Context as _;
use jiff::tz::TimeZone;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Serve handhelds and pages until interrupted
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// Where to listen. Plain HTTP: keep it on loopback, behind something that speaks TLS
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8741")]
    listen: SocketAddr,
    /// The office's database; made if it is missing
    #[arg(long, value_name = "sqlite:FILE", default_value = "sqlite:office.sqlite")]
    db: String,
    /// Where the processor is: http://HOST:PORT, or iso8583://HOST:PORT[?profile=NAME]
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8742")]
    processor: String,
    /// The currency of figures before there is any document, ISO 4217
    #[arg(long, default_value = "EUR")]
    currency: Currency,
    /// Trading name on receipts
    #[arg(long, value_name = "TEXT", default_value = "tillroll")]
    merchant: String,
    /// Address on receipts
    #[arg(long, value_name = "TEXT", default_value = "")]
    address: String,
    /// VAT number on receipts
    #[arg(long, value_name = "TEXT", default_value = "")]
    tax_id: String,
    /// The acquirer's number for the merchant, on receipts
    #[arg(long, value_name = "TEXT", default_value = "")]
    merchant_id: String,
    /// A picture on receipts: a text file, one line a row of dots, # for black, at most 256 either way
    #[arg(long, value_name = "FILE")]
    logo: Option<PathBuf>,
    #[command(flatten)]
    mail: MailArgs,
    /// No real money, for this office's whole life: TEST stands on every screen, page and receipt of it
    #[arg(long)]
    test: bool,
}

/// Receipts by e-mail; they wait in the office's database while nobody takes them.
#[derive(Debug, clap::Args)]
struct MailArgs {
    /// Receipts by e-mail go into this folder as files, for something else to send
    #[arg(long, value_name = "DIR", requires = "mail_from", conflicts_with = "mail_command")]
    outbox: Option<PathBuf>,
    /// Receipts by e-mail go to this command's standard input, such as "/usr/sbin/sendmail -t -i"; no shell
    #[arg(long, value_name = "COMMAND", requires = "mail_from")]
    mail_command: Option<String>,
    /// Who sends receipts by e-mail
    #[arg(long, value_name = "ADDRESS")]
    mail_from: Option<EmailAddress>,
}

impl MailArgs {
    fn outbox(&self) -> Result<Option<Outbox>, CliError> {
        let Some(from) = self.mail_from.clone() else { return Ok(None) };
        let way = match (&self.outbox, &self.mail_command) {
            (Some(folder), _) => {
                std::fs::create_dir_all(folder).map_err(|why| {
                    let message = format!("the outbox {} cannot be made: {why}", folder.display());
                    CliError::not_now("outbox", message, "name another folder with --outbox")
                })?;
                Way::Folder(folder.clone())
            }
            (None, Some(command)) => {
                let mut words = command.split_whitespace().map(str::to_owned);
                let Some(program) = words.next() else {
                    return Err(CliError::usage("--mail-command is empty", "name a program and its arguments"));
                };
                Way::Command(program, words.collect())
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(Outbox { from, way }))
    }
}

/// The largest file with a logo, bytes.
const LOGO_BYTES_MAX: u64 = 256 * 1024;

/// Serves until SIGTERM or Ctrl-C.
pub async fn run(args: ServeArgs) -> Result<(), CliError> {
    let logo = args.logo.as_deref().map(logo).transpose()?.unwrap_or_default();
    let merchant = Merchant {
        name: args.merchant,
        address: args.address,
        tax_id: args.tax_id,
        merchant_id: args.merchant_id,
        logo,
    };
    let settings =
        Settings { processor_url: args.processor, timing: Timing::STANDARD, currency: args.currency, merchant };
    let outbox = args.mail.outbox()?;
    let office = open(&path(&args.db)?, settings)?;
    let mode = office.settle_mode(args.test).map_err(|why| CliError::usage(why.to_string(), ""))?;
    office.publish().map_err(anyhow::Error::from)?;
    let socket = listener(args.listen).await?;
    let at = socket.local_addr().map_err(anyhow::Error::from)?;
    let (stop, stopped) = watch::channel(false);
    let until = |mut stopped: watch::Receiver<bool>| async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let fresh = office.clone();
    let stopping = until(stopped.clone());
    tokio::spawn(async move { fresh.keep_fresh(stopping).await });
    let working = tokio::spawn(worker::run(office.clone(), until(stopped.clone())));
    if let Some(outbox) = outbox {
        tokio::spawn(ereceipts::run(office.clone(), outbox, until(stopped.clone())));
    }
    let state = PagesState::of(&office, TimeZone::system(), None);
    let router = api::router(office).merge(pages::router(state));
    let real = mode.word().map(|word| format!("{word}: no real money. ")).unwrap_or_default();
    line(&format!("{real}The office listens on http://{at}. Ctrl-C ends it."))?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        stop.send_replace(true);
    });
    axum::serve(socket, router).with_graceful_shutdown(until(stopped)).await.map_err(anyhow::Error::from)?;
    working.await.map_err(anyhow::Error::from)?.map_err(anyhow::Error::from)?;
    Ok(())
}

/// The dots of a logo.
fn logo(path: &Path) -> Result<Vec<String>, CliError> {
    let wrong = |why: String| {
        let message = format!("{} is no logo: {why}", path.display());
        CliError::usage(message, "a text file, one line a row of dots, # for black and . for white")
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|why| wrong(why.to_string()))?;
    file.take(LOGO_BYTES_MAX).read_to_string(&mut text).map_err(|why| wrong(why.to_string()))?;
    let rows: Vec<String> = text.lines().map(|row| row.trim_end().to_owned()).collect();
    match rows.iter().map(|row| row.chars().count()).max().unwrap_or(0).max(rows.len()) {
        0..=LOGO_DOTS_MAX => Ok(rows),
        side => Err(wrong(format!("{side} dots are too many, {LOGO_DOTS_MAX} fit"))),
    }
}
