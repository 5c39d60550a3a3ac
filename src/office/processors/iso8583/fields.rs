//! How one data element lies on the wire: what it holds and how its length is told, in the notation of ISO 8583:1987
//! clause 4.2 (`n6`, `an12`, `ans..25`, `b...999`, `x+n16`; each dot is one digit of the length).
//!
//! Invariant: no length is believed before it was held against the format's own and against what is there; nothing
//! panics on any bytes. Start at [`Format`].

use std::fmt;
use std::str::FromStr;

/// The highest data element of two bitmaps.
pub const FIELD_MAX: u8 = 128;

/// What a data element holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// `n`: digits.
    Digits,
    /// `a`, `an`, `ans`, `z`: ASCII from space to tilde.
    Text,
    /// `b`: any bytes.
    Binary,
    /// `x+n`: C or D, then digits.
    Signed,
}

/// How long a data element is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Always the same.
    Fixed(usize),
    /// Told by decimal digits in front of it.
    UpTo {
        /// How many digits: 2 for LLVAR, 3 for LLLVAR.
        digits: usize,
        /// The longest.
        max: usize,
    },
}

/// One data element's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// What it holds.
    pub content: Content,
    /// How long it is.
    pub size: Size,
}

/// What is wrong with bytes or values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Fewer bytes than the format needs.
    #[error("{wanted} bytes expected, {left} left")]
    Short {
        /// Needed.
        wanted: usize,
        /// There.
        left: usize,
    },
    /// A length that is no decimal number.
    #[error("the length is no number")]
    Length,
    /// Longer than the format allows, or not as long as it must be.
    #[error("{length} bytes, the format says {format}")]
    Size {
        /// What it is.
        length: usize,
        /// What it may be.
        format: Format,
    },
    /// Bytes that the content cannot hold.
    #[error("the content is not {0}")]
    Content(Format),
    /// The profile has no format for it.
    #[error("the profile does not know this data element")]
    Unknown,
    /// Bytes after the last data element.
    #[error("{0} bytes too many")]
    Trailing(usize),
}

/// A format's notation that nobody can read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no format such as n6, ans..25, b...999 or x+n16")]
pub struct FormatError(String);

impl FormatError {
    /// The same text is never a format.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Format, FormatError> {
        let fail = || FormatError(text.to_owned());
        let at = text.find(|c: char| c == '.' || c.is_ascii_digit()).ok_or_else(fail)?;
        let (name, rest) = text.split_at_checked(at).ok_or_else(fail)?;
        let content = match name {
            "n" => Content::Digits,
            "a" | "an" | "ans" | "z" => Content::Text,
            "b" => Content::Binary,
            "x+n" => Content::Signed,
            _ => return Err(fail()),
        };
        let number = rest.trim_start_matches('.');
        let digits = rest.len() - number.len();
        let length: usize = number.parse().map_err(|_| fail())?;
        let size = match digits {
            0 if (1..=999).contains(&length) => Size::Fixed(length + usize::from(content == Content::Signed)),
            2 if (1..=99).contains(&length) => Size::UpTo { digits, max: length },
            3 if (1..=999).contains(&length) => Size::UpTo { digits, max: length },
            _ => return Err(fail()),
        };
        Ok(Format { content, size })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.content {
            Content::Digits => "n",
            Content::Text => "ans",
            Content::Binary => "b",
            Content::Signed => "x+n",
        };
        match self.size {
            Size::Fixed(length) => write!(f, "{name}{}", length - usize::from(self.content == Content::Signed)),
            Size::UpTo { digits, max } => write!(f, "{name}{}{max}", ".".repeat(digits)),
        }
    }
}

/// Bytes that are read from the front. It never goes beyond their end.
#[derive(Debug)]
pub struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    /// All of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Input<'a> {
        Input { bytes, at: 0 }
    }

    /// How far it was read, bytes.
    pub fn at(&self) -> usize {
        self.at
    }

    /// What was not read yet, bytes.
    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let short = Fault::Short { wanted: count, left: self.left() };
        let end = self.at.checked_add(count).ok_or_else(|| short.clone())?;
        let taken = self.bytes.get(self.at..end).ok_or(short)?;
        self.at = end;
        Ok(taken)
    }
}

impl Format {
    fn holds(self, value: &[u8]) -> Result<(), Fault> {
        let good = match self.content {
            Content::Digits => value.iter().all(u8::is_ascii_digit),
            Content::Text => value.iter().all(|byte| (0x20..=0x7E).contains(byte)),
            Content::Binary => true,
            Content::Signed => matches!(value, [b'C' | b'D', rest @ ..] if rest.iter().all(u8::is_ascii_digit)),
        };
        if good { Ok(()) } else { Err(Fault::Content(self)) }
    }

    /// Reads one value.
    ///
    /// # Errors
    /// Too short, too long, or not what the format holds.
    pub fn decode<'a>(self, input: &mut Input<'a>) -> Result<&'a [u8], Fault> {
        let length = match self.size {
            Size::Fixed(length) => length,
            Size::UpTo { digits, max } => {
                let told = input.take(digits)?;
                if !told.iter().all(u8::is_ascii_digit) {
                    return Err(Fault::Length);
                }
                let length = told.iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
                if length > max {
                    return Err(Fault::Size { length, format: self });
                }
                length
            }
        };
        let value = input.take(length)?;
        self.holds(value)?;
        Ok(value)
    }

    /// Writes one value, which must have the right length already.
    ///
    /// # Errors
    /// A value that the format cannot hold.
    pub fn encode(self, value: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        let wrong = Fault::Size { length: value.len(), format: self };
        match self.size {
            Size::Fixed(length) if value.len() != length => return Err(wrong),
            Size::UpTo { max, .. } if value.len() > max => return Err(wrong),
            Size::Fixed(_) => {}
            Size::UpTo { digits, .. } => out.extend(format!("{:0digits$}", value.len()).bytes()),
        }
        self.holds(value)?;
        out.extend(value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notation_of_the_standard_is_read_and_written() {
        for text in ["n6", "n12", "ans..25", "b8", "b...999", "x+n16", "ans8"] {
            assert_eq!(text.parse::<Format>().unwrap().to_string(), text);
        }
        assert_eq!("x+n16".parse::<Format>().unwrap().size, Size::Fixed(17));
        for bad in
            ["", "n", "6", "q6", "n0", "n.6", "n..100", "n....9", "n6x", "b...1000", "n99999999999999999999", "é6"]
        {
            assert!(bad.parse::<Format>().is_err(), "{bad}");
        }
    }

    fn check(format: &str, bytes: &[u8], expect: Result<&[u8], Fault>) {
        let format: Format = format.parse().unwrap();
        assert_eq!(format.decode(&mut Input::new(bytes)), expect, "{format} {}", bytes.escape_ascii());
    }

    #[test]
    fn a_value_is_taken_only_if_length_and_content_are_right() {
        let format = |text: &str| text.parse::<Format>().unwrap();
        check("n4", b"12345", Ok(b"1234"));
        check("n4", b"123", Err(Fault::Short { wanted: 4, left: 3 }));
        check("n4", b"12 4", Err(Fault::Content(format("n4"))));
        check("ans..9", b"03a bX", Ok(b"a b"));
        check("ans..9", b"00", Ok(b""));
        check("ans..9", b"0", Err(Fault::Short { wanted: 2, left: 1 }));
        check("ans..9", b"10abcdefghij", Err(Fault::Size { length: 10, format: format("ans..9") }));
        check("ans..9", b"-1a", Err(Fault::Length));
        check("ans..9", b" 1a", Err(Fault::Length));
        check("ans..9", b"02a\n", Err(Fault::Content(format("ans..9"))));
        check("b...3", b"002\x00\xFF", Ok(b"\x00\xFF"));
        check("x+n2", b"D12", Ok(b"D12"));
        check("x+n2", b"-12", Err(Fault::Content(format("x+n2"))));
    }
}
