//! Servers in requests and answers.

use std::collections::BTreeMap;

use bailiwick_control::{DiscoverySummary, ServerAdded, ServerDetail};
use bailiwick_model::server;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::capture::Capture;

/// A server to register.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddServer {
    /// Its name: 1 to 40 of a-z, 0-9 and `-`. Derived from `registry_name` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its name in a registry, such as `io.github.acme/weather`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry_name: Option<String>,
    /// The team that shall own it, by id or name; the caller's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// What people read.
    #[serde(default)]
    pub description: String,
    /// How it is reached.
    pub transport: Transport,
    /// Waiting times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<Timeouts>,
    /// What the ledger holds of the payloads of its calls; nothing if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<Capture>,
    /// Whether it may be used at once.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// What shall be different of a server; what is absent stays.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateServer {
    /// What people read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How it is reached, whole. A secret without value keeps the one it has, as long as the server stays at
    /// the same origin or is the same command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
    /// Waiting times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<Timeouts>,
    /// What the ledger holds of the payloads of its calls, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<Capture>,
    /// Off: registered, but neither listed nor called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// How a server is reached.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Transport {
    /// Streamable HTTP.
    Http {
        /// The MCP endpoint.
        url: String,
        /// Headers that it is shown.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, Value>,
    },
    /// A child process that speaks over its standard input and output.
    Stdio {
        /// The program; never given to a shell.
        command: String,
        /// Its arguments.
        #[serde(default)]
        args: Vec<String>,
        /// Its environment, beside `PATH` and `LANG`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        env: BTreeMap<String, Value>,
        /// Its working directory; a private empty one if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cwd: Option<String>,
        /// Who may share a process: `principal` (each has its own) or `stateless` (all share one).
        #[serde(default)]
        #[schema(value_type = String)]
        sharing: server::Sharing,
        /// What the process may reach.
        #[serde(default)]
        confinement: Confinement,
    },
}

/// What a process may reach, where the machine can enforce it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Confinement {
    /// Folders and files that it may read, beside the system's and its program's own.
    pub read: Vec<String>,
    /// Folders that it may write.
    pub write: Vec<String>,
    /// Whether it may open TCP connections.
    pub network: bool,
    /// Most memory, in megabytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u64>,
}

/// The value of a header or variable.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// Whether it is secret.
    pub kind: ValueKind,
    /// The value; of a secret it is never in an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Whether a value is secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    /// Anyone who may see the server may see it.
    Plain,
    /// Sealed, never shown.
    Secret,
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            ValueKind::Plain => f.debug_tuple("Plain").field(&self.value).finish(),
            ValueKind::Secret => f.write_str("Secret"),
        }
    }
}

/// Waiting times, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// To connect or start.
    pub connect_ms: u64,
    /// To the first byte of an answer.
    pub first_byte_ms: u64,
    /// Between two pieces of one answer.
    pub idle_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        server::Timeouts::default().into()
    }
}

impl From<server::Timeouts> for Timeouts {
    fn from(from: server::Timeouts) -> Self {
        Self { connect_ms: from.connect_ms, first_byte_ms: from.first_byte_ms, idle_ms: from.idle_ms }
    }
}

impl From<Timeouts> for server::Timeouts {
    fn from(from: Timeouts) -> Self {
        Self { connect_ms: from.connect_ms, first_byte_ms: from.first_byte_ms, idle_ms: from.idle_ms }
    }
}

impl Transport {
    /// The transport, and the secret values that came with it.
    pub(crate) fn take_apart(self) -> (server::Transport, BTreeMap<String, SecretString>) {
        let mut secrets = BTreeMap::new();
        let mut values = |given: BTreeMap<String, Value>| {
            let each = given.into_iter().map(|(name, Value { kind, value })| {
                let kept = match kind {
                    ValueKind::Plain => server::Value::Plain { value: value.unwrap_or_default() },
                    ValueKind::Secret => {
                        secrets.extend(value.map(|value| (name.clone(), value.into())));
                        server::Value::Secret
                    }
                };
                (name, kept)
            });
            each.collect()
        };
        let transport = match self {
            Self::Http { url, headers } => server::Transport::Http { url, headers: values(headers) },
            Self::Stdio { command, args, env, cwd, sharing, confinement } => server::Transport::Stdio {
                command,
                args,
                env: values(env),
                cwd,
                sharing,
                confinement: server::Confinement {
                    read: confinement.read,
                    write: confinement.write,
                    network: confinement.network,
                    memory_mb: confinement.memory_mb,
                },
            },
        };
        (transport, secrets)
    }
}

impl From<server::Transport> for Transport {
    fn from(from: server::Transport) -> Self {
        match from {
            server::Transport::Http { url, headers } => Self::Http { url, headers: shown(headers) },
            server::Transport::Stdio { command, args, env, cwd, sharing, confinement } => Self::Stdio {
                command,
                args,
                env: shown(env),
                cwd,
                sharing,
                confinement: Confinement {
                    read: confinement.read,
                    write: confinement.write,
                    network: confinement.network,
                    memory_mb: confinement.memory_mb,
                },
            },
        }
    }
}

fn shown(values: BTreeMap<String, server::Value>) -> BTreeMap<String, Value> {
    let one = |value| match value {
        server::Value::Plain { value } => Value { kind: ValueKind::Plain, value: Some(value) },
        server::Value::Secret => Value { kind: ValueKind::Secret, value: None },
    };
    values.into_iter().map(|(name, value)| (name, one(value))).collect()
}

/// A server.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ServerView {
    /// Its id.
    pub id: String,
    /// Its name, as in `/servers/{name}/mcp`.
    pub name: String,
    /// The name of the team that owns it.
    pub team: String,
    /// What people read.
    pub description: String,
    /// How it is reached.
    pub transport: Transport,
    /// Off: registered, but neither listed nor called.
    pub enabled: bool,
    /// Waiting times.
    pub timeouts: Timeouts,
    /// What the ledger holds of the payloads of its calls.
    pub capture: Capture,
    /// When it was registered.
    pub created_at: String,
    /// How it is on this node; absent if it is disabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthView>,
    /// What it offered when it last answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovery: Option<DiscoveryView>,
    /// Why it did not answer when last asked; what is in `discovery` is then stale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureView>,
}

/// How a server is on this node.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HealthView {
    /// `up`, `down` or `unknown`.
    pub state: String,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// What went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error_at: Option<String>,
    /// Processes that run now.
    pub children: usize,
    /// Messages that it sent and nobody waited for.
    pub strays: u64,
    /// Which parts of its processes' confinement hold on this machine; absent before the first process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub confinement: Option<serde_json::Value>,
}

/// What a server offered when it last answered.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DiscoveryView {
    /// When.
    pub at: String,
    /// The protocol revisions that it speaks.
    pub eras: Vec<String>,
    /// What it offers, in its own order.
    pub definitions: Vec<DefinitionView>,
    /// What was left out, and why.
    pub dropped: Vec<String>,
}

/// A tool, prompt, resource or template.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DefinitionView {
    /// `tool`, `prompt`, `resource` or `resource_template`.
    pub kind: String,
    /// Its name, URI or URI template.
    pub key: String,
}

/// Why a server did not answer.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FailureView {
    /// When.
    pub at: String,
    /// Why.
    pub reason: String,
}

/// A server that was registered or changed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ServerAddedView {
    /// The server, with what it offers or why it does not answer.
    pub server: ServerView,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

impl From<ServerAdded> for ServerAddedView {
    fn from(from: ServerAdded) -> Self {
        Self { server: from.detail.into(), warnings: from.warnings }
    }
}

impl From<ServerDetail> for ServerView {
    fn from(from: ServerDetail) -> Self {
        let ServerDetail { server, team, health, discovery, failure } = from;
        Self {
            id: server.id.to_string(),
            name: server.name.to_string(),
            team: team.to_string(),
            description: server.description,
            transport: server.transport.into(),
            enabled: server.enabled,
            timeouts: server.timeouts.into(),
            capture: server.capture.into(),
            created_at: server.created_at.to_string(),
            health: health.map(health_view),
            discovery: discovery.map(discovery_view),
            failure: failure
                .map(|failure| FailureView { at: failure.failed_at.to_string(), reason: failure.reason }),
        }
    }
}

fn health_view(from: bailiwick_control::ServerHealth) -> HealthView {
    HealthView {
        state: from.state.to_owned(),
        since: from.since.map(|at| at.to_string()),
        last_error: from.last_error,
        last_error_at: from.last_error_at.map(|at| at.to_string()),
        children: from.children,
        strays: from.strays,
        confinement: from.confinement,
    }
}

fn discovery_view(from: DiscoverySummary) -> DiscoveryView {
    let view = |(kind, key): (bailiwick_model::definition::DefinitionKind, String)| DefinitionView {
        kind: kind.as_str().to_owned(),
        key,
    };
    DiscoveryView {
        at: from.at.to_string(),
        eras: from.eras,
        definitions: from.definitions.into_iter().map(view).collect(),
        dropped: from.dropped,
    }
}
