//! What stands in requests and answers of the admin API. The CLI reads and writes the same types.
//!
//! Ids, names and moments are texts here; `control` is given them as they came and says what is wrong with
//! them. Requests refuse members that they do not know; answers may grow.

mod access;
mod audit;
mod backup;
mod bodies;
mod calls;
mod capture;
mod evidence;
mod people;
mod server;
mod toolset;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub use access::{
    AddGrant, GrantView, IssueKey, IssuedKeyView, KeyView, LoginLinkView, MakeLink, OpenedLinkView, ScopeText,
};
pub use audit::{
    ArchiveView, AuditQuery, AuditRecords, AuditReport, AuditStatus, AuditWitness, PruneSegments, PruneView,
};
pub use backup::{BackupView, RestoredView, TakeBackup};
pub use bodies::{BodiesView, BodyView, DestroyedView, EraseBodies, ErasedKeyView, ErasedView, ReadBodies};
pub use calls::{BranchView, CallQuery, CallTreeView, CallView, EndingView, IndexView};
pub use capture::{Capture, CaptureAction, CaptureMode, CaptureRule, ToolCapture};
pub use evidence::{EvidenceDefinition, EvidenceGrant, EvidencePolicy, EvidenceView};
pub use people::{
    AddGroup, AddPrincipal, AddTeam, GroupView, MemberView, PrincipalQuery, PrincipalView, TeamView,
    UpdatePrincipal,
};
pub use server::{
    AddServer, Confinement, DefinitionView, DiscoveryView, FailureView, HealthView, ServerAddedView,
    ServerView, Timeouts, Transport, UpdateServer, Value, ValueKind,
};
pub use toolset::{AddToolset, SelectionText, ToolsetView, UpdateToolset};

/// A piece of a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// The things, in the order in which they were made.
    pub items: Vec<T>,
    /// To be given as `after` for the next piece; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Which piece of a list is wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// `next` of the piece before.
    pub after: Option<String>,
    /// How many things at most, 1 to 500; 100 if absent.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
}

/// What went wrong (RFC 9457).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProblemDetails {
    /// Always `about:blank`: `reason` tells problems apart.
    pub r#type: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable word for the problem: `not_found`, `audit_unavailable` …
    pub reason: String,
    /// What is wrong, and what would be right.
    pub detail: String,
    /// The member of the request that is wrong, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}
