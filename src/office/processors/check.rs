//! A walk through everything that an office asks of its processor, with a test sale that is taken back again: which step
//! failed, and what to ask the provider.
//!
//! Invariant: what a step moved, a later step gives back; after a failure the sale is still reversed. Start at
//! [`walk`].

use super::{Answer, Authorisation, FollowUp, Found, Processor, ProcessorError, Sent, Source};
use serde::Serialize;

/// The amount of the test sales, minor units.
pub const AMOUNT_MINOR: i64 = 100;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// As it should.
    Passed,
    /// Not as it should.
    Failed,
    /// Not tried, because the processor cannot do it or an earlier step failed.
    Skipped,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What was tried.
    pub name: &'static str,
    /// How it ended.
    pub ended: Ended,
    /// What came back.
    pub detail: String,
    /// After a failure: what to ask the provider.
    pub ask: &'static str,
}

/// What a walk is made with: numbers that were never used, and a card for each of the two sales.
#[derive(Debug, Clone)]
pub struct Kit {
    /// The first sale, which is taken back.
    pub voided: Authorisation,
    /// The second sale, which is captured and given back.
    pub refunded: Authorisation,
    /// STANs for four more operations: the reversal, the capture, the refund, and a reversal after a failure.
    pub stans: [u32; 4],
}

/// A request for one of the test sales.
pub fn sale(key: String, stan: u32, rrn: String, at_ms: i64, currency: &str, source: Source) -> Authorisation {
    Authorisation {
        key,
        stan,
        rrn,
        at_ms,
        terminal: "CHECK".to_owned(),
        amount_minor: AMOUNT_MINOR,
        currency: currency.to_owned(),
        deferred: false,
        allow_partial: false,
        keep_card: false,
        reference: None,
        source,
    }
}

struct Walk<'a> {
    processor: &'a dyn Processor,
    steps: Vec<Step>,
}

impl Walk<'_> {
    fn note(&mut self, name: &'static str, done: Result<String, String>, ask: &'static str) -> bool {
        let (ended, detail, ask) = match done {
            Ok(detail) => (Ended::Passed, detail, ""),
            Err(detail) => (Ended::Failed, detail, ask),
        };
        self.steps.push(Step { name, ended, detail, ask });
        ended == Ended::Passed
    }

    fn skip(&mut self, name: &'static str, why: &str) {
        self.steps.push(Step { name, ended: Ended::Skipped, detail: why.to_owned(), ask: "" });
    }
}

/// Why a call to a processor was no success, and what it may be about.
fn said(why: ProcessorError) -> String {
    why.to_string()
}

const ASK_ENDPOINT: &str = "Which address and port serve this account, and is this machine's address allowed?";
const ASK_CREDENTIALS: &str = "Are the merchant, terminal and credentials active, and for this environment?";
const ASK_SALE: &str = "Is this merchant and terminal enabled for purchases with this card type, currency and key set?";
const ASK_LOOK_UP: &str = "How is an earlier transaction found by our reference, and how soon after it was sent?";
const ASK_VOID: &str = "Which message takes an authorisation back, and until when?";
const ASK_CAPTURE: &str = "Is this account set to capture by a message of its own, not at the authorisation?";
const ASK_REFUND: &str = "Are linked refunds enabled, and how soon after the capture?";

/// Walks through the steps; all of them are in the answer, in order. The first two need no money to move.
pub async fn walk(processor: &dyn Processor, kit: Kit) -> Vec<Step> {
    let mut walk = Walk { processor, steps: Vec::new() };
    let hello = processor.hello().await;
    let reached = !matches!(&hello, Err(ProcessorError::InDoubt(_)));
    let endpoint = if reached { Ok("it answers".to_owned()) } else { hello.clone().map_err(said) };
    if walk.note("endpoint", endpoint, ASK_ENDPOINT) {
        if walk.note("credentials and sign-on", hello.map_err(said), ASK_CREDENTIALS) {
            sales(&mut walk, kit).await;
            return walk.steps;
        }
    } else {
        walk.skip("credentials and sign-on", "nobody answers");
    }
    for name in ["test sale", "look-up", "void", "second sale", "capture", "refund"] {
        walk.skip(name, "the connection does not stand");
    }
    walk.steps
}

async fn sales(walk: &mut Walk<'_>, kit: Kit) {
    let [reversal, capture, refund, last] = kit.stans;
    let can = walk.processor.abilities();
    let first = authorise(walk, "test sale", kit.voided).await;
    match &first {
        Some((sent, _)) if can.look_up => {
            let found = match walk.processor.look_up(sent).await {
                Ok(Found::Answered { answer, .. }) if answer.approved => Ok("it was found as approved".to_owned()),
                Ok(other) => Err(format!("it was found as {other:?}")),
                Err(why) => Err(said(why)),
            };
            walk.note("look-up", found, ASK_LOOK_UP);
        }
        Some(_) => walk.skip("look-up", "this processor tells nothing of earlier attempts: they are reversed"),
        None => walk.skip("look-up", "there is no sale"),
    }
    match &first {
        Some((sent, _)) => {
            let call = follow(sent, "reversal", reversal);
            let done = walk.processor.reverse(&call).await.map(|()| "taken back".to_owned()).map_err(said);
            walk.note("void", done, ASK_VOID);
        }
        None => walk.skip("void", "there is no sale"),
    }
    let Some((sent, _)) = authorise(walk, "second sale", kit.refunded).await else {
        walk.skip("capture", "there is no sale");
        walk.skip("refund", "there is no sale");
        return;
    };
    let done = match walk.processor.capture(&follow(&sent, "capture", capture)).await {
        Ok(AMOUNT_MINOR) => Ok("captured".to_owned()),
        Ok(other) => Err(format!("{other} was captured instead of {AMOUNT_MINOR}")),
        Err(why) => Err(said(why)),
    };
    if !walk.note("capture", done, ASK_CAPTURE) {
        walk.skip("refund", "nothing was captured");
        // The test leaves nothing behind.
        let _ = walk.processor.reverse(&follow(&sent, "reversal", last)).await;
        return;
    }
    let done = match walk.processor.refund(&follow(&sent, "refund", refund)).await {
        Ok(refunded) if refunded.done => Ok("given back".to_owned()),
        Ok(refunded) => Err(format!("it was declined with answer {}", refunded.response_code)),
        Err(why) => Err(said(why)),
    };
    walk.note("refund", done, ASK_REFUND);
}

async fn authorise(walk: &mut Walk<'_>, name: &'static str, mut request: Authorisation) -> Option<(Sent, Answer)> {
    match walk.processor.prepare(&request).await {
        Ok(reference) => request.reference = reference.or(request.reference),
        Err(why) => {
            walk.note(name, Err(said(why)), ASK_SALE);
            return None;
        }
    }
    let mut sent = Sent {
        key: request.key.clone(),
        stan: request.stan,
        rrn: request.rrn.clone(),
        at_ms: request.at_ms,
        terminal: request.terminal.clone(),
        amount_minor: request.amount_minor,
        currency: request.currency.clone(),
        deferred: false,
        auth_code: None,
        reference: request.reference.clone(),
    };
    let done = match walk.processor.authorise(&request).await {
        Ok(answer) if answer.approved && answer.amount_minor == AMOUNT_MINOR => Ok(answer),
        Ok(answer) => Err(format!("it was answered with {} for {}", answer.response_code, answer.amount_minor)),
        Err(why) => {
            // Nobody knows: it is taken back.
            let _ = walk.processor.reverse(&follow(&sent, "reversal", sent.stan)).await;
            Err(said(why))
        }
    };
    match done {
        Ok(answer) => {
            sent.auth_code = answer.auth_code.clone();
            walk.note(name, Ok(format!("approved, answer {}", answer.response_code)), "");
            Some((sent, answer))
        }
        Err(why) => {
            walk.note(name, Err(why), ASK_SALE);
            None
        }
    }
}

fn follow(of: &Sent, what: &str, stan: u32) -> FollowUp {
    FollowUp {
        of: of.clone(),
        key: format!("{}-{what}", of.key),
        stan,
        at_ms: of.at_ms,
        repeat: false,
        amount_minor: of.amount_minor,
    }
}
