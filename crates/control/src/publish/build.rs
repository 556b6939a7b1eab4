//! The parts of a snapshot from what the store has.

use std::collections::HashMap;
use std::sync::Arc;

use bailiwick_model::key::{Key, KeyEntry, KeyTable};
use bailiwick_policy::{Catalogue, Grants, Parts, People, Rules, Source};
use bailiwick_store::{ReadTx, StoreImage};
use bailiwick_upstream::ServerSpec;

use crate::ControlError;
use crate::listed::every;

/// All parts.
pub(super) fn everything(image: StoreImage, specs: &[ServerSpec]) -> Parts {
    let people =
        People::build(image.principals.into_iter().map(Arc::new), image.groups.into_iter().map(Arc::new));
    let mut known: HashMap<_, _> = image.discoveries.into_iter().map(|state| (state.server, state)).collect();
    let sources = specs.iter().map(|spec| {
        let state = known.remove(&spec.server.id);
        Source {
            server: Arc::clone(&spec.server),
            stale: state.as_ref().is_some_and(bailiwick_store::DiscoveryState::is_stale),
            discovery: state.and_then(|state| state.last_good).map(|good| Arc::new(good.discovery)),
        }
    });
    Parts {
        generation: image.generation,
        keys: Arc::new(keys(image.keys, &people)),
        catalogue: Arc::new(Catalogue::build(sources.collect(), image.toolsets.into_iter().map(Arc::new))),
        grants: Arc::new(Grants::build(image.grants.into_iter().map(Arc::new))),
        people: Arc::new(people),
        rules: Arc::new(Rules::builtin()),
    }
}

/// The key table. A key whose principal is gone opens nothing.
pub(super) fn keys(keys: Vec<Key>, people: &People) -> KeyTable {
    let entry = |key: Key| {
        let principal = Arc::clone(people.principal(key.principal)?);
        let entry = KeyEntry {
            key: key.id,
            hash: key.hash,
            audience: key.audience,
            expires_at: key.expires_at,
            revoked: key.revoked_at.is_some(),
            principal,
        };
        Some((key.prefix.into_boxed_str(), entry))
    };
    keys.into_iter().filter_map(entry).collect()
}

pub(super) async fn read_keys(tx: &mut ReadTx) -> Result<Vec<Key>, ControlError> {
    every!(tx.keys(), key => key.id)
}

pub(super) async fn read_people(tx: &mut ReadTx) -> Result<People, ControlError> {
    let principals = every!(tx.principals(), principal => principal.id)?;
    let groups = every!(tx.groups(), group => group.id)?;
    Ok(People::build(principals.into_iter().map(Arc::new), groups.into_iter().map(Arc::new)))
}

pub(super) async fn read_grants(tx: &mut ReadTx) -> Result<Grants, ControlError> {
    let grants = every!(tx.grants(), grant => grant.id)?;
    Ok(Grants::build(grants.into_iter().map(Arc::new)))
}
