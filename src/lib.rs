//! tillroll: a till for technicians, and the back office that belongs to it.
//!
//! Start at [`domain::fold`] for what a journal row means, at [`flow::payment`] for how a payment lives, at `cli` for
//! how the parts are put together.

pub mod app;
pub mod cli;
pub mod domain;
pub mod facts;
pub mod flow;
pub mod keyfile;
#[cfg(feature = "office")]
pub mod office;
#[cfg(feature = "office")]
pub mod processor;
pub mod runtime;
pub mod sqlite;
pub mod store;
pub mod sync;
pub mod ui;
