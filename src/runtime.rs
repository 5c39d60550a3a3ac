//! The imperative shell: clocks, actors and the terminal around the pure parts.
//!
//! Start at [`till`]: it does what a payment machine asks for.

pub mod actors;
pub mod clock;
pub mod driver;
pub mod hands;
pub mod link;
pub mod terminal;
pub mod till;

use crate::domain::id::PaymentId;
use crate::flow::payment::Event;
use tokio::sync::mpsc;

/// Where events of payments go, by payment.
pub type PaymentEvents = mpsc::Sender<(PaymentId, Event)>;
