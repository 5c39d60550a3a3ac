//! The office's keys: `office.key` signs answers and policies, `sealing/` holds the short-lived keys that card data
//! is sealed to. Both lie beside the database, and neither belongs in a backup of it.

use crate::keyfile::{KeyError, signing_key, write_secret};
use crate::sync::wire::seal::{SealingKey, SealingSecret, generate};
use ed25519_dalek::{Signer as _, SigningKey};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A sealing key is replaced after a day.
const SEALING_DAY: Duration = Duration::from_secs(24 * 3_600);

/// A key is kept for as long as a handheld may seal to it without having heard of a newer one: the policy that allows
/// it is good for a week, and a stored payment is forwarded within a day.
const SEALING_KEPT: Duration = Duration::from_secs(9 * 24 * 3_600);

/// The office's keys.
#[derive(Debug)]
pub struct Keys {
    signing: SigningKey,
    sealing: PathBuf,
}

impl Keys {
    /// Reads the keys in `dir`, or makes them.
    pub fn open(dir: &Path) -> Result<Keys, KeyError> {
        let sealing = dir.join("sealing");
        fs::create_dir_all(&sealing).map_err(|why| KeyError::File(sealing.clone(), why))?;
        Ok(Keys { signing: signing_key(&dir.join("office.key"))?, sealing })
    }

    /// Signs; the signature in hex.
    pub fn sign(&self, bytes: &[u8]) -> String {
        hex::encode(self.signing.sign(bytes).to_bytes())
    }

    /// The public half of `office.key`, hex.
    pub fn public(&self) -> String {
        hex::encode(self.signing.verifying_key().to_bytes())
    }

    /// What handhelds seal to now: the newest key, or a new one when that is older than a day.
    pub fn sealing_key(&self) -> Result<SealingKey, KeyError> {
        current_key(&self.sealing)
    }

    /// Destroys the keys that nothing can be sealed to any more: older than nine days, and none of `needed`.
    /// What is left of a blob then, in a backup or a worn cell of a card, is unreadable for ever.
    pub fn destroy_old(&self, needed: &HashSet<String>) -> Result<usize, KeyError> {
        let error = |why| KeyError::File(self.sealing.clone(), why);
        let mut destroyed = 0;
        for entry in fs::read_dir(&self.sealing).map_err(error)? {
            let path = entry.map_err(error)?.path();
            let made = fs::metadata(&path).and_then(|m| m.modified()).map_err(error)?;
            let old = made.elapsed().is_ok_and(|age| age > SEALING_KEPT);
            let id = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if old && !needed.contains(id) {
                fs::remove_file(&path).map_err(error)?;
                destroyed += 1;
            }
        }
        Ok(destroyed)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn keys_are_renewed_and_old_ones_destroyed_unless_needed() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::open(dir.path()).unwrap();
        let first = keys.sealing_key().unwrap();
        assert_eq!(keys.sealing_key().unwrap(), first, "one key a day");
        let age = |id: &str, days: u64| {
            let file = fs::File::options().write(true).open(dir.path().join("sealing").join(id)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(days * 24 * 3_600 + 60)).unwrap();
        };
        age(&first.id, 1);
        let second = keys.sealing_key().unwrap();
        assert_ne!(second.id, first.id);
        assert_eq!(keys.destroy_old(&HashSet::new()).unwrap(), 0, "a handheld may still seal to it");
        age(&first.id, 9);
        assert_eq!(keys.destroy_old(&HashSet::from([first.id.clone()])).unwrap(), 0, "a blob needs it");
        assert!(keys.secret(&first.id).is_some());
        assert_eq!(keys.destroy_old(&HashSet::new()).unwrap(), 1);
        assert!(keys.secret(&first.id).is_none() && keys.secret(&second.id).is_some());
    }
}
