//! The adapter to processors that speak ISO 8583:1987 over TCP.
//!
//! An authorisation is 0100 and the money is taken by a completion 0220 later, because nothing is captured before the
//! handheld saw the approval. There is no look-up: an attempt in doubt is reversed, and the reversal is repeated until it
//! is answered. Card data goes on as the reader encrypted it. What differs between processors is data: [`profile`].
//!
//! Invariant: an answer that is not exactly what was asked for is in doubt and never an approval. Start at
//! [`message::decode`].

pub mod fields;
pub mod frames;
pub mod message;
pub mod profile;
