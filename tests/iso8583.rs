//! ISO 8583 by other hands: the codec against another one.
//!
//! It is Python: `tests/run` installs it and names it in TILLROLL_PYTHON. Without that these tests say so and pass,
//! except in CI.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails by panicking")]

#[path = "iso8583/codec.rs"]
mod codec;
#[path = "iso8583/rig.rs"]
mod rig;
