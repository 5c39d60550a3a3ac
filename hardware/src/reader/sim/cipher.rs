//! What a simulated reader encrypts with: a key of its own for each read, whose counter is on the disk before it is used.

use super::ksn::{KsnCounter, KsnError};
use super::{Keys, SimConfig};
use crate::dukpt::{self, ANSI_TEST_BDK, Ksn, aes};

/// The name of the first TDES key, before any read: of the standard's own examples.
const FIRST_TDES: [u8; 10] = [0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0, 0];

/// The same for AES: the standard's initial key id, and the counter.
const FIRST_AES: [u8; 12] = [0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56, 0, 0, 0, 0];

/// Data under a key of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Names the key.
    pub ksn: Vec<u8>,
    /// Cipher text, whole blocks.
    pub ciphertext: Vec<u8>,
    /// How many zero bytes stand at the end of the plain text.
    pub padding: u8,
}

/// A reader's keys.
pub struct Cipher {
    keys: Keys,
    counter: KsnCounter,
}

impl Cipher {
    /// The keys of a reader.
    pub fn new(config: &SimConfig) -> Cipher {
        let first = match config.keys {
            Keys::Tdes => FIRST_TDES.to_vec(),
            Keys::Aes128 => FIRST_AES.to_vec(),
        };
        Cipher { keys: config.keys, counter: KsnCounter::new(config.ksn_file.clone(), first) }
    }

    /// Which.
    pub fn keys(&self) -> Keys {
        self.keys
    }

    /// The next key's name; it is spent.
    pub fn spend(&mut self) -> Result<Vec<u8>, KsnError> {
        let keys = self.keys;
        self.counter.take(|last| {
            let wrong = || KsnError::Broken;
            Ok(match keys {
                Keys::Tdes => Ksn(<[u8; 10]>::try_from(last).map_err(|_| wrong())?).next()?.0.to_vec(),
                Keys::Aes128 => aes::Ksn(<[u8; 12]>::try_from(last).map_err(|_| wrong())?).next()?.0.to_vec(),
            })
        })
    }

    /// Encrypts under the key of that name, padding with zeros.
    pub fn seal(&self, ksn: &[u8], clear: &[u8]) -> Sealed {
        let block = match self.keys {
            Keys::Tdes => 8,
            Keys::Aes128 => 16,
        };
        let mut clear = clear.to_vec();
        let padding = clear.len().next_multiple_of(block) - clear.len();
        clear.resize(clear.len() + padding, 0);
        // Whole blocks by the line above, names of the right length by `spend`.
        let sealed = match self.keys {
            Keys::Tdes => {
                <[u8; 10]>::try_from(ksn).ok().and_then(|ksn| dukpt::encrypt_data(&ANSI_TEST_BDK, &ksn, &clear).ok())
            }
            Keys::Aes128 => {
                <[u8; 12]>::try_from(ksn).ok().and_then(|ksn| aes::encrypt_data(&aes::X9_TEST_BDK, &ksn, &clear).ok())
            }
        };
        Sealed {
            ksn: ksn.to_vec(),
            ciphertext: sealed.unwrap_or_default(),
            padding: u8::try_from(padding).unwrap_or(0),
        }
    }
}
