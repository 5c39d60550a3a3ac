//! Cuts a stream into messages: two bytes of length, big-endian, then so many bytes.
//!
//! Invariant: holds at most one message of the largest size and what came behind it in the same read; a length that no
//! message has is an error, after which the stream is of no use. Start at [`Frames`].

/// Bytes of the length in front.
const HEADER: usize = 2;

/// A length that no message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message of {length} bytes, 1 to {max} expected")]
pub struct FrameError {
    /// What the header said.
    pub length: usize,
    /// The largest message, bytes.
    pub max: usize,
}

impl FrameError {
    /// The stream cannot be read on.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

/// What has come and is not yet a whole message.
#[derive(Debug)]
pub struct Frames {
    bytes: Vec<u8>,
    max: usize,
}

impl Frames {
    /// Nothing yet; messages have at most `max` bytes.
    pub fn new(max: usize) -> Frames {
        Frames { bytes: Vec::new(), max }
    }

    /// Adds what was read. Call [`Frames::take`] until it has no more before reading again.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// The next whole message, without its header.
    ///
    /// # Errors
    /// The header tells a length that no message has.
    pub fn take(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        let &[high, low, ..] = self.bytes.as_slice() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length == 0 || length > self.max {
            return Err(FrameError { length, max: self.max });
        }
        if self.bytes.len() < HEADER + length {
            return Ok(None);
        }
        let rest = self.bytes.split_off(HEADER + length);
        let mut whole = std::mem::replace(&mut self.bytes, rest);
        Ok(Some(whole.split_off(HEADER)))
    }

    /// A message has begun and not ended.
    pub fn begun(&self) -> bool {
        !self.bytes.is_empty()
    }
}

/// A message with its header.
///
/// # Errors
/// It is longer than `max` bytes, or empty.
pub fn frame(message: &[u8], max: usize) -> Result<Vec<u8>, FrameError> {
    let wrong = FrameError { length: message.len(), max };
    let length = u16::try_from(message.len()).map_err(|_| wrong)?;
    if message.is_empty() || message.len() > max {
        return Err(wrong);
    }
    let mut out = Vec::with_capacity(HEADER + message.len());
    out.extend(length.to_be_bytes());
    out.extend(message);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_length_that_no_message_has_is_an_error() {
        for (bytes, length) in [([0, 0], 0), ([0, 101], 101), ([0xFF, 0xFF], 65_535)] {
            let mut frames = Frames::new(100);
            frames.push(&bytes);
            assert_eq!(frames.take(), Err(FrameError { length, max: 100 }));
        }
        assert!(frame(&[0; 101], 100).is_err());
        assert!(frame(&[], 100).is_err());
        assert!(frame(&[0; 70_000], 100_000).is_err());
    }

    proptest! {
        #[test]
        fn messages_come_out_as_they_went_in_however_the_stream_is_cut(
            messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..60), 0..8),
            cut in 1_usize..30,
        ) {
            let mut stream = Vec::new();
            for message in &messages {
                stream.extend(frame(message, 100).unwrap());
            }
            let (mut frames, mut got) = (Frames::new(100), Vec::new());
            for piece in stream.chunks(cut) {
                frames.push(piece);
                while let Some(message) = frames.take().unwrap() {
                    got.push(message);
                }
            }
            prop_assert_eq!(got, messages);
            prop_assert!(!frames.begun());
        }

        #[test]
        fn arbitrary_bytes_give_messages_or_an_error_and_never_more_than_there_was(
            bytes in proptest::collection::vec(any::<u8>(), 0..2_000), cut in 1_usize..300,
        ) {
            let (mut frames, mut out) = (Frames::new(512), 0);
            'read: for piece in bytes.chunks(cut) {
                frames.push(piece);
                loop {
                    match frames.take() {
                        Ok(Some(message)) => out += message.len() + HEADER,
                        Ok(None) => break,
                        Err(_) => break 'read,
                    }
                }
                prop_assert!(frames.bytes.len() < 512 + HEADER + cut);
            }
            prop_assert!(out <= bytes.len());
        }
    }
}
