//! Messages on a serial line: SLIP (RFC 1055) around a byte of information, the message's length and the message
//! (manual D998200597, "How to use UART connections"). 115,200 baud, 8N1, no flow control, no checksum.

use super::message::MAX_MESSAGE;

/// Ends a frame; also sent before one, to end what noise began.
pub const END: u8 = 0xC0;
/// Announces an escaped byte.
const ESC: u8 = 0xDB;
/// Escaped [`END`].
const ESC_END: u8 = 0xDC;
/// Escaped [`ESC`].
const ESC_ESC: u8 = 0xDD;

/// Information byte and length before the message.
const HEADER: usize = 5;

/// What a frame carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A message to the reader.
    ToReader(Vec<u8>),
    /// A message to the host.
    ToHost(Vec<u8>),
    /// The reader takes no message longer than this, bytes.
    TooLong {
        /// The reader's limit.
        limit: u32,
    },
}

/// Why a frame was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SlipError {
    /// An escape that is none.
    #[error("a frame holds an escape that is none")]
    BadEscape,
    /// Longer than any message.
    #[error("a frame is longer than any message")]
    TooLong,
    /// Its length and its message disagree, or it has no length.
    #[error("a frame's length does not fit its message")]
    BadLength,
    /// A byte of information that is not known.
    #[error("a frame of kind {0:02X} is not known")]
    UnknownKind(u8),
}

impl SlipError {
    /// The same bytes are never a frame.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

impl Frame {
    /// Its bytes on the line.
    pub fn encode(&self) -> Vec<u8> {
        let (kind, length, message) = match self {
            Frame::ToReader(message) => (0x00, message.len(), message.as_slice()),
            Frame::ToHost(message) => (0x02, message.len(), message.as_slice()),
            Frame::TooLong { limit } => (0x03, usize::try_from(*limit).unwrap_or(usize::MAX), [].as_slice()),
        };
        let length = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        let mut out = vec![END];
        for byte in std::iter::once(kind).chain(length).chain(message.iter().copied()) {
            match byte {
                END => out.extend([ESC, ESC_END]),
                ESC => out.extend([ESC, ESC_ESC]),
                other => out.push(other),
            }
        }
        out.push(END);
        out
    }
}

/// Finds frames in a stream of bytes. Bytes between frames are noise and are dropped with the frame they spoil.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    escaped: bool,
    spoiled: Option<SlipError>,
}

impl Decoder {
    /// Takes one byte; a frame, or why one was dropped, at its end.
    pub fn take(&mut self, byte: u8) -> Option<Result<Frame, SlipError>> {
        if byte == END {
            let bytes = std::mem::take(&mut self.bytes);
            let spoiled = self.spoiled.take().or(std::mem::take(&mut self.escaped).then_some(SlipError::BadEscape));
            return match spoiled {
                Some(why) => Some(Err(why)),
                None if bytes.is_empty() => None,
                None => Some(frame(&bytes)),
            };
        }
        let plain = match (std::mem::take(&mut self.escaped), byte) {
            (true, ESC_END) => END,
            (true, ESC_ESC) => ESC,
            (true, _) => {
                self.spoiled = self.spoiled.or(Some(SlipError::BadEscape));
                return None;
            }
            (false, ESC) => {
                self.escaped = true;
                return None;
            }
            (false, other) => other,
        };
        if self.bytes.len() < MAX_MESSAGE + HEADER {
            self.bytes.push(plain);
        } else {
            self.spoiled = self.spoiled.or(Some(SlipError::TooLong));
        }
        None
    }
}

fn frame(bytes: &[u8]) -> Result<Frame, SlipError> {
    let [kind, a, b, c, d, message @ ..] = bytes else { return Err(SlipError::BadLength) };
    let length = u32::from_be_bytes([*a, *b, *c, *d]);
    let fits = usize::try_from(length) == Ok(message.len());
    match kind {
        0x00 if fits => Ok(Frame::ToReader(message.to_vec())),
        0x02 if fits => Ok(Frame::ToHost(message.to_vec())),
        0x03 if message.is_empty() => Ok(Frame::TooLong { limit: length }),
        0x00 | 0x02 | 0x03 => Err(SlipError::BadLength),
        other => Err(SlipError::UnknownKind(*other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{hex, unhex};
    use proptest::prelude::*;

    fn decode(bytes: &[u8]) -> Vec<Result<Frame, SlipError>> {
        let mut decoder = Decoder::default();
        bytes.iter().filter_map(|byte| decoder.take(*byte)).collect()
    }

    #[test]
    fn a_frame_is_what_the_manual_says() {
        let echo = Frame::ToReader(unhex("AA0081040101DF018407DF018103010203"));
        assert_eq!(hex(&echo.encode()), "C00000000011AA0081040101DF018407DF018103010203C0");
        let escaped = Frame::ToHost(vec![0xC0, 0xDB, 0x01]);
        assert_eq!(hex(&escaped.encode()), "C00200000003DBDCDBDD01C0");
        assert_eq!(decode(&unhex("C00300001000C0")), [Ok(Frame::TooLong { limit: 4_096 })]);
    }

    #[test]
    fn a_spoiled_frame_is_dropped_and_the_next_one_is_not() {
        let good = Frame::ToHost(vec![1, 2, 3]);
        for (text, why) in [
            ("C0 02 00000003 01DB02 C0", SlipError::BadEscape),
            ("C0 02 00000003 010203DB C0", SlipError::BadEscape),
            ("C0 02 00000004 010203 C0", SlipError::BadLength),
            ("C0 02 0000 C0", SlipError::BadLength),
            ("C0 07 00000000 C0", SlipError::UnknownKind(7)),
        ] {
            let mut bytes = unhex(text);
            bytes.extend(good.encode());
            assert_eq!(decode(&bytes), [Err(why), Ok(good.clone())], "{text}");
        }
        let mut long = vec![END];
        long.extend(vec![1; MAX_MESSAGE + 100]);
        long.push(END);
        assert_eq!(decode(&long), [Err(SlipError::TooLong)]);
    }

    proptest! {
        #[test]
        fn what_is_sent_arrives(messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..6)) {
            let frames: Vec<Frame> = messages.into_iter().map(Frame::ToHost).collect();
            let bytes: Vec<u8> = frames.iter().flat_map(Frame::encode).collect();
            let got: Vec<Frame> = decode(&bytes).into_iter().map(Result::unwrap).collect();
            prop_assert_eq!(got, frames);
        }

        #[test]
        fn no_bytes_make_it_fall(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            decode(&bytes);
        }
    }
}
