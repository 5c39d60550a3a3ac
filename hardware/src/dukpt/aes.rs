//! The same for AES-128 (ANSI X9.24-3:2017): every key is derived by AES itself, from data that say what it is for.

use super::DukptError;
use aes::Aes128;
use des::cipher::{Array, BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};
use zeroize::Zeroizing;

/// The base derivation key of the standard's test vectors (X9.24-3:2017, supplement). Public.
pub const X9_TEST_BDK: [u8; 16] =
    [0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10, 0xF1, 0xF1, 0xF1, 0xF1, 0xF1, 0xF1, 0xF1, 0xF1];

/// A counter with more ones than this is skipped (section 6.3.2).
const MAX_ONES: u32 = 16;

/// What a key is for (table 2, "key usage indicator").
mod usage {
    /// Deriving the transaction keys.
    pub const DERIVATION: u16 = 0x8000;
    /// Deriving a reader's initial key.
    pub const INITIAL: u16 = 0x8001;
    /// Encrypting data, by the reader.
    pub const DATA: u16 = 0x3000;
}

/// Algorithm indicator of AES-128, and the length of its keys in bits.
const AES_128: u16 = 0x0002;
const KEY_BITS: u16 = 0x0080;

type Key = Zeroizing<[u8; 16]>;
type Block = [u8; 16];

/// A key serial number for AES: eight bytes that name the initial key, four that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ksn(pub [u8; 12]);

impl Ksn {
    /// The transaction counter.
    pub fn counter(self) -> u32 {
        let [.., a, b, c, d] = self.0;
        u32::from_be_bytes([a, b, c, d])
    }

    /// The next one in use: the next counter with at most sixteen ones.
    pub fn next(self) -> Result<Ksn, DukptError> {
        let mut counter = self.counter();
        loop {
            counter = counter.checked_add(1).ok_or(DukptError::WornOut)?;
            if counter.count_ones() <= MAX_ONES {
                break;
            }
            // From here only a carry out of the lowest ones can lower their number.
            counter |= counter - 1;
        }
        let mut bytes = self.0;
        bytes[8..].copy_from_slice(&counter.to_be_bytes());
        Ok(Ksn(bytes))
    }

    fn id(self) -> [u8; 8] {
        let mut id = [0; 8];
        id.copy_from_slice(&self.0[..8]);
        id
    }
}

/// Encrypts `data` (AES-128-CBC, zero vector) under the data key of `ksn`. Padding is the caller's.
pub fn encrypt_data(bdk: &[u8; 16], ksn: &[u8; 12], data: &[u8]) -> Result<Vec<u8>, DukptError> {
    cbc(bdk, ksn, data, |cipher, block, before| {
        let mut sealed = Array::from(xor(block, before));
        cipher.encrypt_block(&mut sealed);
        (sealed.into(), sealed.into())
    })
}

/// Decrypts `data` (AES-128-CBC, zero vector) under the data key of `ksn`.
pub fn decrypt_data(bdk: &[u8; 16], ksn: &[u8; 12], data: &[u8]) -> Result<Vec<u8>, DukptError> {
    cbc(bdk, ksn, data, |cipher, block, before| {
        let mut clear = Array::from(block);
        cipher.decrypt_block(&mut clear);
        (xor(clear.into(), before), block)
    })
}

/// One pass of cipher block chaining; `step` gives the block that comes out and the one that the next is chained to.
fn cbc(
    bdk: &[u8; 16],
    ksn: &[u8; 12],
    data: &[u8],
    step: impl Fn(&Aes128, Block, Block) -> (Block, Block),
) -> Result<Vec<u8>, DukptError> {
    let (blocks, rest) = data.as_chunks::<16>();
    if !rest.is_empty() {
        return Err(DukptError::PartBlock(data.len()));
    }
    let key = working_key(bdk, Ksn(*ksn), usage::DATA);
    let cipher = Aes128::new(&Array::from(*key));
    let mut chained = [0; 16];
    let mut out = Vec::with_capacity(data.len());
    for block in blocks {
        let (result, next) = step(&cipher, *block, chained);
        out.extend_from_slice(&result);
        chained = next;
    }
    Ok(out)
}

/// The key for one use, of the transaction that `ksn` names (section 6.3.3).
fn working_key(bdk: &[u8; 16], ksn: Ksn, usage: u16) -> Key {
    let [.., a, b, c, d] = ksn.id();
    derive(&transaction_key(bdk, ksn), usage, [a, b, c, d], ksn.counter())
}

/// One derivation for every one in the counter, from the highest (section 6.3.3).
fn transaction_key(bdk: &[u8; 16], ksn: Ksn) -> Key {
    let [.., a, b, c, d] = ksn.id();
    let (counter, mut working) = (ksn.counter(), 0);
    let mut key = initial_key(bdk, ksn);
    for bit in (0..u32::BITS).rev().map(|shift| 1_u32 << shift).filter(|bit| counter & bit != 0) {
        working |= bit;
        key = derive(&key, usage::DERIVATION, [a, b, c, d], working);
    }
    key
}

fn initial_key(bdk: &[u8; 16], ksn: Ksn) -> Key {
    let [a, b, c, d, rest @ ..] = ksn.id();
    derive(&Zeroizing::new(*bdk), usage::INITIAL, [a, b, c, d], u32::from_be_bytes(rest))
}

/// One block of derivation data under `key` (section 6.3.2): version 1, block 1, usage, algorithm, bits, context.
fn derive(key: &Key, usage: u16, id: [u8; 4], counter: u32) -> Key {
    let mut block = [0; 16];
    block[..2].copy_from_slice(&[0x01, 0x01]);
    block[2..4].copy_from_slice(&usage.to_be_bytes());
    block[4..6].copy_from_slice(&AES_128.to_be_bytes());
    block[6..8].copy_from_slice(&KEY_BITS.to_be_bytes());
    block[8..12].copy_from_slice(&id);
    block[12..].copy_from_slice(&counter.to_be_bytes());
    let mut block = Array::from(block);
    Aes128::new(&Array::from(**key)).encrypt_block(&mut block);
    Zeroizing::new(block.into())
}

fn xor(mut a: Block, b: Block) -> Block {
    a.iter_mut().zip(b).for_each(|(a, b)| *a ^= b);
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{hex, unhex};

    fn ksn(counter: u32) -> Ksn {
        let mut bytes = [0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56, 0, 0, 0, 0];
        bytes[8..].copy_from_slice(&counter.to_be_bytes());
        Ksn(bytes)
    }

    /// X9.24-3:2017, supplement with test vectors.
    #[test]
    fn the_standards_vectors_hold() {
        assert_eq!(hex(initial_key(&X9_TEST_BDK, ksn(0)).as_slice()), "1273671EA26AC29AFA4D1084127652A1");
        for (counter, transaction, data) in [
            (1, "4F21B565BAD9835E112B6465635EAE44", "A35C412EFD41FDB98B69797C02DCD08F"),
            (2, "2F34D68DE10F68D38091A73B9E7C437C", "D639514AA33AC43AD9229E433D6D4E5B"),
        ] {
            assert_eq!(hex(transaction_key(&X9_TEST_BDK, ksn(counter)).as_slice()), transaction);
            assert_eq!(hex(working_key(&X9_TEST_BDK, ksn(counter), usage::DATA).as_slice()), data);
        }
        // PIN encryption and message authentication, generation: the same derivation for other uses.
        for (usage, key) in [(0x1000, "AF8CB133A78F8DC2D1359F18527593FB"), (0x2000, "A2DC23DE6FDE0824A2BC321E08E4B8B7")]
        {
            assert_eq!(hex(working_key(&X9_TEST_BDK, ksn(1), usage).as_slice()), key, "{usage:04X}");
        }
    }

    #[test]
    fn what_is_encrypted_is_decrypted_and_part_blocks_are_refused() {
        let clear = unhex("57124761739001010012234D1512201145 00000000000000000000000000 0000");
        let sealed = encrypt_data(&X9_TEST_BDK, &ksn(7).0, &clear).unwrap();
        assert_ne!(sealed, clear);
        assert_eq!(decrypt_data(&X9_TEST_BDK, &ksn(7).0, &sealed).unwrap(), clear);
        assert_eq!(encrypt_data(&X9_TEST_BDK, &ksn(7).0, &[0; 15]), Err(DukptError::PartBlock(15)));
    }

    #[test]
    fn counters_with_many_ones_are_skipped_and_the_end_is_said() {
        assert_eq!(ksn(0).next(), Ok(ksn(1)));
        assert_eq!(ksn(0x0000_FFFF).next(), Ok(ksn(0x0001_0000)));
        assert_eq!(ksn(0x0001_FFFE).next(), Ok(ksn(0x0002_0000)));
        assert_eq!(ksn(0xFFFF_0000).next(), Err(DukptError::WornOut));
        let brute = |from: u32| (from + 1..).find(|counter| counter.count_ones() <= MAX_ONES).unwrap();
        for from in [0x0003_FFF0, 0x000F_FF8F, 0x7FFF_8000, 0x7FFF_7FFF, 0xFFFE_8000] {
            assert_eq!(ksn(from).next(), Ok(ksn(brute(from))), "{from:08X}");
        }
    }
}
