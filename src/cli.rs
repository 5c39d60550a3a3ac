//! The commands: one file each. The one place that may import everything.

#[cfg(feature = "office")]
pub mod processor;
