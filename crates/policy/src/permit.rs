//! Proof of an allow. The code that forwards to a server demands one, so nothing reaches a server that was
//! not decided here.

use std::sync::Arc;

use bailiwick_model::definition::{Definition, DefinitionHash, DefinitionKind};
use bailiwick_model::grant::Action;
use bailiwick_model::record::{PolicyHash, Subject, Why};
use bailiwick_model::server::Server;
use bailiwick_model::{Generation, PrincipalId, ServerId, Timestamp};

/// An allow: who, what, which rules, under which generation, until when. Cheap to clone.
///
/// ```compile_fail
/// # fn forge(permit: bailiwick_policy::Permit) -> bailiwick_policy::Permit {
/// bailiwick_policy::Permit { ..permit }
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Permit {
    // INVARIANT: made only by an allow within this crate.
    pub(crate) allowed: Arc<Allowed>,
    pub(crate) valid_until: Option<Timestamp>,
}

/// What a permit shares between its clones.
#[derive(Debug)]
pub(crate) struct Allowed {
    pub(crate) principal: PrincipalId,
    pub(crate) server: Arc<Server>,
    pub(crate) subject: PermitSubject,
    pub(crate) action: Action,
    pub(crate) generation: Generation,
    pub(crate) policy: PolicyHash,
    pub(crate) rules: Arc<[Box<str>]>,
}

/// What a permit is for, within its server.
#[derive(Debug)]
pub(crate) enum PermitSubject {
    Server,
    Definition(Arc<Definition>),
    Uri(Box<str>),
}

impl Permit {
    /// Who was allowed.
    pub fn principal(&self) -> PrincipalId {
        self.allowed.principal
    }

    /// The server that may be spoken to; no other.
    pub fn server(&self) -> ServerId {
        self.allowed.server.id
    }

    /// The server as it was registered when this was decided.
    pub fn registered(&self) -> &Arc<Server> {
        &self.allowed.server
    }

    /// The server's name when this was decided.
    pub fn server_name(&self) -> &str {
        self.allowed.server.name.as_str()
    }

    /// The kind of the definition; none if the permit is for the server as a whole. An unlisted URI counts
    /// as a resource.
    pub fn kind(&self) -> Option<DefinitionKind> {
        match &self.allowed.subject {
            PermitSubject::Server => None,
            PermitSubject::Definition(definition) => Some(definition.kind),
            PermitSubject::Uri(_) => Some(DefinitionKind::Resource),
        }
    }

    /// The key of the definition, or the unlisted URI; none if the permit is for the server as a whole.
    pub fn key(&self) -> Option<&str> {
        match &self.allowed.subject {
            PermitSubject::Server => None,
            PermitSubject::Definition(definition) => Some(&definition.key),
            PermitSubject::Uri(uri) => Some(uri),
        }
    }

    /// The hash of the definition, if the permit is for one.
    pub fn hash(&self) -> Option<DefinitionHash> {
        match &self.allowed.subject {
            PermitSubject::Definition(definition) => Some(definition.hash),
            PermitSubject::Server | PermitSubject::Uri(_) => None,
        }
    }

    /// What was allowed.
    pub fn action(&self) -> Action {
        self.allowed.action
    }

    /// The generation under which it was decided.
    pub fn generation(&self) -> Generation {
        self.allowed.generation
    }

    /// The ids of the policies and then of the grants that decided.
    pub fn rules(&self) -> &Arc<[Box<str>]> {
        &self.allowed.rules
    }

    /// When a grant that decided or the caller's credential ends: from then on it has to be decided anew.
    pub fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }

    /// What a record says of what the call is about.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            server: self.server(),
            name: self.server_name(),
            kind: self.kind(),
            key: self.key(),
            hash: self.hash(),
        }
    }

    /// What a record says of why.
    pub fn why(&self) -> Why<'_> {
        Why {
            action: self.action(),
            generation: self.generation(),
            policy: self.allowed.policy,
            rules: self.rules(),
        }
    }
}

/// Leave to ask a server what it offers, on the gateway's own behalf. There is no caller, and nothing can
/// turn it into a [`Permit`]: no caller's request is forwarded with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiscoveryPermit {
    server: ServerId,
}

impl DiscoveryPermit {
    /// Leave to discover this server; none if it is disabled, since a disabled server is not contacted.
    pub fn for_server(server: &Server) -> Option<Self> {
        server.enabled.then_some(Self { server: server.id })
    }

    /// The server that may be asked; no other.
    pub fn server(&self) -> ServerId {
        self.server
    }
}
