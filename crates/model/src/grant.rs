//! A grant: who may do what with which part of the catalogue, and until when.

use serde::{Deserialize, Serialize};

use crate::definition::DefinitionKind;
use crate::{GrantId, GroupId, PrincipalId, ServerId, Timestamp, ToolsetId};

/// A grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// Who has it.
    pub grantee: Grantee,
    /// On what.
    pub scope: Scope,
    /// To do what.
    pub actions: Vec<Action>,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Who has a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Grantee {
    /// One principal.
    Principal(PrincipalId),
    /// Everyone in a group.
    Group(GroupId),
}

/// On what a grant is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    /// Everything that a server offers, now and later, and URIs that it serves without listing them.
    Server {
        /// The server.
        server: ServerId,
    },
    /// Everything that a toolset selects, now and later.
    Toolset {
        /// The toolset.
        toolset: ToolsetId,
    },
    /// One definition.
    Definition {
        /// Its server.
        server: ServerId,
        /// Its kind.
        kind: DefinitionKind,
        /// Its key at the server.
        key: String,
    },
}

/// What can be done with a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// See it in a list; on a server: open a session with it.
    List,
    /// `tools/call`.
    Call,
    /// `resources/read` and subscriptions.
    Read,
    /// `prompts/get`.
    Get,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 4] = [Self::List, Self::Call, Self::Read, Self::Get];

    /// The word for it in Cedar, records and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Call => "call",
            Self::Read => "read",
            Self::Get => "get",
        }
    }
}
