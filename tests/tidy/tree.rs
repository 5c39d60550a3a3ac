//! The shape of the tree: what lies where, and the numbers of the migrations. Start at [`files`].

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What the top level may hold, beside files and folders whose name begins with a dot.
const TOP: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "benches",
    "hardware",
    "migrations",
    "src",
    "systemd",
    "tests",
];
/// Not ours to judge: the version control's folder, a build folder inside the checkout, and what a failed property
/// test leaves.
const SKIPPED: &[&str] = &[".git", "target", "proptest-regressions"];

/// Every file below the root, as `src/a/b.rs`, sorted.
pub fn files(root: &Path) -> Vec<String> {
    let mut out = Vec::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the checkout can be read") {
            let path = entry.expect("an entry can be read").path();
            let name = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
            if SKIPPED.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() { waiting.push(path) } else { out.push(name) }
        }
    }
    out.sort();
    out
}

/// Files of the top level, or of folders there, that do not belong.
pub fn strangers(files: &[String]) -> Vec<String> {
    let top = |file: &&String| file.split('/').next().is_none_or(|t| !t.starts_with('.') && !TOP.contains(&t));
    files
        .iter()
        .filter(top)
        .map(|file| format!("{file}: the top level holds {} and dot files", TOP.join(", ")))
        .collect()
}

/// `mod.rs` where `foo.rs` beside `foo/` is the custom.
pub fn misplaced_mod(file: &str) -> Option<String> {
    let parts: Vec<&str> = file.split('/').collect();
    let allowed = matches!(parts.as_slice(), ["src", "app", "screens", _, "mod.rs"] | ["tests", "common", "mod.rs"]);
    (parts.last() == Some(&"mod.rs") && !allowed).then(|| format!("{file}: name it after its folder, beside it"))
}

/// Migrations of each folder: `NNNN_name.sql`, from 0001, without a gap.
pub fn misnumbered(files: &[String]) -> Vec<String> {
    let mut folders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in files.iter().filter(|f| f.starts_with("migrations/") && f.ends_with(".sql")) {
        let (folder, name) = file.rsplit_once('/').expect("it has a slash");
        folders.entry(folder).or_default().push(name);
    }
    let mut out = Vec::new();
    for (folder, names) in folders {
        for (n, name) in names.iter().enumerate() {
            let wanted = format!("{:04}_", n + 1);
            if !name.starts_with(&wanted) {
                out.push(format!("{folder}/{name}: the next number is {wanted}"));
                break;
            }
        }
    }
    out
}

/// Lines of `checksums.txt` (`SHA-256  path`, released migrations only) that do not agree with the tree.
/// `sum` gives the SHA-256 of a file in hex, or nothing if it is not there.
pub fn edited(list: &str, sum: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut out = Vec::new();
    for line in list.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()) {
        match line.split_once("  ") {
            Some((wanted, file)) if sum(file).as_deref() == Some(wanted) => {}
            Some((_, file)) => out.push(format!("{file}: released, so it may not change: write a new migration")),
            None => out.push(format!("checksums.txt: `{line}` is not `SHA-256  path`")),
        }
    }
    out
}

#[test]
fn planted_disorder_is_found() {
    let all = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    assert_eq!(strangers(&all(&["templates/a.html", "notes.txt", ".ci/run", "src/a.rs", "README.md"])).len(), 2);
    assert!(misplaced_mod("src/flow/mod.rs").is_some());
    assert!(misplaced_mod("src/app/screens/job/parts/mod.rs").is_some());
    assert_eq!(misplaced_mod("src/app/screens/job/mod.rs"), None);
    assert_eq!(misplaced_mod("tests/common/mod.rs"), None);
    let (a, c) = ("migrations/device/0001_a.sql", "migrations/device/0003_c.sql");
    assert_eq!(misnumbered(&all(&[a, "migrations/device/0002_b.sql", c])), Vec::<String>::new());
    assert_eq!(misnumbered(&all(&[a, c])).len(), 1);
    assert_eq!(misnumbered(&all(&[a, "migrations/device/0001_b.sql"])).len(), 1);
    let sum = |file: &str| (file == "a").then(|| "11".to_owned());
    assert_eq!(edited("# released\n11  a\n", sum), Vec::<String>::new());
    assert_eq!(edited("22  a\n11  b\nrubbish\n", sum).len(), 3);
}
