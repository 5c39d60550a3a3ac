//! The codec: a message type, one or two bitmaps, and the data elements that the bitmaps name, as the profile lays them
//! out (ISO 8583:1987 clause 4).
//!
//! Invariant: no bytes make it panic or allocate more than they are long; what cannot be read is an error that says
//! where. A message's `Debug` shows which elements it has and never what is in them. Start at [`decode`].

use super::fields::{Content, FIELD_MAX, Fault, Format, Input, Size};
use std::collections::BTreeMap;
use std::fmt;

/// Formats by data element; what is not in it is not understood.
pub type Formats = BTreeMap<u8, Format>;

/// How bitmaps lie on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bitmap {
    /// 8 bytes each.
    Binary,
    /// 16 hexadecimal digits each.
    Hex,
}

/// A message type identifier, e.g. 0100: version, class, function, origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mti(pub u16);

impl Mti {
    /// Authorisation request.
    pub const AUTHORISATION: Mti = Mti(100);
    /// Financial request; here refunds.
    pub const FINANCIAL: Mti = Mti(200);
    /// Financial advice: the completion of a dual message.
    pub const COMPLETION: Mti = Mti(220);
    /// Reversal request.
    pub const REVERSAL: Mti = Mti(400);
    /// Reversal advice.
    pub const REVERSAL_ADVICE: Mti = Mti(420);
    /// Acquirer's reconciliation request.
    pub const RECONCILIATION: Mti = Mti(500);
    /// Network management request.
    pub const NETWORK: Mti = Mti(800);

    /// The same message sent again: xxx1.
    pub fn repeated(self) -> Mti {
        Mti(self.0 / 10 * 10 + 1)
    }

    /// Version, class and function, without the origin: 0110 and 0111 are the same kind.
    pub fn kind(self) -> u16 {
        self.0 / 10
    }

    /// The kind of its answer: function + 1.
    pub fn answer_kind(self) -> u16 {
        self.kind() + 1
    }
}

impl fmt::Display for Mti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

/// Where in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The message type.
    Type,
    /// A bitmap.
    Bitmap,
    /// A data element.
    Field(u8),
    /// After the last data element.
    End,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Type => f.write_str("message type"),
            Place::Bitmap => f.write_str("bitmap"),
            Place::Field(field) => write!(f, "data element {field}"),
            Place::End => f.write_str("end"),
        }
    }
}

/// Why bytes are no message, or a message cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}, byte {at}: {fault}")]
pub struct CodecError {
    /// Where.
    pub place: Place,
    /// How far it was read or written, bytes.
    pub at: usize,
    /// What is wrong.
    pub fault: Fault,
}

impl CodecError {
    /// The same bytes are never a message.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

/// One message. Values are as on the wire, without their length: ASCII, or bytes for a binary element.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Its type.
    pub mti: Mti,
    /// Its data elements.
    pub fields: BTreeMap<u8, Vec<u8>>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message {{ {} {:?} }}", self.mti, self.fields.keys().collect::<Vec<_>>())
    }
}

impl Message {
    /// A message without data elements.
    pub fn new(mti: Mti) -> Message {
        Message { mti, fields: BTreeMap::new() }
    }

    /// Puts a value in, or behind the one that is there.
    pub fn append(&mut self, field: u8, value: impl AsRef<[u8]>) {
        self.fields.entry(field).or_default().extend(value.as_ref());
    }

    /// Puts a value in, in place of the one that is there.
    pub fn set(&mut self, field: u8, value: impl Into<Vec<u8>>) {
        self.fields.insert(field, value.into());
    }

    /// A data element as text, without the spaces around it; `None` if it is not there or not ASCII.
    pub fn text(&self, field: u8) -> Option<&str> {
        let value = self.fields.get(&field)?;
        std::str::from_utf8(value).ok().filter(|text| text.is_ascii()).map(|text| text.trim_matches(' '))
    }

    /// A data element as a number.
    pub fn number(&self, field: u8) -> Option<i64> {
        let value = self.fields.get(&field)?;
        let digits = value.iter().all(u8::is_ascii_digit);
        std::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()
    }
}

fn in_place<T>(place: Place, at: usize, done: Result<T, Fault>) -> Result<T, CodecError> {
    done.map_err(|fault| CodecError { place, at, fault })
}

/// Reads one whole message.
///
/// # Errors
/// Anything that is not exactly one message by these formats.
pub fn decode(bytes: &[u8], bitmap: Bitmap, formats: &Formats) -> Result<Message, CodecError> {
    let mut input = Input::new(bytes);
    let digits: Format = Format { content: Content::Digits, size: Size::Fixed(4) };
    let told = in_place(Place::Type, 0, digits.decode(&mut input))?;
    let mti = told.iter().fold(0_u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    let mut message = Message::new(Mti(mti));
    let first = read_bitmap(&mut input, bitmap)?;
    let second = if first >> 63 == 1 { read_bitmap(&mut input, bitmap)? } else { 0 };
    let bits = u128::from(first) << 64 | u128::from(second);
    for field in 2..=FIELD_MAX {
        if bits >> (FIELD_MAX - field) & 1 == 0 {
            continue;
        }
        let at = input.at();
        let format = formats.get(&field).ok_or(Fault::Unknown);
        let value = in_place(Place::Field(field), at, format.and_then(|format| format.decode(&mut input)))?;
        message.fields.insert(field, value.to_vec());
    }
    match input.left() {
        0 => Ok(message),
        left => in_place(Place::End, input.at(), Err(Fault::Trailing(left))),
    }
}

fn read_bitmap(input: &mut Input<'_>, bitmap: Bitmap) -> Result<u64, CodecError> {
    let at = input.at();
    let hex = Format { content: Content::Text, size: Size::Fixed(16) };
    match bitmap {
        Bitmap::Binary => {
            let bytes = in_place(Place::Bitmap, at, input.take(8))?;
            Ok(bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
        }
        Bitmap::Hex => {
            let bytes = in_place(Place::Bitmap, at, hex.decode(input))?;
            let digit = |byte: &u8| char::from(*byte).to_digit(16);
            let bits = bytes.iter().try_fold(0_u64, |sum, byte| Some(sum << 4 | u64::from(digit(byte)?)));
            in_place(Place::Bitmap, at, bits.ok_or(Fault::Content(hex)))
        }
    }
}

/// Writes a message.
///
/// # Errors
/// A value that its format cannot hold, or a data element without one.
pub fn encode(message: &Message, bitmap: Bitmap, formats: &Formats) -> Result<Vec<u8>, CodecError> {
    let mut bits: u128 = 0;
    for field in message.fields.keys() {
        if !(2..=FIELD_MAX).contains(field) {
            return in_place(Place::Field(*field), 0, Err(Fault::Unknown));
        }
        bits |= 1 << (FIELD_MAX - field);
    }
    let two = bits & u128::from(u64::MAX) != 0;
    bits |= u128::from(two) << 127;
    let maps = bits.to_be_bytes();
    let maps = maps.get(..if two { 16 } else { 8 }).unwrap_or(&maps);
    let mut out: Vec<u8> = message.mti.to_string().into_bytes();
    match bitmap {
        Bitmap::Binary => out.extend(maps),
        Bitmap::Hex => out.extend(hex::encode_upper(maps).bytes()),
    }
    for (field, value) in &message.fields {
        let at = out.len();
        let format = formats.get(field).ok_or(Fault::Unknown);
        in_place(Place::Field(*field), at, format.and_then(|format| format.encode(value, &mut out)))?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
