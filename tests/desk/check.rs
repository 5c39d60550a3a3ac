//! The walk through a processor: against the simulated one, against nobody, and against one that fails at each step.

use crate::rig::Rig;
use serde_json::json;
use std::sync::Mutex;
use tillroll::office::processors::check::{AMOUNT_MINOR, Ended, Kit, sale, walk};
use tillroll::office::processors::{
    Abilities, Answer, Authorisation, Booked, FollowUp, Found, Processor, ProcessorError, Refunded, Reply, Sent,
    Source, Totals,
};

#[tokio::test]
async fn the_simulated_processor_passes_and_nothing_is_left_behind() {
    let rig = Rig::new().await;
    let (status, answer) = rig.command(&["processor", "check", "--processor", &rig.url]).await;
    assert_eq!((status, &answer["passed"]), (0, &json!(true)), "{answer}");
    let names: Vec<&str> = answer["steps"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    let all =
        ["endpoint", "credentials and sign-on", "test sale", "look-up", "void", "second sale", "capture", "refund"];
    assert_eq!(names, all);
    assert_eq!(rig.ledger().await, (2, 0), "two sales, nothing kept");
    assert!(rig.count("SELECT cast(value AS INTEGER) FROM meta WHERE name = 'attempts'") >= 6, "numbers are used up");
}

#[tokio::test]
async fn a_processor_that_is_not_there_or_elsewhere_is_not_sold_to() {
    let rig = Rig::new().await;
    let (status, answer) = rig.command(&["processor", "check", "--processor", "http://127.0.0.1:1"]).await;
    assert_eq!((status, &answer["steps"][0]["ended"]), (1, &json!("failed")), "{answer}");
    assert!(answer["steps"][0]["ask"].as_str().unwrap().contains("address"));
    assert!(answer["steps"].as_array().unwrap()[1..].iter().all(|step| step["ended"] == "skipped"), "{answer}");
    let (status, answer) = rig.command(&["processor", "check", "--processor", "http://processor.example"]).await;
    assert_eq!((status, &answer["error"]["code"]), (2, &json!("usage")), "{answer}");
    assert!(answer["error"]["hint"].as_str().unwrap().contains("--yes"));
}

/// Fails at one step and writes down what it was asked.
#[derive(Debug)]
pub struct Failing {
    pub at: &'static str,
    /// What it gives back beyond each refund.
    pub beyond_minor: i64,
    pub asked: Mutex<Vec<&'static str>>,
}

impl Failing {
    fn done<T: Send + 'static>(&self, name: &'static str, value: T) -> Reply<'_, T> {
        self.asked.lock().unwrap().push(name);
        let fails = self.at == name;
        Box::pin(async move { if fails { Err(ProcessorError::Refused(format!("no {name}"))) } else { Ok(value) } })
    }
}

impl Processor for Failing {
    fn abilities(&self) -> Abilities {
        Abilities { look_up: true, card_present: false, on_file: true, links: false }
    }
    fn hello(&self) -> Reply<'_, String> {
        self.done("hello", "hello".to_owned())
    }
    fn prepare<'a>(&'a self, _: &'a Authorisation) -> Reply<'a, Option<String>> {
        self.done("prepare", Some("ref".to_owned()))
    }
    fn authorise<'a>(&'a self, _: &'a Authorisation) -> Reply<'a, Answer> {
        self.done("authorise", approved())
    }
    fn look_up<'a>(&'a self, _: &'a Sent) -> Reply<'a, Found> {
        self.done("look_up", Found::Answered { answer: approved(), captured_minor: 0 })
    }
    fn reverse<'a>(&'a self, _: &'a FollowUp) -> Reply<'a, ()> {
        self.done("reverse", ())
    }
    fn capture<'a>(&'a self, _: &'a FollowUp) -> Reply<'a, i64> {
        self.done("capture", AMOUNT_MINOR)
    }
    fn refund<'a>(&'a self, _: &'a FollowUp) -> Reply<'a, Refunded> {
        self.done("refund", Refunded { done: true, response_code: "00".to_owned() })
    }
    fn refunded_beyond<'a>(&'a self, _: &'a FollowUp) -> Reply<'a, i64> {
        self.done("refunded_beyond", self.beyond_minor)
    }
    fn reconcile<'a>(&'a self, _: &'a Totals) -> Reply<'a, bool> {
        self.done("reconcile", true)
    }
    fn booked(&self, _: i64, _: i64) -> Reply<'_, Vec<Booked>> {
        self.done("booked", Vec::new())
    }
    fn link<'a>(&'a self, _: &'a str, _: i64, _: &'a str, _: &'a str) -> Reply<'a, String> {
        self.done("link", String::new())
    }
}

fn approved() -> Answer {
    let response_code = "00".to_owned();
    Answer { approved: true, amount_minor: AMOUNT_MINOR, response_code, auth_code: None, token: None, network: None }
}

#[tokio::test]
async fn a_failure_names_its_step_has_a_question_and_leaves_no_sale_open() {
    for (at, failed) in [
        ("", vec![]),
        ("hello", vec!["credentials and sign-on"]),
        ("prepare", vec!["test sale", "second sale"]),
        ("authorise", vec!["test sale", "second sale"]),
        ("look_up", vec!["look-up"]),
        ("reverse", vec!["void"]),
        ("capture", vec!["capture"]),
        ("refund", vec!["refund"]),
    ] {
        let processor = Failing { at, beyond_minor: 0, asked: Mutex::default() };
        let one = |n: u32| sale(format!("check-{n}"), n, format!("{n:012}"), 1, "EUR", Source::OnFile("tok".into()));
        let kit = Kit { voided: one(1), refunded: one(2), stans: [3, 4, 5, 6] };
        let steps = walk(&processor, kit).await;
        let found: Vec<&str> = steps.iter().filter(|s| s.ended == Ended::Failed).map(|s| s.name).collect();
        assert_eq!(found, failed, "{at}");
        assert!(steps.iter().all(|s| (s.ended == Ended::Failed) != s.ask.is_empty()), "{at}: {steps:?}");
        assert_eq!(steps.len(), 8, "{at}");
        let asked = processor.asked.lock().unwrap();
        let count = |name: &str| asked.iter().filter(|one| **one == name).count();
        let (sales, ended) = (count("authorise"), count("reverse") + count("refund"));
        assert!(ended >= sales, "{at}: {asked:?}");
    }
}
