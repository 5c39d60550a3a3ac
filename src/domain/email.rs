//! An e-mail address, as narrow as nearly every address is.
//!
//! Invariant: seven bits, no blanks, no control characters, nothing that means something in a message's head; so a text
//! that is one can be put there as it is.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The longest address, bytes (RFC 5321, 4.5.3.1.3).
pub const ADDRESS_BYTES_MAX: usize = 254;
/// The longest part before the @ (RFC 5321, 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;
/// The longest label of a domain (RFC 1035, 2.3.4).
const LABEL_BYTES_MAX: usize = 63;

/// An address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Nothing there.
    #[error("type an e-mail address such as name@example.com")]
    Empty,
    /// Too long.
    #[error("an e-mail address has at most {ADDRESS_BYTES_MAX} characters, {LOCAL_BYTES_MAX} of them before the @")]
    TooLong,
    /// Not exactly one @.
    #[error("an e-mail address has one @ in it, such as name@example.com")]
    At,
    /// A character that does not belong there.
    #[error("an e-mail address cannot have {0:?} in it: type it without")]
    Character(char),
    /// Dots in the wrong place before the @.
    #[error("dots in an e-mail address stand between other characters: check the part before the @")]
    Local,
    /// Not a name of a domain with a dot.
    #[error("the part after the @ is a name such as example.com: check it")]
    Domain,
}

impl EmailError {
    /// The same text never becomes an address.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

impl EmailAddress {
    /// The part after the @.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// As typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EmailAddress {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<EmailAddress, EmailError> {
        let text = text.trim_matches(' ');
        if text.is_empty() {
            return Err(EmailError::Empty);
        }
        // What RFC 5322, 3.2.3 allows in an atom, and the dot and the @ between atoms.
        let known = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.@".contains(c);
        if let Some(strange) = text.chars().find(|c| !known(*c)) {
            return Err(EmailError::Character(strange));
        }
        let (local, domain) = text.split_once('@').ok_or(EmailError::At)?;
        if domain.contains('@') {
            return Err(EmailError::At);
        }
        if text.len() > ADDRESS_BYTES_MAX || local.len() > LOCAL_BYTES_MAX {
            return Err(EmailError::TooLong);
        }
        if local.split('.').any(str::is_empty) {
            return Err(EmailError::Local);
        }
        let label = |label: &str| {
            let inside = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            inside && (1..=LABEL_BYTES_MAX).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
        };
        if !domain.contains('.') || !domain.split('.').all(label) {
            return Err(EmailError::Domain);
        }
        Ok(EmailAddress(text.to_owned()))
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = EmailError;

    fn try_from(text: String) -> Result<EmailAddress, EmailError> {
        let address: EmailAddress = text.parse()?;
        // What is stored has no blanks around it.
        if address.0 == text { Ok(address) } else { Err(EmailError::Character(' ')) }
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> String {
        address.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_and_what_is_none() {
        for text in ["a@b.de", "ada.lovelace+till@mail.example.co.uk", "x_1@1-2.example", " a@b.de ", "o'neil@b.ie"] {
            assert_eq!(text.parse::<EmailAddress>().unwrap().as_str(), text.trim());
        }
        let long = format!("{}@b.de", "x".repeat(65));
        for (text, expect) in [
            ("", EmailError::Empty),
            ("  ", EmailError::Empty),
            ("a.b.de", EmailError::At),
            ("a@b@c.de", EmailError::At),
            ("a@localhost", EmailError::Domain),
            ("a@b..de", EmailError::Domain),
            ("a@-b.de", EmailError::Domain),
            ("@b.de", EmailError::Local),
            (".a@b.de", EmailError::Local),
            ("a..c@b.de", EmailError::Local),
            ("a b@c.de", EmailError::Character(' ')),
            ("a@b.de\r\nBcc: x@y.de", EmailError::Character('\r')),
            ("a@b.de\nx", EmailError::Character('\n')),
            ("<a@b.de>", EmailError::Character('<')),
            ("a@b.de,c@d.de", EmailError::Character(',')),
            ("\"a\"@b.de", EmailError::Character('"')),
            ("jürgen@b.de", EmailError::Character('ü')),
            ("a\0@b.de", EmailError::Character('\0')),
            (&long, EmailError::TooLong),
        ] {
            assert_eq!(text.parse::<EmailAddress>().unwrap_err(), expect, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_address_can_end_a_line_or_begin_another_header(text in ".{0,300}") {
            if let Ok(address) = text.parse::<EmailAddress>() {
                prop_assert!(address.as_str().bytes().all(|b| b.is_ascii_graphic()));
                prop_assert!(!address.as_str().contains(['<', '>', ',', ';', ':', '"', '(', ')', '\\']));
            }
        }
    }
}
