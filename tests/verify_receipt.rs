//! `tillroll verify-receipt` and the office's list of keys, as a customer and a bookkeeper use them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use ed25519_dalek::SigningKey;
use std::io::Write as _;
use std::process::{Command, Stdio};
use tillroll::domain::journal::Hash;
use tillroll::domain::mode::Mode;
use tillroll::domain::receipt::example::{Paid, example};

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// What the code of an example says.
fn statement(paid: Paid, mode: Mode) -> String {
    let mut receipt = example(paid).unwrap();
    receipt.mode = mode;
    receipt.sign(&key(), 4_194, Hash([0xAB; 32]), 1_795_514_280_000);
    receipt.statement.unwrap()
}

/// Exit status, and what it wrote to both outputs.
fn tillroll(args: &[&str], input: &str) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tillroll"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that reads no input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let out = child.wait_with_output().unwrap();
    (out.status.code().unwrap(), String::from_utf8([out.stdout, out.stderr].concat()).unwrap())
}

#[test]
fn what_a_device_stated_is_authentic_and_not_said_to_be_settled() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let public = hex::encode(key().verifying_key().to_bytes());
    std::fs::write(path("keys"), format!("# keys\nD06 {}\n\n D07  {public}\n", "58".to_owned() + &"66".repeat(31)))
        .unwrap();
    let text = statement(Paid::Stored, Mode::Live);
    std::fs::write(path("text"), format!("{text}\n")).unwrap();
    for (args, input) in [
        (vec!["verify-receipt", &text, "--key", &path("keys")], ""),
        (vec!["verify-receipt", "--key", &path("keys"), "--file", &path("text")], ""),
        (vec!["verify-receipt", "--key", &path("keys")], text.as_str()),
    ] {
        let (status, said) = tillroll(&args, input);
        assert_eq!(status, 0, "{said}");
        for wanted in
            ["AUTHENTIC: handheld D07", "D07-000412, sale", "EUR 145.00", "pending", "row 4194", "not settled"]
        {
            assert!(said.contains(wanted), "no {wanted:?} in {said}");
        }
    }
    let (status, said) = tillroll(&["verify-receipt", &text, "--key", &public, "--json"], "");
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((status, &said["authentic"], &said["standing"]), (0, &true.into(), &"pending".into()));
    assert!(said["settled"].is_null(), "{said}");
    let (_, said) = tillroll(&["verify-receipt", &statement(Paid::Card, Mode::Test), "--key", &public], "");
    assert!(said.contains("TEST: no real money"), "{said}");
}

#[test]
fn what_was_changed_or_is_of_another_device_is_not_authentic() {
    let public = hex::encode(key().verifying_key().to_bytes());
    let other = hex::encode(SigningKey::from_bytes(&[8; 32]).verifying_key().to_bytes());
    let text = statement(Paid::Card, Mode::Live);
    let changed = format!("{}{}{}", &text[..60], if &text[60..61] == "A" { "B" } else { "A" }, &text[61..]);
    for (text, key, why) in [
        (text.as_str(), other.as_str(), "no device of the list"),
        (&changed, &public, "NOT AUTHENTIC"),
        ("D07-000412", &public, "not a receipt's statement"),
        ("", &public, "not a receipt's statement"),
        (&"x".repeat(5_000), &public, "not a receipt's statement"),
    ] {
        let (status, said) = tillroll(&["verify-receipt", text, "--key", key], "");
        assert_eq!(status, 1, "{said}");
        assert!(said.contains(why) && !said.contains("AUTHENTIC: handheld"), "{said}");
    }
}

#[test]
fn wrong_usage_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("rubbish"), "D07 nothex\n").unwrap();
    std::fs::write(path("empty"), "# nothing\n").unwrap();
    std::fs::write(path("binary"), [0xFF, 0xFE]).unwrap();
    for (args, why) in [
        (vec!["verify-receipt", "TR:x"], "--key"),
        (vec!["verify-receipt", "TR:x", "--key", "/no/such/file"], "no list of keys"),
        (vec!["verify-receipt", "TR:x", "--key", &"58".repeat(32)], "is no device's public key"),
        (vec!["verify-receipt", "TR:x", "--key", &path("rubbish")], "line 1 is no device's key"),
        (vec!["verify-receipt", "TR:x", "--key", &path("empty")], "holds no key"),
        (
            vec!["verify-receipt", "--file", &path("binary"), "--key", &("58".to_owned() + &"66".repeat(31))],
            "no statement",
        ),
    ] {
        let (status, said) = tillroll(&args, "");
        assert_eq!(status, 2, "{args:?}: {said}");
        assert!(said.contains(why), "{said}");
    }
}
