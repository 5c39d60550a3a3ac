//! Miura readers (M010 family) over the serial port profile: frames, commands, the driver and a simulated reader.
//!
//! Built from the vendor's public SDK and its tests; the protocol's own document is not public, and nothing here was
//! tried on a real reader. The layers: [`frame`] is the envelope with its checksum and chains, [`apdu`] what is in it,
//! [`command`] what the host asks, [`payload`] the card data, [`driver`] the flow, [`sim`] the other side of it.

pub mod apdu;
pub mod command;
pub mod driver;
pub mod frame;
pub mod payload;
pub mod sim;
