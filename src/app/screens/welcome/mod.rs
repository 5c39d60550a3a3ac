//! Shown while the handheld is not enrolled: how to enrol, how to try the demo.

pub mod view;
