//! The screen program from outside: transitions as data, frames as text, any keys at any size.
//!
//! Invariant: no test waits; the clock is a message.

mod consent;
mod deposit;
mod entry;
mod keys;
mod looks;
mod manager;
mod modes;
mod money;
mod paper;
mod receipts;
mod sample;
mod shift;
mod surcharge;
