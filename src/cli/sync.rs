//! `tillroll sync`: one exchange with the office, without a screen: sends what is unsent, takes what is new.

use super::CliError;
use super::hardware;
use super::output::{line, object};
use super::rig::Rig;
use super::state::StateArgs;
use crate::domain::mode::Mode;
use crate::runtime::actors::sync::Pace;
use anyhow::anyhow;
use serde_json::json;
use std::time::Duration;

/// How long the exchange may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the command.
pub async fn run(args: &StateArgs) -> Result<bool, CliError> {
    let store = args.store()?;
    if store.identity().map_err(anyhow::Error::from)?.mode == Mode::Training {
        let message = "this folder is for training: nothing in it is ever sent";
        return Err(CliError::usage(message, "leave --state out, or name the folder of an enrolled handheld"));
    }
    let rig = Rig::start(&args.dir()?, store, None, Pace::STANDARD, hardware::no_reader(), hardware::no_printer()?)?;
    let outcome = tokio::time::timeout(PATIENCE, exchange(&rig)).await;
    let status = rig.till.store.run(|store| store.sync_status()).await.map_err(|why| anyhow!(why))?;
    let error = rig.till.sync.link().borrow().last_error.clone();
    rig.stop().await?;
    match outcome {
        Ok(done) => done?,
        Err(_) => {
            return Err(CliError::not_now(
                "no_link",
                error.unwrap_or_else(|| "the office did not answer in time".to_owned()),
                format!("{} rows stay queued: try again when there is a link", status.unsent()),
            ));
        }
    }
    if args.json {
        object(&json!({ "head_seq": status.head_seq, "acked_seq": status.acked_seq, "unsent": status.unsent() }))?;
    } else {
        line(&format!("The office has rows 1 to {}; nothing is waiting.", status.acked_seq))?;
    }
    Ok(true)
}

/// Until nothing is unsent and a page of the feed was taken; gives up on the first failure.
async fn exchange(rig: &Rig) -> Result<(), CliError> {
    let (mut applied, mut link) = (rig.till.sync.applied(), rig.till.sync.link());
    loop {
        let unsent = rig.till.store.run(|store| Ok(store.sync_status()?.unsent())).await;
        let unsent = unsent.map_err(|why| anyhow!(why))?;
        if unsent == 0 && link.borrow().online {
            return Ok(());
        }
        tokio::select! {
            changed = applied.changed() => changed.map_err(anyhow::Error::from)?,
            changed = link.changed() => {
                changed.map_err(anyhow::Error::from)?;
                let error = link.borrow_and_update().last_error.clone();
                if let Some(why) = error {
                    let hint = format!("{unsent} rows stay queued: try again when there is a link");
                    return Err(CliError::not_now("no_link", why, hint));
                }
            }
        }
    }
}
