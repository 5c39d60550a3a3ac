//! `tillroll processor`: runs the simulated card processor, or prints its test cards.
//!
//! Start at [`run`]. Invariant: prints no card number.

use super::listen::listener;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::processor::card::CARDS;
use crate::processor::{DEFAULT_LISTEN, DEFAULT_SLOW_MS, Processor, ProcessorConfig};

/// The simulated card processor, for demo and tests.
#[derive(Debug, Args)]
pub struct ProcessorArgs {
    #[command(subcommand)]
    command: ProcessorCommand,
}

#[derive(Debug, Subcommand)]
enum ProcessorCommand {
    /// Serve until interrupted
    Serve(ServeArgs),
    /// Print the table of test cards
    Cards(CardsArgs),
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// Address and port to listen on
    #[arg(long, value_name = "ADDR", default_value = DEFAULT_LISTEN)]
    listen: SocketAddr,
    /// The ledger file; made if it is missing
    #[arg(long, value_name = "FILE")]
    ledger: PathBuf,
    /// How long the answer for the card `slow` is held back, in milliseconds
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SLOW_MS)]
    slow_ms: u64,
}

#[derive(Debug, Args)]
struct CardsArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// The port is in use, the ledger cannot be opened, or standard output is closed.
pub async fn run(args: ProcessorArgs) -> anyhow::Result<()> {
    match args.command {
        ProcessorCommand::Serve(args) => serve(args).await,
        ProcessorCommand::Cards(args) => Ok(print_cards(&mut std::io::stdout().lock(), args.json)?),
    }
}

async fn serve(args: ServeArgs) -> anyhow::Result<()> {
    let listener = listener(args.listen).await?;
    let address = listener.local_addr().context("the listener has no address")?;
    let config = ProcessorConfig { ledger: args.ledger.clone(), slow_ms: args.slow_ms };
    let processor = tokio::task::spawn_blocking(move || Processor::open(config)).await??;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    writeln!(
        std::io::stdout().lock(),
        "The simulated processor listens on http://{address} and keeps its ledger in {}. Ctrl-C ends it.",
        args.ledger.display()
    )?;
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            interrupted = tokio::signal::ctrl_c() => if let Err(error) = interrupted {
                tracing::warn!(%error, "cannot wait for Ctrl-C; only SIGTERM ends this");
                terminate.recv().await;
            },
        }
    };
    processor.serve(listener, shutdown).await;
    Ok(())
}

fn print_cards(out: &mut impl Write, as_json: bool) -> std::io::Result<()> {
    if as_json {
        let cards = CARDS.map(|card| json!({ "name": card.name, "entry": card.entry, "behaviour": card.does }));
        return writeln!(out, "{}", json!({ "cards": cards }));
    }
    writeln!(out, "{:<13} {:<12} behaviour", "name", "entry")?;
    for card in CARDS {
        writeln!(out, "{:<13} {:<12} {}", card.name, card.entry, card.does)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn the_table_names_every_card_and_no_number() {
        let mut text = Vec::new();
        print_cards(&mut text, false).unwrap();
        print_cards(&mut text, true).unwrap();
        let text = String::from_utf8(text).unwrap();
        for card in CARDS {
            assert_eq!(text.matches(card.name).count() % 2, 0, "{} in both tables", card.name);
        }
        assert!(!text.bytes().collect::<Vec<_>>().windows(5).any(|five| five.iter().all(u8::is_ascii_digit)));
    }

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: ProcessorArgs,
    }

    #[test]
    fn the_command_line_has_the_defaults_of_the_demo() {
        let line = ["processor", "serve", "--ledger", "l.sqlite"];
        match Line::try_parse_from(line).unwrap().args.command {
            ProcessorCommand::Serve(args) => {
                assert_eq!(args.listen.to_string(), "127.0.0.1:8742");
                assert_eq!((args.ledger.to_str(), args.slow_ms), (Some("l.sqlite"), 60_000));
            }
            ProcessorCommand::Cards(_) => panic!("serve was asked for"),
        }
        assert!(Line::try_parse_from(["processor", "serve"]).is_err(), "a ledger is named, not guessed");
        assert!(Line::try_parse_from(["processor", "cards", "--json"]).is_ok());
    }

    #[tokio::test]
    async fn a_port_in_use_is_named_with_the_way_out() {
        let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        let error = listener(address).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("port {} on 127.0.0.1 is in use", address.port())), "{error}");
        assert!(error.contains("--listen 127.0.0.1:"), "{error}");
    }
}
