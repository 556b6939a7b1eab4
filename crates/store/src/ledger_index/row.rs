//! Reading what the index holds.

use bailiwick_model::{CallId, PrincipalId, ServerId, TeamId};

use super::record::{Ending, IndexPosition, IndexedRecord};
use crate::StoreError;
use crate::sql::{Row, Value};

pub(super) fn position(row: &Row) -> Result<IndexPosition, StoreError> {
    Ok(IndexPosition { next: unsigned(row.integer("next")?), last: row.hash("last")? })
}

pub(super) fn record(row: &Row) -> Result<IndexedRecord, StoreError> {
    Ok(IndexedRecord {
        ledger: row.text("ledger")?,
        index: unsigned(row.integer("idx")?),
        at: row.moment("at")?,
        kind: row.text("kind")?,
        call: bits(row, "call")?.map(CallId::from_bits),
        parent_call: bits(row, "parent_call")?.map(CallId::from_bits),
        principal: bits(row, "principal")?.map(PrincipalId::from_bits),
        issuer: row.optional_text("issuer")?,
        subject: row.optional_text("subject")?,
        team: bits(row, "team")?.map(TeamId::from_bits),
        client: row.optional_text("client")?,
        session: row.optional_text("session")?,
        server: bits(row, "server")?.map(ServerId::from_bits),
        server_name: row.optional_text("server_name")?,
        definition_kind: row.optional_text("definition_kind")?,
        definition_key: row.optional_text("definition_key")?,
        method: row.optional_text("method")?,
        about: row.optional_text("about")?,
        decision: row.optional_text("decision")?,
        reason: row.optional_text("reason")?,
        trace: hexadecimal(row, "trace")?,
        span: hexadecimal(row, "span")?,
        parent_span: hexadecimal(row, "parent_span")?,
        arguments_bytes: row.optional_integer("arguments_bytes")?.map(unsigned),
        ending: ending(row)?,
    })
}

fn ending(row: &Row) -> Result<Option<Ending>, StoreError> {
    let Some(status) = row.optional_text("status")? else { return Ok(None) };
    Ok(Some(Ending {
        index: row.optional_integer("outcome")?.map(unsigned),
        status,
        code: row.optional_integer("code")?,
        result_bytes: row.optional_integer("result_bytes")?.map(unsigned),
        policy_us: row.optional_integer("policy_us")?.map(unsigned),
        upstream_us: row.optional_integer("upstream_us")?.map(unsigned),
        total_us: row.optional_integer("total_us")?.map(unsigned),
    }))
}

fn bits(row: &Row, column: &'static str) -> Result<Option<u128>, StoreError> {
    let Some(bytes) = row.optional_bytes(column)? else { return Ok(None) };
    let bytes: [u8; 16] = bytes.as_slice().try_into().map_err(|e| StoreError::damaged(column, e))?;
    Ok(Some(u128::from_be_bytes(bytes)))
}

fn hexadecimal(row: &Row, column: &'static str) -> Result<Option<String>, StoreError> {
    let bytes = row.optional_bytes(column)?;
    Ok(bytes.map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// The bytes of hexadecimal digits; `None` if they are none.
pub(super) fn digits(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

/// An index or a count, none of which comes near the largest that a database holds.
pub(super) fn number(number: u64) -> Value {
    Value::Integer(Some(i64::try_from(number).unwrap_or(i64::MAX)))
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
