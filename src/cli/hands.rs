//! What the demo's keys do where everything is simulated, in the demo and in training: the link's switch and the
//! customer's hand at the reader. Start at [`Hands::new`].

use crate::app::effect::DemoCommand;
use crate::flow::payment::Timing;
use crate::runtime::actors::sync::practice::PracticeLink;
use crate::runtime::hands::Switches;
use std::sync::{Mutex, PoisonError};
use tillroll_hardware::reader::cards::TEST_CARDS;
use tillroll_hardware::reader::sim::SimControl;

/// Nobody presents a card: for trying the cancel key and the reader's time-out.
const NOBODY: &str = "nobody";

/// A minute for the card; after eight seconds without an answer the outcome is unknown.
pub const TIMING: Timing = Timing { present_ms: 60_000, unknown_ms: 8_000 };

/// A network that can be cut.
pub trait LinkSwitch: Send + Sync {
    /// Cuts it, or restores it.
    fn toggle(&self);
    /// Whether it is cut.
    fn is_cut(&self) -> bool;
}

impl LinkSwitch for PracticeLink {
    fn toggle(&self) {
        PracticeLink::toggle(self);
    }

    fn is_cut(&self) -> bool {
        PracticeLink::is_cut(self)
    }
}

/// Link and customer.
pub struct Hands<L> {
    link: L,
    customer: SimControl,
    card: Mutex<String>,
}

impl<L> Hands<L> {
    /// The customer holds the card of this name.
    pub fn new(link: L, customer: SimControl, first: &str) -> Hands<L> {
        customer.present(Some(first));
        Hands { link, customer, card: Mutex::new(first.to_owned()) }
    }
}

impl<L: LinkSwitch> Switches for Hands<L> {
    fn command(&self, command: &DemoCommand) {
        match command {
            DemoCommand::ToggleLink => self.link.toggle(),
            DemoCommand::PresentCard(name) => {
                if self.customer.present((name != NOBODY).then_some(name)) {
                    name.clone_into(&mut self.card.lock().unwrap_or_else(PoisonError::into_inner));
                }
            }
        }
    }

    fn state(&self) -> (bool, String, Vec<String>) {
        let card = self.card.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let names = TEST_CARDS.iter().map(|card| card.name).chain([NOBODY]);
        (self.link.is_cut(), card, names.map(str::to_owned).collect())
    }
}
