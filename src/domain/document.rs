//! Document numbers: gapless per device, epoch and kind, e.g. `D07-000412`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The longest series label, so that a number fits a narrow receipt.
pub const SERIES_MAX_CHARS: usize = 8;

/// The label of a device's numbers, given by the office; a new epoch gets a new one (`D07`, then `D07B`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Series(String);

/// Why a text is no series or document number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a document number such as D07-000412 (capital letters and digits, a dash, six digits)")]
pub struct DocumentError(pub String);

impl DocumentError {
    /// The same text never becomes a number.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

impl FromStr for Series {
    type Err = DocumentError;

    fn from_str(text: &str) -> Result<Self, DocumentError> {
        let fits = (1..=SERIES_MAX_CHARS).contains(&text.len());
        if fits && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
            Ok(Series(text.to_owned()))
        } else {
            Err(DocumentError(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Series {
    type Error = DocumentError;

    fn try_from(text: String) -> Result<Self, DocumentError> {
        text.parse()
    }
}

impl From<Series> for String {
    fn from(series: Series) -> String {
        series.0
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A number of a series, from 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DocumentNumber {
    /// The device's label.
    pub series: Series,
    /// 1, 2, 3…
    pub number: u32,
}

impl fmt::Display for DocumentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:06}", self.series, self.number)
    }
}

impl FromStr for DocumentNumber {
    type Err = DocumentError;

    fn from_str(text: &str) -> Result<Self, DocumentError> {
        let bad = || DocumentError(text.to_owned());
        let (series, number) = text.split_once('-').ok_or_else(bad)?;
        if number.len() < 6 || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        let number = number.parse().ok().filter(|n| *n > 0).ok_or_else(bad)?;
        Ok(DocumentNumber { series: series.parse()?, number })
    }
}

impl TryFrom<String> for DocumentNumber {
    type Error = DocumentError;

    fn try_from(text: String) -> Result<Self, DocumentError> {
        text.parse()
    }
}

impl From<DocumentNumber> for String {
    fn from(number: DocumentNumber) -> String {
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_and_rubbish_does_not() {
        let number: DocumentNumber = "D07-000412".parse().unwrap();
        assert_eq!((number.to_string().as_str(), number.number), ("D07-000412", 412));
        for text in ["", "D07", "D07-", "d07-000001", "D07-000000", "D07-1", "D07-9999999999", "LONGSERIES-000001"] {
            assert!(text.parse::<DocumentNumber>().is_err(), "{text}");
        }
    }
}
