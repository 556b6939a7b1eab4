//! What a call brings along from the edge: its trace.

use serde::Serialize;

/// W3C trace context of a call (spec: SEP-414; W3C Trace Context), as received.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// `traceparent`, validated.
    pub parent: Option<Box<str>>,
    /// `tracestate`, as received.
    pub state: Option<Box<str>>,
    /// `baggage`, as received.
    pub baggage: Option<Box<str>>,
}

impl Trace {
    /// The trace id within `traceparent`: 32 hexadecimal digits.
    pub fn id(&self) -> Option<&str> {
        self.parent.as_deref().and_then(|p| p.get(3..35))
    }

    /// The span that the caller was in: 16 hexadecimal digits.
    pub fn span(&self) -> Option<&str> {
        self.parent.as_deref().and_then(|p| p.get(36..52))
    }
}
