//! The screen program: `update(&mut Model, Msg) -> Vec<Effect>` and `view(&Model, &mut Frame)`.
//!
//! Invariant: does no I/O, reads no clock, draws no random number, awaits nothing. Start at [`model::Model`], then
//! [`update::update`]; the keys are in [`command`], the drawing in [`view`] and `screens/NAME/view.rs`.

pub mod command;
pub mod effect;
pub mod model;
pub mod msg;
pub mod screens;
pub mod update;
pub mod view;
pub mod when;

#[cfg(test)]
mod tests;
