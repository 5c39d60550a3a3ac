//! Which paths a file names: every `use`, however nested, and every path in an expression. Start at [`named`].

use crate::source::{Token, tokens};

/// A path as the crate root sees it, and the line where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub from: From,
    pub path: Vec<String>,
    pub line: usize,
}

/// Whose root a path starts at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// `crate::`, `super::`, `self::` or `tillroll::`.
    Ours,
    /// `tillroll_hardware::`.
    Hardware,
    /// Another crate, a type, or a module brought in by a `use` that is judged by itself.
    Else,
}

/// `src/app/screens/job/view.rs` → `app`, `screens`, `job`, `view`.
pub fn module_of(file: &str) -> Vec<String> {
    let inside = file.strip_prefix("hardware/").unwrap_or(file);
    let inside = inside.strip_prefix("src/").unwrap_or(inside).trim_end_matches(".rs");
    let mut parts: Vec<String> = inside.split('/').map(str::to_owned).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

/// Every path in `code` (as `source::code` gives it), which is the text of the module `module`.
pub fn named(module: &[String], code: &str) -> Vec<Named> {
    let tokens = tokens(code);
    let text = |i: usize| tokens.get(i).map_or("", |t: &Token| t.text.as_str());
    let (mut out, mut inline, mut depth, mut i) = (Vec::new(), Vec::<(String, usize)>::new(), 0_usize, 0);
    while i < tokens.len() {
        let starts_use = text(i) == "use";
        let starts_path = is_name(text(i)) && text(i + 1) == "::" && (i == 0 || text(i - 1) != "::");
        match text(i) {
            "mod" if text(i + 2) == "{" => inline.push((text(i + 1).to_owned(), depth)),
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                inline.pop_if(|(_, at)| *at == depth);
            }
            _ if starts_use || starts_path => {
                let first = if starts_use { i + 1 } else { i };
                let first = if text(first) == "::" { first + 1 } else { first };
                let mut found = Vec::new();
                let end = tree(&tokens, first, &[], &mut found);
                let here: Vec<String> = module.iter().chain(inline.iter().map(|(name, _)| name)).cloned().collect();
                out.extend(found.into_iter().map(|(path, line)| resolve(&here, path, line)));
                i = end.max(i + 1);
                continue;
            }
            _ => {}
        }
        i += 1;
    }
    out
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Reads one tree of a `use` (or one path) from token `at`; says where it ends.
fn tree(tokens: &[Token], at: usize, prefix: &[String], out: &mut Vec<(Vec<String>, usize)>) -> usize {
    let text = |i: usize| tokens.get(i).map_or("", |t: &Token| t.text.as_str());
    let line = tokens.get(at).map_or(0, |t| t.line);
    let mut path = prefix.to_vec();
    let mut i = at;
    loop {
        if text(i) == "{" {
            i += 1;
            while i < tokens.len() && text(i) != "}" {
                i = tree(tokens, i, &path, out).max(i + 1);
                while text(i) == "," {
                    i += 1;
                }
            }
            return i + 1;
        }
        if text(i) == "*" || is_name(text(i)) {
            if text(i) != "self" || path.is_empty() {
                path.push(text(i).to_owned());
            }
            i += 1;
        }
        if text(i) != "::" {
            break;
        }
        i += 1;
    }
    if text(i) == "as" {
        i += 2;
    }
    if !path.is_empty() {
        out.push((path, line));
    }
    i
}

fn resolve(module: &[String], path: Vec<String>, line: usize) -> Named {
    let (from, path) = match path[0].as_str() {
        "crate" | "tillroll" => (From::Ours, path[1..].to_vec()),
        "tillroll_hardware" => (From::Hardware, path[1..].to_vec()),
        "self" => (From::Ours, module.iter().chain(&path[1..]).cloned().collect()),
        "super" => {
            let ups = path.iter().take_while(|p| *p == "super").count();
            let base = &module[..module.len().saturating_sub(ups)];
            (From::Ours, base.iter().chain(&path[ups..]).cloned().collect())
        }
        _ => (From::Else, path),
    };
    Named { from, path, line }
}

#[test]
fn every_way_to_name_a_path_is_seen() {
    let cases = [
        ("use crate::store::Store;", "store::Store"),
        ("use crate::{domain::money, store as s};", "domain::money store"),
        ("use crate::sync::{self, wire::{A, b::*}};", "sync sync::wire::A sync::wire::b::*"),
        ("fn f() { crate::office::run(1) }", "office::run"),
        ("use super::effect::Effect;", "app::screens::effect::Effect"),
        ("use super::super::model;", "app::model"),
        ("use super::{a, b::c};", "app::screens::a app::screens::b::c"),
        ("mod x { use super::super::y; } use super::z;", "app::screens::y app::screens::z"),
        ("pub(super) fn f(self) {}", ""),
    ];
    let module = module_of("src/app/screens/job.rs");
    for (source, expected) in cases {
        let found: Vec<String> =
            named(&module, source).into_iter().filter(|n| n.from == From::Ours).map(|n| n.path.join("::")).collect();
        assert_eq!(found.join(" "), expected, "{source}");
    }
    assert_eq!(named(&module, "use tillroll_hardware as h;")[0].from, From::Hardware);
    assert_eq!(named(&module, "std::fs::read(p)")[0].path.join("::"), "std::fs::read");
}
