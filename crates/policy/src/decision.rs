//! What can be asked and what is answered.

use std::sync::Arc;

use bailiwick_model::Generation;
use bailiwick_model::definition::Definition;
use bailiwick_model::grant::Action;
use bailiwick_model::record::{PolicyHash, Why};

use crate::{CatalogueServer, Permit};

/// What an action is on. Servers and definitions are those of the snapshot that is asked.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// A server as a whole. Only [`Action::List`] can be allowed on it: to open a session with it.
    Server(&'a Arc<CatalogueServer>),
    /// One definition.
    Definition(&'a Arc<CatalogueServer>, &'a Arc<Definition>),
    /// A URI that no listed resource and no template covers. Only a grant on the whole server allows it.
    Uri(&'a Arc<CatalogueServer>, &'a str),
}

/// The answer.
#[derive(Debug, Clone)]
pub enum Decision {
    /// Yes.
    Allow(Permit),
    /// No.
    Deny(Denial),
}

impl Decision {
    /// The permit of an allow.
    pub fn permit(self) -> Option<Permit> {
        match self {
            Self::Allow(permit) => Some(permit),
            Self::Deny(_) => None,
        }
    }

    /// Whether it is an allow.
    pub fn is_allow(&self) -> bool {
        matches!(self, Self::Allow(_))
    }
}

/// A no. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// What was refused.
    pub action: Action,
    /// The generation under which it was decided.
    pub generation: Generation,
    /// The policies by which it was decided.
    pub policy: PolicyHash,
    /// The ids of the policies that decided, or what decided before them: `default-deny` (no policy permits
    /// it), `credential-ended`, `unknown-principal`, `no-such-thing`, `no-such-action`, `undecidable`.
    pub rules: Arc<[Box<str>]>,
    /// For a caller who may see the thing: which rule, what was missing and how to ask for it.
    pub explanation: Arc<str>,
    /// The caller may see the thing in a list. If not, the answer is exactly the one for a thing that does
    /// not exist, and `explanation` says no more than that.
    pub visible: bool,
}

impl Denial {
    /// What a record says of why.
    pub fn why(&self) -> Why<'_> {
        Why { action: self.action, generation: self.generation, policy: self.policy, rules: &self.rules }
    }
}
