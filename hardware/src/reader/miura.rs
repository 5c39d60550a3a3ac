//! Miura readers (M010 family) over the serial port profile: the codec. Driver and simulated reader come next.
//!
//! Built from the vendor's public SDK and its tests; the protocol's own document is not public, and nothing here was
//! tried on a real reader. The layers: [`frame`] is the envelope with its checksum and chains, [`apdu`] what is in it.

pub mod apdu;
pub mod frame;
