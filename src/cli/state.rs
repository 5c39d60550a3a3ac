//! Where a handheld keeps its things: `--state`, else what systemd says, else the user's state folder.

use super::CliError;
use crate::domain::money::Currency;
use crate::store::Store;
use std::path::PathBuf;

/// What every command of a handheld takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct StateArgs {
    /// The handheld's folder; default $STATE_DIRECTORY, else $XDG_STATE_HOME/tillroll, else ~/.local/state/tillroll
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Answer as one JSON object
    #[arg(long)]
    pub json: bool,
}

impl StateArgs {
    /// For the screen: only the folder may be named.
    pub fn of(state: Option<PathBuf>) -> StateArgs {
        StateArgs { state, json: false }
    }

    /// The folder; it need not exist.
    pub fn dir(&self) -> Result<PathBuf, CliError> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        self.state
            .clone()
            .or_else(|| set("STATE_DIRECTORY"))
            .or_else(|| set("XDG_STATE_HOME").map(|dir| dir.join("tillroll")))
            .or_else(|| set("HOME").map(|dir| dir.join(".local/state/tillroll")))
            .ok_or_else(|| CliError::usage("there is no folder for the handheld's state", "name one with --state DIR"))
    }

    /// The database, whether or not the handheld is enrolled; made if it is missing.
    pub fn made(&self) -> Result<Store, CliError> {
        let dir = self.dir()?;
        std::fs::create_dir_all(&dir).map_err(|why| {
            CliError::not_now(
                "state",
                format!("{} cannot be made: {why}", dir.display()),
                "name another with --state DIR",
            )
        })?;
        let opened = Store::open(&dir.join("device.sqlite"), Currency::EUR);
        opened.map_err(|why| CliError::not_now("database", why.to_string(), ""))
    }

    /// The database, if there is one.
    pub fn existing(&self) -> Result<Option<Store>, CliError> {
        if self.dir()?.join("device.sqlite").exists() { self.made().map(Some) } else { Ok(None) }
    }

    /// The database of an enrolled handheld.
    pub fn store(&self) -> Result<Store, CliError> {
        let dir = self.dir()?;
        let not_enrolled = || {
            CliError::not_now(
                "not_enrolled",
                format!("no enrolled handheld in {}", dir.display()),
                "enrol it: tillroll enrol --office URL --code CODE; or try: tillroll demo",
            )
        };
        if !dir.join("device.sqlite").exists() {
            return Err(not_enrolled());
        }
        let store = self.made()?;
        if store.identity().is_err() { Err(not_enrolled()) } else { Ok(store) }
    }
}
