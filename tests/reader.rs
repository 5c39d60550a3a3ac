//! A simulated reader and the tools for it, as two processes with a socket between them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};

struct Reader {
    process: Child,
    at: String,
}

impl Reader {
    fn with(card: &str) -> Reader {
        Reader::start(&["--transport", "tcp:0", "--card", card])
    }

    fn start(args: &[&str]) -> Reader {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tillroll"));
        command.args(["reader", "simulate"]).args(args);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let at = said.split_whitespace().find(|word| word.contains("tcp:") || word.contains("tty:")).unwrap();
        Reader { at: at.trim_end_matches(',').to_owned(), process }
    }

    fn tool(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tillroll"));
        command.arg("reader").args(args).args(["--device", &self.at, "--json"]).output().unwrap()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // One that is gone already needs no end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn json(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn a_reader_elsewhere_says_who_it_is_and_reads_a_card() {
    let reader = Reader::with("mc-chip");
    let info = reader.tool(&["info"]);
    assert_eq!(info.status.code(), Some(0));
    assert_eq!(
        json(&info.stdout),
        serde_json::json!({
            "reader": reader.at, "model": "DynaFlex II Go", "serial": "5A11D01", "firmware": "1000000000-SIM",
            "battery_percent": 100, "echo": true,
        })
    );
    let test = json(&reader.tool(&["test", "--read"]).stdout);
    assert_eq!((test["read"]["brand"].as_str(), test["read"]["last4"].as_str()), (Some("MASTERCARD"), Some("4444")));
    assert_eq!((test["read"]["entry"].as_str(), test["beep"].as_bool()), (Some("chip"), Some(true)));
}

/// Both protocols over both kinds of lines, twice each: the second host begins where the first one left.
#[test]
fn both_protocols_go_over_both_kinds_of_lines() {
    for (protocol, transport, model) in [
        ("mms", "tcp:0", "DynaFlex II Go"),
        ("mms", "pty", "DynaFlex II Go"),
        ("miura", "tcp:0", "Miura M010"),
        ("miura", "pty", "Miura M010"),
    ] {
        let reader = Reader::start(&["--protocol", protocol, "--transport", transport, "--card", "visa-tap"]);
        for _ in 0..2 {
            let test = reader.tool(&["test", "--read"]);
            let said = json(&test.stdout);
            assert_eq!(said["model"], model, "{protocol} {transport}");
            assert_eq!(said["read"]["last4"], "1111", "{protocol} {transport}");
        }
    }
}

/// Doubled, late and lost messages, and a connection that breaks, with a process boundary in between.
#[test]
fn a_reader_with_a_fault_is_read_all_the_same_or_says_so() {
    // Each waits for its time-outs; together they wait once.
    std::thread::scope(|all| {
        for (fault, good) in [("doubled:9", true), ("late:3", true), ("cut:2", true), ("lost:9", false)] {
            all.spawn(move || {
                let reader = Reader::start(&["--transport", "tcp:0", "--card", "visa-tap", "--fault", fault]);
                let test = reader.tool(&["test", "--read"]);
                assert_eq!(test.status.code(), Some(if good { 0 } else { 3 }), "{fault}");
            });
        }
    });
    let low = Reader::start(&["--transport", "tcp:0", "--battery", "4"]).tool(&["test", "--read"]);
    assert!(json(&low.stderr)["error"]["message"].as_str().unwrap().contains("battery"));
}

#[test]
fn a_clear_track_and_a_refusing_card_are_told_and_a_missing_reader_too() {
    for (card, part) in [("clear-track", "in clear"), ("card-refuses", "refused")] {
        let test = Reader::with(card).tool(&["test", "--read"]);
        assert_eq!(test.status.code(), Some(3), "{card}");
        assert!(json(&test.stderr)["error"]["message"].as_str().unwrap().contains(part), "{card}");
    }
    let bad =
        Command::new(env!("CARGO_BIN_EXE_tillroll")).args(["reader", "info", "--device", "ble"]).output().unwrap();
    assert_eq!(bad.status.code(), Some(2));
    let nobody = Command::new(env!("CARGO_BIN_EXE_tillroll"))
        .args(["reader", "simulate", "--transport", "tcp:0", "--card", "no-such-card"])
        .output()
        .unwrap();
    assert_eq!(nobody.status.code(), Some(2));
}
