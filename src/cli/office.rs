//! `tillroll office`: the back office, and the commands of whoever runs it.

mod agreements;
mod check;
mod reconcile;
pub(super) mod rules;
mod serve;
mod settlement;

use super::output::{line, object};
use super::{CliError, office_import, verify};
use crate::domain::money::Currency;
use crate::domain::receipt::Merchant;
use crate::office::payments::Timing;
use crate::office::users::{Role, add_user, check_choice};
use crate::office::{Office, Settings, feed};
use anyhow::anyhow;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::json;
use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;
use uuid::Uuid;

/// The back office
#[derive(Debug, clap::Args)]
pub struct OfficeArgs {
    #[command(subcommand)]
    command: OfficeCommand,
}

#[derive(Debug, clap::Subcommand)]
enum OfficeCommand {
    /// Serve handhelds and pages until interrupted
    Serve(serve::ServeArgs),
    /// People at the pages
    #[command(subcommand)]
    User(UserCommand),
    /// Handhelds
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Bring master data in from a CSV file, all or nothing
    Import(office_import::Args),
    /// What technicians may do where money is taken: tips, cash rounding, surcharges, discounts
    #[command(subcommand)]
    Rules(rules::RulesCommand),
    /// What customers pay again and again with a card on file
    #[command(subcommand)]
    Agreements(agreements::AgreementsCommand),
    /// Recompute every handheld's chain and look for what must not be
    Verify(Db),
    /// The processor's settlement files
    #[command(subcommand)]
    Settlement(settlement::SettlementCommand),
    /// A day's card money by handheld, processor and settlement, with every difference
    Reconcile(reconcile::Args),
    /// Tools for the connection to the processor
    #[command(subcommand)]
    Processor(check::ProcessorCommand),
    /// Begin a new epoch after the database was put back from a backup; no office may be running on it
    NewEpoch(Db),
}

/// Which database.
#[derive(Debug, Clone, clap::Args)]
pub struct Db {
    /// The office's database
    #[arg(long, value_name = "sqlite:FILE", default_value = "sqlite:office.sqlite")]
    db: String,
    /// Answer as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum UserCommand {
    /// Add a person; the password is asked for, or read from standard input
    Add {
        /// The name to log in with
        name: String,
        /// dispatcher, reviewer, accountant or admin
        #[arg(long)]
        role: Role,
        #[command(flatten)]
        db: Db,
    },
}

#[derive(Debug, clap::Subcommand)]
enum DeviceCommand {
    /// Make a one-time code for a handheld, new or known
    Add {
        /// Its name, which begins its document numbers: D07
        name: String,
        /// External id of the technician who carries it
        #[arg(long, value_name = "ID")]
        technician: Option<String>,
        /// Where handhelds reach this office; goes into the QR code
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8741")]
        office: String,
        #[command(flatten)]
        db: Db,
    },
    /// The public keys of every handheld, for `tillroll verify-receipt --key`
    Keys(KeysArgs),
}

#[derive(Debug, clap::Args)]
struct KeysArgs {
    /// Where they go; to standard output unless named
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    db: Db,
}

impl OfficeArgs {
    /// Whether errors are JSON too.
    pub fn json(&self) -> bool {
        match &self.command {
            OfficeCommand::Serve(_) => false,
            OfficeCommand::User(UserCommand::Add { db, .. })
            | OfficeCommand::Device(DeviceCommand::Add { db, .. } | DeviceCommand::Keys(KeysArgs { db, .. }))
            | OfficeCommand::Verify(db)
            | OfficeCommand::NewEpoch(db) => db.json,
            OfficeCommand::Rules(command) => command.json(),
            OfficeCommand::Agreements(command) => command.json(),
            OfficeCommand::Import(args) => args.json,
            OfficeCommand::Settlement(command) => command.json(),
            OfficeCommand::Reconcile(args) => args.json(),
            OfficeCommand::Processor(command) => command.json(),
        }
    }
}

/// Runs the command.
pub async fn run(args: OfficeArgs) -> Result<bool, CliError> {
    match args.command {
        OfficeCommand::Serve(args) => serve::run(args).await.map(|()| true),
        OfficeCommand::User(UserCommand::Add { name, role, db }) => user_add(&name, role, &db),
        OfficeCommand::Device(DeviceCommand::Add { name, technician, office, db }) => {
            device_add(&name, technician.as_deref(), &office, &db)
        }
        OfficeCommand::Device(DeviceCommand::Keys(args)) => device_keys(&args),
        OfficeCommand::Import(args) => import(&args),
        OfficeCommand::Rules(command) => rules::run(&command),
        OfficeCommand::Agreements(command) => agreements::run(&command),
        OfficeCommand::NewEpoch(db) => new_epoch(&db),
        OfficeCommand::Settlement(command) => settlement::run(&command),
        OfficeCommand::Reconcile(args) => reconcile::run(&args).await,
        OfficeCommand::Processor(command) => check::run(&command).await,
        OfficeCommand::Verify(db) => {
            let found = open(&path(&db.db)?, defaults())?.verify().map_err(anyhow::Error::from)?;
            let rows = open(&path(&db.db)?, defaults())?
                .read(|db| db.query_row("SELECT count(*) FROM journal", [], |r| r.get::<_, u64>(0)))
                .map_err(anyhow::Error::from)?;
            verify::told(rows, &found, db.json)?;
            Ok(found.is_empty())
        }
    }
}

/// The file of `sqlite:FILE`.
fn path(db: &str) -> Result<PathBuf, CliError> {
    match db.split_once(':') {
        Some(("sqlite", file)) if !file.is_empty() => Ok(PathBuf::from(file)),
        _ => Err(CliError::usage(format!("{db} names no database"), "write it as sqlite:FILE")),
    }
}

fn defaults() -> Settings {
    Settings {
        processor_url: "http://127.0.0.1:8742".to_owned(),
        timing: Timing::STANDARD,
        currency: Currency::EUR,
        merchant: Merchant {
            name: String::new(),
            address: String::new(),
            tax_id: String::new(),
            merchant_id: String::new(),
            logo: Vec::new(),
        },
    }
}

fn open(database: &std::path::Path, settings: Settings) -> Result<Office, CliError> {
    let clock = crate::runtime::clock::Clock::new("office");
    let opened = Office::open(database, settings, Arc::new(move || clock.now_ms()));
    opened.map_err(|why| CliError::not_now("database", why.to_string(), ""))
}

fn new_epoch(db: &Db) -> Result<bool, CliError> {
    let office = open(&path(&db.db)?, defaults())?.begin_epoch().map_err(anyhow::Error::from)?;
    let sql = "SELECT count(*) FROM card_payment WHERE in_question > 0";
    let asked: u64 = office.read(|db| db.query_row(sql, [], |r| r.get(0))).map_err(anyhow::Error::from)?;
    if db.json {
        object(&json!({ "epoch": office.epoch(), "payments_in_question": asked }))?;
    } else {
        line(&format!(
            "A new epoch has begun. {asked} payments are looked up at the processor before anything is sent."
        ))?;
    }
    Ok(true)
}

fn user_add(name: &str, role: Role, db: &Db) -> Result<bool, CliError> {
    let office = open(&path(&db.db)?, defaults())?;
    let password = if std::io::stdin().is_terminal() {
        rpassword::prompt_password(format!("Password for {name}: ")).map_err(anyhow::Error::from)?
    } else {
        let mut text = String::new();
        std::io::stdin().lock().read_line(&mut text).map_err(anyhow::Error::from)?;
        text.trim_end_matches(['\r', '\n']).to_owned()
    };
    let refused = |why: crate::office::users::UserError| CliError::usage(why.to_string(), "");
    check_choice(&password).map_err(refused)?;
    office.write(|tx| add_user(tx, name, role, &password).map_err(|why| anyhow!(why)))?;
    if db.json {
        object(&json!({ "name": name, "role": role.name() }))?;
    } else {
        line(&format!("{name} may log in as {}.", role.name()))?;
    }
    Ok(true)
}

fn device_add(name: &str, technician: Option<&str>, url: &str, db: &Db) -> Result<bool, CliError> {
    let office = open(&path(&db.db)?, defaults())?;
    let added = office.add_device(name, technician);
    let code = added.map_err(|why| CliError::usage(why.to_string(), "import technicians first, or check the name"))?;
    if db.json {
        object(&json!({ "name": name, "code": code, "office": url }))?;
        return Ok(true);
    }
    let square = QrCode::new(format!("tillroll:enrol?office={url}&code={code}")).map_err(anyhow::Error::from)?;
    line(&square.render::<Dense1x2>().quiet_zone(true).build())?;
    line(&format!("On the handheld, within 24 hours: tillroll enrol --office {url} --code {code}"))?;
    Ok(true)
}

fn device_keys(args: &KeysArgs) -> Result<bool, CliError> {
    let keys = open(&path(&args.db.db)?, defaults())?.device_keys().map_err(anyhow::Error::from)?;
    let mut text = String::from(
        "# Public keys of handhelds: NAME KEY. Check a receipt: tillroll verify-receipt --key THIS-FILE\n",
    );
    for (name, key) in &keys {
        text.push_str(&format!("{name} {key}\n"));
    }
    match &args.out {
        Some(file) => {
            let cannot = |why| {
                let message = format!("{} cannot be written: {why}", file.display());
                CliError::not_now("write", message, "name another file")
            };
            std::fs::write(file, &text).map_err(cannot)?;
            let said = format!("{} keys are in {}.", keys.len(), file.display());
            if args.db.json { object(&json!({ "keys": keys.len(), "file": file }))? } else { line(&said)? }
        }
        None if args.db.json => {
            let one = |(name, key): &(String, String)| json!({ "name": name, "key": key });
            object(&json!({ "keys": keys.iter().map(one).collect::<Vec<_>>() }))?;
        }
        None => line(text.trim_end())?,
    }
    Ok(true)
}

fn import(args: &office_import::Args) -> Result<bool, CliError> {
    let office = open(&path(&args.db)?, defaults())?;
    let (connection, clock, _) = office.parts();
    let mut db = connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut note = |tx: &rusqlite::Transaction<'_>, one: &crate::office::import::FeedNote| {
        feed::note(tx, &one.channel, one.kind, &one.entity, one.op.name())
    };
    match office_import::run(args, &mut db, clock(), &mut Uuid::now_v7, &mut note) {
        Ok(report) => {
            line(&office_import::answer(args, report))?;
            Ok(true)
        }
        Err(why) if args.json => Err(CliError::whole(office_import::error_json(&why))),
        Err(why) => Err(CliError {
            code: why.code(),
            message: why.to_string(),
            hint: why.hint().to_owned(),
            ..CliError::usage("", "")
        }),
    }
}
