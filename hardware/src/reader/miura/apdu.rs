//! What is in a frame: command APDUs and answers with a status word (ISO/IEC 7816-4, short form).

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Class.
    pub cla: u8,
    /// Instruction.
    pub ins: u8,
    /// First parameter.
    pub p1: u8,
    /// Second parameter.
    pub p2: u8,
    /// Data; empty for none. At most 248 bytes, so that the command fits one frame.
    pub data: Vec<u8>,
    /// How many bytes are wanted back; absent for none in particular.
    pub le: Option<u8>,
}

/// The commands that a till needs: class, instruction.
pub mod instruction {
    /// Reset.
    pub const RESET: (u8, u8) = (0xD0, 0x00);
    /// Serial number and versions.
    pub const DEVICE_INFO: (u8, u8) = (0xD0, 0x02);
    /// Battery.
    pub const BATTERY: (u8, u8) = (0xD0, 0x62);
    /// Whether a card is there, also unsolicited.
    pub const CARD_STATUS: (u8, u8) = (0xD0, 0x60);
    /// Stop what is under way: the only command that may overtake another.
    pub const ABORT: (u8, u8) = (0xD0, 0xFF);
    /// Text on the display.
    pub const DISPLAY_TEXT: (u8, u8) = (0xD2, 0x01);
    /// Contact transaction, to the first cryptogram.
    pub const START: (u8, u8) = (0xDE, 0xD1);
    /// Contact transaction, the rest.
    pub const CONTINUE: (u8, u8) = (0xDE, 0xD2);
    /// Contactless transaction.
    pub const START_CONTACTLESS: (u8, u8) = (0xDE, 0xC1);
}

/// An answer, or what a reader says by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// TLV.
    pub body: Vec<u8>,
    /// Status word: 9000 is well.
    pub status: u16,
}

/// The status word of a good answer.
pub const GOOD: u16 = 0x9000;

impl Command {
    /// A command without data.
    pub fn bare((cla, ins): (u8, u8), p1: u8, p2: u8) -> Command {
        Command { cla, ins, p1, p2, data: Vec::new(), le: None }
    }

    /// Its bytes; `None` when the data fits no frame.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let mut out = vec![self.cla, self.ins, self.p1, self.p2];
        if !self.data.is_empty() {
            out.push(u8::try_from(self.data.len()).ok().filter(|length| *length <= 248)?);
            out.extend_from_slice(&self.data);
        }
        out.extend(self.le);
        Some(out)
    }

    /// The command of `bytes`; `None` for bytes that are none.
    pub fn decode(bytes: &[u8]) -> Option<Command> {
        let [cla, ins, p1, p2, rest @ ..] = bytes else { return None };
        let (data, le) = match rest {
            [] => (Vec::new(), None),
            [le] => (Vec::new(), Some(*le)),
            [length, data @ ..] if data.len() == usize::from(*length) => (data.to_vec(), None),
            [length, data @ .., le] if data.len() == usize::from(*length) => (data.to_vec(), Some(*le)),
            _ => return None,
        };
        Some(Command { cla: *cla, ins: *ins, p1: *p1, p2: *p2, data, le })
    }
}

impl Answer {
    /// The answer of a message's data; `None` for less than a status word.
    pub fn decode(data: &[u8]) -> Option<Answer> {
        let (body, status) = data.split_last_chunk::<2>()?;
        Some(Answer { body: body.to_vec(), status: u16::from_be_bytes(*status) })
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.body.clone();
        out.extend(self.status.to_be_bytes());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{hex, unhex};
    use crate::tlv;
    use proptest::prelude::*;

    /// Of the vendor SDK's own tests.
    #[test]
    fn commands_are_the_vendors() {
        let (cla, ins) = instruction::DISPLAY_TEXT;
        let display = Command { cla, ins, p1: 0, p2: 1, data: b"Hello world!".to_vec(), le: None };
        assert_eq!(hex(&display.encode().unwrap()), "D20100010C48656C6C6F20776F726C6421");
        let read = Command { cla: 0x00, ins: 0xB0, p1: 0x01, p2: 0x23, data: Vec::new(), le: Some(0x12) };
        assert_eq!(hex(&read.encode().unwrap()), "00B0012312");
        assert_eq!(hex(&Command::bare(instruction::RESET, 1, 0).encode().unwrap()), "D0000100");
        for command in [display, read] {
            assert_eq!(Command::decode(&command.encode().unwrap()), Some(command));
        }
    }

    /// A reset's answer and three unsolicited messages, of the vendor SDK's own tests.
    #[test]
    fn answers_are_the_vendors() {
        let reset = unhex(
            "E130 9F1E083034303030323033 EF11 DF0D084D3130302D525049 DF7F03312D31 EF10 DF0D074D3130302D4F53 DF7F03312D36",
        );
        let body = tlv::find(&reset, 0xE1).unwrap();
        assert_eq!(tlv::find(body, 0x9F1E), Some(b"04000203".as_slice()));
        let parts: Vec<(Vec<u8>, Vec<u8>)> = tlv::elements(body)
            .map(Result::unwrap)
            .filter(|element| element.tag == 0xEF)
            .map(|part| {
                let of = |tag| tlv::find(part.value, tag).unwrap().to_vec();
                (of(0xDF0D), of(0xDF7F))
            })
            .collect();
        assert_eq!(parts, [(b"M100-RPI".to_vec(), b"1-1".to_vec()), (b"M100-OS".to_vec(), b"1-6".to_vec())]);
        for (text, tag, inner, value) in [
            ("E610 C30102 C40650494E204F4B DFA1020102 9000", 0xE6, 0xC3, "02"),
            ("E104 48020302 9000", 0xE1, 0x48, "0302"),
            ("E005 DFA205011B 9000", 0xE0, 0xDF_A205, "1B"),
        ] {
            let answer = Answer::decode(&unhex(text)).unwrap();
            assert_eq!(answer.status, GOOD);
            let template = tlv::find(&answer.body, tag).unwrap();
            assert_eq!(tlv::find(template, inner).map(hex).as_deref(), Some(value), "{text}");
            assert_eq!(answer.encode(), unhex(text));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fall(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = (Command::decode(&bytes), Answer::decode(&bytes));
        }
    }
}
