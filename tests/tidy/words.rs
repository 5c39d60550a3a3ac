//! Words and shapes that a file may not have. Start at [`in_rust`]; [`in_text`] is for every kind of file.

use crate::source;

/// Longest file, in lines. Older ones that are longer stand in `long_files.txt`, whose numbers may only fall.
pub const FILE_LINES_MAX: usize = 400;

/// Not in any Rust file, tests included.
const NOWHERE: &[(&str, &str)] = &[
    ("todo!", "finish it, or leave it out"),
    ("unimplemented!", "finish it, or leave it out"),
    ("dbg!", "use tracing"),
    ("#[allow(", "use #[expect(…, reason = \"…\")]"),
    ("#![allow(", "use #![expect(…, reason = \"…\")]"),
    ("unbounded_channel", "bound the queue by a named constant"),
];

/// Paths of the machine that something was written on: nobody else has them. Split so that this file passes.
const MACHINE: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("../sh", "ared")];

/// True for files of `src` that hold tests only.
pub fn is_test(file: &str) -> bool {
    !file.contains("src/") || file.split('/').any(|part| matches!(part, "tests" | "tests.rs"))
}

/// One line for each bad word or shape in a Rust file.
pub fn in_rust(file: &str, text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let code = source::code(text);
    let mut found = |code: &str, word: &str, why: &str| {
        out.extend(lines_with(code, word).map(|line| format!("{file}:{line}: {word} {why}")));
    };
    for (word, why) in NOWHERE {
        found(&code, word, why);
    }
    if !is_test(file) && !text.contains("clippy::unwrap_used") {
        found(&source::without_tests(&code), ".unwrap()", "return the error, or #[expect] it with a reason");
    }
    if file.starts_with("src/domain") {
        let float = |t: &&source::Token| {
            let type_name = t.text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
            matches!(type_name, "f32" | "f64")
        };
        let tokens = source::tokens(&code);
        out.extend(tokens.iter().filter(float).map(|t| format!("{file}:{}: {}: no floats in domain", t.line, t.text)));
    }
    out.extend(examples(text).map(|line| format!("{file}:{line}: nothing runs examples in comments: write a test")));
    if !text.starts_with("//!") {
        out.push(format!("{file}:1: opens with `//!`: what it is, what it never does, where to start"));
    }
    out
}

/// Lines, counted from 1, where a block begins in a comment of the documentation that is not marked as text. Rust's own
/// runner of such examples is switched off in both `Cargo.toml`: there are none.
fn examples(text: &str) -> impl Iterator<Item = usize> + '_ {
    let fence = |line: &str| {
        let line = line.trim_start();
        let comment = line.strip_prefix("//!").or_else(|| line.strip_prefix("///"))?;
        comment.trim().strip_prefix("```").map(|kind| kind != "text")
    };
    let fences = text.lines().enumerate().filter_map(move |(n, line)| Some((n + 1, fence(line)?)));
    // Every other one is an end.
    fences.step_by(2).filter_map(|(n, bad)| bad.then_some(n))
}

/// Lines, counted from 1, where `word` stands and is not the end or the start of a longer word.
fn lines_with<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.lines().enumerate().filter_map(move |(n, line)| {
        line.match_indices(word)
            .any(|(at, _)| {
                let before = line[..at].chars().next_back().is_some_and(is_word);
                let after = line[at + word.len()..].chars().next().is_some_and(is_word);
                let (opens, ends) = (word.starts_with(is_word), word.ends_with(is_word));
                !(opens && before || ends && after)
            })
            .then_some(n + 1)
    })
}

/// One line for each path of a machine in any text file.
pub fn in_text(file: &str, text: &str) -> Vec<String> {
    let mut out = Vec::new();
    for (n, line) in text.lines().enumerate() {
        for needle in MACHINE {
            let whole = |(at, _): (usize, &str)| {
                !line[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '}' | '.' | '*'))
            };
            if line.match_indices(needle).any(whole) {
                out.push(format!("{file}:{}: {needle} is only on one machine", n + 1));
            }
        }
    }
    out
}

/// Is this file too long, or shorter than the list says? `listed` is its number in `long_files.txt`.
pub fn length(file: &str, lines: usize, listed: Option<usize>) -> Option<String> {
    match listed {
        None if lines > FILE_LINES_MAX => Some(format!("{file}: {lines} lines, at most {FILE_LINES_MAX}: split it")),
        Some(max) if lines > max => Some(format!("{file}: {lines} lines, {max} when listed: it may only get shorter")),
        Some(_) if lines <= FILE_LINES_MAX => Some(format!("{file}: short enough now: take it off long_files.txt")),
        Some(max) if lines < max => Some(format!("{file}: {lines} lines now: lower its number in long_files.txt")),
        None | Some(_) => None,
    }
}

#[test]
fn planted_words_are_found() {
    let cases = [
        ("src/flow/a.rs", "//! A.\nfn f() { todo!() }"),
        ("tests/a.rs", "//! A.\n#[allow(dead_code)]\nfn f() {}"),
        ("src/flow/a.rs", "//! A.\n#![allow(dead_code)]"),
        ("src/flow/a.rs", "//! A.\nfn f() { g().unwrap() }"),
        ("src/domain/a.rs", "//! A.\nfn f(x: f64) {}"),
        ("src/domain/a.rs", "//! A.\nconst X: i64 = 1_f32;"),
        ("src/flow/a.rs", "use b;"),
        ("src/flow/a.rs", "//! A.\n//! ```\n//! b()\n//! ```"),
        ("src/flow/a.rs", "//! A.\n//! ```text\n//! b\n//! ```\n    /// ```rust\n    /// b()\n    /// ```"),
    ];
    for (file, text) in cases {
        assert_eq!(in_rust(file, text).len(), 1, "{file}: {text}");
    }
    assert_eq!(in_text("README.md", concat!("see /wo", "rk/x")).len(), 1);
    assert_eq!(in_text("README.md", concat!("see `../sh", "ared/x`")).len(), 1);
}

#[test]
fn allowed_words_are_not_found() {
    let cases = [
        ("src/flow/a.rs", "//! A. todo!()\nfn f() { \"dbg!\" }"),
        ("src/flow/a.rs", "//! A.\n#[cfg(test)]\nmod tests { fn f() { g().unwrap() } }"),
        ("src/flow/a/tests.rs", "//! A.\nfn f() { g().unwrap() }"),
        ("src/flow/a.rs", "//! A.\n#[expect(clippy::unwrap_used, reason = \"b\")]\nfn f() { g().unwrap() }"),
        ("src/flow/a.rs", "//! A.\n//! ```text\n//! b\n//! ```\nfn f() {}"),
        ("src/flow/a.rs", "//! A.\nfn f(x: f64) {}"),
        ("src/domain/a.rs", "//! A.\nfn f(of64: i64, f640: i64) {}"),
    ];
    for (file, text) in cases {
        assert_eq!(in_rust(file, text), Vec::<String>::new(), "{file}: {text}");
    }
    assert_eq!(in_text("a.md", "visits of src/wo\u{72}k/line and $HOME/ro\u{6f}t"), Vec::<String>::new());
}

#[test]
fn lengths_may_only_fall() {
    assert_eq!(length("a.rs", 400, None), None);
    assert!(length("a.rs", 401, None).is_some());
    assert_eq!(length("a.rs", 500, Some(500)), None);
    for lines in [501, 499, 400] {
        assert!(length("a.rs", lines, Some(500)).is_some(), "{lines}");
    }
}
