//! Seventeen ways in which other tills and terminals are known to have failed the people who use them, each as a test that
//! would fail if we did the same. The judges are the processor's own ledger, the books and the journals of both sides, the
//! paper and the words on the screen.
#![cfg(feature = "office")]
#![expect(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test fails by panicking")]

#[path = "failures/again.rs"]
mod again;
#[path = "failures/charges.rs"]
mod charges;
mod common;
#[path = "failures/days.rs"]
mod days;
#[path = "failures/figures.rs"]
mod figures;
#[path = "failures/forwarding.rs"]
mod forwarding;
#[path = "failures/handheld.rs"]
mod handheld;
#[path = "processor/rig.rs"]
#[expect(dead_code, reason = "shared with the processor's own tests")]
mod processor;
#[path = "failures/reader.rs"]
mod reader;
#[path = "failures/records.rs"]
mod records;
#[path = "stories/rig.rs"]
#[expect(dead_code, reason = "shared with the stories")]
mod rig;
#[path = "failures/screen.rs"]
mod screen;
