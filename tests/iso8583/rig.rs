//! Where the peers are.

use std::path::{Path, PathBuf};

/// The Python that has the peers; `None`, with a sentence, where nothing was set up.
pub fn python() -> Option<PathBuf> {
    let python = std::env::var_os("TILLROLL_PYTHON").map(PathBuf::from);
    assert!(python.is_some() || std::env::var_os("CI").is_none(), "TILLROLL_PYTHON is not set: use tests/run");
    if python.is_none() {
        eprintln!("left out: ISO 8583 by other hands is not set up; use tests/run");
    }
    python
}

pub fn peer(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script)
}
