//! The office's keys: `office.key` signs answers and policies, `sealing/` holds the short-lived keys that card data
//! is sealed to. Both lie beside the database, and neither belongs in a backup of it.

use crate::keyfile::{KeyError, signing_key, write_secret};
use crate::sync::wire::seal::{SealingKey, SealingSecret, generate};
use ed25519_dalek::{Signer as _, SigningKey};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A sealing key is replaced after a day.
const SEALING_DAY: Duration = Duration::from_secs(24 * 3_600);

/// The office's keys.
#[derive(Debug)]
pub struct Keys {
    signing: SigningKey,
    sealing: PathBuf,
    current: SealingKey,
}

impl Keys {
    /// Reads the keys in `dir`, or makes them.
    pub fn open(dir: &Path) -> Result<Keys, KeyError> {
        let sealing = dir.join("sealing");
        fs::create_dir_all(&sealing).map_err(|why| KeyError::File(sealing.clone(), why))?;
        Ok(Keys { signing: signing_key(&dir.join("office.key"))?, current: current_key(&sealing)?, sealing })
    }

    /// Signs; the signature in hex.
    pub fn sign(&self, bytes: &[u8]) -> String {
        hex::encode(self.signing.sign(bytes).to_bytes())
    }

    /// The public half of `office.key`, hex.
    pub fn public(&self) -> String {
        hex::encode(self.signing.verifying_key().to_bytes())
    }

    /// What handhelds seal to now.
    pub fn sealing_key(&self) -> SealingKey {
        self.current.clone()
    }

    /// The secret half of a sealing key; `None` once it is destroyed.
    pub fn secret(&self, id: &str) -> Option<SealingSecret> {
        let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let text = plain.then(|| fs::read_to_string(self.sealing.join(id)).ok()).flatten()?;
        hex::decode(text.lines().next()?).ok().map(SealingSecret::from_bytes)
    }
}

/// The newest key, or a new one when that is older than a day. Files hold the secret and the public half.
fn current_key(sealing: &Path) -> Result<SealingKey, KeyError> {
    let error = |why| KeyError::File(sealing.to_owned(), why);
    let mut newest: Option<(std::time::SystemTime, PathBuf)> = None;
    for entry in fs::read_dir(sealing).map_err(error)? {
        let entry = entry.map_err(error)?;
        let made = entry.metadata().and_then(|m| m.modified()).map_err(error)?;
        if entry.path().extension().is_none() && newest.as_ref().is_none_or(|(time, _)| made > *time) {
            newest = Some((made, entry.path()));
        }
    }
    if let Some((made, path)) = newest
        && made.elapsed().is_ok_and(|age| age < SEALING_DAY)
        && let (Ok(text), Some(id)) = (fs::read_to_string(&path), path.file_name().and_then(|n| n.to_str()))
        && let Some(public) = text.lines().nth(1)
    {
        return Ok(SealingKey { id: id.to_owned(), public: public.to_owned() });
    }
    let (key, secret) = generate(&format!("s{}", super::random_hex(8)));
    let text = format!("{}\n{}", hex::encode(secret.as_bytes()), key.public);
    write_secret(&sealing.join(&key.id), &text)?;
    Ok(key)
}
