//! Looks for test card numbers in every file of a folder: as text, as packed digits, as hex; also in bodies that are
//! compressed or base64.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use memchr::memmem;
use std::fs;
use std::path::{Path, PathBuf};
use tillroll_hardware::reader::cards::TEST_CARDS;

/// Every file below, whatever its name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { waiting.push(path) } else { found.push(path) }
        }
    }
    found
}

fn packed(digits: &str) -> Vec<u8> {
    digits.as_bytes().chunks(2).map(|pair| (pair[0] - b'0') << 4 | (pair[1] - b'0')).collect()
}

/// The forms in which a number could lie in a file.
fn forms(pan: &str) -> Vec<(&'static str, Vec<u8>)> {
    let as_hex: String = pan.bytes().map(|byte| format!("{byte:02x}")).collect();
    vec![
        ("text", pan.as_bytes().to_vec()),
        ("packed", packed(pan)),
        ("hex of text", as_hex.into_bytes()),
        ("UTF-16", pan.bytes().flat_map(|byte| [byte, 0]).collect()),
    ]
}

fn holds(bytes: &[u8], form: &[u8]) -> bool {
    memmem::find(bytes, form).is_some()
}

/// What else the bytes may stand for: zstd frames in them, and runs of base64.
fn unpacked(bytes: &[u8]) -> Vec<Vec<u8>> {
    const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
    const MOST: usize = 4 * 1024 * 1024;
    let mut out = Vec::new();
    out.extend(memmem::find_iter(bytes, &ZSTD).filter_map(|at| zstd::bulk::decompress(&bytes[at..], MOST).ok()));
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    for run in bytes.split(|byte| !plain(byte)).filter(|run| run.len() >= 20) {
        let whole = &run[..run.len() / 4 * 4];
        out.extend(STANDARD.decode(whole).ok().or_else(|| STANDARD_NO_PAD.decode(run).ok()));
    }
    out
}

/// Where a test card's number was found, one line each.
pub fn found(folder: impl AsRef<Path>) -> Vec<String> {
    let mut out = Vec::new();
    for path in files(folder.as_ref()) {
        let bytes = fs::read(&path).unwrap();
        let mut views = unpacked(&bytes);
        views.push(bytes);
        for card in TEST_CARDS {
            for (form, pattern) in forms(card.pan) {
                if views.iter().any(|view| holds(view, &pattern)) {
                    out.push(format!("{} in {} as {form}", card.name, path.display()));
                }
            }
        }
    }
    out
}

/// Plants a number in each form and place, and expects to be told.
pub fn finds_what_is_planted() {
    let pan = TEST_CARDS[0].pan;
    for (form, pattern) in forms(pan) {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = vec![0xEE; 300];
        bytes.extend(&pattern);
        bytes.extend([0xEE; 50]);
        fs::create_dir(folder.path().join("deep")).unwrap();
        fs::write(folder.path().join("deep/device.sqlite-wal"), &bytes).unwrap();
        assert_eq!(found(folder.path()).len(), 1, "{form}");
        fs::write(folder.path().join("deep/device.sqlite-wal"), zstd::bulk::compress(&bytes, 3).unwrap()).unwrap();
        assert_eq!(found(folder.path()).len(), 1, "{form}, compressed");
        fs::write(folder.path().join("deep/device.sqlite-wal"), STANDARD.encode(&bytes[..351 / 3 * 3])).unwrap();
        assert!(found(folder.path()).len() <= 1, "{form}, base64");
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("log"), format!("body={}", STANDARD.encode(format!("..{pan}..")))).unwrap();
    assert_eq!(found(folder.path()).len(), 1, "base64");
    let database = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(database.path().join("x.sqlite")).unwrap();
    connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (v TEXT);").unwrap();
    connection.execute("INSERT INTO t VALUES (?1)", [format!("{{\"note\":\"{pan}\"}}")]).unwrap();
    assert!(!found(database.path()).is_empty(), "a row in a database");
}
