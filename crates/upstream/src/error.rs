//! What can go wrong on the way to a server and back. The gateway maps it once to its public errors.
//!
//! Texts are ours: nothing that a server wrote, no address, no path. What a server said of itself goes to the log.

use bailiwick_mcp::FrameError;

/// A request that brought no answer from its server.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// The server is not in the set, or switched off.
    #[error("the server is not available")]
    Unknown,
    /// It could not be reached, or recently could not and the breaker is open. It did not see the request.
    #[error("the server cannot be reached: {0}")]
    Unreachable(&'static str),
    /// Its program keeps ending and is not started yet again. It did not see the request.
    #[error("the server's program keeps ending; it is started again later")]
    BackingOff,
    /// It refused what the gateway showed it (HTTP 401 or 403). It did not run the request.
    #[error("the server refuses the gateway's credential")]
    Refused,
    /// It took longer than it may. It may have run the request.
    #[error("the server did not answer in time: {0}")]
    Timeout(&'static str),
    /// It ended the connection before the answer was complete. It may have run the request.
    #[error("the server ended the connection before the answer was complete")]
    Cut,
    /// What it sent is no answer. It may have run the request.
    #[error("the server's answer is invalid: {0}")]
    Invalid(&'static str),
    /// What it sent is no JSON-RPC message. It may have run the request.
    #[error("the server's answer is invalid: {0}")]
    Frame(#[from] FrameError),
    /// It failed with an HTTP status and no JSON-RPC error. It may have run the request.
    #[error("the server failed with HTTP status {0}")]
    Failed(u16),
    /// It answered a request of the gateway's own with a JSON-RPC error.
    #[error("the server answered with error {0}")]
    Answered(i64),
    /// The request cannot be carried in this form: our own side's mistake.
    #[error("the request cannot be carried: {0}")]
    Request(&'static str),
    /// Too much is under way with this server. It did not see the request.
    #[error("too much is under way with this server")]
    Overloaded,
}

impl UpstreamError {
    /// Whether the server may have run the request.
    pub fn may_have_run(&self) -> bool {
        matches!(self, Self::Timeout(_) | Self::Cut | Self::Invalid(_) | Self::Frame(_) | Self::Failed(_))
    }

    /// The sort of failure in one word, as records name it.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Unknown => "unavailable",
            Self::Unreachable(_) => "unreachable",
            Self::BackingOff => "backing_off",
            Self::Refused => "refused",
            Self::Timeout(_) => "timeout",
            Self::Cut => "cut",
            Self::Invalid(_) | Self::Frame(_) => "invalid",
            Self::Failed(_) => "failed",
            Self::Answered(_) => "answered",
            Self::Request(_) => "request",
            Self::Overloaded => "overloaded",
        }
    }

    /// Whether it speaks against the server's health, so that the breaker counts it.
    pub(crate) fn is_failure(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Timeout(_) | Self::Cut | Self::Failed(500..=599))
    }
}
