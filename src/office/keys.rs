//! The office's keys: `office.key` signs answers and policies, `sealing/` holds the short-lived keys that card data
//! is sealed to. Both lie beside the database, and neither belongs in a backup of it.

use crate::keyfile::{KeyError, signing_key, write_secret};
use crate::sync::wire::seal::{SealingKey, SealingSecret, generate};
use ed25519_dalek::{Signer as _, SigningKey};
use std::collections::HashSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A sealing key is replaced after a day.
const SEALING_DAY: Duration = Duration::from_secs(24 * 3_600);

/// A key is kept for as long as a handheld may seal to it without having heard of a newer one: the policy that allows
/// it is good for a week, and a stored payment is forwarded within a day.
const SEALING_KEPT: Duration = Duration::from_secs(9 * 24 * 3_600);

/// More than a key's file ever has, bytes.
const KEY_FILE_MAX_BYTES: u64 = 4_096;

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
                destroy(&path).map_err(error)?;
                destroyed += 1;
            }
        }
        if destroyed > 0 {
            fs::File::open(&self.sealing).and_then(|dir| dir.sync_all()).map_err(error)?;
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

/// Writes over a key before its file goes: a deleted file alone leaves its bytes on the disk. A flash chip may still
/// hold an old copy, so the folder belongs on an encrypted disk.
fn destroy(path: &Path) -> std::io::Result<()> {
    let length = usize::try_from(fs::metadata(path)?.len().min(KEY_FILE_MAX_BYTES)).unwrap_or(0);
    let mut file = fs::OpenOptions::new().write(true).open(path)?;
    file.write_all(&vec![b'0'; length])?;
    file.sync_all()?;
    fs::remove_file(path)
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
    use crate::domain::id::PaymentId;
    use crate::domain::money::{Currency, Money};
    use crate::sync::wire::seal::{CardData, key_of, open, seal};
    use rusqlite::Connection;
    use std::time::SystemTime;
    use uuid::Uuid;

    #[test]
    fn a_backup_from_before_opens_nothing_once_its_key_is_destroyed() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::open(dir.path()).unwrap();
        let (payment, amount) = (PaymentId(Uuid::from_u128(1)), Money::new(100, Currency::EUR));
        let card = CardData {
            ciphertext: "AAAA".into(),
            ksn: "00".into(),
            encryption_type: 0x80,
            reader: "B1".into(),
            emv: Default::default(),
        };
        let key = keys.sealing_key().unwrap();
        let blob = seal(&key, payment, amount, &card).unwrap();
        let db = Connection::open(dir.path().join("office.sqlite")).unwrap();
        db.execute_batch(include_str!("../../migrations/office/0001_base.sql")).unwrap();
        db.execute("INSERT INTO blob VALUES ('aa', 'd', ?1, 1)", [&blob]).unwrap();
        let backup = dir.path().join("backup.sqlite");
        db.execute("VACUUM INTO ?1", [backup.to_str().unwrap()]).unwrap();

        // Every secret in the folder is tried, whatever the blob says of its key.
        let opened = || -> usize {
            let kept: Vec<u8> =
                Connection::open(&backup).unwrap().query_row("SELECT bytes FROM blob", [], |r| r.get(0)).unwrap();
            let named = key_of(&kept).unwrap();
            let files = fs::read_dir(dir.path().join("sealing")).unwrap();
            let secrets = files.filter_map(|f| keys.secret(f.unwrap().file_name().to_str().unwrap()));
            secrets.filter(|secret| open(&named, secret, payment, amount, &kept).is_ok()).count()
        };
        assert_eq!(opened(), 1, "before");
        let path = dir.path().join("sealing").join(&key.id);
        let file = fs::File::options().read(true).write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - SEALING_KEPT - Duration::from_secs(60)).unwrap();
        keys.sealing_key().unwrap();
        assert_eq!(keys.destroy_old(&HashSet::new()).unwrap(), 1);
        assert_eq!(opened(), 0, "after");
        // The file that is still open here holds nothing either.
        let left = std::io::read_to_string(&file).unwrap();
        assert!(!left.is_empty() && left.bytes().all(|b| b == b'0'), "{left}");
    }

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
