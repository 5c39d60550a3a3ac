//! `tillroll`: the handheld's screen. Not enrolled: a page that says how to enrol or to try the demo.

use super::CliError;
use super::hardware;
use super::rig::Rig;
use super::screen;
use super::state::StateArgs;
use crate::runtime::actors::devices::READER_NOTE;
use crate::runtime::actors::sync::Pace;
use crate::runtime::driver::{self, Desk};
use crate::runtime::terminal;

/// Runs until the technician leaves.
pub async fn run(args: &StateArgs) -> Result<bool, CliError> {
    if !terminal::is_there() {
        return Err(CliError::not_now(
            "no_terminal",
            "there is no terminal to draw on",
            "run it in a terminal, or play a day without a screen: tillroll demo --headless",
        ));
    }
    let store = args.made()?;
    let Ok(identity) = store.identity() else {
        driver::welcome(screen::settings("", "")).await.map_err(anyhow::Error::from)?;
        return Ok(true);
    };
    let settings = screen::settings(&identity.name.to_string(), &identity.technician_name);
    let dir = args.dir()?;
    let reader = match store.meta::<String>(READER_NOTE).map_err(anyhow::Error::from)?.map(|name| name.parse()) {
        // What keeps Bluetooth away now may be gone later: the screen for readers says what it is.
        Some(Ok(name)) => hardware::reader_at(&name, None).await.unwrap_or_else(|_| hardware::no_reader()),
        Some(Err(_)) | None => hardware::no_reader(),
    };
    let printer = hardware::configured_printer(&dir)?;
    let mut rig = Rig::start(&dir, store, None, Pace::STANDARD, reader, printer)?;
    let desk = Desk { till: rig.till.clone(), events: rig.take_events(), switches: None, greeting: None };
    let outcome =
        driver::run(crate::app::model::Settings { enrolled: true, mode: identity.mode, ..settings }, desk).await;
    rig.stop().await?;
    outcome.map_err(anyhow::Error::from)?;
    Ok(true)
}
