//! Writing a batch: its records, the endings of records before it, their words and the position, in one transaction.

use super::LedgerIndex;
use super::dialect::Dialect;
use super::record::{Ending, IndexBatch, IndexPosition, IndexedRecord, NewEnding, NewRecord};
use super::row::{digits, number};
use crate::StoreError;
use crate::pools::Connection;
use crate::sql::{Row, Value, sql, sql_of};

/// Longest text in a column, in bytes: PostgreSQL's indexes take 2,700. Filters are cut alike.
const TEXT: usize = 1_024;

/// Rows of one statement, in the sizes that statements come in: each size is prepared once and kept.
const SIZES: [usize; 4] = [256, 32, 4, 1];

const COLUMNS: &str = "idx, node, at, kind, notable, call, parent_call, principal, issuer, subject, team, client, \
     session, server, server_name, definition_kind, definition_key, method, about, decision, reason, trace, span, \
     parent_span, arguments_bytes, outcome, status, code, result_bytes, policy_us, upstream_us, total_us";

/// The columns of an ending, which an outcome brings later than the rest of the row.
const ENDING: [&str; 8] =
    ["notable", "outcome", "status", "code", "result_bytes", "policy_us", "upstream_us", "total_us"];

impl LedgerIndex {
    /// Writes a batch of consecutive records of a ledger, and that it is indexed up to `position`. Writing it again
    /// changes nothing.
    ///
    /// # Errors
    /// If it cannot be written; then nothing of it is.
    pub async fn write(
        &self,
        ledger: &str,
        batch: &IndexBatch,
        position: &IndexPosition,
    ) -> Result<(), StoreError> {
        let mut connection = self.begin().await?;
        self.checked(write(&mut connection, ledger, batch, position).await)?;
        self.checked(connection.commit().await)
    }
}

async fn write(
    on: &mut Connection,
    ledger: &str,
    batch: &IndexBatch,
    position: &IndexPosition,
) -> Result<(), StoreError> {
    let node = node(on, ledger, position).await?;
    insert_records(on, node, &batch.records).await?;
    insert_words(on, node, &batch.records).await?;
    complete(on, node, &batch.endings).await?;
    add_words(on, node, &batch.endings).await
}

/// The ledger's number, after its position is noted.
async fn node(on: &mut Connection, ledger: &str, position: &IndexPosition) -> Result<i64, StoreError> {
    let upsert = sql("INSERT INTO indexed_ledgers (node, name, next, last) \
         SELECT COALESCE(MAX(node), 0) + 1, $1, $2, $3 FROM indexed_ledgers WHERE TRUE \
         ON CONFLICT (name) DO UPDATE SET next = excluded.next, last = excluded.last RETURNING node");
    let upsert = upsert.bind(ledger).bind(number(position.next)).bind(position.last.as_slice());
    let rows = upsert.all(on).await?;
    rows.first().map_or(Ok(1), |row: &Row| row.integer("node"))
}

async fn insert_records(on: &mut Connection, node: i64, records: &[NewRecord]) -> Result<(), StoreError> {
    // What was there keeps its ending unless this brings one: a batch may be written again.
    let kept = ENDING[1..].iter().map(|c| format!("{c} = COALESCE(excluded.{c}, indexed_records.{c})"));
    let kept: Vec<String> = kept.collect();
    let conflict = format!(
        " ON CONFLICT {} DO UPDATE SET {}, notable = CASE WHEN excluded.status IS NULL \
         THEN indexed_records.notable ELSE excluded.notable END",
        Dialect::of(on).key(),
        kept.join(", ")
    );
    for some in in_sizes(records) {
        let insert = sql_of(format!("INSERT INTO indexed_records ({COLUMNS}) VALUES"));
        let rows = some.iter().map(|new| values(node, &new.record));
        insert.many_rows(on, rows).then(&conflict).execute(on).await?;
    }
    Ok(())
}

fn values(node: i64, record: &IndexedRecord) -> Vec<Value> {
    let ending = record.ending.as_ref();
    let mut values = vec![
        number(record.index),
        node.into(),
        record.at.into(),
        storable(&record.kind).into(),
        i64::from(is_notable(record)).into(),
        record.call.map(|id| id.to_bits().to_be_bytes().to_vec()).into(),
        record.parent_call.map(|id| id.to_bits().to_be_bytes().to_vec()).into(),
        record.principal.map(|id| id.to_bits().to_be_bytes().to_vec()).into(),
        text(record.issuer.as_ref()),
        text(record.subject.as_ref()),
        record.team.map(|id| id.to_bits().to_be_bytes().to_vec()).into(),
        text(record.client.as_ref()),
        text(record.session.as_ref()),
        record.server.map(|id| id.to_bits().to_be_bytes().to_vec()).into(),
        text(record.server_name.as_ref()),
        text(record.definition_kind.as_ref()),
        text(record.definition_key.as_ref()),
        text(record.method.as_ref()),
        text(record.about.as_ref()),
        text(record.decision.as_ref()),
        text(record.reason.as_ref()),
        record.trace.as_deref().and_then(digits).into(),
        record.span.as_deref().and_then(digits).into(),
        record.parent_span.as_deref().and_then(digits).into(),
        optional(record.arguments_bytes),
    ];
    values.extend(ending_values(ending));
    values
}

fn ending_values(ending: Option<&Ending>) -> [Value; 7] {
    [
        optional(ending.and_then(|ending| ending.index)),
        text(ending.map(|ending| &ending.status)),
        ending.and_then(|ending| ending.code).into(),
        optional(ending.and_then(|ending| ending.result_bytes)),
        optional(ending.and_then(|ending| ending.policy_us)),
        optional(ending.and_then(|ending| ending.upstream_us)),
        optional(ending.and_then(|ending| ending.total_us)),
    ]
}

/// What is looked for: everything but calls and local answers that are under way or ended well.
fn is_notable(record: &IndexedRecord) -> bool {
    let ended_well = record.ending.as_ref().is_none_or(|ending| ending.status == "ok");
    !matches!(record.kind.as_str(), "intent" | "local") || !ended_well
}

async fn insert_words(on: &mut Connection, node: i64, records: &[NewRecord]) -> Result<(), StoreError> {
    let mut all = Vec::new();
    for NewRecord { record, words, ending_words } in records {
        for (part, words) in [(0, words), (1, ending_words)] {
            if !words.is_empty() {
                all.push((record, part, words.as_str()));
            }
        }
    }
    let dialect = Dialect::of(on);
    for some in in_sizes(&all) {
        let insert = match dialect {
            Dialect::Sqlite => {
                let rows = some.iter().map(|(record, part, words)| {
                    vec![number(record.index.saturating_mul(2).saturating_add(*part)), (*words).into()]
                });
                sql("INSERT OR REPLACE INTO indexed_words (rowid, words) VALUES").many_rows(on, rows)
            }
            Dialect::Postgres => {
                let rows = some.iter().map(|(record, part, words)| {
                    let (index, at) = (number(record.index), record.at.into());
                    vec![node.into(), index, number(*part), at, (*words).into()]
                });
                sql_of(format!(
                    "{INTO_WORDS} SELECT v.column1, v.column2, v.column3, v.column4, {VECTOR} FROM (VALUES"
                ))
                .many_rows(on, rows)
                .then(ONCE)
            }
        };
        insert.execute(on).await?;
    }
    Ok(())
}

const INTO_WORDS: &str = "INSERT INTO indexed_words (node, idx, part, at, words)";
const VECTOR: &str = "array_to_tsvector(string_to_array(v.column5, ' '))";
const ONCE: &str = ") AS v ON CONFLICT (node, idx, part) DO NOTHING";

async fn complete(on: &mut Connection, node: i64, endings: &[NewEnding]) -> Result<(), StoreError> {
    let set: Vec<String> =
        ENDING.iter().enumerate().map(|(at, column)| format!("{column} = v.column{}", at + 2)).collect();
    for some in in_sizes(endings) {
        let update = sql_of(format!("UPDATE indexed_records SET {} FROM (VALUES", set.join(", ")));
        let rows = some.iter().map(|new| {
            let notable = i64::from(new.ending.status != "ok");
            let mut row = vec![Value::from(new.call.to_bits().to_be_bytes().as_slice()), notable.into()];
            row.extend(ending_values(Some(&new.ending)));
            row
        });
        let update = update.many_rows(on, rows).then(&format!(
            ") AS v WHERE indexed_records.call = v.column1 AND indexed_records.kind = 'intent' \
             AND indexed_records.node = {node}"
        ));
        update.execute(on).await?;
    }
    Ok(())
}

/// Adds the words of outcomes to the rows that they complete, of which only the calls are known here.
async fn add_words(on: &mut Connection, node: i64, endings: &[NewEnding]) -> Result<(), StoreError> {
    let with_words: Vec<&NewEnding> = endings.iter().filter(|new| !new.words.is_empty()).collect();
    let of_call = format!(
        ") AS v JOIN indexed_records r ON r.call = v.column1 AND r.kind = 'intent' AND r.node = {node}"
    );
    let dialect = Dialect::of(on);
    for some in in_sizes(&with_words) {
        let head = match dialect {
            Dialect::Sqlite => "INSERT OR REPLACE INTO indexed_words (rowid, words) \
                 SELECT 2 * r.idx + 1, v.column2 FROM (VALUES"
                .to_owned(),
            Dialect::Postgres => format!(
                "{INTO_WORDS} SELECT r.node, r.idx, 1, r.at, array_to_tsvector(string_to_array(v.column2, ' ')) \
                 FROM (VALUES"
            ),
        };
        let rows = some.iter().map(|new| {
            vec![Value::from(new.call.to_bits().to_be_bytes().as_slice()), new.words.as_str().into()]
        });
        let insert = sql_of(head).many_rows(on, rows).then(&of_call);
        let insert = match dialect {
            Dialect::Sqlite => insert,
            Dialect::Postgres => insert.then(" ON CONFLICT (node, idx, part) DO NOTHING"),
        };
        insert.execute(on).await?;
    }
    Ok(())
}

/// All of a slice, in pieces of the [`SIZES`].
fn in_sizes<T>(mut rest: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= rest.len())?;
        let (some, others) = rest.split_at(size);
        rest = others;
        Some(some)
    })
}

fn text(text: Option<&String>) -> Value {
    text.map(|text| storable(text)).into()
}

fn optional(number: Option<u64>) -> Value {
    number.map(|number| i64::try_from(number).unwrap_or(i64::MAX)).into()
}

/// A text as the index can hold it: a record that came into the ledger must never be the end of the index.
pub(super) fn storable(text: &str) -> String {
    let cut = text.floor_char_boundary(TEXT);
    text.get(..cut).unwrap_or_default().replace('\0', "\u{fffd}")
}
