//! The reader's key counter: on the disk before a key is used.

use crate::bytes::{hex, unhex};
use crate::dukpt::{DukptError, Ksn};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(super) enum KsnError {
    /// The file.
    #[error("the key counter cannot be kept: {0}")]
    File(#[from] std::io::Error),
    /// The counter's end.
    #[error(transparent)]
    WornOut(#[from] DukptError),
    /// Not ten bytes of hex.
    #[error("the key counter's file holds no key serial number")]
    Broken,
}

pub(super) struct KsnCounter {
    file: Option<PathBuf>,
    first: [u8; 10],
    last: Option<Ksn>,
}

impl KsnCounter {
    pub(super) fn new(file: Option<PathBuf>, first: [u8; 10]) -> KsnCounter {
        KsnCounter { file, first, last: None }
    }

    /// The next key's name, never given out again.
    pub(super) fn take(&mut self) -> Result<Ksn, KsnError> {
        let last = match (self.last, &self.file) {
            (Some(last), _) => last,
            (None, Some(file)) => stored(file)?.unwrap_or(Ksn(self.first)),
            (None, None) => Ksn(self.first),
        };
        let next = last.next()?;
        if let Some(file) = &self.file {
            keep(file, next)?;
        }
        self.last = Some(next);
        Ok(next)
    }
}

fn stored(file: &Path) -> Result<Option<Ksn>, KsnError> {
    match fs::read_to_string(file) {
        Ok(text) => unhex(&text).try_into().map(|bytes| Some(Ksn(bytes))).map_err(|_| KsnError::Broken),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(why.into()),
    }
}

fn keep(file: &Path, ksn: Ksn) -> std::io::Result<()> {
    let draft = file.with_extension("new");
    let mut out = File::create(&draft)?;
    out.write_all(hex(&ksn.0).as_bytes())?;
    out.sync_all()?;
    fs::rename(&draft, file)?;
    file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
