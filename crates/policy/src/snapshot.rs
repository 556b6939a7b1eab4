//! The snapshot: everything that the data path decides by, as plain data of one generation.

use std::ops::Deref;
use std::sync::Arc;

use bailiwick_model::definition::DefinitionKind;
use bailiwick_model::grant::Action;
use bailiwick_model::key::KeyTable;
use bailiwick_model::principal::Caller;
use bailiwick_model::{Generation, PrincipalId, Timestamp};

use crate::explain::{Refusal, nothing};
use crate::grants::earlier;
use crate::judge::{Case, Thing};
use crate::memory::{Memory, Question, Remembered};
use crate::standing::Standing;
use crate::{Catalogue, CatalogueServer, Decision, Denial, Grants, People, Rules, Target};

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
        Self { parts, memory: Memory::default() }
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
    ///
    /// What is asked about is looked up in this snapshot's own catalogue, so a server or definition that a
    /// caller kept from an older snapshot is judged as it is now, and denied if it is gone.
    pub fn decide(&self, caller: &Caller, action: Action, on: Target<'_>, now: Timestamp) -> Decision {
        if caller.expires_at.is_some_and(|end| end <= now) {
            return self.refuse(Refusal::CredentialEnded, action);
        }
        let mut decision = self.decide_for(caller.principal.id, action, on, now);
        if let Decision::Allow(permit) = &mut decision {
            permit.valid_until = earlier(permit.valid_until, caller.expires_at);
        }
        decision
    }

    fn decide_for(&self, principal: PrincipalId, action: Action, on: Target<'_>, now: Timestamp) -> Decision {
        let (server, definition) = match on {
            Target::Server(server) => (server, None),
            Target::Definition(server, definition) => {
                (server, Some((definition.kind, definition.key.as_str())))
            }
            // A URI that is listed is judged as the resource that it is.
            Target::Uri(server, uri) => match server.definition(DefinitionKind::Resource, uri) {
                Some(_) => (server, Some((DefinitionKind::Resource, uri))),
                None => return self.decide_uri(principal, action, (server, uri), now),
            },
        };
        let question = Question { principal, server: server.server.id, action, definition };
        match self.memory.recall(&question, now) {
            Some(known) => known.decision,
            None => self.decide_anew(&question, now),
        }
    }

    fn decide_anew(&self, question: &Question<'_>, now: Timestamp) -> Decision {
        let Some(standing) = self.standing(question.principal, now) else {
            return self.refuse(Refusal::Stranger, question.action);
        };
        let Some(server) = self.catalogue.server_by_id(question.server) else {
            return self.refuse(Refusal::Absent, question.action);
        };
        let (thing, definition) = match question.definition {
            None => (Thing::Server, None),
            Some((kind, key)) => match server.definition(kind, key) {
                Some(definition) => (Thing::Definition(definition), Some(definition)),
                None => return self.refuse(Refusal::Absent, question.action),
            },
        };
        let case = Case { parts: &self.parts, standing: &standing, server, thing, action: question.action };
        let decision = case.decide(|| {
            let list = Question { action: Action::List, ..*question };
            self.memory
                .recall(&list, now)
                .map_or_else(|| self.decide_anew(&list, now), |r| r.decision)
                .is_allow()
        });
        let remembered = Remembered { decision: decision.clone(), until: standing.valid_until() };
        self.memory.keep(question, definition, remembered);
        decision
    }

    // Not remembered: a caller could think of any number of URIs.
    fn decide_uri(
        &self,
        principal: PrincipalId,
        action: Action,
        (server, uri): (&CatalogueServer, &str),
        now: Timestamp,
    ) -> Decision {
        let Some(standing) = self.standing(principal, now) else {
            return self.refuse(Refusal::Stranger, action);
        };
        let Some(server) = self.catalogue.server_by_id(server.server.id) else {
            return self.refuse(Refusal::Absent, action);
        };
        let case = Case { parts: &self.parts, standing: &standing, server, thing: Thing::Uri(uri), action };
        case.decide(|| false)
    }

    fn standing(&self, principal: PrincipalId, now: Timestamp) -> Option<Arc<Standing>> {
        let known = self.people.principal(principal)?;
        Some(self.memory.standing(principal, now, || Standing::of(known, &self.parts, now)))
    }

    fn refuse(&self, refusal: Refusal, action: Action) -> Decision {
        Decision::Deny(Denial {
            action,
            generation: self.generation,
            policy: self.rules.hash(),
            rules: refusal.into_rules(),
            explanation: nothing(),
            visible: false,
        })
    }
}

#[cfg(test)]
mod tests;
