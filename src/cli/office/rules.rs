//! `tillroll office rules`: what technicians may do where money is taken.

use super::{Db, defaults, open, path};
use crate::cli::CliError;
use crate::cli::output::{line, object};
use crate::domain::rules::Rules;
use crate::office::rules::RulesError;
use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use serde_json::json;
use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::path::PathBuf;

/// The largest file that is read, bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// Digits of a manager's PIN.
const PIN_DIGITS: std::ops::RangeInclusive<usize> = 6..=12;

/// What is done with the rules.
#[derive(Debug, clap::Subcommand)]
pub enum RulesCommand {
    /// Show the rules in force, as the TOML file that `set` takes
    Show(Db),
    /// Put the rules of a TOML file in force; handhelds have them with their next exchange
    Set {
        /// The file; `tillroll office rules show` writes one to start from
        file: PathBuf,
        #[command(flatten)]
        db: Db,
    },
    /// Set the manager's PIN that handhelds ask for; asked for, or read from standard input
    Pin(Db),
}

impl RulesCommand {
    /// Whether errors are JSON too.
    pub fn json(&self) -> bool {
        match self {
            RulesCommand::Show(db) | RulesCommand::Set { db, .. } | RulesCommand::Pin(db) => db.json,
        }
    }
}

/// Runs the command.
pub fn run(command: &RulesCommand) -> Result<bool, CliError> {
    match command {
        RulesCommand::Show(db) => {
            let rules = open(&path(&db.db)?, defaults())?.rules().map_err(anyhow::Error::from)?;
            let shown = Rules { manager_pin: None, ..rules.clone() };
            if db.json {
                object(&json!({ "rules": shown, "manager_pin": rules.manager_pin.is_some() }))?;
            } else {
                line(toml::to_string(&shown).map_err(anyhow::Error::from)?.trim_end())?;
                line(if rules.manager_pin.is_some() { "# a manager's PIN is set" } else { "# no manager's PIN" })?;
            }
            Ok(true)
        }
        RulesCommand::Set { file, db } => {
            let office = open(&path(&db.db)?, defaults())?;
            let kept = office.rules().map_err(anyhow::Error::from)?.manager_pin;
            let rules = Rules { manager_pin: kept, ..read(file)? };
            office.set_rules(&rules).map_err(|why| refused(&why))?;
            told(db, "The rules are in force; handhelds have them with their next exchange.")
        }
        RulesCommand::Pin(db) => {
            let office = open(&path(&db.db)?, defaults())?;
            let pin = asked()?;
            if !PIN_DIGITS.contains(&pin.len()) || !pin.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(CliError::usage("a PIN is 6 to 12 digits", "choose one that is not a date"));
            }
            let rules = office.rules().map_err(anyhow::Error::from)?;
            let rules = Rules { manager_pin: Some(hashed(&pin)?), ..rules };
            office.set_rules(&rules).map_err(|why| refused(&why))?;
            told(db, "The manager's PIN is set; handhelds have it with their next exchange.")
        }
    }
}

/// What is kept of a PIN.
pub fn hashed(pin: &str) -> anyhow::Result<String> {
    let hash = Argon2::default().hash_password(pin.as_bytes()).map_err(|why| anyhow::anyhow!("{why}"))?;
    Ok(hash.to_string())
}

fn told(db: &Db, text: &str) -> Result<bool, CliError> {
    if db.json {
        object(&json!({ "done": true }))?
    } else {
        line(text)?
    }
    Ok(true)
}

fn refused(why: &RulesError) -> CliError {
    if why.is_permanent() {
        CliError::usage(why.to_string(), "nothing was changed")
    } else {
        CliError::not_now("database", why.to_string(), "")
    }
}

fn read(file: &std::path::Path) -> Result<Rules, CliError> {
    let wrong = |why: String| {
        let message = format!("{} holds no rules: {}", file.display(), why.trim_end());
        CliError::usage(message, "tillroll office rules show writes a file to start from")
    };
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(|why| wrong(why.to_string()))?;
    opened.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(|why| wrong(why.to_string()))?;
    toml::from_str(&text).map_err(|why| wrong(why.to_string()))
}

fn asked() -> Result<String, CliError> {
    if std::io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password("The manager's PIN: ").map_err(anyhow::Error::from)?);
    }
    let mut text = String::new();
    std::io::stdin().lock().read_line(&mut text).map_err(anyhow::Error::from)?;
    Ok(text.trim().to_owned())
}
