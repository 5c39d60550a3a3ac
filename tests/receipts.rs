//! Our receipts as other projects' printers read them: emupos (PyPI) and hardless (crates.io), and zbarimg for the code.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it left out"
)]

use ed25519_dalek::SigningKey;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use tillroll::domain::journal::Hash;
use tillroll::domain::receipt::Receipt;

/// Columns, dots and the paper's width of each make.
const MAKES: [(&str, usize, &str); 4] =
    [("generic-58", 32, "58"), ("adafruit-58", 32, "58"), ("epson-tm", 48, "80"), ("generic-80", 48, "80")];

/// What the second opinion does not know, by its first two bytes: `FS .`, `GS a`, `ESC 3`. Of code pages it has 437 and 858.
const NOT_EMULATED: [&str; 3] = ["1c2e", "1d61", "1b33"];

/// What tests/run has set up: emupos, hardless-read.
fn judges() -> Option<(PathBuf, PathBuf)> {
    let set = |name: &str| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let both = set("TILLROLL_EMUPOS").zip(set("TILLROLL_HARDLESS"));
    assert!(both.is_some() || std::env::var_os("CI").is_none(), "the judges of receipts are not set up: use tests/run");
    if both.is_none() {
        eprintln!("left out: no Python 3.13 with emupos, or no hardless-read; use tests/run");
    }
    both
}

fn tool(args: &[&str]) -> Vec<u8> {
    let out = Command::new(env!("CARGO_BIN_EXE_tillroll")).args(args).output().unwrap();
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|why| panic!("{why}: {}", String::from_utf8_lossy(bytes)))
}

fn said(program: &Path, args: &[&str]) -> Value {
    let out = Command::new(program).args(args).output().unwrap();
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    json(&out.stdout)
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().trim_end().to_owned()).collect()
}

/// `[IMAGE …]` and the like, not a payment's mark.
fn is_picture(row: &str) -> bool {
    let row = row.trim_start();
    row.starts_with('[') && !["[x] ", "[ ] "].iter().any(|mark| row.starts_with(mark))
}

struct Printed {
    /// What our own printer made of it.
    ours: Vec<String>,
    emupos: Value,
    hardless: Value,
    folder: TempDir,
}

impl Printed {
    fn new((emupos, hardless): &(PathBuf, PathBuf), receipt: &Value, (make, _, mm): (&str, usize, &str)) -> Printed {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("receipt.json"), receipt.to_string()).unwrap();
        let (bin, png) = (path("receipt.bin"), path("receipt.png"));
        let args = [
            "printer",
            "render",
            "--receipt",
            &path("receipt.json"),
            "--profile",
            make,
            "--out",
            &bin,
            "--png",
            &png,
            "--json",
        ];
        let rendered = json(&tool(&args));
        assert_eq!(rendered["unknown"], 0, "{rendered}");
        // The heating command of clones is known to nobody else.
        let bytes = std::fs::read(&bin).unwrap();
        if let Some(at) = bytes.windows(2).position(|pair| pair == [0x1B, 0x37]) {
            std::fs::write(&bin, [&bytes[..at], &bytes[at + 5..]].concat()).unwrap();
        }
        let profiles = json(&tool(&["printer", "profiles", "--json"]));
        let profile = profiles["profiles"].as_array().unwrap().iter().find(|p| p["name"] == make).unwrap();
        let pages = profile["pages"].as_array().unwrap().iter().map(|p| format!("{}={}", p["n"], p["page"]));
        let judge = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/receipts/read_back.py");
        let args = [
            judge.to_str().unwrap(),
            &bin,
            "--dots",
            &profile["dots"].to_string(),
            "--pages",
            &pages.collect::<Vec<_>>().join(","),
            "--png",
            &path("emupos"),
        ];
        let emupos = said(emupos, &args);
        let hardless = said(hardless, &[&bin, mm]);
        Printed { ours: strings(&rendered["text"]), emupos, hardless, folder }
    }

    /// Rows of text as emupos read them; pictures and codes stand in brackets there.
    fn emupos_rows(&self) -> Vec<String> {
        let receipts = self.emupos["receipts"].as_array().unwrap();
        assert_eq!(receipts.len(), 1, "{}", self.emupos);
        let rows = strings(&receipts[0]["rows"]);
        rows.into_iter().filter(|row| !is_picture(row) && !row.is_empty()).collect()
    }

    fn hardless_rows(&self) -> Vec<String> {
        let rows = strings(&self.hardless["rows"]);
        rows.into_iter().filter(|row| !is_picture(row) && !row.is_empty()).collect()
    }

    fn drawer(&self) -> (usize, usize) {
        let events = strings(&self.emupos["events"]);
        let nodes = self.hardless["nodes"].as_array().unwrap();
        let opened = events.iter().filter(|event| *event == "drawer.opened").count();
        (opened, nodes.iter().filter(|node| node["type"] == "pulse").count())
    }

    fn check(&self, columns: usize) {
        let events = strings(&self.emupos["events"]);
        let wrong = events.iter().filter(|event| !matches!(event.as_str(), "drawer.opened" | "drawer.closed"));
        assert_eq!(wrong.count(), 0, "{}", self.emupos["details"]);
        let unknown = self.hardless["nodes"].as_array().unwrap().iter().filter(|node| node["type"] == "unknown");
        for node in unknown {
            let bytes = node["bytesHex"].as_str().unwrap();
            assert!(NOT_EMULATED.iter().any(|known| bytes.starts_with(known)), "{node}");
        }
        let ours: Vec<&String> = self.ours.iter().filter(|row| !row.is_empty()).collect();
        for (judge, rows) in [("emupos", self.emupos_rows()), ("hardless", self.hardless_rows())] {
            assert!(rows.iter().all(|row| row.chars().count() <= columns), "{judge}: {rows:#?}");
            assert_eq!(rows.len(), ours.len(), "{judge}: {rows:#?}");
            for (theirs, ours) in rows.iter().zip(&ours) {
                let has_page = judge == "emupos" || ours.chars().all(|c| c <= 'ÿ' || c == '€');
                assert!(!has_page || theirs == *ours, "{judge}: {theirs:?} for {ours:?}");
            }
        }
    }

    fn code(&self) -> String {
        let read = |png: &Path| {
            let out = Command::new("zbarimg").args(["-q", "--raw"]).arg(png).output().unwrap();
            String::from_utf8(out.stdout).unwrap().trim().to_owned()
        };
        let theirs = self.emupos["receipts"][0]["png"].as_str().unwrap();
        let code = read(Path::new(theirs));
        assert_eq!(read(&self.folder.path().join("receipt.png")), code, "our picture and theirs");
        code
    }
}

fn example(paid: &str) -> Value {
    json(&tool(&["receipt", "example", "--paid", paid]))
}

#[test]
fn slow_others_read_every_field_of_our_receipts() {
    let Some(judges) = judges() else { return };
    for make in MAKES {
        for (paid, fields, drawer) in [
            (
                "card",
                &[
                    "APPROVED  AUTH 041926",
                    "  VISA ....0010  contactless",
                    "  AID A0000000031010",
                    "  No verification",
                    "[x] Card",
                ][..],
                0,
            ),
            ("pending", &["EUR 145.00", "(~) Card", "PENDING"], 0),
            ("cash", &["PAID CASH", "150.00", "5.00"], 1),
            ("zero", &["EUR 0.00"], 0),
        ] {
            let printed = Printed::new(&judges, &example(paid), make);
            printed.check(make.1);
            let rows = printed.emupos_rows().join("\n");
            let always = [
                "Northwick Heating & Cold",
                "IE0000001A",
                "D07-000412",
                "2026-11-24 09:58",
                "Brötchen & Café",
                "Thermostat TX-2",
                "34.50",
                "TOTAL",
                "4711 0815",
                "Terminal D07",
                "CUSTOMER COPY",
                "SALE",
            ];
            for field in always.iter().chain(fields) {
                assert!(rows.contains(field), "{make:?} {paid}: no {field:?} in\n{rows}");
            }
            assert_eq!(rows.contains("APPROVED"), paid == "card", "{rows}");
            assert_eq!(printed.drawer(), (drawer, drawer), "{make:?} {paid}");
            assert_eq!(printed.code(), "D07-000412");
        }
    }
}

#[test]
fn slow_others_read_a_signed_statement_that_verifies() {
    let Some(judges) = judges() else { return };
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = hex::encode(key.verifying_key().to_bytes());
    let verified = |text: &str| {
        let out =
            Command::new(env!("CARGO_BIN_EXE_tillroll")).args(["verify-receipt", text, "--key", &public]).output();
        let out = out.unwrap();
        (out.status.code().unwrap(), String::from_utf8(out.stdout).unwrap())
    };
    let longest = "ZZZZZZZZ-4294967295";
    for make in MAKES {
        for (document, seq) in [("D07-000412", 4_194), (longest, u64::MAX)] {
            let mut receipt: Receipt = serde_json::from_value(example("pending")).unwrap();
            receipt.document = document.parse().unwrap();
            receipt.invoice.totals.total_minor = if document == longest { i64::MIN } else { 14_500 };
            receipt.sign(&key, seq, Hash([0xAB; 32]), 1_795_514_280_000);
            let printed = Printed::new(&judges, &serde_json::to_value(&receipt).unwrap(), make);
            printed.check(make.1);
            let code = printed.code();
            assert_eq!(Some(&code), receipt.statement.as_ref(), "{make:?}");
            let (status, said) = verified(&code);
            assert!(status == 0 && said.contains(document) && said.contains("pending"), "{said}");
            let mut changed = code.into_bytes();
            changed[40] = if changed[40] == b'A' { b'B' } else { b'A' };
            assert_eq!(verified(&String::from_utf8(changed).unwrap()).0, 1, "{make:?}");
        }
    }
}

#[test]
fn slow_others_find_nothing_to_obey_in_hostile_names() {
    let Some(judges) = judges() else { return };
    let names = [
        "Tea\u{1b}p\0\u{19}\u{19} cup",
        "\u{10}\u{14}\u{1}\0\u{1}",
        "\u{202E}gnip\u{202C}",
        "👩\u{200d}🔧 service",
        "日本茶 ☕",
        "سلام",
        "Ω µ №",
        "\0",
        "\u{1d}V\0 cut",
        "Łódź \u{ad}–“”…",
    ];
    let long = "x".repeat(500);
    let mut receipt = example("card");
    let line = receipt["invoice"]["lines"][0].clone();
    let lines = names.iter().copied().chain([long.as_str()]).map(|name| {
        let mut line = line.clone();
        line["name"] = name.into();
        line
    });
    receipt["invoice"]["lines"] = lines.collect();
    for make in MAKES {
        let printed = Printed::new(&judges, &receipt, make);
        assert_eq!(printed.drawer(), (0, 0), "{make:?}");
        assert_eq!(printed.emupos["receipts"].as_array().unwrap().len(), 1, "{make:?}: cut in the middle");
        printed.check(make.1);
    }
}

#[test]
fn slow_four_hundred_lines_are_read_back() {
    let Some(judges) = judges() else { return };
    let mut receipt = example("card");
    let line = receipt["invoice"]["lines"][0].clone();
    receipt["invoice"]["lines"] = vec![line; 400].into();
    let printed = Printed::new(&judges, &receipt, MAKES[0]);
    printed.check(32);
    assert!(printed.ours.len() > 800);
}

#[test]
fn a_receipt_that_is_none_and_a_profile_that_is_none_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipt.json");
    let refused = |args: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_tillroll")).args(args).output().unwrap();
        assert_eq!(out.status.code(), Some(2), "{args:?}");
        String::from_utf8(out.stderr).unwrap()
    };
    let out = folder.path().join("x.bin");
    let (path, out) = (path.to_str().unwrap(), out.to_str().unwrap());
    for text in ["", "{}", "[1]", "{\"merchant\": 5}"] {
        std::fs::write(path, text).unwrap();
        let told = refused(&["printer", "render", "--receipt", path, "--out", out]);
        assert!(told.contains("is no receipt") && told.contains("receipt example"), "{told}");
    }
    assert!(refused(&["printer", "render", "--profile", "mine", "--out", out]).contains("\"mine\""));
    assert!(refused(&["printer", "status", "--device", "/dev/null", "--profile", "mine"]).contains("printer.profile"));
}
