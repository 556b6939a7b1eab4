//! `[upstream]`: how the servers behind the gateway are reached, watched and, if they are child
//! processes, confined.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problem::{Problems, at_least};

/// Whether child processes are confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Confine {
    /// With whatever the machine offers; `server show` says which parts hold.
    Auto,
    /// Fully, or the child is not started.
    Require,
    /// Not at all.
    Off,
}

/// The servers behind the gateway.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct UpstreamFile {
    /// How often a server's definitions are read anew, in seconds.
    poll_seconds: u64,
    /// How long a connection may take to be made.
    connect_ms: u64,
    /// A child process is stopped after so many seconds without a call.
    idle_seconds: u64,
    /// The commands that may be started; empty is any.
    allowed_commands: Vec<String>,
    /// The memory of a child process, in MiB; 0 is unlimited.
    memory_mb: u64,
    /// How many processes a child may have; 0 is unlimited.
    processes: u64,
    /// Whether child processes are confined.
    confine: Confine,
    /// How many pages of a list are read.
    discovery_pages: usize,
    /// How many definitions of a server are kept.
    discovery_definitions: usize,
    /// How many bytes of definitions are read.
    discovery_bytes: usize,
    /// How long reading the definitions may take.
    discovery_seconds: u64,
}

impl Default for UpstreamFile {
    fn default() -> Self {
        Self {
            poll_seconds: 60,
            connect_ms: 5000,
            idle_seconds: 600,
            allowed_commands: Vec::new(),
            memory_mb: 1024,
            processes: 64,
            confine: Confine::Auto,
            discovery_pages: 100,
            discovery_definitions: 5000,
            discovery_bytes: 16 << 20,
            discovery_seconds: 30,
        }
    }
}

/// The settings of the servers behind the gateway.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// How often a server's definitions are read anew.
    pub poll: Duration,
    /// How long a connection may take to be made.
    pub connect: Duration,
    /// Child processes.
    pub children: Children,
    /// Bounds on reading a server's definitions.
    pub discovery: Discovery,
}

/// The settings of child processes.
#[derive(Debug, Clone)]
pub struct Children {
    /// Time without a call after which a child is stopped.
    pub idle: Duration,
    /// The commands that may be started; empty is any.
    pub allowed_commands: Vec<String>,
    /// Memory in bytes; `None` is unlimited.
    pub memory_bytes: Option<u64>,
    /// Number of processes; `None` is unlimited.
    pub processes: Option<u64>,
    /// Whether they are confined.
    pub confine: Confine,
}

/// Bounds on reading a server's definitions.
#[derive(Debug, Clone)]
pub struct Discovery {
    /// Pages per list.
    pub pages: usize,
    /// Definitions kept.
    pub definitions: usize,
    /// Bytes read.
    pub bytes: usize,
    /// Time taken.
    pub time: Duration,
}

impl UpstreamFile {
    pub(crate) fn check(self, problems: &mut Problems) -> Upstream {
        for (key, value) in [
            ("upstream.poll_seconds", self.poll_seconds),
            ("upstream.connect_ms", self.connect_ms),
            ("upstream.idle_seconds", self.idle_seconds),
            ("upstream.discovery_pages", self.discovery_pages as u64),
            ("upstream.discovery_definitions", self.discovery_definitions as u64),
            ("upstream.discovery_bytes", self.discovery_bytes as u64),
            ("upstream.discovery_seconds", self.discovery_seconds),
        ] {
            at_least(problems, key, value, 1);
        }
        if self.poll_seconds > 3600 {
            problems
                .add("upstream.poll_seconds", "at most 3600: a changed definition must be noticed")
                .done();
        }
        Upstream {
            poll: Duration::from_secs(self.poll_seconds),
            connect: Duration::from_millis(self.connect_ms),
            children: Children {
                idle: Duration::from_secs(self.idle_seconds),
                allowed_commands: self.allowed_commands,
                memory_bytes: (self.memory_mb > 0).then(|| self.memory_mb.saturating_mul(1 << 20)),
                processes: (self.processes > 0).then_some(self.processes),
                confine: self.confine,
            },
            discovery: Discovery {
                pages: self.discovery_pages,
                definitions: self.discovery_definitions,
                bytes: self.discovery_bytes,
                time: Duration::from_secs(self.discovery_seconds),
            },
        }
    }
}
