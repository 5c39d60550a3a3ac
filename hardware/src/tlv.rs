//! BER-TLV as card readers write it (ISO/IEC 8825-1 in the subset of EMV Book 3, Annex B).
//!
//! Order and duplicates are kept, lengths may be longer than they need be, and every broken byte is an error, never a
//! panic. Nothing is copied when reading; no recursion.

pub mod dictionary;

/// A tag of up to four bytes, as its big-endian number: `0x9F02`, `0xDFDF59`.
pub type Tag = u32;

/// Longest value that is written or believed, bytes. An ARQC blob is well below 4 KiB.
pub const MAX_LENGTH: usize = 64 * 1024;

/// One element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// What it is.
    pub tag: Tag,
    /// What it holds.
    pub value: &'a [u8],
}

impl<'a> Tlv<'a> {
    /// Whether the value is made of elements (bit 6 of the first tag byte).
    pub fn is_constructed(&self) -> bool {
        let first = self.tag.to_be_bytes().into_iter().find(|byte| *byte != 0);
        first.is_some_and(|byte| byte & 0x20 != 0)
    }

    /// The elements of the value.
    pub fn children(&self) -> Elements<'a> {
        elements(self.value)
    }
}

/// Why bytes are no TLV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlvError {
    /// They end in the middle.
    #[error("the data ends in the middle of an element")]
    Truncated,
    /// Longer than four bytes.
    #[error("a tag is longer than four bytes")]
    LongTag,
    /// Indefinite, or longer than [`MAX_LENGTH`].
    #[error("a length is indefinite or beyond {MAX_LENGTH} bytes")]
    BadLength,
}

impl TlvError {
    /// The same bytes never parse.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

/// Goes through the elements of one level. Stops after the first error.
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    rest: &'a [u8],
}

/// The elements of `bytes`. Bytes 00 between elements are padding (EMV Book 3, Annex B).
pub fn elements(bytes: &[u8]) -> Elements<'_> {
    Elements { rest: bytes }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Tlv<'a>, TlvError>;

    fn next(&mut self) -> Option<Self::Item> {
        while let [0, rest @ ..] = self.rest {
            self.rest = rest;
        }
        if self.rest.is_empty() {
            return None;
        }
        Some(
            first(self.rest)
                .map(|(element, rest)| {
                    self.rest = rest;
                    element
                })
                .inspect_err(|_| self.rest = &[]),
        )
    }
}

/// The first element and what follows it. Padding before it is not skipped.
pub fn first(bytes: &[u8]) -> Result<(Tlv<'_>, &[u8]), TlvError> {
    let (tag, bytes) = tag(bytes)?;
    let (length, bytes) = length(bytes)?;
    let (value, rest) = bytes.split_at_checked(length).ok_or(TlvError::Truncated)?;
    Ok((Tlv { tag, value }, rest))
}

fn tag(bytes: &[u8]) -> Result<(Tag, &[u8]), TlvError> {
    let (&first, mut rest) = bytes.split_first().ok_or(TlvError::Truncated)?;
    let mut tag = Tag::from(first);
    if first & 0x1F == 0x1F {
        for count in 2.. {
            let (&byte, after) = rest.split_first().ok_or(TlvError::Truncated)?;
            if count > 4 {
                return Err(TlvError::LongTag);
            }
            tag = tag << 8 | Tag::from(byte);
            rest = after;
            if byte & 0x80 == 0 {
                break;
            }
        }
    }
    Ok((tag, rest))
}

fn length(bytes: &[u8]) -> Result<(usize, &[u8]), TlvError> {
    let (&first, rest) = bytes.split_first().ok_or(TlvError::Truncated)?;
    if first & 0x80 == 0 {
        return Ok((usize::from(first), rest));
    }
    let count = usize::from(first & 0x7F);
    if count == 0 || count > 4 {
        return Err(TlvError::BadLength);
    }
    let (digits, rest) = rest.split_at_checked(count).ok_or(TlvError::Truncated)?;
    let length = digits.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
    if length > MAX_LENGTH { Err(TlvError::BadLength) } else { Ok((length, rest)) }
}

/// Writes one element, with the shortest length.
pub fn put(out: &mut Vec<u8>, tag: Tag, value: &[u8]) {
    put_head(out, tag);
    match value.len() {
        short @ 0..0x80 => out.extend(u8::try_from(short)),
        long => {
            let digits = long.to_be_bytes();
            let digits = &digits[digits.iter().take_while(|byte| **byte == 0).count()..];
            out.extend(u8::try_from(digits.len()).map(|count| 0x80 | count));
            out.extend_from_slice(digits);
        }
    }
    out.extend_from_slice(value);
}

/// Writes one element with a length of two digits however short it is, as some readers do (`82 00 10`).
pub fn put_long(out: &mut Vec<u8>, tag: Tag, value: &[u8]) {
    put_head(out, tag);
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    out.push(0x82);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&value[..usize::from(length)]);
}

fn put_head(out: &mut Vec<u8>, tag: Tag) {
    out.extend(tag.to_be_bytes().into_iter().skip_while(|byte| *byte == 0));
}

/// The value of the first element `tag` on this level.
pub fn find(bytes: &[u8], tag: Tag) -> Option<&[u8]> {
    elements(bytes).map_while(Result::ok).find(|element| element.tag == tag).map(|element| element.value)
}

/// Calls `visit` for every primitive element at any depth, in order. `within` says whether to go into a template.
pub fn walk<'a>(bytes: &'a [u8], within: impl Fn(Tag) -> bool, mut visit: impl FnMut(Tlv<'a>)) -> Result<(), TlvError> {
    let mut levels = vec![elements(bytes)];
    while let Some(level) = levels.last_mut() {
        match level.next().transpose()? {
            None => {
                levels.pop();
            }
            Some(element) if element.is_constructed() => {
                if within(element.tag) {
                    levels.push(element.children());
                }
            }
            Some(element) => visit(element),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::unhex;
    use proptest::prelude::*;

    #[test]
    fn lengths_may_be_longer_than_they_need_be() {
        for text in ["8403 010203", "8481 03 010203", "8482 0003 010203", "8484 00000003 010203"] {
            let bytes = unhex(text);
            let found: Vec<_> = elements(&bytes).collect();
            assert_eq!(found, [Ok(Tlv { tag: 0x84, value: &[1, 2, 3] })], "{text}");
        }
    }

    #[test]
    fn order_and_duplicates_are_kept() {
        let bytes = unhex("DFAE0301AA 9F0200 DFAE0301BB");
        let tags: Vec<_> = elements(&bytes).map(|e| e.map(|e| (e.tag, e.value.to_vec())).unwrap()).collect();
        assert_eq!(tags, [(0xDF_AE03, vec![0xAA]), (0x9F02, vec![]), (0xDF_AE03, vec![0xBB])]);
    }

    #[test]
    fn broken_bytes_are_errors() {
        for (text, why) in [
            ("84", TlvError::Truncated),
            ("8405 01", TlvError::Truncated),
            ("9F", TlvError::Truncated),
            ("8480", TlvError::BadLength),
            ("8485 0000000001 00", TlvError::BadLength),
            ("8484 7FFFFFFF", TlvError::BadLength),
            ("9FFFFFFF01 00", TlvError::LongTag),
        ] {
            assert_eq!(elements(&unhex(text)).last(), Some(Err(why)), "{text}");
        }
    }

    /// Nested deeper than any stack, and longer than anything that is believed.
    #[test]
    fn depth_and_length_of_others_cost_nothing() {
        let mut bytes = Vec::new();
        for _ in 0..20_000 {
            bytes.extend([0xE1, 0x84, 0x00, 0x00, 0x7F, 0xFF]);
        }
        assert_eq!(walk(&bytes, |_| true, |_| {}), Err(TlvError::Truncated));
        let mut whole = vec![0x82, 0x02, 0x19, 0x80];
        while whole.len() < 4_000 {
            let inside = std::mem::take(&mut whole);
            put(&mut whole, 0xE1, &inside);
        }
        let mut found = 0;
        walk(&whole, |_| true, |element| found += usize::from(element.tag == 0x82)).unwrap();
        assert_eq!(found, 1);
        assert_eq!(elements(&unhex("8483100000")).last(), Some(Err(TlvError::BadLength)));
    }

    proptest! {
        #[test]
        fn what_was_put_is_found(items in proptest::collection::vec((0x80_u32..0x9F, proptest::collection::vec(any::<u8>(), 0..300)), 0..8)) {
            let mut bytes = Vec::new();
            for (tag, value) in &items {
                put(&mut bytes, *tag, value);
            }
            let found: Vec<_> = elements(&bytes).map(|e| e.map(|e| (e.tag, e.value.to_vec())).unwrap()).collect();
            prop_assert_eq!(found, items);
        }

        /// Another's parser reads what is written here, and the other way round.
        #[test]
        fn it_agrees_with_tlv_parser(items in proptest::collection::vec((0_usize..6, proptest::collection::vec(any::<u8>(), 0..300)), 1..8)) {
            use tlv_parser::tlv::{Tlv as Theirs, Value};
            const TAGS: [Tag; 6] = [0x5A, 0x82, 0x9F02, 0x9F26, 0x5F2A, 0xDF_DF59];
            let mut inner = Vec::new();
            for (tag, value) in &items {
                put(&mut inner, TAGS[*tag], value);
            }
            let mut outer = Vec::new();
            put(&mut outer, 0x70, &inner);
            let theirs = Theirs::from_vec(&outer).unwrap();
            prop_assert_eq!(theirs.to_vec(), outer.clone());
            let Value::TlvList(list) = theirs.val() else { panic!("no template") };
            let seen: Vec<(Tag, Vec<u8>)> = list
                .iter()
                .map(|element| match element.val() {
                    Value::Val(value) => (Tag::try_from(element.tag()).unwrap(), value.clone()),
                    Value::TlvList(_) | Value::Nothing => (Tag::try_from(element.tag()).unwrap(), Vec::new()),
                })
                .collect();
            let ours: Vec<(Tag, Vec<u8>)> = elements(find(&theirs.to_vec(), 0x70).unwrap())
                .map(|element| element.map(|e| (e.tag, e.value.to_vec())).unwrap())
                .collect();
            prop_assert_eq!(seen, ours);
        }

        #[test]
        fn no_bytes_make_it_fall(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut seen = 0_usize;
            let _ = walk(&bytes, |_| true, |element| seen += element.value.len());
            prop_assert!(seen <= bytes.len());
        }
    }
}
