//! Derived unique key per transaction for TDES (ANSI X9.24-1:2009, Annex A), from both ends; [`aes`] for AES.
//!
//! Every read is encrypted under a key of its own, named by the key serial number (KSN) that travels beside it. Used by
//! the simulated readers, which encrypt, and by the simulated processor, which decrypts, both under a public test key
//! that protects nothing. Real readers do this inside; the handheld never holds a key of theirs.

pub mod aes;

use des::cipher::{Array, BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};
use des::{Des, TdesEde2};
use zeroize::Zeroizing;

/// The base derivation key of the standard's own examples (X9.24-1:2009, Annex A.4). Public.
pub const ANSI_TEST_BDK: [u8; 16] =
    [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10];

/// Bits of the transaction counter, the lowest of a KSN.
const COUNTER_BITS: u32 = 21;

/// A counter with more ones than this is skipped (Annex A.2), so that deriving stays short.
const MAX_ONES: u32 = 10;

/// Mask of the left half of a derived key (Annex A.2).
const C0: [u8; 8] = [0xC0, 0xC0, 0xC0, 0xC0, 0, 0, 0, 0];

/// Variant for data that either side encrypts (Annex A.4.1, "data encryption, request or both ways").
const DATA_VARIANT: [u8; 8] = [0, 0, 0, 0, 0, 0xFF, 0, 0];

type Key = Zeroizing<[u8; 16]>;

/// Why nothing was ciphered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DukptError {
    /// Ciphers work on whole blocks.
    #[error("{0} bytes are not whole blocks")]
    PartBlock(usize),
    /// The counter is used up; the reader needs a new initial key.
    #[error("the reader has used up its keys: have it injected anew")]
    WornOut,
}

impl DukptError {
    /// The same input never works.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

/// A key serial number for TDES: 59 bits that name reader and key set, 21 bits that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ksn(pub [u8; 10]);

impl Ksn {
    /// The transaction counter.
    pub fn counter(self) -> u32 {
        let [.., high, middle, low] = self.0;
        (u32::from(high & 0x1F) << 16) | (u32::from(middle) << 8) | u32::from(low)
    }

    /// The next one in use: the next counter with at most ten ones.
    pub fn next(self) -> Result<Ksn, DukptError> {
        let next = (self.counter() + 1..1 << COUNTER_BITS).find(|counter| counter.count_ones() <= MAX_ONES);
        let [_, high, middle, low] = next.ok_or(DukptError::WornOut)?.to_be_bytes();
        let mut bytes = self.0;
        bytes[7] = (bytes[7] & 0xE0) | high;
        bytes[8] = middle;
        bytes[9] = low;
        Ok(Ksn(bytes))
    }
}

/// Decrypts `data` (TDES-CBC, zero vector) under the data key of `ksn`.
pub fn decrypt_data(bdk: &[u8; 16], ksn: &[u8; 10], data: &[u8]) -> Result<Vec<u8>, DukptError> {
    cbc(bdk, ksn, data, |cipher, block, before| {
        let mut clear = Array::from(block);
        cipher.decrypt_block(&mut clear);
        let clear = xor8(clear.into(), before);
        (clear, block)
    })
}

/// Encrypts `data` (TDES-CBC, zero vector) under the data key of `ksn`. Padding is the caller's.
pub fn encrypt_data(bdk: &[u8; 16], ksn: &[u8; 10], data: &[u8]) -> Result<Vec<u8>, DukptError> {
    cbc(bdk, ksn, data, |cipher, block, before| {
        let mut sealed = Array::from(xor8(block, before));
        cipher.encrypt_block(&mut sealed);
        let sealed = sealed.into();
        (sealed, sealed)
    })
}

/// One pass of cipher block chaining; `step` gives the block that comes out and the one that the next is chained to.
fn cbc(
    bdk: &[u8; 16],
    ksn: &[u8; 10],
    data: &[u8],
    step: impl Fn(&TdesEde2, [u8; 8], [u8; 8]) -> ([u8; 8], [u8; 8]),
) -> Result<Vec<u8>, DukptError> {
    let (blocks, rest) = data.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(DukptError::PartBlock(data.len()));
    }
    let key = data_key(bdk, Ksn(*ksn));
    let cipher = TdesEde2::new(&Array::from(*key));
    let mut chained = [0; 8];
    let mut out = Vec::with_capacity(data.len());
    for block in blocks {
        let (result, next) = step(&cipher, *block, chained);
        out.extend_from_slice(&result);
        chained = next;
    }
    Ok(out)
}

/// The working key for data: the variant, each half encrypted under the variant itself (Annex A.4.1).
fn data_key(bdk: &[u8; 16], ksn: Ksn) -> Key {
    let variant = xor_halves(&transaction_key(bdk, ksn), DATA_VARIANT);
    let (left, right) = halves(&variant);
    join(tdes(&variant, left), tdes(&variant, right))
}

/// The initial key of a reader: the KSN without its counter under the BDK (Annex A.6).
fn initial_key(bdk: &[u8; 16], ksn: Ksn) -> Key {
    let mut name = [0; 8];
    name.copy_from_slice(&ksn.0[..8]);
    name[7] &= 0xE0;
    let bdk = Zeroizing::new(*bdk);
    join(tdes(&bdk, name), tdes(&xor_halves(&bdk, C0), name))
}

/// The transaction key: one derivation for every one in the counter, from the highest (Annex A.3).
fn transaction_key(bdk: &[u8; 16], ksn: Ksn) -> Key {
    let mut register = [0; 8];
    register.copy_from_slice(&ksn.0[2..]);
    register[5] &= 0xE0;
    register[6] = 0;
    register[7] = 0;
    let counter = ksn.counter();
    let mut key = initial_key(bdk, ksn);
    for bit in (0..COUNTER_BITS).rev().map(|shift| 1_u32 << shift).filter(|bit| counter & bit != 0) {
        let [_, high, middle, low] = bit.to_be_bytes();
        register[5] |= high;
        register[6] |= middle;
        register[7] |= low;
        let right = derive(&key, register);
        let left = derive(&xor_halves(&key, C0), register);
        key = join(left, right);
    }
    key
}

/// The one-way function of Annex A.3: DES under the left half, masked by the right half on both sides.
fn derive(key: &Key, register: [u8; 8]) -> [u8; 8] {
    let (left, right) = halves(key);
    let mut block = Array::from(xor8(register, right));
    Des::new(&Array::from(left)).encrypt_block(&mut block);
    xor8(block.into(), right)
}

fn tdes(key: &Key, block: [u8; 8]) -> [u8; 8] {
    let mut block = Array::from(block);
    TdesEde2::new(&Array::from(**key)).encrypt_block(&mut block);
    block.into()
}

fn xor8(mut a: [u8; 8], b: [u8; 8]) -> [u8; 8] {
    a.iter_mut().zip(b).for_each(|(a, b)| *a ^= b);
    a
}

fn xor_halves(key: &Key, mask: [u8; 8]) -> Key {
    let (left, right) = halves(key);
    join(xor8(left, mask), xor8(right, mask))
}

fn halves(key: &Key) -> ([u8; 8], [u8; 8]) {
    let mut left = [0; 8];
    let mut right = [0; 8];
    left.copy_from_slice(&key[..8]);
    right.copy_from_slice(&key[8..]);
    (left, right)
}

fn join(left: [u8; 8], right: [u8; 8]) -> Key {
    let mut key = Zeroizing::new([0; 16]);
    key[..8].copy_from_slice(&left);
    key[8..].copy_from_slice(&right);
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{hex, unhex};

    fn ksn(text: &str) -> Ksn {
        Ksn(unhex(text).try_into().unwrap())
    }

    /// X9.24-1:2009, Annex A.4: keys and the data "4012345678909D987" (padded to 24 bytes) under each of them.
    const STANDARD: [(&str, &str, &str); 3] = [
        (
            "FFFF9876543210E00001",
            "042666B49184CFA368DE9628D0397BC9",
            "FC0D53B7EA1FDA9EE68AAF2E70D9B9506229BE2AA993F04F",
        ),
        (
            "FFFF9876543210E00002",
            "C46551CEF9FD24B0AA9AD834130D3BC7",
            "A2B4E70F846E63D68775B7215EB4563DFD3037244C61CC13",
        ),
        (
            "FFFF9876543210E00003",
            "0DF3D9422ACA56E547676D07AD6BADFA",
            "BD751E65F10E75B6C1D5B1D283496A36C2DE21D993C387A7",
        ),
    ];

    #[test]
    fn the_standards_examples_hold() {
        let first = ksn(STANDARD[0].0);
        assert_eq!(hex(initial_key(&ANSI_TEST_BDK, first).as_slice()), "6AC292FAA1315B4D858AB3A3D7D5933A");
        let mut clear = b"4012345678909D987".to_vec();
        clear.resize(24, 0);
        for (name, key, sealed) in STANDARD {
            let ksn = ksn(name);
            assert_eq!(hex(transaction_key(&ANSI_TEST_BDK, ksn).as_slice()), key, "{name}");
            let bytes = encrypt_data(&ANSI_TEST_BDK, &ksn.0, &clear).unwrap();
            assert_eq!(hex(&bytes), sealed, "{name}");
            assert_eq!(decrypt_data(&ANSI_TEST_BDK, &ksn.0, &bytes).unwrap(), clear);
        }
    }

    /// What a Miura reader encrypted for an EMV test card, and the keys that two other implementations derived.
    #[test]
    fn a_vendors_ciphertext_opens() {
        for (name, key, sealed) in [
            (
                "FFFF0102628D1100005E",
                "EACBC28A6A7C387C010A899F34E1B1D8",
                "85D6E511F8844CEA0DC72883180AC081AF4593A8A3C5FDD8",
            ),
            (
                "FFFF0102628D1100005F",
                "4A74DFF687AD33F6EE2C4EFB34B9BEF8",
                "92FC2C940487F43AC64AB3DFD54C7B72F445FE409D80FDF5",
            ),
        ] {
            let ksn = ksn(name);
            assert_eq!(hex(data_key(&ANSI_TEST_BDK, ksn).as_slice()), key);
            let clear = decrypt_data(&ANSI_TEST_BDK, &ksn.0, &unhex(sealed)).unwrap();
            assert_eq!(hex(&clear), "57124761739001010012234D151220114524040F00000000");
        }
    }

    /// The keys of the manual's own example message (table "ARQC message"), as two other implementations derived them.
    /// Its cipher text holds a real-looking number and stays out; the simulated readers' tests have its twin.
    #[test]
    fn the_keys_of_the_manuals_example_are_derived() {
        let ksn = ksn("9010010B4DB817000003");
        assert_eq!(hex(initial_key(&ANSI_TEST_BDK, ksn).as_slice()), "2D5B39660C3BB6FAA2D481CED09899EF");
        assert_eq!(hex(transaction_key(&ANSI_TEST_BDK, ksn).as_slice()), "35E76565A630985B4B9985E201BEA2E2");
        assert_eq!(hex(data_key(&ANSI_TEST_BDK, ksn).as_slice()), "D03925B7FD80DF7324C1D23CC478C9D4");
    }

    #[test]
    fn counters_with_many_ones_are_skipped_and_the_end_is_said() {
        assert_eq!(ksn("FFFF9876543210E00000").next(), Ok(ksn("FFFF9876543210E00001")));
        // The roll in the standard's own list: EFF800, EFF801, EFF802, EFF804 … EFFC00, F00000.
        let mut rolled = ksn("FFFF9876543210EFF800");
        for _ in 0..12 {
            rolled = rolled.next().unwrap();
        }
        assert_eq!(rolled, ksn("FFFF9876543210F00000"));
        assert_eq!(ksn("FFFF9876543210FFF800").next(), Err(DukptError::WornOut));
        assert_eq!(encrypt_data(&ANSI_TEST_BDK, &[0; 10], &[0; 7]), Err(DukptError::PartBlock(7)));
    }
}
