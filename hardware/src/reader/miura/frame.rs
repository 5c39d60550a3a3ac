//! Frames: `NAD PCB LEN data LRC`, modelled on ISO/IEC 7816-3 T=1.
//!
//! A longer message is a chain of frames. Chains of the two addresses may be interleaved; a chain never changes from
//! solicited to unsolicited. The decoder is pure, resynchronises after rubbish, and its memory is bounded.

/// Data bytes in one frame at the least and at the most.
const DATA: std::ops::RangeInclusive<usize> = 2..=254;

/// Longest message that is believed, bytes.
pub const MAX_MESSAGE: usize = 32 * 1024;

/// PCB: more frames of the same message follow.
const CHAINED: u8 = 0x01;
/// PCB: the reader speaks by itself.
const UNSOLICITED: u8 = 0x40;

/// Who is spoken to or speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nad {
    /// The PIN entry device.
    Mpi,
    /// The base.
    Rpi,
}

impl Nad {
    fn byte(self) -> u8 {
        match self {
            Nad::Mpi => 0x01,
            Nad::Rpi => 0x02,
        }
    }

    fn of(byte: u8) -> Option<Nad> {
        [Nad::Mpi, Nad::Rpi].into_iter().find(|nad| nad.byte() == byte)
    }

    fn place(self) -> usize {
        match self {
            Nad::Mpi => 0,
            Nad::Rpi => 1,
        }
    }
}

/// A whole message of a reader: the data of all frames of its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// From whom.
    pub nad: Nad,
    /// Not the answer to a command.
    pub unsolicited: bool,
    /// Body and status word.
    pub data: Vec<u8>,
}

/// Why bytes were dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// No such address.
    #[error("no frame begins with {0:02X}")]
    BadAddress(u8),
    /// Bits that mean nothing.
    #[error("a frame's control byte {0:02X} is not known")]
    BadControl(u8),
    /// Less than two or more than 254 bytes.
    #[error("a frame of {0} bytes is impossible")]
    BadLength(u8),
    /// The checksum does not fit.
    #[error("a frame's checksum does not fit")]
    BadChecksum,
    /// A chain that changes its nature.
    #[error("a chain changed between an answer and an unsolicited message")]
    MixedChain,
    /// More than [`MAX_MESSAGE`].
    #[error("a chain is longer than {MAX_MESSAGE} bytes")]
    TooLong,
}

impl FrameError {
    /// The same bytes never pass.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

/// Exclusive or of all bytes: the checksum.
fn lrc(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum ^ byte)
}

/// The frame of a command; commands are never chained. `None` for data that fits no frame.
pub fn encode(nad: Nad, data: &[u8]) -> Option<Vec<u8>> {
    one(nad, 0, data)
}

/// The frames of a reader's message.
pub fn encode_message(message: &Message) -> Vec<Vec<u8>> {
    let base = if message.unsolicited { UNSOLICITED } else { 0 };
    // A last frame of one byte would be impossible: the one before it gives one up.
    let mut rest = message.data.as_slice();
    let mut frames = Vec::new();
    while rest.len() > *DATA.end() {
        let take = if rest.len() == DATA.end() + 1 { DATA.end() - 1 } else { *DATA.end() };
        let (chunk, after) = rest.split_at(take);
        frames.extend(one(message.nad, base | CHAINED, chunk));
        rest = after;
    }
    frames.extend(one(message.nad, base, rest));
    frames
}

fn one(nad: Nad, control: u8, data: &[u8]) -> Option<Vec<u8>> {
    let length = u8::try_from(data.len()).ok().filter(|_| DATA.contains(&data.len()))?;
    let mut out = vec![nad.byte(), control, length];
    out.extend_from_slice(data);
    out.push(lrc(&out));
    Some(out)
}

#[derive(Debug, Clone)]
struct Chain {
    unsolicited: bool,
    data: Vec<u8>,
}

/// Finds messages in a stream of bytes.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    frame: Vec<u8>,
    chains: [Option<Chain>; 2],
}

impl Decoder {
    /// Takes one byte; a message at its end, or why bytes were dropped.
    pub fn take(&mut self, byte: u8) -> Option<Result<Message, FrameError>> {
        self.frame.push(byte);
        let (whole, wrong) = match self.frame.as_slice() {
            [nad] if Nad::of(*nad).is_none() => (false, Some(FrameError::BadAddress(*nad))),
            [_, control] if control & !(CHAINED | UNSOLICITED) != 0 => (false, Some(FrameError::BadControl(*control))),
            [_, _, length] if !DATA.contains(&usize::from(*length)) => (false, Some(FrameError::BadLength(*length))),
            [_, _, length, data @ ..] if data.len() == usize::from(*length) + 1 => (true, None),
            _ => (false, None),
        };
        if let Some(why) = wrong {
            self.frame.clear();
            return Some(Err(why));
        }
        if !whole {
            return None;
        }
        let frame = std::mem::take(&mut self.frame);
        if lrc(&frame) != 0 {
            return Some(Err(FrameError::BadChecksum));
        }
        self.link(&frame).transpose()
    }

    /// Adds a good frame to its address's chain.
    fn link(&mut self, frame: &[u8]) -> Result<Option<Message>, FrameError> {
        let [nad, control, _, data @ .., _] = frame else { return Ok(None) };
        let Some(nad) = Nad::of(*nad) else { return Ok(None) };
        let unsolicited = control & UNSOLICITED != 0;
        let chain = &mut self.chains[nad.place()];
        let mut open = chain.take().unwrap_or(Chain { unsolicited, data: Vec::new() });
        if open.unsolicited != unsolicited {
            return Err(FrameError::MixedChain);
        }
        if open.data.len() + data.len() > MAX_MESSAGE {
            return Err(FrameError::TooLong);
        }
        open.data.extend_from_slice(data);
        if control & CHAINED != 0 {
            *chain = Some(open);
            return Ok(None);
        }
        Ok(Some(Message { nad, unsolicited, data: open.data }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{hex, unhex};
    use proptest::prelude::*;

    fn decode(bytes: &[u8]) -> Vec<Result<Message, FrameError>> {
        let mut decoder = Decoder::default();
        bytes.iter().filter_map(|byte| decoder.take(*byte)).collect()
    }

    fn message(nad: Nad, unsolicited: bool, data: &str) -> Message {
        Message { nad, unsolicited, data: unhex(data) }
    }

    /// Of the vendor SDK's own tests.
    #[test]
    fn frames_are_the_vendors() {
        assert_eq!(decode(&unhex("01000610111213900097")), [Ok(message(Nad::Mpi, false, "101112139000"))]);
        assert_eq!(decode(&unhex("014006101112139000D7")), [Ok(message(Nad::Mpi, true, "101112139000"))]);
        assert_eq!(decode(&unhex("010002506033")), [Ok(message(Nad::Mpi, false, "5060"))]);
        assert_eq!(hex(&encode(Nad::Mpi, &unhex("5060")).unwrap()), "010002506033");
        let longest: Vec<u8> = (0..=0xFD).collect();
        assert_eq!(encode(Nad::Mpi, &longest).unwrap().last(), Some(&0xFE));
        let chained = unhex("010106101112139000 96 010002506033");
        assert_eq!(decode(&chained), [Ok(message(Nad::Mpi, false, "1011121390005060"))]);
        let both = unhex("014106101112139000 D6 014002506073");
        assert_eq!(decode(&both), [Ok(message(Nad::Mpi, true, "1011121390005060"))]);
    }

    #[test]
    fn what_the_vendor_calls_bad_is_refused() {
        for (text, why) in [
            ("00", FrameError::BadAddress(0)),
            ("01FF", FrameError::BadControl(0xFF)),
            ("010000", FrameError::BadLength(0)),
            ("010001", FrameError::BadLength(1)),
            ("0100FF", FrameError::BadLength(255)),
            ("010002506034", FrameError::BadChecksum),
        ] {
            assert_eq!(decode(&unhex(text)).first(), Some(&Err(why)), "{text}");
        }
        assert_eq!(encode(Nad::Mpi, &[1]), None);
        assert_eq!(encode(Nad::Mpi, &[0; 255]), None);
    }

    #[test]
    fn chains_of_both_addresses_interleave_and_never_change_their_nature() {
        let mpi = encode_message(&Message { nad: Nad::Mpi, unsolicited: false, data: vec![1; 300] });
        let rpi = encode_message(&Message { nad: Nad::Rpi, unsolicited: true, data: vec![2; 509] });
        assert_eq!((mpi.len(), rpi.len()), (2, 3));
        assert_eq!(rpi[2].len(), 4 + 2, "no frame of one byte");
        let bytes = [&rpi[0], &mpi[0], &rpi[1], &mpi[1], &rpi[2]].map(Vec::as_slice).concat();
        let got: Vec<(Nad, usize)> =
            decode(&bytes).into_iter().map(|m| m.map(|m| (m.nad, m.data.len())).unwrap()).collect();
        assert_eq!(got, [(Nad::Mpi, 300), (Nad::Rpi, 509)]);
        let mixed = unhex("010106101112139000 96 014006101112139000 D7");
        assert_eq!(decode(&mixed), [Err(FrameError::MixedChain)]);
        let endless = one(Nad::Mpi, CHAINED, &[3; 254]).unwrap().repeat(200);
        assert!(decode(&endless).contains(&Err(FrameError::TooLong)));
    }

    proptest! {
        #[test]
        fn what_is_sent_arrives(data in proptest::collection::vec(any::<u8>(), 2..1_500), unsolicited in any::<bool>()) {
            let sent = Message { nad: Nad::Rpi, unsolicited, data };
            let bytes = encode_message(&sent).concat();
            prop_assert_eq!(decode(&bytes), vec![Ok(sent)]);
        }

        #[test]
        fn no_bytes_make_it_fall(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            decode(&bytes);
        }
    }
}
