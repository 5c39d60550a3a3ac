//! Which faults are played where: everything that the proxy can do, at every message of every step.

use super::peers::Peer;
use super::proxy::{Exchange, Fault, Step, Strike};
use std::time::Duration;

/// What is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Story {
    /// Authorised, captured, and a part given back.
    Sale,
    /// Authorised, and voided.
    Void,
    /// Declined.
    Decline,
    /// The answer to the authorisation is lost; whatever finds out what became of it meets the fault.
    Doubt,
}

/// All of them.
pub const STORIES: [Story; 4] = [Story::Sale, Story::Void, Story::Decline, Story::Doubt];

/// One play.
#[derive(Debug, Clone)]
pub struct Case {
    pub story: Story,
    pub strikes: Vec<Strike>,
}

impl Story {
    /// The steps whose messages are spoiled in this story; the others are in another one.
    fn spoils(self, step: Step) -> bool {
        match self {
            Story::Sale => matches!(step, Step::Prepare | Step::Authorise | Step::Capture | Step::Refund),
            Story::Void => step == Step::Reverse,
            Story::Decline => step == Step::Authorise,
            Story::Doubt => matches!(step, Step::LookUp | Step::Reverse),
        }
    }

    /// What goes wrong in it anyway. `authorise`: the last request of that step, which has the effect.
    pub fn before(self, authorise: usize) -> Vec<Strike> {
        match self {
            Story::Doubt => vec![Strike { step: Step::Authorise, request: authorise, fault: Fault::AnswerLost }],
            Story::Sale | Story::Void | Story::Decline => Vec::new(),
        }
    }
}

/// Every fault at every message that a story's clean play exchanged. Each is numbered within the first call of its
/// step.
pub fn cases<P: Peer>(peer: &P, story: Story, clean: &[Exchange], before: &[Strike]) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut done = Vec::new();
    for exchange in clean.iter().filter(|e| story.spoils(e.step)) {
        let at = (exchange.step, exchange.request);
        if done.contains(&at) {
            continue;
        }
        done.push(at);
        for fault in faults(peer, exchange) {
            let strike = Strike { step: exchange.step, request: exchange.request, fault };
            cases.push(Case { story, strikes: before.iter().cloned().chain([strike]).collect() });
        }
    }
    cases
}

fn faults<P: Peer>(peer: &P, exchange: &Exchange) -> Vec<Fault> {
    let late = Duration::from_millis(peer.answer_ms() + peer.answer_ms() / 3);
    let mut faults = vec![
        Fault::RequestHangs,
        Fault::RequestLost,
        Fault::RequestLate(late),
        Fault::RequestTwice,
        Fault::AnswerHangs,
        Fault::AnswerLost,
        Fault::AnswerLate(late),
    ];
    faults.extend(cuts(exchange.sent.len(), peer.cuts()).into_iter().map(Fault::RequestCut));
    // A whole answer is no fault.
    let short = exchange.answered.len().saturating_sub(1);
    faults.extend(cuts(short, peer.cuts()).into_iter().map(Fault::AnswerCut));
    faults.extend(peer.garbage().into_iter().flat_map(|lie| [Fault::AnswerIs(lie.clone()), Fault::RequestLied(lie)]));
    faults
}

/// At most `most` places in a message of so many bytes, its ends among them; every one if it is short.
fn cuts(length: usize, most: usize) -> Vec<usize> {
    let mut at: Vec<usize> = if length < most {
        (0..=length).collect()
    } else {
        (0..most).map(|n| n * length / (most - 1)).chain([1, length.saturating_sub(1)]).collect()
    };
    at.sort_unstable();
    at.dedup();
    at
}

#[test]
fn a_message_is_cut_at_both_ends_and_between() {
    assert_eq!(cuts(3, 24), [0, 1, 2, 3]);
    let long = cuts(1_000, 8);
    assert!(long.len() <= 10 && long.contains(&0) && long.contains(&999) && long.contains(&1_000), "{long:?}");
}
