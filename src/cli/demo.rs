//! `tillroll demo`: office, processor and handheld in one process, with simulated reader and printer.
//!
//! Start at [`run`]. `--headless` plays a day by goals and compares the books.

mod data;
mod goals;
mod link;
mod play;
mod report;
mod screen;
mod world;

use super::CliError;
use crate::domain::policy::HOUR_MS;
use crate::domain::read::TodayRow;
use crate::flow::payment::Timing;
use crate::office::payments;
use crate::runtime::actors::sync::Pace;
use anyhow::{Context as _, anyhow};
use play::Player;
use report::Report;
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tillroll_hardware::printer::sim::Pace as Paper;
use world::{DemoReader, Listen, Tempo, World};

/// Everything on this machine, with simulated hardware: nothing to set up.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Where the office's pages are served
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8741")]
    listen: SocketAddr,
    /// Where everything is kept; a fresh temporary folder unless named
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    dir: Option<PathBuf>,
    /// Which card reader: ble or rfcomm for the one inside over Bluetooth between two adapters of this machine; or one
    /// elsewhere, such as `tillroll reader simulate` in another terminal: ble:ADDRESS, rfcomm:ADDRESS, tcp:HOST:PORT
    #[arg(long, value_name = "READER")]
    reader: Option<DemoReader>,
    /// Play a day without a screen, then compare the books
    #[arg(long)]
    headless: bool,
    /// Answer as one JSON object
    #[arg(long, requires = "headless")]
    json: bool,
    /// Which day is played: amounts, order and faults follow from it
    #[arg(long, value_name = "N", default_value_t = 1, requires = "headless")]
    seed: u64,
    /// Where the played day is kept
    #[arg(long, value_name = "DIR", requires = "headless")]
    out: Option<PathBuf>,
    /// Go on with a day that was stopped
    #[arg(long, requires = "out")]
    resume: bool,
}

/// What must be the same when a day is gone on with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    seed: u64,
    day: String,
}

/// A played day waits for nothing that a machine does not need.
const HEADLESS: Tempo = Tempo {
    office: payments::Timing { answer_ms: 300, retry_ms: 20, ..payments::Timing::STANDARD },
    slow_ms: 900,
    pace: Pace { retry_min_ms: 20, feed_wait_ms: 10_000 },
    present_after: Duration::ZERO,
    paper: Paper::AtOnce,
};

/// Over Bluetooth the first connection takes seconds: searching, connecting, looking at services.
const READER_COMES: Duration = Duration::from_secs(90);

/// A card that is not answered within this is of unknown outcome, in a played day.
const HEADLESS_TIMING: Timing = Timing { present_ms: 5_000, unknown_ms: 500 };

impl DemoArgs {
    /// Whether errors are JSON too.
    pub fn json(&self) -> bool {
        self.json
    }
}

/// Runs the command; whether the answer is yes.
pub async fn run(args: DemoArgs) -> Result<bool, CliError> {
    if args.headless {
        if let Some(DemoReader::Elsewhere(_)) = args.reader {
            let message = "a played day needs a reader whose customer it can play".to_owned();
            return Err(CliError::usage(message, "leave --reader out, or use --reader ble or --reader rfcomm"));
        }
        let report = headless(&args).await?;
        show(&args, &report)?;
        return Ok(report.is_good());
    }
    let dir = args.dir.clone().map_or_else(temporary, Ok)?;
    std::fs::create_dir_all(&dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    let today = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::system()).date();
    screen::run(&dir, today, args.listen, args.reader.as_ref()).await?;
    Ok(true)
}

async fn headless(args: &DemoArgs) -> anyhow::Result<Report> {
    let temporary = args.out.is_none().then(temporary).transpose()?;
    let dir = args.out.clone().or(temporary).context("a folder")?;
    std::fs::create_dir_all(&dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    let day = kept(&dir, args)?;
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut world =
        World::start(&dir, day, Listen { office: any, processor: any }, HEADLESS, args.reader.as_ref()).await?;
    let mut reader = world.rig.till.reader.state();
    let connected = tokio::time::timeout(READER_COMES, reader.wait_for(|reader| reader.connected)).await;
    drop(connected.context("the reader did not connect")??);
    let rows = visits(&world, day).await?;
    let goals = goals::day(args.seed, rows.len());
    let mut player = Player {
        till: world.rig.till.clone(),
        events: world.rig.take_events(),
        link: world.link.clone(),
        customer: world.customer.clone(),
        timing: HEADLESS_TIMING,
    };
    for (place, (row, goal)) in rows.iter().zip(&goals).enumerate() {
        if !args.json {
            writeln!(std::io::stderr(), "{} of {}  {}: {}", place + 1, rows.len(), row.customer_name, row.title)?;
        }
        player.job(row.job, goal).await.with_context(|| format!("job {} ({})", place + 1, row.customer_name))?;
    }
    player.network(true).await?;
    drop(player);
    report::quiet(&world).await?;
    let report = report::report(&world, &dir, args.seed, &rows).await?;
    world.stop().await?;
    Ok(report)
}

/// The day's visits, once the feed has brought them.
async fn visits(world: &World, day: jiff::civil::Date) -> anyhow::Result<Vec<TodayRow>> {
    let start = day.to_zoned_datetime(jiff::tz::TimeZone::UTC)?.timestamp().as_millisecond();
    let until = tokio::time::Instant::now() + Duration::from_secs(30);
    let mut applied = world.rig.till.sync.applied();
    loop {
        let rows = world.rig.till.store.run(move |store| store.today(start, start + 24 * HOUR_MS)).await;
        let mut rows = rows.map_err(|why| anyhow!(why))?;
        let ready = world.rig.till.store.run(|store| Ok(!store.search_prices("TX-2")?.is_empty())).await;
        rows.retain(|row| (start..start + 24 * HOUR_MS).contains(&row.window_start_ms));
        if !rows.is_empty() && ready.map_err(|why| anyhow!(why))? {
            return Ok(rows);
        }
        tokio::time::timeout_at(until, applied.changed()).await.context("no jobs came from the office")??;
    }
}

/// Notes seed and day in the folder, or checks them against what is noted.
fn kept(dir: &Path, args: &DemoArgs) -> anyhow::Result<jiff::civil::Date> {
    let path = dir.join("demo.json");
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let found: Kept = serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?;
            anyhow::ensure!(args.resume, "{} holds a day already: add --resume or name another folder", dir.display());
            anyhow::ensure!(found.seed == args.seed, "{} holds the day of seed {}", dir.display(), found.seed);
            Ok(found.day.parse()?)
        }
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
            let day = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
            let note = serde_json::to_string(&Kept { seed: args.seed, day: day.to_string() })?;
            crate::keyfile::write_secret(&path, &note)?;
            Ok(day)
        }
        Err(why) => Err(anyhow!("{} cannot be read: {why}", path.display())),
    }
}

fn temporary() -> anyhow::Result<PathBuf> {
    let dir = std::env::temp_dir().join(format!("tillroll-demo-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir_all(&dir)?;
    Ok(dir)
}

fn show(args: &DemoArgs, report: &Report) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, report)?;
        writeln!(out)?;
        return Ok(());
    }
    let money = |minor| crate::domain::money::Money::new(minor, world::CURRENCY);
    writeln!(out, "jobs       {} of {}", report.jobs.done, report.jobs.planned)?;
    writeln!(
        out,
        "card       handheld {}, office {}, processor {}",
        money(report.card_device_minor),
        money(report.card_office_minor),
        money(report.card_processor_minor)
    )?;
    writeln!(
        out,
        "cash       handheld {}, office {}",
        money(report.cash_device_minor),
        money(report.cash_office_minor)
    )?;
    writeln!(out, "exceptions {}", report.exceptions.len())?;
    for violation in &report.violations {
        writeln!(out, "WRONG      {violation}")?;
    }
    writeln!(out, "{}", if report.is_good() { "the books agree" } else { "the books do not agree" })?;
    Ok(())
}
