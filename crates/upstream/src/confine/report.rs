//! Which parts of a child's confinement hold, as its helper found them.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

/// What holds of a child's confinement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The uid of its own; none if it runs as the gateway's user.
    pub own_uid: Option<u32>,
    /// It cannot gain privileges by running set-uid programs, and has no capabilities.
    pub no_new_privs: bool,
    /// Its process tree is a PID namespace, so that nothing of it outlives the helper.
    pub pid_namespace: bool,
    /// It sees a file system of its own: system folders, what was granted, private `/tmp`.
    pub file_system: bool,
    /// It has a network namespace without a way out; false if the network was granted.
    pub no_network: bool,
    /// The version of Landlock that restricts files, TCP and signals; none if the kernel has none.
    pub landlock: Option<u32>,
    /// Dangerous system calls are refused.
    pub seccomp: bool,
    /// Limits on memory, processes, CPU time and open files are set.
    pub limits: bool,
    /// What does not hold, one sentence each.
    pub missing: Vec<String>,
}

impl Report {
    /// Notes that a part does not hold.
    pub(super) fn lacks(&mut self, part: &str, why: &impl std::fmt::Display) {
        self.missing.push(format!("{part}: {why}"));
    }
}

/// Writes one line for the gateway to standard error. If that fails there is nobody left to tell.
pub(super) fn say(kind: &str, text: &str) {
    let line = format!("{kind}{}\n", text.replace('\n', " "));
    io::stderr().write_all(line.as_bytes()).unwrap_or_default();
}
