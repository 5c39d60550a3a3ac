//! One row of master data into its table, by its `external_id`.

use super::Work;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params_from_iter};

/// A table and the columns that its file fills, besides `id` and `external_id`.
pub(super) struct Target {
    pub(super) table: &'static str,
    pub(super) columns: &'static [&'static str],
}

/// What a row was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Added,
    Updated,
    Unchanged,
}

/// What became of a row.
pub(super) struct Upserted {
    pub(super) id: String,
    pub(super) change: Change,
    /// The values before, by the target's columns; empty for a new row.
    pub(super) before: Vec<Value>,
}

/// Adds or updates one row; `values` by the target's columns, `once` only for a new row.
pub(super) fn upsert(
    work: &mut Work<'_>,
    target: &Target,
    external_id: &str,
    values: &[Value],
    once: &[(&str, Value)],
) -> rusqlite::Result<Upserted> {
    debug_assert_eq!(target.columns.len(), values.len(), "{}", target.table);
    let tx = work.tx;
    let select = format!("SELECT id, {} FROM {} WHERE external_id = ?1", target.columns.join(", "), target.table);
    let known = tx
        .prepare_cached(&select)?
        .query_row([external_id], |row| {
            let before = (1..=target.columns.len()).map(|i| row.get::<_, Value>(i)).collect::<Result<Vec<_>, _>>()?;
            Ok((row.get::<_, String>(0)?, before))
        })
        .optional()?;
    let Some((id, before)) = known else {
        let id = (work.new_id)().to_string();
        insert(work, target, &id, external_id, values, once)?;
        return Ok(Upserted { id, change: Change::Added, before: Vec::new() });
    };
    if before == values {
        return Ok(Upserted { id, change: Change::Unchanged, before });
    }
    let sets: Vec<String> = target.columns.iter().enumerate().map(|(i, name)| format!("{name} = ?{}", i + 2)).collect();
    let update = format!("UPDATE {} SET {} WHERE id = ?1", target.table, sets.join(", "));
    let all = std::iter::once(Value::Text(id.clone())).chain(values.iter().cloned());
    tx.prepare_cached(&update)?.execute(params_from_iter(all))?;
    Ok(Upserted { id, change: Change::Updated, before })
}

fn insert(
    work: &Work<'_>,
    target: &Target,
    id: &str,
    external_id: &str,
    values: &[Value],
    once: &[(&str, Value)],
) -> rusqlite::Result<()> {
    let mut names = vec!["id", "external_id"];
    names.extend(target.columns);
    names.extend(once.iter().map(|(name, _)| *name));
    let marks: Vec<String> = (1..=names.len()).map(|i| format!("?{i}")).collect();
    let sql = format!("INSERT INTO {} ({}) VALUES ({})", target.table, names.join(", "), marks.join(", "));
    let all = [Value::Text(id.to_owned()), Value::Text(external_id.to_owned())]
        .into_iter()
        .chain(values.iter().cloned())
        .chain(once.iter().map(|(_, value)| value.clone()));
    work.tx.prepare_cached(&sql)?.execute(params_from_iter(all))?;
    Ok(())
}

/// Text as a database value.
pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
