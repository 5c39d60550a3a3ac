//! One played day: starts, kills and resumes the program, and judges its answer.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A seed and the folder in which it is played.
pub struct Day {
    seed: u64,
    folder: TempDir,
}

impl Day {
    pub fn new(seed: u64) -> Day {
        Day { seed, folder: tempfile::tempdir().unwrap() }
    }

    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("day")
    }

    pub fn command(&self, resume: bool) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tillroll"));
        command.args(["demo", "--headless", "--json", "--seed", &self.seed.to_string(), "--out"]).arg(self.dir());
        if resume {
            command.arg("--resume");
        }
        command.stdin(Stdio::null());
        command
    }

    pub fn play(&self) -> Value {
        self.judge(&self.command(false).output().unwrap())
    }

    pub fn resume(&self) -> Value {
        self.judge(&self.command(true).output().unwrap())
    }

    fn judge(&self, output: &Output) -> Value {
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "seed {}: {said}", self.seed);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Plays until the program has killed itself after that many commits; false when the day ended before.
    pub fn killed_after(&self, commits: u64) -> bool {
        let mut command = self.command(true);
        let output = command.env("TILLROLL_KILL_AFTER_COMMITS", commits.to_string()).output().unwrap();
        if output.status.success() {
            return false;
        }
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), None, "seed {} after {commits} commits: {said}", self.seed);
        true
    }

    /// Plays until the moment, then SIGKILL.
    pub fn killed_at(&self, moment: Duration) {
        let mut command = self.command(true);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(moment);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

/// A day that was played in one go: its books, and its two receipts or more on paper.
pub fn check(report: &Value) {
    check_books(report);
    assert!(report["receipts"].as_array().unwrap().len() >= 2, "{report}");
}

/// The books agree, the day is done, the late decline is on the list, and each payment was charged once. For a day that
/// was stopped and gone on with: a receipt that was stopped between its row and the paper is never printed by itself.
pub fn check_books(report: &Value) {
    let minor = |name: &str| report[name].as_i64().unwrap();
    assert_eq!(report["violations"], serde_json::json!([]), "{report}");
    assert_eq!(report["chain_ok"], true);
    assert_eq!(report["jobs"]["done"], report["jobs"]["planned"], "{report}");
    assert!(minor("card_device_minor") > 0);
    assert_eq!(minor("card_device_minor"), minor("card_office_minor"));
    assert_eq!(minor("card_device_minor"), minor("card_processor_minor"));
    assert!(minor("cash_device_minor") > 0);
    assert_eq!(minor("cash_device_minor"), minor("cash_office_minor"));
    let payments = report["payments"].as_array().unwrap();
    let late: Vec<&Value> = payments.iter().filter(|payment| payment["state"] == "late_declined").collect();
    assert_eq!(late.len(), 1, "{report}");
    let exceptions = report["exceptions"].as_array().unwrap();
    let told = exceptions.iter().filter(|e| e["type"] == "late_decline" && e["subject"] == late[0]["id"]);
    assert_eq!(told.count(), 1, "{report}");
    // A day that was stopped may send a payment before it is taken back: then the void comes too late, and is listed.
    let back = |payment: &&Value| payment["state"] == "voided" || payment["state"] == "void_failed";
    assert!(payments.iter().any(|payment| back(&payment)), "{report}");
    for payment in payments.iter().filter(|payment| payment["state"] == "void_failed") {
        let told = |e: &Value| e["type"] == "void_failed" && e["subject"] == payment["id"];
        assert!(exceptions.iter().any(told), "{report}");
    }
    // What a void came too late for is money as well.
    let taken = |payment: &&Value| payment["state"] == "captured" || payment["state"] == "void_failed";
    let captured: i64 = payments.iter().filter(taken).map(captured_minor).sum();
    assert!(captured >= minor("card_device_minor"), "{report}");
    for path in report["receipts"].as_array().unwrap() {
        assert!(Path::new(path.as_str().unwrap()).is_file());
    }
}

fn captured_minor(payment: &Value) -> i64 {
    payment["amount_minor"].as_i64().unwrap()
}
