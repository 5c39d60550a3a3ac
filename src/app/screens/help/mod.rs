//! Keys and marks, from the command table.

pub mod update;
pub mod view;
