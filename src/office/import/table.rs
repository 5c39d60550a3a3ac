//! CSV bytes to rows of cells under known column names; no meaning yet.

use super::{CELL_MAX_BYTES, ROWS_MAX, RowErrors};

/// The data rows of a file, their cells in the order of the expected columns.
pub(super) struct Table {
    pub(super) columns: &'static [&'static str],
    pub(super) rows: Vec<Record>,
}

/// One data row.
pub(super) struct Record {
    /// As a spreadsheet counts: 1 is the header, empty lines count.
    pub(super) number: usize,
    /// One cell a column.
    pub(super) cells: Vec<String>,
}

/// Reads all rows; what is wrong goes into `errors`, and such rows are left out.
pub(super) fn read(columns: &'static [&'static str], csv: &[u8], errors: &mut RowErrors) -> Table {
    let bytes = csv.strip_prefix(b"\xef\xbb\xbf").unwrap_or(csv);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut table = Table { columns, rows: Vec::new() };
    let mut places: Option<Vec<usize>> = None;
    let mut record = csv::ByteRecord::new();
    let mut number = 0;
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(why) => {
                errors.add_plain(number + 1, "", why.to_string(), "a row of comma-separated values");
                return table;
            }
        }
        number += 1 + empty_lines_before(bytes, record.position());
        let Some(cells) = texts(columns, &record, number, places.as_deref(), errors) else {
            if places.is_none() {
                return table;
            }
            continue;
        };
        let Some(order) = &places else {
            let Some(order) = header(columns, &cells, number, errors) else { return table };
            places = Some(order);
            continue;
        };
        if table.rows.len() == ROWS_MAX {
            errors.add_plain(number, "", format!("more than {ROWS_MAX} rows"), "a smaller file: split this one");
            return table;
        }
        push(&mut table, order, cells, number, errors);
    }
    if places.is_none() {
        errors.add_plain(1, "", "an empty file".to_owned(), expected_header(columns));
    }
    table
}

fn push(table: &mut Table, order: &[usize], cells: Vec<String>, number: usize, errors: &mut RowErrors) {
    if cells.len() != table.columns.len() {
        let expected = format!("{} cells, one a column", table.columns.len());
        errors.add_plain(number, "", format!("{} cells", cells.len()), expected);
        return;
    }
    let mut sorted = vec![String::new(); cells.len()];
    for (cell, place) in cells.into_iter().zip(order) {
        if let Some(slot) = sorted.get_mut(*place) {
            *slot = cell;
        }
    }
    table.rows.push(Record { number, cells: sorted });
}

/// Empty lines are skipped by the reader but counted by every editor.
fn empty_lines_before(bytes: &[u8], position: Option<&csv::Position>) -> usize {
    let start = position.and_then(|p| usize::try_from(p.byte()).ok()).unwrap_or(0);
    let mut rest = bytes.get(start..).unwrap_or_default();
    let mut lines = 0;
    loop {
        rest = match rest {
            [b'\r', b'\n', tail @ ..] | [b'\r' | b'\n', tail @ ..] => tail,
            _ => return lines,
        };
        lines += 1;
    }
}

/// The cells as trimmed text; `None` when one of them is no text or too long.
fn texts(
    columns: &[&str],
    record: &csv::ByteRecord,
    number: usize,
    places: Option<&[usize]>,
    errors: &mut RowErrors,
) -> Option<Vec<String>> {
    let mut cells = Vec::with_capacity(record.len());
    let mut good = true;
    for (index, bytes) in record.iter().enumerate() {
        let column = places.and_then(|p| p.get(index)).and_then(|place| columns.get(*place)).copied().unwrap_or("");
        match std::str::from_utf8(bytes) {
            Ok(text) if text.len() <= CELL_MAX_BYTES => cells.push(text.trim().to_owned()),
            Ok(text) => {
                let found = format!("{} bytes", text.len());
                errors.add_plain(number, column, found, format!("at most {CELL_MAX_BYTES}"));
                good = false;
            }
            Err(_) => {
                let found = String::from_utf8_lossy(bytes);
                errors.add(number, column, &found, "text in UTF-8: save the file as \"CSV UTF-8\"");
                good = false;
            }
        }
    }
    good.then_some(cells)
}

fn expected_header(columns: &[&str]) -> String {
    format!("a header row with {}", columns.join(","))
}

/// Where each cell of a row belongs, by the header's names.
fn header(columns: &[&str], cells: &[String], number: usize, errors: &mut RowErrors) -> Option<Vec<usize>> {
    let before = errors.total;
    let mut order = Vec::with_capacity(cells.len());
    for (index, name) in cells.iter().enumerate() {
        match columns.iter().position(|column| column == name) {
            Some(_) if cells.iter().take(index).any(|earlier| earlier == name) => {
                errors.add_plain(number, name, "the column twice".to_owned(), "each column once");
            }
            Some(place) => order.push(place),
            None => errors.add(number, name, name, format!("only the columns {}", columns.join(","))),
        }
    }
    for column in columns {
        if !cells.iter().any(|cell| cell == column) {
            errors.add_plain(number, column, "no such column".to_owned(), expected_header(columns));
        }
    }
    (errors.total == before).then_some(order)
}
