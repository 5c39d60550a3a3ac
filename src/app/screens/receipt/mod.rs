//! The receipt as it will be printed, and the printing of it.

pub mod update;
pub mod view;
