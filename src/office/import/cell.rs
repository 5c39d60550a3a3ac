//! Cells to values. A wrong cell is noted and stands for an empty value: nothing is written once anything is noted.

use super::table::{Record, Table};
use super::{RowErrors, Seen};
use crate::domain::money::{Currency, Money};
use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{OptionalExtension, Transaction};

/// One row while it is being read.
pub(super) struct Cells<'a> {
    columns: &'static [&'static str],
    record: &'a Record,
    errors: &'a mut RowErrors,
}

impl<'a> Cells<'a> {
    pub(super) fn new(table: &Table, record: &'a Record, errors: &'a mut RowErrors) -> Self {
        Self { columns: table.columns, record, errors }
    }

    fn raw(&self, column: &str) -> &'a str {
        let place = self.columns.iter().position(|name| *name == column);
        place.and_then(|place| self.record.cells.get(place)).map_or("", String::as_str)
    }

    /// Notes that a cell is wrong.
    pub(super) fn wrong(&mut self, column: &str, expected: impl Into<String>) {
        self.errors.add(self.record.number, column, self.raw(column), expected);
    }

    /// One line of text, empty or not.
    pub(super) fn line(&mut self, column: &str) -> String {
        let text = self.raw(column);
        if text.chars().any(char::is_control) {
            self.wrong(column, "one line without control characters");
        }
        text.to_owned()
    }

    /// Text that may have line breaks.
    pub(super) fn lines(&mut self, column: &str) -> String {
        let text = self.raw(column).replace("\r\n", "\n");
        if text.chars().any(|c| c.is_control() && c != '\n') {
            self.wrong(column, "text without control characters");
        }
        text
    }

    /// One line of text that must be there.
    pub(super) fn required(&mut self, column: &str) -> String {
        let text = self.line(column);
        if text.is_empty() {
            self.wrong(column, "some text: it must not be empty");
        }
        text
    }

    /// The natural key: there, and not in an earlier row.
    pub(super) fn key(&mut self, column: &str, seen: &mut Seen) -> String {
        let text = self.required(column);
        self.once(column, &text, seen);
        text
    }

    /// Notes a value that an earlier row has.
    pub(super) fn once(&mut self, column: &str, text: &str, seen: &mut Seen) {
        if let Some(first) = seen.again(text, self.record.number) {
            self.wrong(column, format!("a value that no other row has: row {first} has it"));
        }
    }

    /// A date, or nothing.
    pub(super) fn date(&mut self, column: &str) -> String {
        let text = self.raw(column);
        if !text.is_empty() && (text.len() != 10 || text.parse::<Date>().is_err()) {
            self.wrong(column, "a date such as 2025-03-31, or nothing");
        }
        text.to_owned()
    }

    /// A point in time, Unix milliseconds.
    pub(super) fn time_ms(&mut self, column: &str) -> Option<i64> {
        match self.raw(column).parse::<Timestamp>() {
            Ok(time) => Some(time.as_millisecond()),
            Err(_) => {
                self.wrong(column, "a time with its offset (RFC 3339) such as 2025-11-24T10:00:00+01:00");
                None
            }
        }
    }

    /// One of some words.
    pub(super) fn choice(&mut self, column: &str, words: &[&'static str]) -> &'static str {
        let text = self.raw(column);
        match words.iter().find(|word| **word == text) {
            Some(word) => word,
            None => {
                self.wrong(column, format!("one of {}", words.join(", ")));
                ""
            }
        }
    }

    /// A currency.
    pub(super) fn currency(&mut self, column: &str) -> Option<Currency> {
        let parsed = self.raw(column).parse::<Currency>().ok();
        if parsed.is_none() {
            self.wrong(column, "an ISO 4217 code such as EUR");
        }
        parsed
    }

    /// An amount of zero or more, minor units. An unknown currency was told already; euros stand in for it.
    pub(super) fn amount(&mut self, column: &str, currency: Option<Currency>) -> i64 {
        let currency = currency.unwrap_or(Currency::EUR);
        match Money::parse(self.raw(column), currency) {
            Ok(money) if money.minor >= 0 => money.minor,
            Ok(_) | Err(_) => {
                let example = Money::new(1_250, currency).plain();
                self.wrong(column, format!("an amount of {currency}, zero or more, such as {example}"));
                0
            }
        }
    }

    /// The id of what a cell refers to by `external_id`; nothing when the cell is empty.
    pub(super) fn reference(
        &mut self,
        tx: &Transaction<'_>,
        column: &str,
        table: &'static str,
        expected: &str,
    ) -> rusqlite::Result<Option<String>> {
        let key = self.raw(column);
        if key.is_empty() {
            return Ok(None);
        }
        let mut find = tx.prepare_cached(&format!("SELECT id FROM {table} WHERE external_id = ?1"))?;
        let id = find.query_row([key], |row| row.get(0)).optional()?;
        if id.is_none() {
            self.wrong(column, expected);
        }
        Ok(id)
    }

    /// The same for a cell that must not be empty; empty text when it is wrong.
    pub(super) fn required_reference(
        &mut self,
        tx: &Transaction<'_>,
        column: &str,
        table: &'static str,
        expected: &str,
    ) -> rusqlite::Result<String> {
        if self.raw(column).is_empty() {
            self.wrong(column, expected);
        }
        Ok(self.reference(tx, column, table, expected)?.unwrap_or_default())
    }
}
