//! The day's list: who is next, what state each visit and its money is in.

pub mod update;
pub mod view;
