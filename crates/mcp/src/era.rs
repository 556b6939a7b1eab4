//! Protocol eras: the revisions of MCP that the gateway knows, and what differs between them on the wire.
//!
//! "Modern" revisions describe themselves in each request; "legacy" ones start with an `initialize` handshake
//! (spec 2026-07-28 basic/versioning "Terminology"). Both sides of the gateway ask here instead of comparing dates.

use std::fmt;

/// A revision of the protocol, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Era {
    /// 2024-11-05 (HTTP+SSE). Known by name, never negotiated.
    V2024_11_05,
    /// 2025-03-26: Streamable HTTP, batches, no version header.
    V2025_03_26,
    /// 2025-06-18: version header, no batches.
    V2025_06_18,
    /// 2025-11-25: resumable streams with priming events.
    V2025_11_25,
    /// 2026-07-28: self-describing requests, no sessions.
    V2026_07_28,
}

impl Era {
    /// What the gateway speaks, newest first, as `supported` lists want it.
    pub const SUPPORTED: [Era; 4] = [Era::V2026_07_28, Era::V2025_11_25, Era::V2025_06_18, Era::V2025_03_26];

    /// The newest modern era.
    pub const MODERN: Era = Era::V2026_07_28;

    /// The newest legacy era, offered in `initialize` to a client that asks for an unknown one.
    pub const LEGACY: Era = Era::V2025_11_25;

    /// The date that names the revision on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Era::V2024_11_05 => "2024-11-05",
            Era::V2025_03_26 => "2025-03-26",
            Era::V2025_06_18 => "2025-06-18",
            Era::V2025_11_25 => "2025-11-25",
            Era::V2026_07_28 => "2026-07-28",
        }
    }

    /// The revision of that exact name.
    pub fn parse(version: &str) -> Option<Era> {
        let all = [Era::V2024_11_05, Era::V2025_03_26, Era::V2025_06_18, Era::V2025_11_25, Era::V2026_07_28];
        all.into_iter().find(|era| era.as_str() == version)
    }

    /// Whether the gateway speaks it.
    pub const fn is_supported(self) -> bool {
        !matches!(self, Era::V2024_11_05)
    }

    /// Whether each request describes itself, without handshake.
    pub const fn is_modern(self) -> bool {
        matches!(self, Era::V2026_07_28)
    }

    /// The legacy era to answer to the `protocolVersion` of an `initialize` request: the requested one if it is legacy
    /// and supported, else the newest legacy one.
    pub fn negotiate(requested: &str) -> Era {
        Era::parse(requested).filter(|era| era.is_supported() && !era.is_modern()).unwrap_or(Era::LEGACY)
    }

    /// Whether a body may be a batch (2025-03-26 only).
    pub const fn allows_batch(self) -> bool {
        matches!(self, Era::V2025_03_26)
    }

    /// Whether there are sessions, a GET stream, and requests from the server.
    pub const fn has_sessions(self) -> bool {
        !self.is_modern()
    }

    /// Whether each request after the handshake carries `MCP-Protocol-Version` (since 2025-06-18).
    pub fn requires_version_header(self) -> bool {
        self >= Era::V2025_06_18
    }

    /// Whether headers mirror the body and have to be checked against it.
    pub const fn mirrors_headers(self) -> bool {
        self.is_modern()
    }

    /// Whether streams can be resumed by `Last-Event-ID`.
    pub const fn resumes_streams(self) -> bool {
        !self.is_modern()
    }

    /// Whether a stream starts with an event of an id and empty data, and may be closed early (2025-11-25).
    pub const fn primes_streams(self) -> bool {
        matches!(self, Era::V2025_11_25)
    }

    /// Whether closing the stream of a request cancels it.
    pub const fn disconnect_cancels(self) -> bool {
        self.is_modern()
    }

    /// Whether the server may ask for elicitation (as request, or as input request since 2026-07-28).
    pub fn has_elicitation(self) -> bool {
        self >= Era::V2025_06_18
    }

    /// Whether results carry `resultType`, and cacheable ones `ttlMs` and `cacheScope`.
    pub const fn types_results(self) -> bool {
        self.is_modern()
    }

    /// The code for a resource that does not exist.
    pub const fn resource_not_found(self) -> i64 {
        if self.is_modern() { crate::error::INVALID_PARAMS } else { crate::error::RESOURCE_NOT_FOUND }
    }
}

impl fmt::Display for Era {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eras_are_ordered_by_date_and_named_exactly() {
        assert!(Era::V2024_11_05 < Era::V2025_03_26 && Era::V2025_11_25 < Era::V2026_07_28);
        for era in Era::SUPPORTED {
            assert_eq!(Era::parse(era.as_str()), Some(era));
        }
        assert_eq!(Era::parse("2026-07-28 "), None);
        assert_eq!(Era::parse("DRAFT-2026-v1"), None);
    }

    #[test]
    fn initialize_is_answered_with_a_legacy_era() {
        for (requested, answered) in [
            ("2025-03-26", Era::V2025_03_26),
            ("2025-06-18", Era::V2025_06_18),
            ("2025-11-25", Era::V2025_11_25),
            ("2024-11-05", Era::V2025_11_25),
            ("2026-07-28", Era::V2025_11_25),
            ("1999-01-01", Era::V2025_11_25),
            ("", Era::V2025_11_25),
        ] {
            assert_eq!(Era::negotiate(requested), answered, "{requested}");
        }
    }
}
