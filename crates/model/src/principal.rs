//! Who calls: users and agents, their groups, their roles, their team.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{GroupId, KeyId, Name, PrincipalId, TeamId, Timestamp};

/// A team: the boundary of ownership and visibility.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Its unique name.
    pub name: Name,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A user or an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Its id.
    pub id: PrincipalId,
    /// Person or workload.
    pub kind: PrincipalKind,
    /// Who vouches for the subject: an issuer's URL, or `bailiwick` for those made here.
    pub issuer: String,
    /// The name at the issuer; unique with it.
    pub subject: String,
    /// What people read.
    pub display_name: String,
    /// The team it belongs to.
    pub team: TeamId,
    /// What it may do on the admin API.
    pub role: Role,
    /// Off: every credential of it is refused.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The issuer of principals that were made here and not by an identity provider.
pub const LOCAL_ISSUER: &str = "bailiwick";

/// Person or workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// A person.
    User,
    /// A workload with its own identity.
    Agent,
}

impl PrincipalKind {
    /// The word for it in records and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Agent => "agent",
        }
    }
}

/// What a principal may do on the admin API. On MCP endpoints only grants count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Nothing there.
    #[default]
    Member,
    /// Reads everything, the ledger included; changes nothing.
    Auditor,
    /// Everything.
    Admin,
}

impl Role {
    /// All roles, weakest first.
    pub const ALL: [Self; 3] = [Self::Member, Self::Auditor, Self::Admin];

    /// The word for it in records and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }
}

/// A group of principals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Its unique name.
    pub name: Name,
    /// Who is in it.
    pub members: Vec<PrincipalId>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Who stands behind one request, derived anew from its credential.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The principal.
    pub principal: Arc<Principal>,
    /// The key that was shown.
    pub key: Option<KeyId>,
    /// When the credential ends by itself: no decision and no stream outlives it.
    pub expires_at: Option<Timestamp>,
}
