//! A toolset: a named selection of definitions, served as one MCP endpoint.

use serde::{Deserialize, Serialize};

use crate::definition::DefinitionKind;
use crate::{Name, ServerId, TeamId, Timestamp, ToolsetId};

/// A toolset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toolset {
    /// Its id.
    pub id: ToolsetId,
    /// Its unique name, as in `/toolsets/{name}/mcp`.
    pub name: Name,
    /// The team that owns it.
    pub team: TeamId,
    /// What people read.
    pub description: String,
    /// What it holds.
    pub selections: Vec<Selection>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Definitions of one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// The server.
    pub server: ServerId,
    /// One kind only, or all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<DefinitionKind>,
    /// One definition by its key, or all of the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Selection {
    /// Whether it takes in this definition.
    pub fn covers(&self, server: ServerId, kind: DefinitionKind, key: &str) -> bool {
        self.server == server
            && self.kind.is_none_or(|k| k == kind)
            && self.key.as_deref().is_none_or(|k| k == key)
    }
}
