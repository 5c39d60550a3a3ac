//! The folder of printed receipts: `001.bin` the bytes, `001.txt` the text, `001.png` the paper, and so on upwards.
//!
//! Invariant: never overwrites; numbers go on after what is there, also when two printers share the folder.

use super::machine::Strip;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Numbers tried for one receipt before giving up; each failure means that another program took the number.
const TRIES_MAX: u32 = 100;

/// Keeps one receipt and says where its text is. Blocks on the disk.
///
/// # Errors
/// Whatever the folder or the disk says; then no file is left behind.
pub(super) fn keep(folder: &Path, strip: &Strip) -> io::Result<PathBuf> {
    let mut picture = Vec::new();
    strip.paper.picture().write_png(&mut picture)?;
    keep_files(folder, [("bin", &strip.bytes), ("txt", strip.paper.text().as_bytes()), ("png", &picture)])
}

type Content<'a> = (&'static str, &'a [u8]);

fn keep_files(folder: &Path, files: [Content<'_>; 3]) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let first = highest(folder)?.saturating_add(1);
    for number in (first..=u32::MAX).take(usize::try_from(TRIES_MAX).unwrap_or(usize::MAX)) {
        let path = |kind: &str| folder.join(format!("{number:03}.{kind}"));
        match keep_as(&path, &files) {
            Ok(()) => return Ok(path("txt")),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(ErrorKind::AlreadyExists, "no free number for a receipt; empty the folder"))
}

/// The highest number among the folder's receipts, 0 if there is none.
fn highest(folder: &Path) -> io::Result<u32> {
    let mut highest = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let ours = path.extension().is_some_and(|ext| ext == "bin" || ext == "txt" || ext == "png");
        if let (true, Some(stem)) = (ours, path.file_stem().and_then(|stem| stem.to_str())) {
            highest = highest.max(stem.parse().unwrap_or(0));
        }
    }
    Ok(highest)
}

fn keep_as(path: &dyn Fn(&str) -> PathBuf, files: &[Content<'_>]) -> io::Result<()> {
    for (at, (kind, content)) in files.iter().enumerate() {
        let made = OpenOptions::new().write(true).create_new(true).open(path(kind));
        let failed = match made {
            Ok(mut file) => file.write_all(content).err().map(|why| (why, at + 1)),
            Err(why) => Some((why, at)),
        };
        if let Some((why, made)) = failed {
            files.iter().take(made).for_each(|(kind, _)| remove(&path(kind)));
            return Err(why);
        }
    }
    Ok(())
}

/// Only ever called for a file that was made a moment ago.
fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!(path = %path.display(), %error, "a half-written receipt could not be removed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(folder: &Path, bytes: &[u8], text: &str) -> io::Result<PathBuf> {
        keep_files(folder, [("bin", bytes), ("txt", text.as_bytes()), ("png", b"dots")])
    }

    #[test]
    fn numbers_go_on_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/when/missing");
        assert_eq!(kept(&path, b"one", "eins").unwrap(), path.join("001.txt"));
        fs::write(path.join("007.txt"), "a stranger's").unwrap();
        fs::write(path.join("4294967295.note"), "not a receipt").unwrap();
        fs::write(path.join("notes.txt"), "not a number").unwrap();
        assert_eq!(kept(&path, b"two", "zwei").unwrap(), path.join("008.txt"));
        assert_eq!(fs::read_to_string(path.join("007.txt")).unwrap(), "a stranger's");
        assert_eq!(fs::read(path.join("008.bin")).unwrap(), b"two");
        assert_eq!(fs::read_to_string(path.join("001.txt")).unwrap(), "eins");
    }

    #[test]
    fn a_taken_picture_leaves_nothing_else_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = |kind: &str| folder.path().join(format!("001.{kind}"));
        fs::write(path("png"), "there first").unwrap();
        let error = keep_as(&path, &[("bin", b"one"), ("txt", b"eins"), ("png", b"dots")]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert!(!path("bin").exists() && !path("txt").exists());
        assert_eq!(fs::read_to_string(path("png")).unwrap(), "there first");
    }

    #[test]
    fn a_folder_that_is_a_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(kept(&file, b"", "").is_err());
    }
}
