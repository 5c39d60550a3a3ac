//! The reader's key counter: on the disk before a key is used.

use crate::bytes::{hex, unhex};
use crate::dukpt::DukptError;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KsnError {
    /// The file.
    #[error("the key counter cannot be kept: {0}")]
    File(#[from] std::io::Error),
    /// The counter's end.
    #[error(transparent)]
    WornOut(#[from] DukptError),
    /// Not a key serial number of this reader's kind.
    #[error("the key counter's file holds no key serial number")]
    Broken,
}

impl KsnError {
    /// Whether trying again is useless.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, KsnError::File(_))
    }
}

pub(super) struct KsnCounter {
    file: Option<PathBuf>,
    first: Vec<u8>,
    last: Option<Vec<u8>>,
}

impl KsnCounter {
    pub(super) fn new(file: Option<PathBuf>, first: Vec<u8>) -> KsnCounter {
        KsnCounter { file, first, last: None }
    }

    /// The next key's name, never given out again. `after` makes it of the last one.
    pub(super) fn take(&mut self, after: impl Fn(&[u8]) -> Result<Vec<u8>, KsnError>) -> Result<Vec<u8>, KsnError> {
        let last = match (&self.last, &self.file) {
            (Some(last), _) => last.clone(),
            (None, Some(file)) => stored(file)?.unwrap_or_else(|| self.first.clone()),
            (None, None) => self.first.clone(),
        };
        let next = after(&last)?;
        if let Some(file) = &self.file {
            keep(file, &next)?;
        }
        self.last = Some(next.clone());
        Ok(next)
    }
}

fn stored(file: &Path) -> Result<Option<Vec<u8>>, KsnError> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(unhex(&text))),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(why.into()),
    }
}

fn keep(file: &Path, ksn: &[u8]) -> std::io::Result<()> {
    let draft = file.with_extension("new");
    let mut out = File::create(&draft)?;
    out.write_all(hex(ksn).as_bytes())?;
    out.sync_all()?;
    fs::rename(&draft, file)?;
    file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
