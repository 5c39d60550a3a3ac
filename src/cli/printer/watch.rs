//! `tillroll printer watch`: the edges of a pin, to check the wiring.

use crate::cli::CliError;
#[cfg(feature = "gpio")]
use crate::cli::output::{line, object};
use std::time::{Duration, Instant};
use tillroll_hardware::gpio::{GpioError, HeaderKind};

/// Which pin.
#[derive(Debug, clap::Args)]
pub struct WatchArgs {
    /// Whose code drives the pins; edges need gpiocdev
    #[arg(long, value_name = "CODE", default_value = "gpiocdev")]
    header: HeaderKind,
    /// The label of the header's chip; a Raspberry Pi's if absent
    #[arg(long, value_name = "LABEL")]
    chip: Option<String>,
    /// GPIO number of the line
    #[arg(long, value_name = "GPIO")]
    busy: u8,
    /// How long
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Answer in JSON, one object an edge
    #[arg(long)]
    pub json: bool,
}

/// Tells each edge.
pub fn run(args: &WatchArgs) -> Result<bool, CliError> {
    let until = Instant::now() + Duration::from_secs(args.seconds);
    watch(args, until).map_err(|why| {
        if why.is_permanent() {
            CliError::usage(why.to_string(), "")
        } else {
            CliError::not_now("gpio", why.to_string(), "")
        }
    })
}

#[cfg(feature = "gpio")]
fn watch(args: &WatchArgs, until: Instant) -> Result<bool, GpioError> {
    use tillroll_hardware::gpio::Header;
    let edges = Header::open(args.header, args.chip.as_deref())?.edges(args.busy)?;
    tell(args, "watching", &serde_json::json!({ "watching": true }))?;
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        let Some(rising) = edges.next(left)? else { break };
        let edge = if rising { "rising" } else { "falling" };
        tell(args, edge, &serde_json::json!({ "edge": edge }))?;
    }
    Ok(true)
}

#[cfg(not(feature = "gpio"))]
fn watch(_: &WatchArgs, _: Instant) -> Result<bool, GpioError> {
    Err(GpioError::NotBuilt)
}

#[cfg(feature = "gpio")]
fn tell(args: &WatchArgs, text: &str, json: &serde_json::Value) -> Result<(), GpioError> {
    let told = if args.json { object(json) } else { line(text) };
    told.map_err(|why| GpioError::Other(why.to_string()))
}
