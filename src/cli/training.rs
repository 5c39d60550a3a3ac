//! `tillroll --training`: a handheld to practise with. A folder of its own, jobs that nobody ordered, a simulated reader,
//! printer and bank; nothing of it is sent or counted.
//!
//! Invariant: its identity's mode is training and it has no office, so no exchange can be started on its folder.

mod data;

use super::CliError;
use super::hands::{Hands, TIMING};
use super::hardware;
use super::rig::Rig;
use super::screen;
use super::state::StateArgs;
use crate::app::model::Settings;
use crate::domain::mode::Mode;
use crate::domain::money::Currency;
use crate::runtime::actors::sync::practice::PracticeLink;
use crate::runtime::driver::{self, Desk};
use crate::runtime::terminal;
use crate::store::Store;
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tillroll_hardware::printer::sim::Pace as Paper;
use tillroll_hardware::reader::mms;
use tillroll_hardware::reader::sim::SimControl;

/// The folder in the handheld's own.
const FOLDER: &str = "training";
/// How long after arming the customer's card comes.
const PRESENT_AFTER: Duration = Duration::from_millis(900);
/// A training handheld that runs.
pub struct Training {
    /// The handheld.
    pub rig: Rig,
    /// The network that is not there.
    pub link: PracticeLink,
    /// The customer's hand at the reader.
    pub customer: SimControl,
}

/// Where the training handheld of a state folder keeps its things.
pub fn folder(state: &Path) -> PathBuf {
    state.join(FOLDER)
}

/// Starts the training handheld in `dir`, made if it is missing, with a day of jobs around `now_ms`.
pub fn start(dir: &Path, now_ms: i64, paper: Paper) -> anyhow::Result<Training> {
    let receipts = dir.join("receipts");
    std::fs::create_dir_all(&receipts).with_context(|| format!("{} cannot be made", receipts.display()))?;
    let mut store = Store::open(&dir.join("device.sqlite"), Currency::EUR)?;
    data::fill(&mut store, now_ms)?;
    let (reader, customer) = mms::sim::spawn(hardware::simulated(Some(dir.join("reader.ksn")), PRESENT_AFTER));
    let printer = hardware::simulated_printer(receipts, paper)?;
    let (rig, link) = Rig::practice(dir, store, reader, printer)?;
    Ok(Training { rig, link, customer })
}

/// Runs until the technician leaves.
pub async fn run(args: &StateArgs) -> Result<bool, CliError> {
    if !terminal::is_there() {
        let message = "there is no terminal to draw on";
        return Err(CliError::not_now("no_terminal", message, "run tillroll --training in a terminal"));
    }
    let dir = folder(&args.dir()?);
    let mut training = start(&dir, jiff::Timestamp::now().as_millisecond(), Paper::Real)?;
    let first = "visa-tap";
    let hands = Hands::new(training.link.clone(), training.customer.clone(), first);
    let settings = Settings {
        timing: TIMING,
        mode: Mode::Training,
        demo: true,
        enrolled: true,
        ..screen::settings(data::NAME, data::TECHNICIAN)
    };
    let greeting = "Nothing here is real: jobs, card reader, printer and bank are simulated on this handheld, and nothing \
                    is sent or counted. The menu (:) presents other cards and cuts the link. ? lists the keys.";
    let desk = Desk {
        till: training.rig.till.clone(),
        events: training.rig.take_events(),
        switches: Some(Arc::new(hands)),
        greeting: Some(greeting.to_owned()),
    };
    let outcome = driver::run(settings, desk).await;
    training.rig.stop().await?;
    outcome.map_err(anyhow::Error::from)?;
    super::output::line(&format!("Training is over. Its receipts are in {}.", dir.join("receipts").display()))?;
    Ok(true)
}
