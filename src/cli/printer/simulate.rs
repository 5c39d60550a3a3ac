//! `tillroll printer simulate`: a printer for another program, on a pseudo-terminal.

use crate::cli::CliError;
use crate::cli::output::line;
use std::path::PathBuf;
use tillroll_hardware::printer::link::RealClock;
use tillroll_hardware::printer::profile::Profile;
use tillroll_hardware::printer::sim::machine::{Machine, MachineConfig};
use tillroll_hardware::printer::sim::{SimControl, serve};
use tillroll_hardware::transport::tty::Terminal;

/// What is simulated.
#[derive(Debug, clap::Args)]
pub struct SimulateArgs {
    /// On a pseudo-terminal, the one way there is; its path is told
    #[arg(long, required = true)]
    pty: bool,
    /// The make: a name of `tillroll printer profiles`, or a .toml file
    #[arg(long, value_name = "NAME", default_value = super::hardware::PROFILE)]
    profile: String,
    /// Where each receipt goes as 001.bin, 001.txt and 001.png
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// It answers nothing, as many clones
    #[arg(long)]
    silent: bool,
    /// How much paper is left, mm
    #[arg(long, value_name = "MM")]
    paper_mm: Option<u32>,
}

/// Runs until interrupted.
pub async fn run(args: SimulateArgs) -> Result<bool, CliError> {
    let profile = Profile::named(&args.profile).map_err(|why| CliError::usage(why.to_string(), ""))?;
    let printer = profile.data;
    let config = MachineConfig { answers: !args.silent, ..MachineConfig::of(&printer) };
    let mut machine = Machine::new(printer, config);
    if let Some(left) = args.paper_mm {
        machine.roll(left);
    }
    let control = SimControl::new(machine, RealClock::default(), args.folder);
    let terminal = Terminal::open().map_err(|why| CliError::not_now("pty", why, ""))?;
    line(&format!("A simulated printer ({}) listens at {}. Ctrl-C ends it.", args.profile, terminal.path.display()))?;
    let told = |strip: &tillroll_hardware::printer::sim::machine::Strip| {
        let mm = strip.paper.dots / 8;
        // Without somebody to tell, it goes on all the same.
        let _ = line(&format!("{} rows on {mm} mm of paper", strip.paper.rows.len()));
        let _ = line(strip.paper.text().trim_end());
    };
    tokio::select! {
        () = serve::on_a_terminal(control, terminal, told) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(true)
}
