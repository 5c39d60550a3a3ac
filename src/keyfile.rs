//! Secrets in files: written whole or not at all, readable by their owner only. Used by handheld and office.

use ed25519_dalek::SigningKey;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system.
    #[error("{0} cannot be used: {1}")]
    File(PathBuf, std::io::Error),
    /// Not a key.
    #[error("{0} holds no key: restore it from where it was kept")]
    NoKey(PathBuf),
    /// No randomness.
    #[error("the machine gives no random numbers: {0}")]
    NoEntropy(getrandom::Error),
}

impl KeyError {
    /// A person must look.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

/// An Ed25519 key from a file of one line of hex, made if there is none.
pub fn signing_key(path: &Path) -> Result<SigningKey, KeyError> {
    let mut bytes = [0_u8; 32];
    match fs::read_to_string(path) {
        Ok(text) => {
            hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| KeyError::NoKey(path.to_owned()))?;
        }
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
            getrandom::fill(&mut bytes).map_err(KeyError::NoEntropy)?;
            write_secret(path, &hex::encode(bytes))?;
        }
        Err(why) => return Err(KeyError::File(path.to_owned(), why)),
    }
    Ok(SigningKey::from_bytes(&bytes))
}

/// Writes a secret that only its owner reads; on the disk when this returns.
pub fn write_secret(path: &Path, text: &str) -> Result<(), KeyError> {
    let write = || {
        let draft = path.with_extension("new");
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        path.parent().map_or(Ok(()), |dir| fs::File::open(dir)?.sync_all())
    };
    write().map_err(|why| KeyError::File(path.to_owned(), why))
}
