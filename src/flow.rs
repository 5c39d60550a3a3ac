//! Pure machines for long work: `handle(event) -> Vec<Effect>`.
//!
//! Invariant: does no I/O and reads no clock. Time, ids and what the world answered come in as events.

pub mod payment;
