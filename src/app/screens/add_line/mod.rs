//! From the price book to a line: search as you type, then how many.

pub mod update;
pub mod view;
