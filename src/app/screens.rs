//! One folder a screen: `mod` says what it needs to know, `update` what its keys do, `view` how it looks.
//!
//! Invariant: only the `view` files import `ui`.

pub mod add_line;
pub mod card;
pub mod cash;
pub mod checkout;
pub mod consent;
pub mod devices;
pub mod entry;
pub mod help;
pub mod job;
pub mod receipt;
pub mod shift;
pub mod sync;
pub mod today;
pub mod unknown;
pub mod welcome;
