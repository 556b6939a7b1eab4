//! Toolsets in requests and answers.

use bailiwick_control::{ToolsetDetail, WantedSelection};
use bailiwick_model::definition::DefinitionKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A toolset to make.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddToolset {
    /// Its name, as in `/toolsets/{name}/mcp`.
    pub name: String,
    /// The team that shall own it, by id or name; the caller's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// What people read.
    #[serde(default)]
    pub description: String,
    /// What it shall hold.
    #[serde(default)]
    pub selections: Vec<SelectionText>,
}

/// What shall be different of a toolset; what is absent stays.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateToolset {
    /// What people read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it shall hold, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selections: Option<Vec<SelectionText>>,
}

/// Definitions of one server.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SelectionText {
    /// The server, by id or name.
    pub server: String,
    /// `tool`, `prompt`, `resource` or `resource_template`; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub kind: Option<DefinitionKind>,
    /// One definition by its key; all of the kind if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl From<SelectionText> for WantedSelection {
    fn from(from: SelectionText) -> Self {
        Self { server: from.server, kind: from.kind, key: from.key }
    }
}

/// A toolset.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ToolsetView {
    /// Its id.
    pub id: String,
    /// Its name, as in `/toolsets/{name}/mcp`.
    pub name: String,
    /// The name of the team that owns it.
    pub team: String,
    /// What people read.
    pub description: String,
    /// What it holds; servers by name.
    pub selections: Vec<SelectionText>,
    /// When it was made.
    pub created_at: String,
}

impl From<ToolsetDetail> for ToolsetView {
    fn from(from: ToolsetDetail) -> Self {
        let ToolsetDetail { toolset, team, servers } = from;
        let name = |id| {
            let known = servers.iter().find(|(known, _)| *known == id);
            known.map_or_else(|| id.to_string(), |(_, name)| name.to_string())
        };
        Self {
            id: toolset.id.to_string(),
            name: toolset.name.to_string(),
            team: team.to_string(),
            description: toolset.description,
            selections: toolset
                .selections
                .into_iter()
                .map(|s| SelectionText { server: name(s.server), kind: s.kind, key: s.key })
                .collect(),
            created_at: toolset.created_at.to_string(),
        }
    }
}
