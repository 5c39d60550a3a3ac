//! The demo with a screen: a handheld in this terminal, the dispatcher's pages in a browser.

use super::world::{self, DemoReader, Listen, Tempo, World};
use crate::app::model::Settings;
use crate::cli::hands::{Hands, TIMING};
use crate::cli::{CliError, screen};
use crate::office::payments;
use crate::runtime::actors::sync::Pace;
use crate::runtime::driver::{self, Desk};
use crate::runtime::terminal;
use anyhow::anyhow;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tillroll_hardware::printer::sim::Pace as Paper;

/// As on the doorstep, but an answer that is late comes within seconds.
const TEMPO: Tempo = Tempo {
    office: payments::Timing { answer_ms: 4_000, retry_ms: 500, ..payments::Timing::STANDARD },
    slow_ms: 12_000,
    pace: Pace { retry_min_ms: 500, feed_wait_ms: 20_000 },
    present_after: Duration::from_millis(900),
    paper: Paper::Real,
};

/// Runs until the technician leaves; then says where everything is.
pub(super) async fn run(
    dir: &Path,
    day: jiff::civil::Date,
    office: SocketAddr,
    reader: Option<&DemoReader>,
) -> Result<(), CliError> {
    if !terminal::is_there() {
        return Err(CliError::not_now(
            "no_terminal",
            "there is no terminal to draw on",
            "run it in a terminal, or play a day without a screen: tillroll demo --headless",
        ));
    }
    let next_port = office.port().checked_add(1).filter(|_| office.port() != 0).unwrap_or(0);
    let processor = SocketAddr::new(office.ip(), next_port);
    let mut world = World::start(dir, day, Listen { office, processor }, TEMPO, reader).await?;
    let first = "visa-tap";
    let hands = Hands::new(world.link.clone(), world.customer.clone(), first);
    let identity = world.rig.till.store.run(|store| store.identity()).await.map_err(|why| anyhow!(why))?;
    let settings = Settings {
        currency: world::CURRENCY,
        timing: TIMING,
        mode: identity.mode,
        demo: true,
        enrolled: true,
        ..screen::settings(&identity.name.to_string(), &identity.technician_name)
    };
    let greeting = format!(
        "Everything here is simulated. The dispatcher's pages: http://{}, login {} / {}; the manager's PIN: {}. ? lists the keys.",
        world.pages,
        world::LOGIN.0,
        world::LOGIN.1,
        world::MANAGER_PIN
    );
    let desk = Desk {
        till: world.rig.till.clone(),
        events: world.rig.take_events(),
        switches: Some(Arc::new(hands)),
        greeting: Some(greeting),
    };
    let outcome = driver::run(settings, desk).await;
    let pages = world.pages;
    world.stop().await?;
    outcome.map_err(anyhow::Error::from)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "The demo is over. The pages were at http://{pages}.").map_err(anyhow::Error::from)?;
    writeln!(out, "Everything is kept in {0}: go on with `tillroll demo --dir {0}`.", dir.display())
        .map_err(anyhow::Error::from)?;
    Ok(())
}
