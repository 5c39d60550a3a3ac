//! `tillroll enrol`: makes this handheld known to an office by a one-time code.

use super::CliError;
use super::output::{line, object};
use super::state::StateArgs;
use crate::domain::id::Epoch;
use crate::domain::mode::Mode;
use crate::keyfile::signing_key;
use crate::runtime::clock::Clock;
use crate::store::Identity;
use crate::sync::client;
use serde_json::json;
use uuid::Uuid;

/// How long the office's answer is waited for, milliseconds.
const ANSWER_MS: u64 = 15_000;

/// Make this handheld known to an office
#[derive(Debug, clap::Args)]
pub struct EnrolArgs {
    /// Where the office is
    #[arg(long, value_name = "URL")]
    office: String,
    /// The one-time code, from `tillroll office device add`
    #[arg(long)]
    code: String,
    #[command(flatten)]
    pub(super) state: StateArgs,
}

/// Runs the command.
pub async fn run(args: EnrolArgs) -> Result<bool, CliError> {
    let mut store = args.state.made()?;
    if let Ok(identity) = store.identity() {
        return Err(CliError::usage(
            format!("this handheld is enrolled already, as {}", identity.name),
            "name another folder with --state DIR to enrol a second one",
        ));
    }
    let key = signing_key(&args.state.dir()?.join("device.key")).map_err(anyhow::Error::from)?;
    let answer = client::enrol(&args.office, &args.code, &key, ANSWER_MS).await.map_err(|why| {
        CliError::not_now("enrol", why.to_string(), "check the address, and ask the office for a new code")
    })?;
    let identity = Identity {
        device: answer.device,
        name: answer.name.clone(),
        epoch: Epoch(Uuid::new_v4()),
        series: answer.name.clone(),
        technician: answer.technician,
        technician_name: answer.technician_name.clone(),
        office_url: args.office.clone(),
        office_key: answer.office_key,
        mode: answer.mode,
    };
    let stamp = Clock::new(&answer.technician_name).stamp(None);
    store.enrol(&identity, env!("CARGO_PKG_VERSION"), &stamp).map_err(anyhow::Error::from)?;
    if args.state.json {
        object(
            &json!({ "device": identity.device, "name": identity.name, "technician": identity.technician_name, "mode": identity.mode }),
        )?;
    } else {
        if answer.mode == Mode::Test {
            line("TEST: this office takes no real money, and this handheld says so on every screen and receipt.")?;
        }
        line(&format!("This is handheld {} of {}. Next: tillroll sync", answer.name, answer.technician_name))?;
    }
    Ok(true)
}
