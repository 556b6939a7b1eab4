//! A registered server: how it is reached, what it is shown, and whether its processes may be shared.
//!
//! Secrets are not here: a header or variable whose value is secret carries only the mark; the value is
//! sealed in the store and travels as `secrecy::SecretString` where it is used.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::capture::Capture;
use crate::{Name, ServerId, TeamId, Timestamp};

/// A server as registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Its id.
    pub id: ServerId,
    /// Its unique name.
    pub name: Name,
    /// The team that owns it.
    pub team: TeamId,
    /// What people read.
    pub description: String,
    /// How it is reached.
    pub transport: Transport,
    /// Off: registered, but neither listed nor called.
    pub enabled: bool,
    /// Waiting times.
    pub timeouts: Timeouts,
    /// What the ledger holds of the payloads of its calls.
    #[serde(default)]
    pub capture: Capture,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// How a server is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Transport {
    /// Streamable HTTP.
    Http {
        /// The MCP endpoint, `https` or `http`.
        url: String,
        /// Static headers that it is shown, by lower-case name.
        #[serde(default)]
        headers: BTreeMap<String, Value>,
    },
    /// A child process that speaks over its standard input and output.
    Stdio {
        /// The program; looked up in `PATH`, never given to a shell.
        command: String,
        /// Its arguments.
        #[serde(default)]
        args: Vec<String>,
        /// Its environment, beside `PATH` and `LANG`.
        #[serde(default)]
        env: BTreeMap<String, Value>,
        /// Its working directory; a private empty one if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cwd: Option<String>,
        /// Who may share a process.
        #[serde(default)]
        sharing: Sharing,
        /// What the process may reach.
        #[serde(default)]
        confinement: Confinement,
    },
}

/// A header's or variable's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Value {
    /// Anyone who may see the server may see it.
    Plain {
        /// The value.
        value: String,
    },
    /// Sealed in the store, never shown.
    Secret,
}

/// Who may share a stdio process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// Each principal has its own.
    #[default]
    Principal,
    /// All principals share one, which an administrator declares to keep no state of its callers. It is
    /// offered no sampling, elicitation or roots, since these would reach the wrong person.
    Stateless,
}

/// What a stdio process may reach, where the machine can enforce it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confinement {
    /// Folders and files that it may read, beside the system's and its program's own.
    #[serde(default)]
    pub read: Vec<String>,
    /// Folders that it may write.
    #[serde(default)]
    pub write: Vec<String>,
    /// Whether it may open TCP connections.
    #[serde(default)]
    pub network: bool,
    /// Most memory of each process, in megabytes of data; the default is the room's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u64>,
}

/// How long a server may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// To connect or start, in milliseconds.
    pub connect_ms: u64,
    /// To the first byte of an answer, in milliseconds.
    pub first_byte_ms: u64,
    /// Between two pieces of one answer, in milliseconds.
    pub idle_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect_ms: 5_000, first_byte_ms: 60_000, idle_ms: 300_000 }
    }
}

impl Timeouts {
    /// To connect or start.
    pub fn connect(&self) -> Duration {
        Duration::from_millis(self.connect_ms)
    }

    /// To the first byte of an answer.
    pub fn first_byte(&self) -> Duration {
        Duration::from_millis(self.first_byte_ms)
    }

    /// Between two pieces of one answer.
    pub fn idle(&self) -> Duration {
        Duration::from_millis(self.idle_ms)
    }
}
