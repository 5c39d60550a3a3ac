//! What lives next door: the store, the reader, the printer and the exchange, each behind a bounded channel. Only
//! these files know the hardware, the store and the office's client.

pub mod devices;
pub mod pin;
pub mod printer;
pub mod reader;
pub mod store;
pub mod sync;
