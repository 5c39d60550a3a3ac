//! MagTek MMS readers (DynaFlex family): messages, what is in them, the driver and a simulated reader.
//!
//! Built from the vendor's programmer's manual D998200597 and its published client; never tried on a real reader yet.
//! The layers: [`message`] is the envelope, [`command`] what the host asks, [`notification`] what the reader says,
//! [`payload`] the card data, [`driver`] the flow, [`sim`] the other side of it. Cutting messages into Bluetooth or
//! serial frames is the transport's work, below [`MessageLink`].

pub mod command;
pub mod driver;
pub mod message;
pub mod notification;
pub mod payload;
pub mod pdu;
pub mod sim;
pub mod slip;
#[cfg(test)]
mod tests;

use super::link::Link;

/// One connection to a reader: whole messages each way.
pub type MessageLink = Link<Vec<u8>>;
