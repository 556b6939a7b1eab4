//! `[log]`: the form and the amount of what goes to standard error.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problem::Problems;

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// What goes to standard error.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LogFile {
    /// The form of log lines.
    format: LogFormat,
    /// `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,bailiwick_upstream=debug`.
    level: String,
}

impl Default for LogFile {
    fn default() -> Self {
        Self { format: LogFormat::Auto, level: "info".into() }
    }
}

/// What goes to standard error.
#[derive(Debug, Clone)]
pub struct Log {
    /// The form of log lines.
    pub format: LogFormat,
    /// A level or comma-separated directives, as `tracing_subscriber::EnvFilter` reads them.
    pub level: String,
}

impl LogFile {
    pub(crate) fn check(self, problems: &mut Problems) -> Log {
        let level_ok = |level: &str| {
            ["error", "warn", "info", "debug", "trace", "off"]
                .iter()
                .any(|word| level.eq_ignore_ascii_case(word))
        };
        for directive in self.level.split(',') {
            let level = directive.rsplit_once('=').map_or(directive, |(_, level)| level).trim();
            if !level_ok(level) {
                problems.add("log.level", format!("{level:?} is no level")).help(
                    "write error, warn, info, debug, trace or off, or target=level, with commas between",
                );
            }
        }
        Log { format: self.format, level: self.level }
    }
}
