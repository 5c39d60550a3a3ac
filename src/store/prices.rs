//! The price book: searching as the technician types.

use super::{Store, StoreError};
use crate::domain::price::PriceItem;
use crate::facts::parse;

/// Hits in one answer at the most.
pub const SEARCH_MAX: usize = 50;

impl Store {
    /// Entries whose code or name has every word of `query`; those that begin with it first.
    pub fn search_prices(&self, query: &str) -> Result<Vec<PriceItem>, StoreError> {
        let query = query.trim().to_lowercase();
        let words: Vec<String> = query.split_whitespace().take(6).map(|word| format!("%{}%", escape(word))).collect();
        let filter = vec!["search LIKE ? ESCAPE '\\'"; words.len().max(1)].join(" AND ");
        let sql = format!(
            "SELECT record FROM feed_price WHERE {filter}
             ORDER BY instr(search, ?) = 0, instr(search, ?), search LIMIT {SEARCH_MAX}"
        );
        let mut values = if words.is_empty() { vec!["%".to_owned()] } else { words };
        let first = query.split_whitespace().next().unwrap_or("").to_owned();
        values.extend([first.clone(), first]);
        let mut statement = self.read().prepare_cached(&sql)?;
        let texts = statement.query_map(rusqlite::params_from_iter(values), |r| r.get::<_, String>(0))?;
        texts.map(|text| Ok(parse(&text?)?)).collect()
    }
}

fn escape(word: &str) -> String {
    let mut escaped = String::new();
    for letter in word.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}
