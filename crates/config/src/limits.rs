//! `[limits]`: how much one caller or one server may ask of the gateway.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problem::{Problems, at_least};

/// Bounds on requests, answers and load.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LimitsFile {
    /// The largest request body, in bytes.
    body_bytes: usize,
    /// The largest answer of a server, in bytes.
    answer_bytes: usize,
    /// How deep JSON may nest.
    depth: usize,
    /// The longest JSON-RPC id, in bytes.
    id_bytes: usize,
    /// The largest event of an event stream, in bytes.
    event_bytes: usize,
    /// How many event streams may be open at once.
    streams: usize,
    /// How many calls may be in flight at once; more are refused with `overloaded`.
    concurrency: usize,
}

impl Default for LimitsFile {
    fn default() -> Self {
        Self {
            body_bytes: 4 << 20,
            answer_bytes: 16 << 20,
            depth: 64,
            id_bytes: 256,
            event_bytes: 16 << 20,
            streams: 10_000,
            concurrency: 1024,
        }
    }
}

/// Bounds on requests, answers and load.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest request body, in bytes.
    pub body_bytes: usize,
    /// The largest answer of a server, in bytes.
    pub answer_bytes: usize,
    /// How deep JSON may nest.
    pub depth: usize,
    /// The longest JSON-RPC id, in bytes.
    pub id_bytes: usize,
    /// The largest event of an event stream, in bytes.
    pub event_bytes: usize,
    /// How many event streams may be open at once.
    pub streams: usize,
    /// How many calls may be in flight at once.
    pub concurrency: usize,
}

impl LimitsFile {
    pub(crate) fn check(self, problems: &mut Problems) -> Limits {
        for (key, value, least) in [
            ("limits.body_bytes", self.body_bytes, 1024),
            ("limits.answer_bytes", self.answer_bytes, 1024),
            ("limits.depth", self.depth, 8),
            ("limits.id_bytes", self.id_bytes, 36),
            ("limits.event_bytes", self.event_bytes, 1024),
            ("limits.streams", self.streams, 1),
            ("limits.concurrency", self.concurrency, 1),
        ] {
            at_least(problems, key, value as u64, least);
        }
        if self.depth > 512 {
            problems.add("limits.depth", "at most 512, else the stack is at risk").done();
        }
        Limits {
            body_bytes: self.body_bytes,
            answer_bytes: self.answer_bytes,
            depth: self.depth,
            id_bytes: self.id_bytes,
            event_bytes: self.event_bytes,
            streams: self.streams,
            concurrency: self.concurrency,
        }
    }
}
