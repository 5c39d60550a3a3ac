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

use tokio::sync::mpsc;

/// One connection to a reader: whole messages each way. Closed means lost; there is a new one after a reconnection.
#[derive(Debug)]
pub struct MessageLink {
    /// To the other side.
    pub outgoing: mpsc::Sender<Vec<u8>>,
    /// From the other side.
    pub incoming: mpsc::Receiver<Vec<u8>>,
}

/// Messages that may wait in one direction.
const MESSAGES: usize = 32;

/// Two ends of one connection within the program.
pub fn pair() -> (MessageLink, MessageLink) {
    let (to_reader, from_host) = mpsc::channel(MESSAGES);
    let (to_host, from_reader) = mpsc::channel(MESSAGES);
    (MessageLink { outgoing: to_reader, incoming: from_reader }, MessageLink { outgoing: to_host, incoming: from_host })
}
