//! Host and simulated reader as two processes, with a private message bus and a mock of BlueZ between them; and what
//! the program says when there is no Bluetooth.
//!
//! The mock is Python: `tests/run` installs it and names it in TILLROLL_PYTHON. Without that these tests say so and
//! pass, except in CI.
#![cfg(all(feature = "office", feature = "bluetooth"))]
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test fails by panicking")]

use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The mock's two adapters: the host's and the reader's.
const READER: &str = "00:11:22:33:44:66";

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // One that is gone already needs no end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The Python that has the mock; `None`, with a sentence, where nothing was set up.
fn python() -> Option<PathBuf> {
    let python = std::env::var_os("TILLROLL_PYTHON").map(PathBuf::from);
    assert!(python.is_some() || std::env::var_os("CI").is_none(), "TILLROLL_PYTHON is not set: use tests/run");
    if python.is_none() {
        eprintln!("left out: the mock of BlueZ is not set up; use tests/run");
    }
    python
}

/// A bus of its own, and whatever is on it.
struct Bus {
    folder: TempDir,
    running: Vec<Running>,
}

impl Bus {
    /// An empty bus. `policy` says what may be sent to whom.
    fn start(policy: &str) -> Bus {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("bus");
        let config = format!(
            "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN\" \
             \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n<busconfig><type>system</type>\
             <listen>unix:path={}</listen><auth>EXTERNAL</auth><policy context=\"default\">\
             <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/>{policy}\
             </policy></busconfig>",
            socket.display()
        );
        let file = folder.path().join("bus.conf");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new("dbus-daemon");
        command.arg(format!("--config-file={}", file.display())).arg("--nofork").stderr(Stdio::null());
        let daemon = Running(command.spawn().unwrap_or_else(|why| panic!("dbus-daemon: {why}: use tests/run")));
        until("the bus", || socket.exists());
        Bus { folder, running: vec![daemon] }
    }

    fn address(&self) -> String {
        format!("unix:path={}", self.folder.path().join("bus").display())
    }

    /// A daemon that owns org.bluez.
    fn with(mut self, python: &Path, script: &str, args: &[&str]) -> Bus {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bluetooth").join(script);
        let mut command = Command::new(python);
        command.arg(script).args(args).env("DBUS_SYSTEM_BUS_ADDRESS", self.address());
        self.running.push(Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()));
        let adapters = |bus: &Bus| {
            let said = json(&bus.tool(&["doctor", "--json"]).stdout);
            let found = said["findings"].as_array().unwrap().iter().find(|f| f["what"] == "Bluetooth").unwrap();
            found["said"].as_str().unwrap().to_owned()
        };
        until("the daemon", || !adapters(&self).contains("daemon does not run"));
        self
    }

    /// The mock with two adapters.
    fn with_mock(self, python: &Path) -> Bus {
        let adapters = ["-a", "00:11:22:33:44:55", "-a", READER];
        let bus = self.with(python, "mock.py", &[&["--auto-enable", "--scan-interval", "1"][..], &adapters].concat());
        until("two adapters", || {
            let said = json(&bus.tool(&["doctor", "--json"]).stdout);
            said["findings"].as_array().unwrap().iter().any(|f| f["said"] == "hci0, hci1")
        });
        bus
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tillroll"));
        command.args(args).env("DBUS_SYSTEM_BUS_ADDRESS", self.address());
        command.env("STATE_DIRECTORY", self.folder.path().join("state"));
        command
    }

    fn tool(&self, args: &[&str]) -> Output {
        self.command(args).stdin(Stdio::null()).output().unwrap()
    }

    /// What a search finds: the first reader. A busy machine may need more than one search.
    fn found(&self) -> Value {
        let mut first = Value::Null;
        until("a reader", || {
            let found = json(&self.tool(&["reader", "scan", "--seconds", "3", "--json"]).stdout);
            first = found["readers"][0].clone();
            !first.is_null()
        });
        first
    }

    /// A simulated reader on the second adapter.
    fn reader(&self, card: &str) -> Running {
        let args = ["reader", "simulate", "--transport", "ble", "--adapter", "hci1", "--card", card];
        let mut child = self.command(&args).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert!(said.contains(&format!("ble:{READER}")), "{said}");
        Running(child)
    }
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|why| panic!("{why}: {}", String::from_utf8_lossy(bytes)))
}

fn at() -> String {
    format!("ble:{READER}")
}

#[test]
fn a_reader_is_found_tried_and_read_over_the_air() {
    let Some(python) = python() else { return };
    let bus = Bus::start("").with_mock(&python);
    let _reader = bus.reader("mc-chip");
    let reader = bus.found();
    assert_eq!((reader["reader"].as_str(), reader["kind"].as_str()), (Some(at().as_str()), Some("ble")));
    assert_eq!(reader["name"], "DF II Go-5A11D01");
    let info = json(&bus.tool(&["reader", "info", "--device", &at(), "--json"]).stdout);
    assert_eq!((info["serial"].as_str(), info["battery_percent"].as_i64()), (Some("5A11D01"), Some(100)));
    for _ in 0..3 {
        let test = json(&bus.tool(&["reader", "test", "--read", "--device", &at(), "--json"]).stdout);
        assert_eq!((test["read"]["last4"].as_str(), test["beep"].as_bool()), (Some("4444"), Some(true)), "{test}");
    }
}

#[test]
fn a_reader_is_paired_and_forgotten() {
    let Some(python) = python() else { return };
    let bus = Bus::start("").with_mock(&python);
    let _reader = bus.reader("visa-tap");
    let paired = |bus: &Bus| bus.found()["paired"].as_bool();
    assert_eq!(paired(&bus), Some(false));
    let pair = bus.tool(&["reader", "pair", READER, "--passkey", "000000", "--json"]);
    let said = json(&pair.stdout);
    assert_eq!((said["paired"].as_bool(), said["reader"].as_str()), (Some(true), Some(at().as_str())));
    assert_eq!(said["used"], false, "no handheld is enrolled here");
    assert_eq!(paired(&bus), Some(true));
    assert_eq!(bus.tool(&["reader", "forget", READER]).status.code(), Some(0));
    assert_eq!(paired(&bus), Some(false));
    let wrong = bus.tool(&["reader", "pair", READER, "--passkey", "12345"]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn a_reader_that_was_never_there_is_forgotten_all_the_same() {
    let Some(python) = python() else { return };
    let bus = Bus::start("").with_mock(&python);
    let gone = bus.tool(&["reader", "forget", "AA:BB:CC:DD:EE:FF", "--json"]);
    assert_eq!(gone.status.code(), Some(0), "{}", String::from_utf8_lossy(&gone.stderr));
    assert_eq!(json(&gone.stdout)["forgotten"], "AA:BB:CC:DD:EE:FF");
}

/// A whole day of the demo with the reader over Bluetooth: every card, every fault, and the books agree.
#[test]
fn slow_a_day_is_played_over_the_air() {
    let Some(python) = python() else { return };
    let bus = Bus::start("").with_mock(&python);
    let day = bus.tool(&["demo", "--headless", "--json", "--reader", "ble", "--seed", "3"]);
    assert_eq!(day.status.code(), Some(0), "{}", String::from_utf8_lossy(&day.stderr));
    let day = json(&day.stdout);
    assert_eq!(day["jobs"]["done"], day["jobs"]["planned"]);
    assert_eq!(day["violations"], Value::Array(Vec::new()));
    // The mock has no serial port profile.
    let no = bus.tool(&["demo", "--headless", "--json", "--reader", "rfcomm"]);
    assert_eq!(no.status.code(), Some(3));
}

/// Five ways not to have Bluetooth are five sentences, each with what to do.
#[test]
fn no_bluetooth_says_why_and_what_to_do() {
    let scan = |bus: &Bus| {
        let said = json(&bus.tool(&["reader", "scan", "--seconds", "1", "--json"]).stderr);
        let text = said["error"]["message"].as_str().unwrap().to_owned();
        (said["error"]["code"].as_str().unwrap().to_owned(), text)
    };
    let Some(python) = python() else { return };
    let mut seen = Vec::new();
    let mut no_bus = Bus::start("");
    no_bus.running.clear();
    std::fs::remove_file(no_bus.folder.path().join("bus")).ok();
    seen.push(("no_bus", "install and start dbus", scan(&no_bus)));
    seen.push(("no_daemon", "install bluez", scan(&Bus::start(""))));
    seen.push(("no_adapter", "plug one in", scan(&Bus::start("").with(&python, "blocked.py", &["empty"]))));
    seen.push(("blocked", "rfkill unblock", scan(&Bus::start("").with(&python, "blocked.py", &[]))));
    let denied = "<deny send_destination=\"org.bluez\"/>";
    seen.push(("no_permission", "usermod -aG bluetooth", scan(&Bus::start(denied).with(&python, "blocked.py", &[]))));
    for (code, part, (said, text)) in seen {
        assert_eq!(said, code, "{text}");
        assert!(text.contains(part), "{text}");
    }
}
