//! The office's keys: `office.key` signs answers and policies, `sealing/` holds the short-lived keys that card data
//! is sealed to. Both lie beside the database, and neither belongs in a backup of it.

use crate::sync::wire::seal::{SealingKey, SealingSecret, generate};
use ed25519_dalek::{Signer as _, SigningKey};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A sealing key is replaced after a day.
const SEALING_DAY: Duration = Duration::from_secs(24 * 3_600);

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system.
    #[error("{0} cannot be used: {1}")]
    File(PathBuf, std::io::Error),
    /// Not a key.
    #[error("{0} holds no key: restore it, or delete it to begin anew with new handhelds")]
    NoKey(PathBuf),
}

impl KeyError {
    /// A person must look.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

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

/// An Ed25519 key from a file of one line of hex, made if there is none.
pub fn signing_key(path: &Path) -> Result<SigningKey, KeyError> {
    let error = |why| KeyError::File(path.to_owned(), why);
    if let Ok(text) = fs::read_to_string(path) {
        let mut bytes = [0_u8; 32];
        hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| KeyError::NoKey(path.to_owned()))?;
        return Ok(SigningKey::from_bytes(&bytes));
    }
    let text = super::random_hex(32);
    write_secret(path, &text).map_err(error)?;
    let mut bytes = [0_u8; 32];
    hex::decode_to_slice(&text, &mut bytes).map_err(|_| KeyError::NoKey(path.to_owned()))?;
    Ok(SigningKey::from_bytes(&bytes))
}

/// Writes a secret that only its owner reads, whole or not at all.
fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    path.parent().map_or(Ok(()), |dir| fs::File::open(dir)?.sync_all())
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
    write_secret(&sealing.join(&key.id), &text).map_err(error)?;
    Ok(key)
}
