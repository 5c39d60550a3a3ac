//! `tillroll office processor check`: walks through what an office asks of its processor, and says what to ask the
//! provider where a step fails. It moves money, if only for a moment.

use super::{Db, defaults, open, path};
use crate::cli::CliError;
use crate::cli::output::{line, object};
use crate::domain::money::Currency;
use crate::office::payments::follow_up::next_stan;
use crate::office::processors::check::{AMOUNT_MINOR, Ended, Kit, Step, sale, walk};
use crate::office::processors::{self, CardPresent, ProcessorError, Source};
use crate::office::{Office, OfficeError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;
use tillroll_hardware::dukpt;
use tillroll_hardware::reader::cards::TEST_CARDS;
use tokio::sync::mpsc;
use uuid::Uuid;

/// How long each answer may take, milliseconds.
const ANSWER_MS: u64 = 15_000;

/// Tools for the connection to the processor
#[derive(Debug, clap::Subcommand)]
pub enum ProcessorCommand {
    /// Walk through endpoint, credentials, a test sale, its void and a refund
    Check(CheckArgs),
}

/// Arguments of `office processor check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Where the processor is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8742")]
    processor: String,
    /// Go on although real money may move
    #[arg(long)]
    yes: bool,
    /// The currency of the test sales, ISO 4217
    #[arg(long, default_value = "EUR")]
    currency: Currency,
    /// The provider's test token, for processors that take no card from a reader
    #[arg(long, value_name = "TOKEN", default_value = "tok_visa")]
    token: String,
    #[command(flatten)]
    db: Db,
}

impl ProcessorCommand {
    /// Whether errors are JSON too.
    pub fn json(&self) -> bool {
        let ProcessorCommand::Check(args) = self;
        args.db.json
    }
}

/// Runs the command; whether every step passed.
pub async fn run(command: &ProcessorCommand) -> Result<bool, CliError> {
    let ProcessorCommand::Check(args) = command;
    if !args.yes && !on_this_machine(&args.processor) {
        let message = format!(
            "{} may be a live account: two sales of {AMOUNT_MINOR} minor units would be made and \
                               given back",
            args.processor
        );
        return Err(CliError::usage(message, "use the provider's sandbox, or say --yes"));
    }
    let (late, _) = mpsc::channel(1);
    let setting = |why: ProcessorError| CliError::usage(why.to_string(), "name the processor with --processor");
    let processor = processors::open(&args.processor, ANSWER_MS, late).map_err(setting)?;
    let office = open(&path(&args.db.db)?, defaults())?;
    let kit = kit(&office, args, processor.abilities().card_present).map_err(anyhow::Error::from)?;
    let steps = walk(&*processor, kit).await;
    told(args, &steps)?;
    Ok(steps.iter().all(|step| step.ended != Ended::Failed))
}

/// A processor on this machine is a simulated one or a test peer.
fn on_this_machine(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

/// Numbers that the office has never used, and two cards.
fn kit(office: &Office, args: &CheckArgs, card_present: bool) -> Result<Kit, OfficeError> {
    let epoch = office.epoch().simple().to_string();
    let now_ms = office.now_ms();
    office.write(|tx| {
        let one = |counter: u8| -> Result<_, OfficeError> {
            let (count, stan) = next_stan(tx)?;
            let key = format!("check-{}", Uuid::now_v7());
            let rrn = format!("{}{count:08}", epoch.get(..4).unwrap_or("0000"));
            let source = if card_present { test_card(counter) } else { Source::OnFile(args.token.clone()) };
            Ok(sale(key, stan, rrn, now_ms, args.currency.code(), source))
        };
        let (voided, refunded) = (one(1)?, one(2)?);
        let mut stans = [0; 4];
        for stan in &mut stans {
            *stan = next_stan(tx)?.1;
        }
        Ok(Kit { voided, refunded, stans })
    })
}

/// A public test card as the simulated reader encrypts it: FC{57, 9F02} under the public ANSI X9.24-1 test key.
fn test_card(counter: u8) -> Source {
    let pan = TEST_CARDS.iter().find(|card| card.name == "visa-tap").map_or("", |card| card.pan);
    let mut track2 = format!("{pan}D30122010000000000");
    if !track2.len().is_multiple_of(2) {
        track2.push('F');
    }
    let inner = format!("57{:02X}{track2}9F0206{AMOUNT_MINOR:012}", track2.len() / 2);
    let mut plain = hex::decode(format!("FC{:02X}{inner}", inner.len() / 2)).unwrap_or_default();
    plain.resize(plain.len().next_multiple_of(8), 0);
    // A reader's number by chance: a processor refuses a KSN that it has seen.
    let [.., a, b, c, d, e] = *Uuid::new_v4().as_bytes();
    let ksn = [0xFF, 0xFF, a, b, c, d, e, 0xE0, 0x00, counter];
    let ciphertext = dukpt::encrypt_data(&dukpt::ANSI_TEST_BDK, &ksn, &plain).unwrap_or_default();
    Source::Card(CardPresent {
        ciphertext: BASE64.encode(ciphertext),
        ksn: hex::encode_upper(ksn),
        key_id: "ansi-test".to_owned(),
        encryption_type: "80".to_owned(),
        emv: [("9F02".to_owned(), format!("{AMOUNT_MINOR:012}"))].into(),
    })
}

fn told(args: &CheckArgs, steps: &[Step]) -> Result<(), CliError> {
    let passed = steps.iter().all(|step| step.ended != Ended::Failed);
    if args.db.json {
        return Ok(object(&json!({ "processor": args.processor, "passed": passed, "steps": steps }))?);
    }
    for step in steps {
        let word = match step.ended {
            Ended::Passed => "ok     ",
            Ended::Failed => "FAILED ",
            Ended::Skipped => "skipped",
        };
        line(&format!("{word}  {}: {}", step.name, step.detail))?;
        if !step.ask.is_empty() {
            line(&format!("         ask the provider: {}", step.ask))?;
        }
    }
    line(if passed { "This processor can be used." } else { "This processor cannot be used like this." })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::on_this_machine;

    #[test]
    fn only_this_machine_is_checked_without_a_word() {
        for url in
            ["http://127.0.0.1:8742", "http://localhost/x", "iso8583://127.0.0.1:9000?profile=a", "http://[::1]:1"]
        {
            assert!(on_this_machine(url), "{url}");
        }
        for url in ["https://api.provider.example", "http://127.0.0.1.evil.example:1", "http://10.0.0.1", "x"] {
            assert!(!on_this_machine(url), "{url}");
        }
    }
}
