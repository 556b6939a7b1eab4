//! The row of a discovery, without its definitions.

use bailiwick_model::definition::{Definition, Discovery};
use bailiwick_model::{ServerId, Timestamp};

use super::{DiscoveryFailure, DiscoveryState, LastGood};
use crate::StoreError;
use crate::sql::{Row, Statement, Value, sql};

pub(super) fn upsert(
    server: ServerId,
    discovery: &Discovery,
    now: Timestamp,
) -> Result<Statement, StoreError> {
    let statement = sql("INSERT INTO discoveries (server, eras, hello, dropped, discovered_at) \
         VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (server) DO UPDATE SET eras = excluded.eras, hello = excluded.hello, \
         dropped = excluded.dropped, discovered_at = excluded.discovered_at, failed_at = NULL, failure = NULL");
    Ok(statement
        .bind(Value::written(&server))
        .bind(Value::json(&discovery.eras)?)
        .bind(discovery.hello.get())
        .bind(Value::json(&discovery.dropped)?)
        .bind(now))
}

pub(super) fn read(row: &Row, definitions: Vec<Definition>) -> Result<DiscoveryState, StoreError> {
    let last_good = match row.optional_moment("discovered_at")? {
        None => None,
        Some(discovered_at) => {
            let discovery = Discovery {
                eras: row.json("eras")?,
                hello: row.json("hello")?,
                definitions,
                dropped: row.json("dropped")?,
            };
            Some(LastGood { discovery, discovered_at })
        }
    };
    let failure = match row.optional_moment("failed_at")? {
        None => None,
        Some(failed_at) => Some(DiscoveryFailure { failed_at, reason: row.text("failure")? }),
    };
    Ok(DiscoveryState { server: row.parsed("server")?, last_good, failure })
}

/// Whether two discoveries differ in what calls depend on. What was dropped is for administrators only.
pub(super) fn differ(one: &Discovery, other: &Discovery) -> bool {
    one.eras != other.eras
        || one.hello.get() != other.hello.get()
        || one.definitions.len() != other.definitions.len()
        || one.definitions.iter().zip(&other.definitions).any(|(a, b)| definitions_differ(a, b))
}

fn definitions_differ(one: &Definition, other: &Definition) -> bool {
    one.kind != other.kind
        || one.key != other.key
        || one.hash != other.hash
        || one.annotations != other.annotations
        || one.raw.get() != other.raw.get()
}
