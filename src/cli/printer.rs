//! `tillroll printer`: tools for a receipt printer, and a simulated one for other programs.

mod render;
mod simulate;
mod watch;

use super::output::{line, object};
use super::state::StateArgs;
use super::{CliError, config, error, hardware, receipt};
use crate::runtime::actors::printer::blocks;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tillroll_hardware::gpio::HeaderKind;
use tillroll_hardware::printer::driver::{Print, Watch};
use tillroll_hardware::printer::layout::layout;
use tillroll_hardware::printer::ports::{self, Device, PrinterConfig, Ready};
use tillroll_hardware::printer::profile::{Cut, Profile};
use tillroll_hardware::printer::{Confirmation, Health, Interruption, JobEnd};

/// Tools for a receipt printer
#[derive(Debug, clap::Args)]
pub struct PrinterArgs {
    #[command(subcommand)]
    command: PrinterCommand,
}

#[derive(Debug, clap::Subcommand)]
enum PrinterCommand {
    /// The makes of printers that are known, with what each can do
    Profiles {
        /// Answer as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Whether it is there, what it answers, and what keeps it from printing
    Status(Which),
    /// Open the drawer once and print a receipt, with progress; Ctrl-C stops it
    Test {
        #[command(flatten)]
        which: Which,
        /// The receipt, as `tillroll receipt example` writes it; the example if absent
        #[arg(long, value_name = "FILE.json")]
        receipt: Option<PathBuf>,
        /// Do not open the drawer
        #[arg(long)]
        no_drawer: bool,
    },
    /// A receipt's bytes for a make of printer, and a picture of the paper
    Render(render::RenderArgs),
    /// Be a printer for another program, until interrupted
    Simulate(simulate::SimulateArgs),
    /// The edges of a pin, to check the wiring
    Watch(watch::WatchArgs),
}

/// Which printer, and how it is wired. What is not named is taken from `config.toml`.
#[derive(Debug, Clone, clap::Args)]
struct Which {
    /// The printer: a path such as /dev/ttyAMA0, or tcp:HOST[:PORT]
    #[arg(long, value_name = "DEVICE")]
    device: Option<Device>,
    /// What it can do: a name of `tillroll printer profiles`, or a .toml file
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Bits a second, if not the profile's
    #[arg(long, value_name = "BAUD")]
    baud: Option<u32>,
    /// Its busy line is wired to CTS
    #[arg(long)]
    cts: bool,
    /// Whose code drives the pins: rppal or gpiocdev
    #[arg(long, value_name = "CODE")]
    header: Option<HeaderKind>,
    /// The label of the header's chip, for gpiocdev
    #[arg(long, value_name = "LABEL")]
    chip: Option<String>,
    /// GPIO number of the busy line
    #[arg(long, value_name = "GPIO")]
    busy: Option<u8>,
    /// GPIO number of the paper sensor
    #[arg(long, value_name = "GPIO")]
    paper: Option<u8>,
    /// GPIO number that kicks the drawer
    #[arg(long, value_name = "GPIO")]
    drawer: Option<u8>,
    #[command(flatten)]
    state: StateArgs,
}

impl Which {
    fn config(&self) -> Result<PrinterConfig, CliError> {
        let kept = config::read(&self.state.dir()?)?.printer;
        let Some(device) = self.device.clone().or_else(|| kept.as_ref().map(|kept| kept.device.clone())) else {
            return Err(CliError::usage("no printer is named", "name one with --device, or in config.toml"));
        };
        // Pins belong to a device: one that is named brings its own.
        let kept = kept.filter(|_| self.device.is_none());
        let of = |own: Option<u8>, kept: Option<u8>| own.or(kept);
        Ok(PrinterConfig {
            device,
            profile: self
                .profile
                .clone()
                .or_else(|| kept.as_ref().map(|kept| kept.profile.clone()))
                .unwrap_or_else(|| hardware::PROFILE.to_owned()),
            baud: self.baud.or_else(|| kept.as_ref().and_then(|kept| kept.baud)),
            cts: self.cts || kept.as_ref().is_some_and(|kept| kept.cts),
            header: self.header.or_else(|| kept.as_ref().map(|kept| kept.header)).unwrap_or_default(),
            chip: self.chip.clone().or_else(|| kept.as_ref().and_then(|kept| kept.chip.clone())),
            busy: of(self.busy, kept.as_ref().and_then(|kept| kept.busy)),
            paper: of(self.paper, kept.as_ref().and_then(|kept| kept.paper)),
            drawer: of(self.drawer, kept.as_ref().and_then(|kept| kept.drawer)),
        })
    }

    /// The printer with its line open.
    fn open(&self) -> Result<(Box<dyn Ready>, PrinterConfig), CliError> {
        let config = self.config()?;
        let mut printer = ports::open(&config).map_err(|why| error::printer(&why))?;
        printer.connect().map_err(|why| error::printer(&ports::PortError::Device(why)))?;
        Ok((printer, config))
    }
}

impl PrinterArgs {
    /// Whether errors are JSON too.
    pub fn json(&self) -> bool {
        match &self.command {
            PrinterCommand::Profiles { json } => *json,
            PrinterCommand::Status(which) | PrinterCommand::Test { which, .. } => which.state.json,
            PrinterCommand::Watch(args) => args.json,
            PrinterCommand::Render(args) => args.json,
            PrinterCommand::Simulate(_) => false,
        }
    }
}

/// Runs the command.
pub async fn run(args: PrinterArgs) -> Result<bool, CliError> {
    match args.command {
        PrinterCommand::Profiles { json } => profiles(json),
        PrinterCommand::Status(which) => blocking(move || status(&which)).await,
        PrinterCommand::Test { which, receipt, no_drawer } => {
            let stop = Arc::new(AtomicBool::new(false));
            let stopped = Arc::clone(&stop);
            tokio::spawn(async move {
                if tokio::signal::ctrl_c().await.is_ok() {
                    stopped.store(true, Ordering::SeqCst);
                }
            });
            blocking(move || test(&which, receipt.as_deref(), !no_drawer, stop)).await
        }
        PrinterCommand::Render(args) => render::run(&args),
        PrinterCommand::Simulate(args) => simulate::run(args).await,
        PrinterCommand::Watch(args) => blocking(move || watch::run(&args)).await,
    }
}

/// Pins and serial lines are asked, they do not call: not on the runtime's threads.
async fn blocking(work: impl FnOnce() -> Result<bool, CliError> + Send + 'static) -> Result<bool, CliError> {
    tokio::task::spawn_blocking(work).await.map_err(|why| CliError::from(anyhow::Error::from(why)))?
}

fn profiles(as_json: bool) -> Result<bool, CliError> {
    let library = Profile::library();
    if as_json {
        let one = |profile: &Profile| {
            let d = &profile.data;
            let pages: Vec<Value> = d.pages.iter().map(|page| json!({ "page": page.code, "n": page.number })).collect();
            json!({ "name": profile.name, "title": d.title, "columns": d.columns, "dots": d.dots, "baud": d.baud,
                    "buffer_bytes": d.buffer_bytes, "speed_mm_s": d.speed_mm_s, "cutter": d.cut == Cut::Cut,
                    "pages": pages })
        };
        object(&json!({ "profiles": library.iter().map(one).collect::<Vec<_>>() }))?;
        return Ok(true);
    }
    for profile in library {
        let d = &profile.data;
        let cut = if d.cut == Cut::Cut { "cutter" } else { "tear bar" };
        line(&format!("{:<12} {} columns, {} baud, {cut}: {}", profile.name, d.columns, d.baud, d.title))?;
    }
    line("Another one: copy a file of hardware/profiles, and name it with its path.")?;
    Ok(true)
}

fn status(which: &Which) -> Result<bool, CliError> {
    let (mut printer, config) = which.open()?;
    let health = printer.check();
    let can = health.stopped.is_none();
    if which.state.json {
        object(&json!({
            "device": config.device.to_string(), "profile": config.profile, "ready": can,
            "stopped": health.stopped.map(Interruption::word), "busy": health.busy, "paper_out": health.paper_out,
            "answers": health.answers, "fences": health.fences,
        }))?;
        return Ok(can);
    }
    for text in told(&health) {
        line(&text)?;
    }
    Ok(can)
}

fn told(health: &Health) -> Vec<String> {
    let yes = |known: Option<bool>, yes: &str, no: &str, unknown: &str| {
        match known {
            Some(true) => yes,
            Some(false) => no,
            None => unknown,
        }
        .to_owned()
    };
    let head = match health.stopped {
        Some(why) => why.refusal().to_owned(),
        None if health.answers == Some(true) || health.fences == Some(true) => "It is ready.".to_owned(),
        None => "Nothing keeps it from printing, as far as is known.".to_owned(),
    };
    vec![
        head,
        yes(health.answers, "status: it answers", "status: it does not answer", "status: not asked"),
        yes(health.fences, "end of a job: it answers", "end of a job: it does not answer", "end of a job: not asked"),
        yes(health.busy, "busy line: busy", "busy line: ready", "busy line: none"),
        yes(health.paper_out, "paper sensor: no paper", "paper sensor: paper", "paper sensor: none"),
    ]
}

/// Prints the progress, and stops on request.
struct Progress {
    quiet: bool,
    told: u16,
    stop: Arc<AtomicBool>,
}

impl Watch for Progress {
    fn progress(&mut self, sent: u16, rows: u16, waits: Option<Interruption>) {
        if !self.quiet && (sent >= self.told.saturating_add(10) || waits.is_some()) {
            self.told = sent;
            let waits = waits.map(|why| format!(", waits: {}", why.word())).unwrap_or_default();
            // Progress that cannot be shown is no reason to stop.
            let _ = line(&format!("{sent} of {rows} lines{waits}"));
        }
    }

    fn stops(&mut self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

fn test(which: &Which, path: Option<&std::path::Path>, drawer: bool, stop: Arc<AtomicBool>) -> Result<bool, CliError> {
    let receipt = receipt::read(path)?;
    let (mut printer, config) = which.open()?;
    let profile = config.printer().map_err(|why| error::printer(&why))?;
    let opened = drawer.then(|| printer.drawer());
    let rows = layout(&blocks(&receipt), profile.columns, &profile.pages);
    let mut progress = Progress { quiet: which.state.json, told: 0, stop };
    let end = printer.print(&Print { rows: &rows, unclean: false }, &mut progress);
    if which.state.json {
        object(
            &json!({ "end": name(end), "by": by(end), "why": end.sentence(), "rows": rows.len(), "drawer": opened }),
        )?;
    } else {
        if opened == Some(false) {
            line("The drawer could not be opened.")?;
        }
        line(end.sentence())?;
    }
    match end {
        JobEnd::Confirmed(_) | JobEnd::SentUnconfirmed => Ok(true),
        // Told already, on standard output.
        JobEnd::Interrupted(why) | JobEnd::Refused(why) => {
            Err(CliError::not_now("not_printed", format!("the receipt was not printed: {}", why.word()), why.refusal()))
        }
    }
}

fn name(end: JobEnd) -> &'static str {
    match end {
        JobEnd::Confirmed(_) => "confirmed",
        JobEnd::SentUnconfirmed => "sent_unconfirmed",
        JobEnd::Interrupted(_) => "interrupted",
        JobEnd::Refused(_) => "refused",
    }
}

fn by(end: JobEnd) -> Option<&'static str> {
    match end {
        JobEnd::Confirmed(Confirmation::ProcessId) => Some("process_id"),
        JobEnd::Confirmed(Confirmation::Fence) => Some("fence"),
        JobEnd::Confirmed(Confirmation::Model) => Some("model"),
        JobEnd::SentUnconfirmed | JobEnd::Interrupted(_) | JobEnd::Refused(_) => None,
    }
}
