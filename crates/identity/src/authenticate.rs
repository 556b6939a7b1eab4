//! From a request's headers to its [`Caller`]: the first step of every request, so it allocates nothing.
//!
//! The key is found by its visible part, and proven by its hash in constant time. A part that nobody has
//! costs the same hash and the same comparison, so answer times do not tell which keys exist.

use std::sync::Arc;

use bailiwick_model::Timestamp;
use bailiwick_model::key::{Audience, KeyEntry, KeyTable};
use bailiwick_model::principal::Caller;
use http::HeaderMap;
use subtle::ConstantTimeEq as _;

use crate::key::KeyText;
use crate::{AuthError, bearer};

/// Who stands behind a request with these headers, at this moment, at a door of this audience.
///
/// # Errors
/// If the headers hold no key, or one that does not open this door now.
pub fn authenticate(
    table: &KeyTable,
    headers: &HeaderMap,
    audience: Audience,
    now: Timestamp,
) -> Result<Caller, AuthError> {
    let text = KeyText::parse(bearer(headers)?).ok_or(AuthError::Malformed)?;
    let entry = prove(table, text)?;
    judge(entry, audience, now)?;
    Ok(Caller { principal: Arc::clone(&entry.principal), key: Some(entry.key), expires_at: entry.expires_at })
}

/// The visible part of the key that the headers show, if they show one: for the record of a refusal.
pub fn shown_prefix(headers: &HeaderMap) -> Option<&str> {
    bearer(headers).ok().and_then(KeyText::parse).map(KeyText::prefix)
}

fn prove<'a>(table: &'a KeyTable, text: KeyText<'_>) -> Result<&'a KeyEntry, AuthError> {
    let hash = text.hash();
    let entry = table.get(text.prefix());
    // No text hashes to zeros as far as anybody knows; the comparison is done for its time alone.
    let expected = entry.map_or(&[0; 32], |entry| &entry.hash);
    let same = bool::from(hash.ct_eq(expected));
    entry.filter(|_| same).ok_or(AuthError::Unknown)
}

fn judge(entry: &KeyEntry, audience: Audience, now: Timestamp) -> Result<(), AuthError> {
    if entry.revoked {
        return Err(AuthError::Revoked);
    }
    if !entry.principal.enabled {
        return Err(AuthError::Disabled);
    }
    if entry.expires_at.is_some_and(|end| end <= now) {
        return Err(AuthError::Expired);
    }
    if entry.audience != audience {
        return Err(AuthError::WrongAudience);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
