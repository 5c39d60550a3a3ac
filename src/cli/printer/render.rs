//! `tillroll printer render`: a receipt's bytes without a printer.

use crate::cli::output::{line, object};
use crate::cli::{CliError, receipt};
use crate::runtime::actors::printer::blocks;
use serde_json::json;
use std::path::{Path, PathBuf};
use tillroll_hardware::printer::escpos::{self, encode};
use tillroll_hardware::printer::layout::layout;
use tillroll_hardware::printer::profile::Profile;
use tillroll_hardware::printer::sim::render;

/// What is rendered.
#[derive(Debug, clap::Args)]
pub struct RenderArgs {
    /// The receipt, as `tillroll receipt example` writes it; the example if absent
    #[arg(long, value_name = "FILE.json")]
    receipt: Option<PathBuf>,
    /// The make: a name of `tillroll printer profiles`, or a .toml file
    #[arg(long, value_name = "NAME", default_value = super::hardware::PROFILE)]
    profile: String,
    /// Where the bytes go
    #[arg(long, value_name = "FILE.bin")]
    out: PathBuf,
    /// Where a picture of the paper goes
    #[arg(long, value_name = "FILE.png")]
    png: Option<PathBuf>,
    /// The drawer hangs on a pin of the header: its pulse is no part of the bytes
    #[arg(long)]
    drawer_by_pin: bool,
    /// Answer as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Renders.
pub fn run(args: &RenderArgs) -> Result<bool, CliError> {
    let receipt = receipt::read(args.receipt.as_deref())?;
    let profile = Profile::named(&args.profile).map_err(|why| CliError::usage(why.to_string(), ""))?;
    let printer = profile.data;
    let rows = layout(&blocks(&receipt), printer.columns, &printer.pages);
    let job = encode(&rows, &printer, u32::MAX);
    let opens = receipt.opens_drawer() && !args.drawer_by_pin;
    let mut bytes = if opens { escpos::drawer(&printer).to_vec() } else { Vec::new() };
    bytes.extend_from_slice(&job.bytes);
    write(&args.out, &bytes)?;
    let paper = render(&bytes, &printer);
    if let Some(path) = &args.png {
        let mut picture = Vec::new();
        paper.picture().write_png(&mut picture).map_err(anyhow::Error::from)?;
        write(path, &picture)?;
    }
    if args.json {
        object(&json!({ "bytes": bytes.len(), "rows": job.rows, "columns": printer.columns, "dots": printer.dots,
                        "paper_mm": job.dots() / 8, "drawer": opens, "unknown": paper.unknown, "text": paper.texts() }))?;
    } else {
        line(paper.text().trim_end())?;
        line(&format!("{} bytes in {}, {} mm of paper", bytes.len(), args.out.display(), job.dots() / 8))?;
    }
    Ok(true)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    std::fs::write(path, bytes).map_err(|why| {
        CliError::not_now("write", format!("{} cannot be written: {why}", path.display()), "name another file")
    })
}
