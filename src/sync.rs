//! The exchange between a handheld and the office: what travels, what to send next, and the device's client.

pub mod client;
pub mod plan;
pub mod wire;
