//! The snapshot: everything that the data path decides by, as plain data of one generation.

use std::ops::Deref;
use std::sync::Arc;

use bailiwick_model::grant::Action;
use bailiwick_model::key::KeyTable;
use bailiwick_model::principal::Caller;
use bailiwick_model::{Generation, Timestamp};

use crate::memory::Memory;
use crate::{Catalogue, Decision, Denial, Grants, People, Rules, Target};

/// What a snapshot consists of. Parts are replaced one by one: a change costs what changed.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The generation of the whole.
    pub generation: Generation,
    /// Whose key is whose.
    pub keys: Arc<KeyTable>,
    /// Principals and groups.
    pub people: Arc<People>,
    /// Servers and toolsets.
    pub catalogue: Arc<Catalogue>,
    /// Who was granted what.
    pub grants: Arc<Grants>,
    /// The policies.
    pub rules: Arc<Rules>,
}

/// [`Parts`] that no longer change, with the decisions already made by them: `snapshot.catalogue` reads a
/// part.
#[derive(Debug)]
pub struct Snapshot {
    // INVARIANT: no mutable access to the parts, since remembered decisions follow from them.
    parts: Parts,
    #[expect(dead_code, reason = "filled in the next change")]
    memory: Memory,
}

impl Deref for Snapshot {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl Snapshot {
    /// A snapshot of these parts, which remembers nothing yet. To follow a change, clone the parts of the
    /// snapshot before (`Parts::clone(&snapshot)`), replace what changed and the generation.
    pub fn new(parts: Parts) -> Self {
        Self { parts, memory: Memory }
    }

    /// Nobody and nothing, under the builtin policies.
    pub fn empty() -> Self {
        Self::new(Parts {
            generation: Generation::default(),
            keys: Arc::default(),
            people: Arc::default(),
            catalogue: Arc::default(),
            grants: Arc::default(),
            rules: Arc::new(Rules::builtin()),
        })
    }

    /// Whether the caller may do this now.
    pub fn decide(&self, _caller: &Caller, action: Action, _on: Target<'_>, _now: Timestamp) -> Decision {
        Decision::Deny(Denial {
            action,
            generation: self.generation,
            rules: Arc::default(),
            explanation: Arc::from(""),
            visible: false,
        })
    }
}
