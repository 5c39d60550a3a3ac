//! The commands: one file each. The one place that may import everything.

#[cfg(feature = "office")]
pub mod office_import;
#[cfg(feature = "office")]
pub mod processor;
