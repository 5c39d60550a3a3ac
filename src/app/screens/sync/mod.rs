//! The exchange with the office: what is not sent, what money is not certain, whether the journal holds.

pub mod update;
pub mod view;
