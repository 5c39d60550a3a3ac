//! The folder of printed receipts: `001.bin` the bytes, `001.txt` the text, and so on upwards.
//!
//! Invariant: never overwrites; numbers go on after what is there, also when two printers share the folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Numbers tried for one receipt before giving up; each failure means that another program took the number.
const TRIES_MAX: u32 = 100;

/// Keeps one receipt and says where its text is. Blocks on the disk.
///
/// # Errors
/// Whatever the folder or the disk says; then neither file is left behind.
pub(super) fn keep(folder: &Path, bytes: &[u8], text: &str) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let first = highest(folder)?.saturating_add(1);
    for number in (first..=u32::MAX).take(usize::try_from(TRIES_MAX).unwrap_or(usize::MAX)) {
        let bin = folder.join(format!("{number:03}.bin"));
        let txt = folder.join(format!("{number:03}.txt"));
        match keep_as(&bin, bytes, &txt, text) {
            Ok(()) => return Ok(txt),
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
        let ours = path.extension().is_some_and(|ext| ext == "bin" || ext == "txt");
        if let (true, Some(stem)) = (ours, path.file_stem().and_then(|stem| stem.to_str())) {
            highest = highest.max(stem.parse().unwrap_or(0));
        }
    }
    Ok(highest)
}

fn keep_as(bin: &Path, bytes: &[u8], txt: &Path, text: &str) -> io::Result<()> {
    let bin_file = create(bin)?;
    let txt_file = create(txt).inspect_err(|_| remove(bin))?;
    let written = write(bin_file, bytes).and_then(|()| write(txt_file, text.as_bytes()));
    written.inspect_err(|_| {
        remove(bin);
        remove(txt);
    })
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

fn write(mut file: File, content: &[u8]) -> io::Result<()> {
    file.write_all(content)
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

    #[test]
    fn numbers_go_on_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/when/missing");
        assert_eq!(keep(&path, b"one", "eins").unwrap(), path.join("001.txt"));
        fs::write(path.join("007.txt"), "a stranger's").unwrap();
        fs::write(path.join("4294967295.note"), "not a receipt").unwrap();
        fs::write(path.join("notes.txt"), "not a number").unwrap();
        assert_eq!(keep(&path, b"two", "zwei").unwrap(), path.join("008.txt"));
        assert_eq!(fs::read_to_string(path.join("007.txt")).unwrap(), "a stranger's");
        assert_eq!(fs::read(path.join("008.bin")).unwrap(), b"two");
        assert_eq!(fs::read_to_string(path.join("001.txt")).unwrap(), "eins");
    }

    #[test]
    fn a_taken_text_leaves_no_bytes_behind() {
        let folder = tempfile::tempdir().unwrap();
        let (bin, txt) = (folder.path().join("001.bin"), folder.path().join("001.txt"));
        fs::write(&txt, "there first").unwrap();
        let error = keep_as(&bin, b"one", &txt, "eins").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert!(!bin.exists());
        assert_eq!(fs::read_to_string(&txt).unwrap(), "there first");
    }

    #[test]
    fn a_folder_that_is_a_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(keep(&file, b"", "").is_err());
    }
}
