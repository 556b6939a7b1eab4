//! Teams, principals and groups in requests and answers.

use bailiwick_control::{GroupDetail, PrincipalDetail};
use bailiwick_model::principal::{PrincipalKind, Role, Team};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A team to make.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddTeam {
    /// Its name: 1 to 40 of a-z, 0-9 and `-`.
    pub name: String,
}

/// A team.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TeamView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: String,
}

impl From<Team> for TeamView {
    fn from(from: Team) -> Self {
        Self { id: from.id.to_string(), name: from.name.to_string(), created_at: from.created_at.to_string() }
    }
}

/// Which piece of the list of principals is wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PrincipalQuery {
    /// `user` or `agent`; both if absent.
    pub kind: Option<String>,
    /// `next` of the piece before.
    pub after: Option<String>,
    /// How many things at most, 1 to 500; 100 if absent.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
}

/// A user or an agent to make.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPrincipal {
    /// `user` or `agent`.
    #[schema(value_type = String)]
    pub kind: PrincipalKind,
    /// Its name: 1 to 100 of A-Z, a-z, 0-9 and `-_.@+`.
    pub name: String,
    /// What people read; the name if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Its team, by id or name; the caller's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// What it may do on the admin API: `member` (nothing), `auditor` (read) or `admin`.
    #[serde(default)]
    #[schema(value_type = String)]
    pub role: Role,
}

/// What shall be different of a principal; what is absent stays.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdatePrincipal {
    /// What people read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What it may do on the admin API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub role: Option<Role>,
    /// Off: every credential of it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// A user or an agent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PrincipalView {
    /// Its id.
    pub id: String,
    /// `user` or `agent`.
    pub kind: String,
    /// Who vouches for the name: an issuer's URL, or `bailiwick` for those made here.
    pub issuer: String,
    /// Its name at the issuer.
    pub name: String,
    /// What people read.
    pub display_name: String,
    /// The name of its team.
    pub team: String,
    /// What it may do on the admin API.
    pub role: String,
    /// Off: every credential of it is refused.
    pub enabled: bool,
    /// The names of its groups.
    pub groups: Vec<String>,
    /// When it was made.
    pub created_at: String,
}

impl From<PrincipalDetail> for PrincipalView {
    fn from(from: PrincipalDetail) -> Self {
        let PrincipalDetail { principal, team, groups } = from;
        Self {
            id: principal.id.to_string(),
            kind: principal.kind.as_str().to_owned(),
            issuer: principal.issuer,
            name: principal.subject,
            display_name: principal.display_name,
            team: team.to_string(),
            role: principal.role.as_str().to_owned(),
            enabled: principal.enabled,
            groups: groups.iter().map(ToString::to_string).collect(),
            created_at: principal.created_at.to_string(),
        }
    }
}

/// A group to make.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddGroup {
    /// Its name: 1 to 40 of a-z, 0-9 and `-`.
    pub name: String,
    /// Who shall be in it, each by id or name.
    #[serde(default)]
    pub members: Vec<String>,
}

/// A group.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct GroupView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Who is in it.
    pub members: Vec<MemberView>,
    /// When it was made.
    pub created_at: String,
}

/// Who is in a group.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MemberView {
    /// The principal's id.
    pub id: String,
    /// `user` or `agent`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl From<GroupDetail> for GroupView {
    fn from(from: GroupDetail) -> Self {
        let member = |found: bailiwick_model::principal::Principal| MemberView {
            id: found.id.to_string(),
            kind: found.kind.as_str().to_owned(),
            name: found.subject,
        };
        Self {
            id: from.group.id.to_string(),
            name: from.group.name.to_string(),
            members: from.members.into_iter().map(member).collect(),
            created_at: from.group.created_at.to_string(),
        }
    }
}
