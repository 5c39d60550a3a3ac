//! Who may import whom. [`LAYERS`] is the whole rule; [`breaches`] holds a file against it.
//!
//! Tests may look over a wall: they are not part of the program.

use crate::paths::{From, Named, module_of, named};
use crate::source;

/// One layer, named by its module. The longest name that fits a file counts.
struct Layer {
    at: &'static str,
    /// What it may import of this crate, beside itself.
    may: &'static [&'static str],
    /// What it may import of `tillroll_hardware`; an empty name is everything.
    hardware: &'static [&'static str],
    /// No I/O, no clock, no chance of its own: all of it comes in as an argument.
    pure: bool,
}

const LAYERS: &[Layer] = &[
    Layer { at: "domain", may: &[], hardware: &[], pure: true },
    Layer { at: "flow", may: &["domain"], hardware: &[], pure: true },
    // `ui` too, in views only: see `UI_USERS`.
    Layer { at: "app", may: &["domain", "flow"], hardware: &[], pure: true },
    Layer { at: "ui", may: &["domain"], hardware: &[], pure: true },
    // Opening a database, and the tables that handheld and office have in common.
    Layer { at: "sqlite", may: &[], hardware: &[], pure: false },
    Layer { at: "keyfile", may: &[], hardware: &[], pure: false },
    Layer { at: "facts", may: &["domain"], hardware: &[], pure: false },
    Layer { at: "store", may: &["domain", "facts", "sqlite"], hardware: &[], pure: false },
    Layer { at: "sync", may: &["domain"], hardware: &[], pure: false },
    Layer { at: "sync::wire", may: &["domain", "sync::plan"], hardware: &[], pure: false },
    Layer { at: "sync::plan", may: &["domain", "sync::wire"], hardware: &[], pure: true },
    Layer { at: "sync::client", may: &["domain", "sync"], hardware: &[], pure: false },
    Layer {
        at: "office",
        may: &["domain", "facts", "keyfile", "sqlite", "sync::wire", "sync::plan"],
        hardware: &[],
        pure: false,
    },
    Layer { at: "processor", may: &["domain", "sqlite"], hardware: &["dukpt", "reader::cards", "tlv"], pure: false },
    Layer { at: "runtime", may: &["app", "domain", "flow", "ui"], hardware: &[], pure: false },
    Layer {
        at: "runtime::actors",
        may: &["app", "domain", "flow", "runtime", "store", "sync"],
        hardware: &[""],
        pure: false,
    },
];

/// Modules that put the program together and may see everything.
const COMPOSERS: &[&str] = &["", "cli"];

/// Where the app draws: these may see `ui`.
fn draws(module: &str) -> bool {
    module == "app::view"
        || module.starts_with("app::view::")
        || (module.starts_with("app::screens::") && (module.ends_with("::view") || module.contains("::view::")))
}

/// Not for a pure layer: what reaches outside.
const OUTSIDE: &[&str] =
    &["std::env", "std::fs", "std::net", "std::process", "std::thread", "axum", "reqwest", "rusqlite", "tokio"];
/// Not for a pure layer: a clock or chance, by the end of its path.
const CLOCKS: &[&str] = &[
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "Uuid::now_v7",
    "Uuid::new_v4",
    "rand::rng",
    "rand::random",
];

fn within(path: &str, root: &str) -> bool {
    root.is_empty() || path == root || path.strip_prefix(root).is_some_and(|rest| rest.starts_with("::"))
}

/// One line for each breach in a file of `src` or `hardware`.
pub fn breaches(file: &str, text: &str) -> Vec<String> {
    let code = source::without_tests(&source::code(text));
    let module = module_of(file);
    let named = named(&module, &code);
    if file.starts_with("hardware/") {
        let ours = |n: &&Named| n.from == From::Else && n.path[0] == "tillroll" || names_tillroll(&code, n);
        return named
            .iter()
            .filter(ours)
            .map(|n| format!("{file}:{}: hardware knows nothing of the app", n.line))
            .collect();
    }
    let module = module.join("::");
    if COMPOSERS.iter().any(|c| module == *c || (!c.is_empty() && within(&module, c))) {
        return Vec::new();
    }
    let Some(layer) = LAYERS.iter().filter(|l| within(&module, l.at)).max_by_key(|l| l.at.len()) else {
        return vec![format!("{file}: a layer that tests/tidy/walls.rs does not know: settle whom it may import")];
    };
    let told = |n: &Named, why: &str| format!("{file}:{}: {} may not see {why}", n.line, layer.at);
    named.iter().filter_map(|n| judge(layer, &module, n).map(|why| told(n, &why))).collect()
}

/// `tillroll::` resolves to our own root, so look at the word itself.
fn names_tillroll(code: &str, named: &Named) -> bool {
    named.from == From::Ours
        && code.lines().nth(named.line - 1).is_some_and(|line| {
            source::tokens(line)
                .windows(2)
                .any(|w| w[0].text == "tillroll" && matches!(w[1].text.as_str(), "::" | ";" | "as"))
        })
}

/// What the layer may not see in this path, if anything.
fn judge(layer: &Layer, module: &str, named: &Named) -> Option<String> {
    let path = named.path.join("::");
    match named.from {
        From::Ours if path.is_empty() || path == "*" => Some("the whole crate at once: name the layer".to_owned()),
        From::Ours => {
            let own = within(&path, layer.at);
            let lent = layer.may.iter().any(|m| within(&path, m)) || (within(&path, "ui") && draws(module));
            (!own && !lent).then_some(path)
        }
        From::Hardware => {
            let lent = layer.hardware.iter().any(|h| within(&path, h));
            (!lent).then(|| format!("tillroll_hardware::{path}"))
        }
        From::Else => {
            let outside = OUTSIDE.iter().any(|o| within(&path, o));
            let clock = CLOCKS.iter().any(|c| path == *c || path.ends_with(&format!("::{c}")));
            (layer.pure && (outside || clock)).then(|| format!("{path}: it does no I/O and has no clock"))
        }
    }
}

#[test]
fn a_planted_breach_is_found() {
    let cases = [
        ("src/domain/money.rs", "use crate::flow::payment::Machine;"),
        ("src/domain/money.rs", "fn f() { std::fs::read(p); }"),
        ("src/domain/job.rs", "let now = jiff::Timestamp::now();"),
        ("src/domain/id.rs", "use uuid::Uuid; fn f() { Uuid::now_v7() }"),
        ("src/flow/payment.rs", "use crate::{domain::money, store::Store};"),
        ("src/flow/payment.rs", "use tokio::sync::mpsc;"),
        ("src/app/screens/job/update.rs", "use crate::ui::theme;"),
        ("src/app/screens/job/mod.rs", "use crate::ui::theme;"),
        ("src/app/update.rs", "use super::super::runtime::driver;"),
        ("src/ui/widgets/bar.rs", "use crate::app::Model;"),
        ("src/store/journal.rs", "use crate::sync::wire::Batch;"),
        ("src/sync/wire.rs", "use crate::sync::client::Client;"),
        ("src/sync/plan.rs", "fn f() { super::client::go() }"),
        ("src/sync/client.rs", "use crate::store::Store;"),
        ("src/office/api/journal.rs", "use crate::store::journal;"),
        ("src/office/api.rs", "use crate::sync::client;"),
        ("src/processor/ledger.rs", "use crate::office::store;"),
        ("src/processor/cards.rs", "use tillroll_hardware::reader::mms;"),
        ("src/runtime/driver.rs", "use crate::store::Store;"),
        ("src/runtime/driver.rs", "use tillroll_hardware::reader::Reader;"),
        ("src/runtime/actors/store.rs", "use crate::office::Office;"),
        ("src/flow/print.rs", "use crate::*;"),
        ("src/gadgets/mod.rs", "//! New."),
        ("hardware/src/reader.rs", "use tillroll::domain::money;"),
        ("hardware/src/reader.rs", "fn f() -> tillroll::domain::Money {}"),
    ];
    for (file, text) in cases {
        assert_eq!(breaches(file, text).len(), 1, "{file}: {text}");
    }
}

#[test]
fn what_is_allowed_is_no_breach() {
    let cases = [
        ("src/domain/money.rs", "use super::id::Id; use serde::Serialize; // crate::store"),
        ("src/flow/payment.rs", "use crate::domain::payment::{self, State};"),
        ("src/app/screens/job/view.rs", "use crate::ui::theme; use ratatui::Frame; use super::Job;"),
        ("src/app/view.rs", "use crate::ui::page; use crate::app::model::Model;"),
        ("src/sync/client.rs", "use super::wire::Batch; use std::net::TcpStream;"),
        ("src/office/api/journal.rs", "use crate::sync::wire::Envelope; use crate::domain::id; use tokio::net;"),
        ("src/processor/cards.rs", "use tillroll_hardware::{dukpt, reader::cards::{self, Card}, tlv};"),
        ("src/runtime/actors/reader.rs", "use tillroll_hardware::reader; use crate::store::Store;"),
        ("src/cli/demo.rs", "use crate::{office, processor, runtime, store}; use tillroll_hardware::reader;"),
        ("src/main.rs", "fn main() { tillroll::cli::run() }"),
        ("src/flow/payment.rs", "#[cfg(test)]\nmod tests { use crate::store::Store; }"),
        ("hardware/src/reader.rs", "use crate::transport; fn f() { let tillroll = 1; }"),
    ];
    for (file, text) in cases {
        assert_eq!(breaches(file, text), Vec::<String>::new(), "{file}: {text}");
    }
}
