//! Numbers of Z reports: gapless per device and epoch, e.g. `D07-Z0001`.

use crate::domain::document::{DocumentError, Series};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A Z report's number, from 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ZNumber {
    /// The epoch's label.
    pub series: Series,
    /// 1, 2, 3…
    pub number: u32,
}

impl fmt::Display for ZNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-Z{:04}", self.series, self.number)
    }
}

impl FromStr for ZNumber {
    type Err = DocumentError;

    fn from_str(text: &str) -> Result<Self, DocumentError> {
        let bad = || DocumentError(text.to_owned());
        let (series, number) = text.split_once("-Z").ok_or_else(bad)?;
        if number.len() < 4 || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        let number = number.parse().ok().filter(|n| *n > 0).ok_or_else(bad)?;
        Ok(ZNumber { series: series.parse()?, number })
    }
}

impl TryFrom<String> for ZNumber {
    type Error = DocumentError;

    fn try_from(text: String) -> Result<Self, DocumentError> {
        text.parse()
    }
}

impl From<ZNumber> for String {
    fn from(number: ZNumber) -> String {
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_and_rubbish_does_not() {
        let number: ZNumber = "D07-Z0012".parse().unwrap();
        assert_eq!((number.to_string().as_str(), number.number), ("D07-Z0012", 12));
        for text in ["", "D07", "D07-Z", "D07-0012", "d07-Z0012", "D07-Z0000", "D07-Z12", "D07-Z99999999999"] {
            assert!(text.parse::<ZNumber>().is_err(), "{text}");
        }
    }
}
