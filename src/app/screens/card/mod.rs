//! A card payment under way, and what it came to.

pub mod update;
pub mod view;
