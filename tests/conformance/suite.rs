//! The promises, played: one effect for a captured payment, none for one that was reversed or declined, and the same
//! operation with the same key is one effect, whatever the network does to any message.
//!
//! Start at [`holds`].

use super::cases::{Case, STORIES, Story, cases};
use super::office::{Goal, Payment};
use super::peers::{AMOUNT_MINOR, Card, Effects, Peer};
use super::proxy::{Exchange, Proxy, Step};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tillroll::domain::outcome::OutcomeState;
use tokio::task::JoinSet;

/// Plays of one case at the most.
const PLAYS_MAX: usize = 3;
/// What a sale gives back of [`AMOUNT_MINOR`].
const REFUND_MINOR: i64 = 500;
/// The adapter's time-out where nothing goes wrong, milliseconds.
const PATIENT_MS: u64 = 15_000;

/// Plays every story with every fault at every message against this peer, and holds the host's book against what was
/// said. Panics at the first promise that is broken.
pub async fn holds<P: Peer>(peer: P) {
    let peer = Arc::new(peer);
    let mut doubled = 0;
    let mut all = Vec::new();
    let mut authorise = 0;
    for story in STORIES {
        let before = story.before(authorise);
        let clean = Case { story, strikes: before.clone() };
        let seen = play(&*peer, &clean, PATIENT_MS).await.seen;
        if story == Story::Sale {
            authorise = seen.iter().filter(|e| e.step == Step::Authorise).map(|e| e.request).max().unwrap();
        }
        all.extend(cases(&*peer, story, &seen, &before));
    }
    let count = all.len();
    assert!(count > 100, "{}: only {count} faults", peer.name());
    // Those that wait for a time-out wait together.
    all.sort_by_key(|case| !case.strikes.iter().any(|strike| strike.fault.is_slow()));
    let mut waiting = all.into_iter().peekable();
    while waiting.peek().is_some() {
        let mut batch: Vec<Case> = waiting.by_ref().take(peer.batch()).collect();
        let mut plays = JoinSet::new();
        while !batch.is_empty() || !plays.is_empty() {
            while let Some(case) = if plays.len() < peer.at_once() { batch.pop() } else { None } {
                let peer = peer.clone();
                plays.spawn(async move { struck(&*peer, &case).await });
            }
            match plays.join_next().await {
                Some(Ok(played)) => doubled += usize::from(played.doubled),
                Some(Err(broken)) => std::panic::resume_unwind(broken.into_panic()),
                None => {}
            }
        }
        peer.forget().await;
    }
    assert_eq!(doubled > 0, peer.refunds_twice(), "{}: {doubled} refunds were made twice", peer.name());
    eprintln!("{}: {count} faults, {doubled} refunds made twice and noticed", peer.name());
}

/// Plays a case until its fault strikes: on a busy machine the adapter may give up before its request is on the way.
async fn struck<P: Peer>(peer: &P, case: &Case) -> Played {
    for _ in 0..PLAYS_MAX {
        let played = play(peer, case, peer.answer_ms()).await;
        if played.left == 0 {
            return played;
        }
    }
    panic!("{} {case:?}: a fault that met nothing shows nothing", peer.name());
}

/// What a play showed.
struct Played {
    seen: Vec<Exchange>,
    /// Faults that did not strike.
    left: usize,
    /// The host made two refunds of one, and the adapter tells.
    doubled: bool,
}

/// Plays one case and judges it.
async fn play<P: Peer>(peer: &P, case: &Case, answer_ms: u64) -> Played {
    static PLAYS: AtomicU32 = AtomicU32::new(1);
    let name = format!("p{}", PLAYS.fetch_add(1, Ordering::Relaxed));
    let proxy = Proxy::start(peer.host(), peer.wire(), case.strikes.clone()).await;
    let (card, goal) = match case.story {
        Story::Sale | Story::Doubt => (Card::Good, Goal::Captured),
        Story::Void => (Card::Good, Goal::Voided),
        Story::Decline => (Card::Declined, Goal::Captured),
    };
    let told = format!("{} {name} {case:?}", peer.name());
    let mut payment = Payment::new(peer, &proxy, name, card, goal, answer_ms);
    let said = payment.play().await;
    let expected = match case.story {
        Story::Sale | Story::Doubt => OutcomeState::Captured,
        Story::Void => OutcomeState::Voided,
        Story::Decline => OutcomeState::Declined,
    };
    assert_eq!(said, expected, "{told}");
    let refund = match case.story {
        Story::Sale => Some(payment.follow_up("refund-1", REFUND_MINOR)),
        Story::Void | Story::Decline | Story::Doubt => None,
    };
    if let Some(refund) = &refund {
        assert!(payment.refund(refund.clone()).await.done, "{told}");
    }
    proxy.settle().await;
    payment.hear_late().await;
    let seen = proxy.seen();
    let effects = effects(peer, &payment).await;
    let beyond_minor = match &refund {
        Some(refund) => payment.refunded_beyond(refund).await,
        None => 0,
    };
    let doubled = beyond_minor > 0;
    let refunded_minor = effects.refunded_minor - beyond_minor;
    let noticed = Effects { refunded_minor, movements: effects.movements - u32::from(doubled), ..effects };
    assert_eq!(noticed, expect(case.story), "{told}: {effects:?}");

    // The same once more.
    if let Some(refund) = refund {
        assert!(payment.refund(repeated(refund)).await.done, "{told}");
    }
    if let Some(capture) = payment.capture.clone() {
        let minor = payment.insist(Step::Capture, repeated(capture), |p, call| p.capture(call)).await;
        assert_eq!(minor, AMOUNT_MINOR, "{told}");
    }
    for reversal in payment.reversals.clone() {
        payment.insist(Step::Reverse, repeated(reversal), |p, call| p.reverse(call)).await;
    }
    proxy.settle().await;
    assert_eq!(self::effects(peer, &payment).await, effects, "{told}: repeated");
    Played { seen, left: proxy.left(), doubled }
}

fn repeated(mut call: tillroll::office::processors::FollowUp) -> tillroll::office::processors::FollowUp {
    call.repeat = true;
    call
}

/// What the host has booked for all attempts of a payment.
async fn effects<P: Peer>(peer: &P, payment: &Payment<'_, P>) -> Effects {
    let mut sum = Effects::default();
    for attempt in &payment.attempts {
        let one = peer.effects(attempt).await;
        sum.captured_minor += one.captured_minor;
        sum.refunded_minor += one.refunded_minor;
        sum.live_authorisations += one.live_authorisations;
        sum.movements += one.movements;
    }
    sum
}

fn expect(story: Story) -> Effects {
    let captured = Effects { captured_minor: AMOUNT_MINOR, movements: 1, ..Effects::default() };
    match story {
        Story::Sale => Effects { refunded_minor: REFUND_MINOR, movements: 2, ..captured },
        Story::Doubt => captured,
        Story::Void | Story::Decline => Effects::default(),
    }
}
