//! `tillroll verify-receipt`: checks what a receipt's QR code states, with no network and no account.
//!
//! Invariant: says "authentic" of what a device of the list signed, byte for byte, and never that money was settled.

use super::CliError;
use super::output::{line, object};
use crate::domain::mode::Mode;
use crate::domain::receipt::statement::{DeviceKey, Statement, StatementError, check};
use serde_json::json;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The largest list of keys or file with a statement that is read, bytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Said with every answer of yes.
const NO_PROOF: &str = "It proves who printed the receipt, not that the money arrived: authentic is not settled.";

/// Check what a receipt's QR code says, with no network and no account
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the code says, beginning with TR: as a scanner gives it; read from standard input if absent
    text: Option<String>,
    /// A file that holds it
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    file: Option<PathBuf>,
    /// A file of public keys as `tillroll office device keys` writes it, or one key, 64 hex digits; may come again
    #[arg(long, value_name = "FILE-or-KEY", required = true)]
    key: Vec<String>,
    /// Answer as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Runs the command; whether it is authentic.
pub fn run(args: &Args) -> Result<bool, CliError> {
    let mut keys = Vec::new();
    for named in &args.key {
        keys.extend(keys_of(named)?);
    }
    let text = match (&args.text, &args.file) {
        (Some(text), _) => text.clone(),
        (None, Some(file)) => read(file, "no statement")?,
        (None, None) => bounded(std::io::stdin().lock(), "standard input", "no statement")?,
    };
    match check(&text, &keys) {
        Ok((statement, by)) => authentic(&statement, by, args.json).map_err(CliError::from).map(|()| true),
        Err(why) => not_authentic(&why, args.json).map_err(CliError::from).map(|()| false),
    }
}

fn authentic(of: &Statement, by: &DeviceKey, as_json: bool) -> anyhow::Result<()> {
    let at = jiff::Timestamp::from_second(of.at_s.into())?;
    if as_json {
        return object(&json!({
            "authentic": true, "settled": null, "device": by.name, "key": by.id(), "mode": of.mode,
            "kind": of.kind, "document": of.document, "total_minor": of.total.minor,
            "currency": of.total.currency.code(), "standing": of.standing, "printed_at": at.to_string(),
            "seq": of.seq, "hash": of.hash.to_string(),
        }));
    }
    let name = if by.name.is_empty() { String::new() } else { format!(" {}", by.name) };
    line(&format!("AUTHENTIC: handheld{name} made this statement (key {}).", by.id()))?;
    if of.mode == Mode::Test {
        line("TEST: no real money.")?;
    }
    line(&format!("receipt   {}, {}", of.document, of.kind.word().to_lowercase()))?;
    line(&format!("total     {}", of.total))?;
    line(&format!("then      {}", of.standing.words()))?;
    line(&format!("printed   {} by the handheld's clock", at.strftime("%Y-%m-%d %H:%M UTC")))?;
    line(&format!("journal   row {}, hash {}", of.seq, of.hash))?;
    line(NO_PROOF)
}

fn not_authentic(why: &StatementError, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return object(&json!({ "authentic": false, "why": why.to_string() }));
    }
    line(&format!("NOT AUTHENTIC: {why}."))
}

/// The keys that an argument names.
fn keys_of(named: &str) -> Result<Vec<DeviceKey>, CliError> {
    if let Some(key) = DeviceKey::from_hex("", named.trim()) {
        return Ok(vec![key]);
    }
    if named.len() == 64 && named.bytes().all(|b| b.is_ascii_hexdigit()) {
        let message = format!("{named} is no device's public key");
        return Err(CliError::usage(message, "copy it whole from the office's list: tillroll office device keys"));
    }
    let path = Path::new(named);
    let text = read(path, "no list of keys")?;
    let wrong = |number: usize| {
        let message = format!("{} line {number} is no device's key", path.display());
        CliError::usage(message, "a line is NAME and 64 hex digits: tillroll office device keys writes such a file")
    };
    let mut keys = Vec::new();
    for (number, row) in text.lines().enumerate() {
        let row = row.trim();
        if row.is_empty() || row.starts_with('#') {
            continue;
        }
        let (name, key) = row.rsplit_once(char::is_whitespace).unwrap_or(("", row));
        keys.push(DeviceKey::from_hex(name.trim(), key).ok_or_else(|| wrong(number + 1))?);
    }
    if keys.is_empty() {
        let message = format!("{} holds no key", path.display());
        return Err(CliError::usage(message, "get the list from the office: tillroll office device keys --out FILE"));
    }
    Ok(keys)
}

fn read(path: &Path, what: &str) -> Result<String, CliError> {
    let named = path.display().to_string();
    let file = std::fs::File::open(path).map_err(|why| {
        CliError::usage(format!("{named} is {what}: {why}"), "name a file that can be read, or give the text itself")
    })?;
    bounded(file, &named, what)
}

fn bounded(from: impl std::io::Read, named: &str, what: &str) -> Result<String, CliError> {
    let mut text = String::new();
    let wrong =
        |why: String| CliError::usage(format!("{named} is {what}: {why}"), "it is a short text of ASCII letters");
    from.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(|why| wrong(why.to_string()))?;
    Ok(text)
}
