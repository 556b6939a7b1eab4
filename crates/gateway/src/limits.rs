//! Bounds of the data path.

use std::time::Duration;

/// Bounds of the data path.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Of messages from clients.
    pub message: bailiwick_mcp::Limits,
    /// How long a request's body may take to arrive.
    pub body_time: Duration,
    /// How many calls may be under way at once; more are refused as `overloaded`.
    pub concurrency: usize,
    /// How many idle streams may be open at once; more are refused as `overloaded`.
    pub streams: usize,
    /// How many messages a batch may hold (2025-03-26).
    pub batch: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: bailiwick_mcp::Limits::default(),
            body_time: Duration::from_secs(30),
            concurrency: 1024,
            streams: 10_000,
            batch: 50,
        }
    }
}
