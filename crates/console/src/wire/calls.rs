//! Records found by the index, and calls as a tree, in questions and answers.

use bailiwick_control::{Branch, CallFilter, CallTree, Ending, IndexState, IndexedRecord};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which records are looked for: those that fit everything that is said.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CallQuery {
    /// The principal: its id, or its name at its issuer.
    pub principal: Option<String>,
    /// The server: its id, or the name that it had then.
    pub server: Option<String>,
    /// The tool's name, or the key of another definition.
    pub tool: Option<String>,
    /// `allow` or `deny`.
    pub decision: Option<String>,
    /// The kind of record: `intent`, `denied`, `admin_change` …
    pub kind: Option<String>,
    /// How it ended: `ok`, `tool_error`, `upstream_timeout` …
    pub status: Option<String>,
    /// Why it was refused: `policy_denied`, `not_found` …
    pub reason: Option<String>,
    /// Not before this moment (RFC 3339).
    pub from: Option<String>,
    /// Before this moment (RFC 3339).
    pub to: Option<String>,
    /// The W3C trace id.
    pub trace: Option<String>,
    /// The session, as records name it.
    pub session: Option<String>,
    /// The call's id.
    pub call: Option<String>,
    /// Words, all of which are in the request, or all in the answer.
    pub text: Option<String>,
    /// `next` of the piece before.
    pub after: Option<String>,
    /// How many records at most, 1 to 500; 100 if absent.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
}

/// What the index holds of a record. Members that it does not say are absent.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CallView {
    /// The name of its ledger: each node has one.
    pub ledger: String,
    /// Its index in that ledger.
    pub index: u64,
    /// When it was written.
    pub time: String,
    /// Its kind.
    pub kind: String,
    /// The call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// The call that led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_call: Option<String>,
    /// The principal's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// Who vouches for the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The name at the issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The principal's team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The client application by its own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The server's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The server's name then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// The definition's kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition_kind: Option<String>,
    /// The definition's key: the tool's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<String>,
    /// The JSON-RPC method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// What a record that is no call is about: the operation, the path, the name asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// `allow` or `deny`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// W3C trace id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// W3C span id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<String>,
    /// The span that led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_span: Option<String>,
    /// How many bytes of arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments_bytes: Option<u64>,
    /// How it ended, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<EndingView>,
}

/// How a call ended.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EndingView {
    /// The index of the outcome's own record, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// The status.
    pub status: String,
    /// The code of a JSON-RPC error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// How many bytes of result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_bytes: Option<u64>,
    /// Microseconds from the request to the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_us: Option<u64>,
    /// Microseconds that the server took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_us: Option<u64>,
    /// Microseconds in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_us: Option<u64>,
}

/// Calls that belong together, as a tree.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CallTreeView {
    /// By what they belong together: `trace`, `session` or `call`.
    pub by: String,
    /// The trace, session or call.
    pub id: String,
    /// Parents before their children, which are one deeper; those beside each other in the order of time.
    pub branches: Vec<BranchView>,
    /// Whether there are more records than a tree may have; these are the first.
    pub truncated: bool,
}

/// A record in its place in a tree.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BranchView {
    /// How many records stand above it.
    pub depth: u16,
    /// The record.
    pub record: CallView,
}

/// How the index over the ledger is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct IndexView {
    /// How many records are in it.
    pub records: u64,
    /// How many are not yet.
    pub lag_records: u64,
    /// For how many seconds it has been behind.
    pub lag_seconds: u64,
    /// Whether it is being made anew.
    pub rebuilding: bool,
    /// Whether it cannot be written just now; the gateway's log says why.
    pub failing: bool,
}

impl From<CallQuery> for CallFilter {
    fn from(from: CallQuery) -> Self {
        Self {
            principal: from.principal,
            server: from.server,
            tool: from.tool,
            decision: from.decision,
            kind: from.kind,
            status: from.status,
            reason: from.reason,
            from: from.from,
            to: from.to,
            trace: from.trace,
            session: from.session,
            call: from.call,
            text: from.text,
        }
    }
}

impl From<IndexedRecord> for CallView {
    fn from(from: IndexedRecord) -> Self {
        Self {
            ledger: from.ledger,
            index: from.index,
            time: from.at.to_string(),
            kind: from.kind,
            call: from.call.map(|id| id.to_string()),
            parent_call: from.parent_call.map(|id| id.to_string()),
            principal: from.principal.map(|id| id.to_string()),
            issuer: from.issuer,
            subject: from.subject,
            team: from.team.map(|id| id.to_string()),
            client: from.client,
            session: from.session,
            server: from.server.map(|id| id.to_string()),
            server_name: from.server_name,
            definition_kind: from.definition_kind,
            definition: from.definition_key,
            method: from.method,
            about: from.about,
            decision: from.decision,
            reason: from.reason,
            trace: from.trace,
            span: from.span,
            parent_span: from.parent_span,
            arguments_bytes: from.arguments_bytes,
            ending: from.ending.map(Into::into),
        }
    }
}

impl From<Ending> for EndingView {
    fn from(from: Ending) -> Self {
        let Ending { index, status, code, result_bytes, policy_us, upstream_us, total_us } = from;
        Self { index, status, code, result_bytes, policy_us, upstream_us, total_us }
    }
}

impl From<CallTree> for CallTreeView {
    fn from(from: CallTree) -> Self {
        let branch = |Branch { depth, record }| BranchView { depth, record: record.into() };
        Self {
            by: from.by.to_owned(),
            id: from.id,
            branches: from.branches.into_iter().map(branch).collect(),
            truncated: from.truncated,
        }
    }
}

impl From<IndexState> for IndexView {
    fn from(from: IndexState) -> Self {
        let IndexState { records, lag_records, lag_seconds, rebuilding, failing } = from;
        Self { records, lag_records, lag_seconds, rebuilding, failing }
    }
}
