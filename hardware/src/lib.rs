//! Card readers and printers of tillroll: protocols, drivers and simulators.
//!
//! Invariant: knows nothing of the app, keeps nothing but a simulated reader's key counter, and never lets a card
//! number out. Start at [`reader`]; [`dukpt`], [`tlv`] and [`reader::cards`] are open to the simulated processor too.

pub mod bytes;
pub mod dukpt;
pub mod gpio;
pub mod printer;
pub mod reader;
pub mod tlv;
pub mod transport;
