//! What the simulated readers encrypt, decrypted by an implementation that is not ours (PyPI `pydukpt`).
//!
//! `tests/run` installs it and names its Python in TILLROLL_PYTHON. Without that the test says so and passes, except in
//! CI. It knows TDES only; AES is held against the standard's vectors in `dukpt::aes`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tillroll_hardware::bytes::{hex, unhex};
use tillroll_hardware::dukpt::ANSI_TEST_BDK;
use tillroll_hardware::reader::sim::{Keys, SimConfig, SimControl};
use tillroll_hardware::reader::{ArmRequest, LocalTime, Op, ReaderCommand, ReaderEvent, ReaderLink, cards, miura, mms};

type Spawn = fn(SimConfig) -> (ReaderLink, SimControl);

#[tokio::test]
async fn another_implementation_reads_what_the_simulated_readers_encrypt() {
    let Some(python) = std::env::var_os("TILLROLL_PYTHON") else {
        assert!(std::env::var_os("CI").is_none(), "TILLROLL_PYTHON is not set: use tests/run");
        eprintln!("left out: pydukpt is not set up; use tests/run");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/bluetooth/decrypt.py");
    for spawn in [mms::sim::spawn as Spawn, miura::sim::spawn] {
        let config =
            SimConfig { serial: "B61378A".into(), ksn_file: None, keys: Keys::Tdes, present_after: Duration::ZERO };
        let (mut link, control) = spawn(config);
        while !matches!(link.events.recv().await, Some(ReaderEvent::Connected(_))) {}
        for (op, name) in (1..).zip(["visa-tap", "mc-chip", "swipe"]) {
            assert!(control.present(Some(name)));
            let request = ArmRequest {
                op: Op(op),
                amount_minor: 1_235,
                currency_numeric: 978,
                currency_exponent: 2,
                timeout_s: 9,
                local: LocalTime { date: [26, 11, 24], time: [9, 0, 0] },
            };
            link.commands.send(ReaderCommand::Arm(request)).await.unwrap();
            let read = loop {
                match link.events.recv().await.unwrap() {
                    ReaderEvent::CardRead { read, .. } => break read,
                    ReaderEvent::Ended { why, .. } => panic!("{why}"),
                    _ => {}
                }
            };
            let args = [hex(&ANSI_TEST_BDK), hex(&read.ksn), hex(&read.ciphertext)];
            let said = Command::new(&python).arg(&script).args(args).output().unwrap();
            let clear = unhex(&String::from_utf8(said.stdout).unwrap());
            let number = cards::by_name(name).unwrap().pan;
            assert!(
                hex(&clear).contains(&format!("{number}D2912")),
                "{name}: {}",
                String::from_utf8_lossy(&said.stderr)
            );
        }
    }
}
