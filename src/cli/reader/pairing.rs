//! `tillroll reader scan`, `pair` and `forget`: Bluetooth readers near by and the one that this handheld uses.

use super::Radio;
use crate::cli::hardware::{PASSKEY, ReaderName};
use crate::cli::output::{line, object};
use crate::cli::state::StateArgs;
use crate::cli::{CliError, error};
use crate::runtime::actors::devices::{PASSKEY_NOTE, READER_NOTE};
use crate::runtime::terminal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::time::Duration;
use tillroll_hardware::transport::bluetooth::{self, Address, Found, Kind, Question};
use tokio::sync::mpsc;

/// Looks for readers.
#[derive(Debug, clap::Args)]
pub struct ScanArgs {
    /// How long, seconds; Ctrl-C ends it earlier
    #[arg(long, value_name = "S", default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    #[command(flatten)]
    pub(super) radio: Radio,
}

/// Pairs with one.
#[derive(Debug, clap::Args)]
pub struct PairArgs {
    /// Its address, as `tillroll reader scan` shows it
    #[arg(value_name = "AA:BB:CC:DD:EE:FF")]
    address: Address,
    /// Six digits, on its label or in its menu; the one that worked last, or 000000, unless named
    #[arg(long, value_name = "DIGITS", value_parser = passkey)]
    passkey: Option<u32>,
    /// Do not ask whether both sides show the same number
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    pub(super) radio: Radio,
}

/// Unpairs it.
#[derive(Debug, clap::Args)]
pub struct ForgetArgs {
    /// Its address
    #[arg(value_name = "AA:BB:CC:DD:EE:FF")]
    address: Address,
    #[command(flatten)]
    pub(super) radio: Radio,
}

fn passkey(text: &str) -> Result<u32, String> {
    let digits = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    let wrong = || format!("{text} is no passkey: it is six digits, {PASSKEY:06} unless it was changed");
    text.parse().ok().filter(|_| digits).ok_or_else(wrong)
}

/// The name by which the handheld keeps a reader.
fn name(found: &Found) -> ReaderName {
    match found.kind {
        Kind::Mms => ReaderName::Ble(found.address),
        Kind::Miura => ReaderName::Rfcomm(found.address),
    }
}

/// The reader that this handheld uses, if one was paired.
pub fn kept(state: &StateArgs) -> Result<Option<ReaderName>, CliError> {
    let Some(store) = state.existing()? else { return Ok(None) };
    let text: Option<String> = store.meta(READER_NOTE).map_err(anyhow::Error::from)?;
    text.filter(|text| !text.is_empty())
        .map(|text| text.parse().map_err(|why: String| CliError::usage(why, "pair it anew")))
        .transpose()
}

fn last_passkey(state: &StateArgs) -> Result<Option<u32>, CliError> {
    let Some(store) = state.existing()? else { return Ok(None) };
    let noted: Option<String> = store.meta(PASSKEY_NOTE).map_err(anyhow::Error::from)?;
    Ok(noted.and_then(|digits| passkey(&digits).ok()))
}

fn keep(state: &StateArgs, name: Option<&ReaderName>) -> Result<bool, CliError> {
    let Some(mut store) = state.existing()? else { return Ok(false) };
    let text = name.map(ToString::to_string).unwrap_or_default();
    store.set_meta(READER_NOTE, &text).map_err(anyhow::Error::from)?;
    Ok(true)
}

fn as_json(found: &Found) -> Value {
    json!({
        "reader": name(found).to_string(), "address": found.address.to_string(), "name": found.name,
        "kind": found.kind.scheme(), "rssi_dbm": found.rssi_dbm, "paired": found.paired,
        "connected": found.connected,
    })
}

fn as_text(found: &Found) -> String {
    let signal = found.rssi_dbm.map_or_else(|| "      ".to_owned(), |dbm| format!("{dbm:>4} dBm"));
    let paired = if found.paired { "paired" } else { "" };
    format!("{}  {signal}  {:<6}  {:<24}  {paired}", found.address, found.kind.scheme(), found.name)
        .trim_end()
        .to_owned()
}

/// Runs `scan`.
pub async fn scan(args: &ScanArgs) -> Result<bool, CliError> {
    let adapter = args.radio.adapter.as_deref();
    let mut heard = bluetooth::scan(adapter).await.map_err(|why| error::bluetooth(&why))?;
    let mut all: BTreeMap<Address, Found> = BTreeMap::new();
    let end = tokio::time::sleep(Duration::from_secs(args.seconds));
    tokio::pin!(end);
    loop {
        let found = tokio::select! {
            found = heard.recv() => found,
            () = &mut end => None,
            _ = tokio::signal::ctrl_c() => None,
        };
        let Some(found) = found else { break };
        if all.insert(found.address, found.clone()).is_none() && !args.radio.state.json {
            line(&as_text(&found))?;
        }
    }
    if args.radio.state.json {
        return Ok(object(&json!({ "readers": all.values().map(as_json).collect::<Vec<_>>() })).map(|()| true)?);
    }
    if all.is_empty() {
        line("No reader was heard. Put it into pairing: it beeps four times, or shows so in its menu.")?;
    } else {
        line("Pair with: tillroll reader pair ADDRESS")?;
    }
    Ok(true)
}

/// Runs `pair`.
pub async fn pair(args: &PairArgs) -> Result<bool, CliError> {
    let (questions, mut asked) = mpsc::channel::<Question>(1);
    let (yes, quiet) = (args.yes, args.radio.state.json);
    let asking = tokio::spawn(async move {
        while let Some(question) = asked.recv().await {
            let same = yes || tokio::task::spawn_blocking(move || same(question.number, quiet)).await.unwrap_or(false);
            let _ = question.answer.send(same);
        }
    });
    let adapter = args.radio.adapter.as_deref();
    let passkey = match args.passkey {
        Some(passkey) => passkey,
        None => last_passkey(&args.radio.state)?.unwrap_or(PASSKEY),
    };
    let pairing = bluetooth::pair(adapter, args.address, passkey, questions);
    let outcome = tokio::select! {
        outcome = pairing => outcome.map_err(|why| error::bluetooth(&why)),
        _ = tokio::signal::ctrl_c() => Err(CliError::not_now("stopped", "pairing was stopped", "try again")),
    };
    asking.abort();
    let found = outcome?;
    let used = keep(&args.radio.state, Some(&name(&found)))?;
    if let Some(mut store) = args.radio.state.existing()? {
        store.set_meta(PASSKEY_NOTE, &format!("{passkey:06}")).map_err(anyhow::Error::from)?;
    }
    if args.radio.state.json {
        let mut whole = as_json(&found);
        if let Some(whole) = whole.as_object_mut() {
            whole.insert("used".to_owned(), used.into());
        }
        return Ok(object(&whole).map(|()| true)?);
    }
    line(&format!("Paired with {} ({}).", found.name, found.address))?;
    let next = if used {
        "This handheld uses it from now on.".to_owned()
    } else {
        format!("Try it: tillroll reader test --device {}", name(&found))
    };
    line(&next)?;
    Ok(true)
}

/// Asks the person in front of the terminal; without one the answer is no.
fn same(number: u32, quiet: bool) -> bool {
    if quiet || !terminal::is_there() {
        return false;
    }
    let asked = line(&format!("Does the reader show {number:06} too? [y/N]")).is_ok();
    let mut answer = String::new();
    asked && std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim().eq_ignore_ascii_case("y")
}

/// Runs `forget`.
pub async fn forget(args: &ForgetArgs) -> Result<bool, CliError> {
    let ours = kept(&args.radio.state)?.is_some_and(|kept| match kept {
        ReaderName::Ble(address) | ReaderName::Rfcomm(address) => address == args.address,
        ReaderName::Tcp(..) | ReaderName::Tty(..) => false,
    });
    if ours {
        refuse_while_stored(&args.radio.state)?;
    }
    bluetooth::forget(args.radio.adapter.as_deref(), args.address).await.map_err(|why| error::bluetooth(&why))?;
    if ours {
        keep(&args.radio.state, None)?;
    }
    if args.radio.state.json {
        return Ok(object(&json!({ "forgotten": args.address.to_string() })).map(|()| true)?);
    }
    line(&format!("{} is forgotten.", args.address))?;
    Ok(true)
}

/// Stored card payments were read by this reader: until they are with the office it stays.
fn refuse_while_stored(state: &StateArgs) -> Result<(), CliError> {
    let stored = state.existing()?.and_then(|store| store.sync_status().ok()).map_or(0, |status| status.exposure.count);
    if stored == 0 {
        return Ok(());
    }
    Err(CliError::not_now(
        "stored_payments",
        format!("{stored} card payments are stored and not with the bank yet"),
        "connect to the office first: tillroll sync",
    ))
}
