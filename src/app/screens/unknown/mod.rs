//! A card payment whose result is not known: wait, accept as pending, or void.

pub mod update;
pub mod view;
