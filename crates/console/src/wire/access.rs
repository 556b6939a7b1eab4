//! Grants, keys and login links in requests and answers.

use bailiwick_control::{GrantDetail, IssuedKey, KeyDetail, LoginLink, OpenedLink, WantedScope};
use bailiwick_model::definition::DefinitionKind;
use bailiwick_model::grant::{Action, Grantee, Scope};
use bailiwick_model::key::Audience;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A grant to make: to a principal or a group, of a scope.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddGrant {
    /// The principal that shall have it, by id or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The group that shall have it, by id or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// On what.
    pub scope: ScopeText,
    /// `list`, `call`, `read`, `get`; all that the scope has if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub actions: Vec<Action>,
    /// For how many seconds; without end if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub expires_in_seconds: Option<u64>,
}

/// On what a grant is. Servers and toolsets by id or name.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ScopeText {
    /// Everything that a server offers, now and later.
    Server {
        /// The server.
        server: String,
    },
    /// Everything that a toolset selects, now and later.
    Toolset {
        /// The toolset.
        toolset: String,
    },
    /// One definition.
    Definition {
        /// Its server.
        server: String,
        /// `tool`, `prompt`, `resource` or `resource_template`.
        #[schema(value_type = String)]
        kind: DefinitionKind,
        /// Its name, URI or URI template.
        key: String,
    },
}

impl From<ScopeText> for WantedScope {
    fn from(from: ScopeText) -> Self {
        match from {
            ScopeText::Server { server } => Self::Server(server),
            ScopeText::Toolset { toolset } => Self::Toolset(toolset),
            ScopeText::Definition { server, kind, key } => Self::Definition { server, kind, key },
        }
    }
}

/// A grant.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct GrantView {
    /// Its id.
    pub id: String,
    /// `principal` or `group`.
    pub grantee_type: String,
    /// The name of the principal or group that has it.
    pub grantee: String,
    /// On what; servers and toolsets by name.
    pub scope: ScopeText,
    /// To do what.
    pub actions: Vec<String>,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// When it was made.
    pub created_at: String,
}

impl From<GrantDetail> for GrantView {
    fn from(from: GrantDetail) -> Self {
        let GrantDetail { grant, grantee, on } = from;
        let grantee_type = match grant.grantee {
            Grantee::Principal(_) => "principal",
            Grantee::Group(_) => "group",
        };
        let scope = match grant.scope {
            Scope::Server { .. } => ScopeText::Server { server: on },
            Scope::Toolset { .. } => ScopeText::Toolset { toolset: on },
            Scope::Definition { kind, key, .. } => ScopeText::Definition { server: on, kind, key },
        };
        Self {
            id: grant.id.to_string(),
            grantee_type: grantee_type.to_owned(),
            grantee,
            scope,
            actions: grant.actions.iter().map(|action| action.as_str().to_owned()).collect(),
            expires_at: grant.expires_at.map(|at| at.to_string()),
            created_at: grant.created_at.to_string(),
        }
    }
}

/// A key to make.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueKey {
    /// Whose it shall be, by id or name.
    pub principal: String,
    /// What people call it.
    #[serde(default)]
    pub label: String,
    /// What it shall open: `mcp` or `admin`.
    #[serde(default = "mcp")]
    #[schema(value_type = String)]
    pub audience: Audience,
    /// For how many seconds; without end if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub expires_in_seconds: Option<u64>,
}

fn mcp() -> Audience {
    Audience::Mcp
}

/// A key, without its secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct KeyView {
    /// Its id.
    pub id: String,
    /// The name of the principal whose it is.
    pub principal: String,
    /// What people call it.
    pub label: String,
    /// Its visible part: the key begins with `bwk_` and this.
    pub prefix: String,
    /// What it opens: `mcp` or `admin`.
    pub audience: String,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// When it was last used, to the minute or so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    /// When it was made.
    pub created_at: String,
}

impl From<KeyDetail> for KeyView {
    fn from(from: KeyDetail) -> Self {
        let KeyDetail { key, principal } = from;
        Self {
            id: key.id.to_string(),
            principal,
            label: key.label,
            prefix: key.prefix,
            audience: key.audience.as_str().to_owned(),
            expires_at: key.expires_at.map(|at| at.to_string()),
            revoked_at: key.revoked_at.map(|at| at.to_string()),
            last_used_at: key.last_used_at.map(|at| at.to_string()),
            created_at: key.created_at.to_string(),
        }
    }
}

/// A key that was just made.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct IssuedKeyView {
    /// Its whole text. This is the only answer that ever contains it.
    pub text: String,
    /// What is kept of it.
    pub key: KeyView,
}

impl std::fmt::Debug for IssuedKeyView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedKeyView").field("key", &self.key).finish_non_exhaustive()
    }
}

impl From<IssuedKey> for IssuedKeyView {
    fn from(from: IssuedKey) -> Self {
        Self { text: from.text.expose_secret().to_owned(), key: from.detail.into() }
    }
}

/// A login link to make.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeLink {
    /// The user whom it shall let in, by id or name.
    pub user: String,
}

/// A login link that was just made.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct LoginLinkView {
    /// The whole link. This is the only answer that ever contains it.
    pub url: String,
    /// The name of the user.
    pub user: String,
    /// When it dies by itself.
    pub expires_at: String,
}

impl std::fmt::Debug for LoginLinkView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginLinkView").field("user", &self.user).finish_non_exhaustive()
    }
}

impl From<LoginLink> for LoginLinkView {
    fn from(from: LoginLink) -> Self {
        Self {
            url: from.url.expose_secret().to_owned(),
            user: from.user,
            expires_at: from.expires_at.to_string(),
        }
    }
}

/// What a login link was exchanged for.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct OpenedLinkView {
    /// A key for the admin API. This is the only answer that ever contains it.
    pub key: String,
    /// The name of the user.
    pub user: String,
    /// When the key ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

impl std::fmt::Debug for OpenedLinkView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenedLinkView").field("user", &self.user).finish_non_exhaustive()
    }
}

impl From<OpenedLink> for OpenedLinkView {
    fn from(from: OpenedLink) -> Self {
        Self {
            key: from.key.expose_secret().to_owned(),
            user: from.user,
            expires_at: from.kept.expires_at.map(|at| at.to_string()),
        }
    }
}
