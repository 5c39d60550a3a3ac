//! The imperative shell: clocks, actors and the terminal around the pure parts.
//!
//! Start at [`till`]: it does what a payment machine asks for.

pub mod actors;
pub mod clock;
