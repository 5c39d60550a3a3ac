//! The envelope of an MMS message: `AA 00`, then tag 81 with kind, reference and number, 82 with status or detail, 84
//! with the payload, which begins with the number again. (Manual D998200597, "Message Structure".)

use crate::tlv::{self, TlvError};

/// First byte of a message, then the version of the framework.
const HEAD: [u8; 2] = [0xAA, 0x00];

/// Longest message that is believed, bytes.
pub const MAX_MESSAGE: usize = 32 * 1024;

const KIND_REQUEST: u8 = 0x01;
const KIND_RESPONSE: u8 = 0x82;
const KIND_NOTIFICATION: u8 = 0x83;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Host to reader.
    Request {
        /// Comes back in the response.
        reference: u8,
        /// What is asked.
        command: u16,
        /// Its parameters, TLV.
        params: Vec<u8>,
    },
    /// Reader to host.
    Response {
        /// Of the request; the manual's own examples differ from it at times.
        reference: u8,
        /// Of the request.
        command: u16,
        /// Summary, group, sub-group, code.
        status: Status,
        /// TLV, without the leading number.
        payload: Option<Vec<u8>>,
    },
    /// Reader to host, at any time.
    Notification {
        /// Source and type.
        number: u16,
        /// Four bytes whose meaning depends on the number.
        detail: [u8; 4],
        /// TLV, without the leading number.
        payload: Option<Vec<u8>>,
    },
}

/// How a request went (manual, "Response status").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// 00 done, 01 running, 40 and 41 the same with warnings, 80 not started, 81 failed under way.
    pub summary: u8,
    /// Group, sub-group, code; all zero when well.
    pub detail: [u8; 3],
}

impl Status {
    /// Done.
    pub const DONE: Status = Status { summary: 0x00, detail: [0; 3] };
    /// Running.
    pub const RUNNING: Status = Status { summary: 0x01, detail: [0; 3] };
    /// No transaction to cancel.
    pub const NO_TRANSACTION: Status = Status { summary: 0x80, detail: [0x02, 0x03, 0x04] };
    /// A transaction runs already.
    pub const IN_PROGRESS: Status = Status { summary: 0x80, detail: [0x02, 0x03, 0x08] };
    /// Battery at 5 % or less.
    pub const LOW_BATTERY: Status = Status { summary: 0x80, detail: [0x02, 0x03, 0x16] };
    /// A parameter is wrong.
    pub const BAD_PARAMETER: Status = Status { summary: 0x80, detail: [0x02, 0x01, 0x02] };
    /// Not a request of this reader.
    pub const NOT_AVAILABLE: Status = Status { summary: 0x80, detail: [0x01, 0x01, 0x13] };

    /// Whether the reader does what was asked.
    pub fn is_good(self) -> bool {
        self.summary & 0x80 == 0
    }
}

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Longer than [`MAX_MESSAGE`].
    #[error("a message of {0} bytes is too long")]
    TooLong(usize),
    /// Does not begin with `AA 00`.
    #[error("not an MMS message")]
    NoHead,
    /// Not TLV.
    #[error(transparent)]
    Tlv(#[from] TlvError),
    /// Tag 81 or 82 is missing or has another length.
    #[error("tag {0:02X} is missing or malformed")]
    BadTag(u8),
    /// Tag 84 does not begin with the number in tag 81.
    #[error("the payload belongs to another message")]
    OtherPayload,
    /// A kind that is not known here.
    #[error("a message of kind {0:02X} is not known")]
    UnknownKind(u8),
}

impl MessageError {
    /// The same bytes never parse.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

impl Message {
    /// Its bytes, with the shortest lengths.
    pub fn encode(&self) -> Vec<u8> {
        self.write(tlv::put)
    }

    /// Its bytes with a two-digit length for the payload, as readers write properties and card data.
    pub fn encode_long(&self) -> Vec<u8> {
        self.write(tlv::put_long)
    }

    fn write(&self, put_payload: fn(&mut Vec<u8>, tlv::Tag, &[u8])) -> Vec<u8> {
        let mut out = HEAD.to_vec();
        let (kind, reference, number) = match self {
            Message::Request { reference, command, .. } => (KIND_REQUEST, *reference, *command),
            Message::Response { reference, command, .. } => (KIND_RESPONSE, *reference, *command),
            Message::Notification { number, .. } => (KIND_NOTIFICATION, 0, *number),
        };
        let [high, low] = number.to_be_bytes();
        tlv::put(&mut out, 0x81, &[kind, reference, high, low]);
        match self {
            Message::Request { .. } => {}
            Message::Response { status, .. } => {
                let [group, sub, code] = status.detail;
                tlv::put(&mut out, 0x82, &[status.summary, group, sub, code]);
            }
            Message::Notification { detail, .. } => tlv::put(&mut out, 0x82, detail),
        }
        let payload = match self {
            Message::Request { params, .. } => Some(params),
            Message::Response { payload, .. } | Message::Notification { payload, .. } => payload.as_ref(),
        };
        if let Some(payload) = payload {
            let mut value = number.to_be_bytes().to_vec();
            value.extend_from_slice(payload);
            put_payload(&mut out, 0x84, &value);
        }
        out
    }

    /// The message of `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Message, MessageError> {
        if bytes.len() > MAX_MESSAGE {
            return Err(MessageError::TooLong(bytes.len()));
        }
        let rest = bytes.strip_prefix(&HEAD).ok_or(MessageError::NoHead)?;
        let mut four = [None, None];
        let mut payload = None;
        for element in tlv::elements(rest) {
            let element = element?;
            match element.tag {
                0x81 => four[0] = four[0].or(Some(element.value)),
                0x82 => four[1] = four[1].or(Some(element.value)),
                0x84 => payload = payload.or(Some(element.value)),
                _ => {}
            }
        }
        let fixed = |value: Option<&[u8]>, tag| {
            value.and_then(|value| <[u8; 4]>::try_from(value).ok()).ok_or(MessageError::BadTag(tag))
        };
        let [kind, reference, high, low] = fixed(four[0], 0x81)?;
        let number = [high, low];
        let payload = match payload {
            None => None,
            Some(value) => Some(value.strip_prefix(&number).ok_or(MessageError::OtherPayload)?.to_vec()),
        };
        let number = u16::from_be_bytes(number);
        match kind {
            KIND_REQUEST => Ok(Message::Request { reference, command: number, params: payload.unwrap_or_default() }),
            KIND_RESPONSE => {
                let [summary, group, sub, code] = fixed(four[1], 0x82)?;
                let status = Status { summary, detail: [group, sub, code] };
                Ok(Message::Response { reference, command: number, status, payload })
            }
            KIND_NOTIFICATION => Ok(Message::Notification { number, detail: fixed(four[1], 0x82)?, payload }),
            other => Err(MessageError::UnknownKind(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{hex, unhex};
    use proptest::prelude::*;

    /// Pairs of the manual, with what they hold.
    #[test]
    fn the_manuals_examples_go_both_ways() {
        let echo = Message::Request { reference: 1, command: 0xDF01, params: unhex("8103010203") };
        assert_eq!(hex(&echo.encode()), "AA0081040101DF018407DF018103010203");
        let answer = Message::Response {
            reference: 1,
            command: 0xDF01,
            status: Status::DONE,
            payload: Some(unhex("8103010203")),
        };
        let text = "AA0081048201DF018204000000008407DF018103010203";
        assert_eq!(hex(&answer.encode()), text);
        assert_eq!(Message::decode(&unhex(text)), Ok(answer));
        let low = Message::decode(&unhex("AA00810482011001820480020316"));
        let expected = Message::Response { reference: 1, command: 0x1001, status: Status::LOW_BATTERY, payload: None };
        assert_eq!(low, Ok(expected));
        let done = Message::decode(&unhex("AA00810483000105820420000000"));
        assert_eq!(done, Ok(Message::Notification { number: 0x0105, detail: [0x20, 0, 0, 0], payload: None }));
    }

    #[test]
    fn broken_messages_are_errors() {
        for (text, why) in [
            ("", MessageError::NoHead),
            ("AA01", MessageError::NoHead),
            ("AA00", MessageError::BadTag(0x81)),
            ("AA00 81030101DF", MessageError::BadTag(0x81)),
            ("AA00 81048201DF01", MessageError::BadTag(0x82)),
            ("AA00 81040101DF01 8403DF0281", MessageError::OtherPayload),
            ("AA00 81040901DF01", MessageError::UnknownKind(9)),
            ("AA00 81040101DF", MessageError::Tlv(TlvError::Truncated)),
        ] {
            assert_eq!(Message::decode(&unhex(text)), Err(why), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fall(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut message = HEAD.to_vec();
            message.extend(bytes);
            let _ = Message::decode(&message);
        }
    }
}
