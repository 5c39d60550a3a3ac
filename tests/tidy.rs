//! The walls of the house, as tests: who may import whom, how long a file may be, which words may not stand in it,
//! what lies where. Every checker is tried on a planted breach, so that it is known to be able to fail.
//!
//! Start at `tidy/walls.rs` for the import rules and at `tidy/words.rs` for the rest.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "tidy/paths.rs"]
mod paths;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/tree.rs"]
mod tree;
#[path = "tidy/walls.rs"]
mod walls;
#[path = "tidy/words.rs"]
mod words;

use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// Larger files are data; nobody wrote a path into them by hand.
const TEXT_BYTES_MAX: u64 = 1 << 20;

/// The checkout. Asked when the test runs: a binary from the cache may have been built in another one.
fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).expect("a file of the checkout can be read")
}

fn rust_files() -> Vec<String> {
    let inside = |f: &String| ["src/", "hardware/", "tests/", "benches/"].iter().any(|folder| f.starts_with(folder));
    tree::files(&root()).into_iter().filter(|f| f.ends_with(".rs") && inside(f)).collect()
}

fn none(breaches: &[String]) {
    assert!(breaches.is_empty(), "{} breaches:\n{}", breaches.len(), breaches.join("\n"));
}

#[test]
fn no_layer_imports_what_it_may_not_see() {
    let program = |f: &String| !words::is_test(f);
    let files: Vec<String> = rust_files().into_iter().filter(program).collect();
    assert!(!files.is_empty(), "no file was looked at");
    none(&files.iter().flat_map(|f| walls::breaches(f, &read(f))).collect::<Vec<_>>());
}

#[test]
fn no_file_holds_a_banned_word() {
    none(&rust_files().iter().flat_map(|f| words::in_rust(f, &read(f))).collect::<Vec<_>>());
}

#[test]
fn files_are_short_and_the_long_ones_only_shrink() {
    let list = read("tests/tidy/long_files.txt");
    let listed: Vec<(&str, usize)> = list
        .lines()
        .filter(|l| !l.starts_with('#') && !l.trim().is_empty())
        .map(|l| {
            l.split_once(' ').and_then(|(f, n)| Some((f, n.trim().parse().ok()?))).expect("a line is `path lines`")
        })
        .collect();
    let number = |file: &str| listed.iter().find(|(f, _)| *f == file).map(|(_, n)| *n);
    let files = rust_files();
    let mut breaches: Vec<String> =
        files.iter().filter_map(|f| words::length(f, read(f).lines().count(), number(f))).collect();
    let gone = |(f, _): &&(&str, usize)| !files.iter().any(|file| file == f);
    breaches.extend(listed.iter().filter(gone).map(|(f, _)| format!("{f}: gone: take it off long_files.txt")));
    none(&breaches);
}

#[test]
fn no_file_names_the_machine_it_was_written_on() {
    let small = |f: &String| fs::metadata(root().join(f)).is_ok_and(|m| m.len() <= TEXT_BYTES_MAX);
    let text = |f: &String| fs::read_to_string(root().join(f)).unwrap_or_default();
    let files = tree::files(&root());
    none(&files.iter().filter(|f| small(f)).flat_map(|f| words::in_text(f, &text(f))).collect::<Vec<_>>());
}

#[test]
fn the_tree_keeps_its_shape() {
    let files = tree::files(&root());
    let mut breaches = tree::strangers(&files);
    breaches.extend(files.iter().filter_map(|f| tree::misplaced_mod(f)));
    none(&breaches);
}

#[test]
fn migrations_are_numbered_and_released_ones_unchanged() {
    let files = tree::files(&root());
    let sql = files.iter().filter(|f| f.starts_with("migrations/") && f.ends_with(".sql"));
    let bare = sql.filter(|f| !read(f).starts_with("--")).map(|f| format!("{f}: opens with a comment: what it is for"));
    let mut breaches: Vec<String> = bare.chain(tree::misnumbered(&files)).collect();
    if Path::new(&root().join("migrations/checksums.txt")).exists() {
        let sum = |file: &str| fs::read(root().join(file)).ok().map(|bytes| hex::encode(Sha256::digest(bytes)));
        breaches.extend(tree::edited(&read("migrations/checksums.txt"), sum));
    }
    none(&breaches);
}
