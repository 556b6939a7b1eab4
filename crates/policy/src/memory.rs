//! Decisions remembered within one generation: a snapshot has its own memory, so a new generation begins
//! with none. Bounded, so that a stranger who asks for many things costs time but no memory.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use bailiwick_model::definition::{Definition, DefinitionKind};
use bailiwick_model::grant::Action;
use bailiwick_model::{PrincipalId, ServerId, Timestamp};
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, UnitWeighter};

use crate::Decision;
use crate::standing::Standing;

/// How many decisions and principals a snapshot remembers.
const DECISIONS: u64 = 65_536;
const PRINCIPALS: u64 = 4_096;

/// What one snapshot remembers.
pub(crate) struct Memory {
    decisions: Cache<Key, Remembered>,
    standings: Cache<PrincipalId, Arc<Standing>>,
}

/// A decision, without what depends on the credential shown.
#[derive(Debug, Clone)]
pub(crate) struct Remembered {
    pub(crate) decision: Decision,
    /// When the first grant of the principal ends: from then on it is to be made anew.
    pub(crate) until: Option<Timestamp>,
}

/// What was decided: borrowed, to look it up without allocating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Question<'a> {
    pub(crate) principal: PrincipalId,
    pub(crate) server: ServerId,
    pub(crate) action: Action,
    /// None for the server as a whole.
    pub(crate) definition: Option<(DefinitionKind, &'a str)>,
}

struct Key {
    principal: PrincipalId,
    server: ServerId,
    action: Action,
    definition: Option<Arc<Definition>>,
}

impl Key {
    fn question(&self) -> Question<'_> {
        Question {
            principal: self.principal,
            server: self.server,
            action: self.action,
            definition: self.definition.as_deref().map(|d| (d.kind, d.key.as_str())),
        }
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.question().hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.question() == other.question()
    }
}

impl Eq for Key {}

impl Equivalent<Key> for Question<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self == key.question()
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            decisions: Cache::with_weighter(1_024, DECISIONS, UnitWeighter),
            standings: Cache::with_weighter(64, PRINCIPALS, UnitWeighter),
        }
    }
}

impl Memory {
    /// The decision on this, if it was made and still holds.
    pub(crate) fn recall(&self, question: &Question<'_>, now: Timestamp) -> Option<Remembered> {
        self.decisions.get(question).filter(|known| known.until.is_none_or(|end| now < end))
    }

    /// Keeps a decision.
    pub(crate) fn keep(
        &self,
        question: &Question<'_>,
        definition: Option<&Arc<Definition>>,
        decision: Remembered,
    ) {
        let key = Key {
            principal: question.principal,
            server: question.server,
            action: question.action,
            definition: definition.cloned(),
        };
        self.decisions.insert(key, decision);
    }

    /// What a principal has, made now if it is not known or no longer holds.
    pub(crate) fn standing(
        &self,
        principal: PrincipalId,
        now: Timestamp,
        make: impl FnOnce() -> Standing,
    ) -> Arc<Standing> {
        let known = self.standings.get(&principal);
        known.filter(|known| known.holds(now)).unwrap_or_else(|| {
            let made = Arc::new(make());
            self.standings.insert(principal, Arc::clone(&made));
            made
        })
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").field("decisions", &self.decisions.len()).finish_non_exhaustive()
    }
}
