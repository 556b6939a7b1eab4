//! What a step of the data path answers, before it is an HTTP response: the one place that makes responses.

use bailiwick_mcp::headers::MCP_SESSION_ID;
use bailiwick_mcp::{GatewayError, RawId, Refusal};
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use crate::body::{Body, Pieces};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const ACCEL: HeaderName = HeaderName::from_static("x-accel-buffering");

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) content: Content,
    /// The session id that the client shall send from now on.
    pub(crate) session: Option<HeaderValue>,
}

pub(crate) enum Content {
    Empty,
    Json(Bytes),
    Events(Pieces),
}

impl Reply {
    pub(crate) fn json(status: StatusCode, bytes: impl Into<Bytes>) -> Self {
        Self { status, content: Content::Json(bytes.into()), session: None }
    }

    pub(crate) fn ok(bytes: impl Into<Bytes>) -> Self {
        Self::json(StatusCode::OK, bytes)
    }

    pub(crate) const fn empty(status: StatusCode) -> Self {
        Self { status, content: Content::Empty, session: None }
    }

    pub(crate) const fn events(pieces: Pieces) -> Self {
        Self { status: StatusCode::OK, content: Content::Events(pieces), session: None }
    }

    pub(crate) fn with_session(mut self, id: HeaderValue) -> Self {
        self.session = Some(id);
        self
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some(id) = self.session {
            headers.insert(&MCP_SESSION_ID, id);
        }
        match self.content {
            Content::Empty => {}
            Content::Json(bytes) => {
                headers.insert(CONTENT_TYPE, JSON);
                *response.body_mut() = Body::full(bytes);
            }
            Content::Events(pieces) => {
                headers.insert(CONTENT_TYPE, EVENTS);
                headers.insert(CACHE_CONTROL, NO_STORE);
                headers.insert(ACCEL, HeaderValue::from_static("no"));
                *response.body_mut() = Body::stream(pieces);
            }
        }
        response
    }
}

/// A refusal as an HTTP response.
pub(crate) fn refused(refusal: &Refusal, id: Option<RawId<'_>>) -> Response<Body> {
    let mut response = Reply::json(refusal.status, refusal.response(id)).into_response();
    if matches!(refusal.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// 405 with the methods that the endpoint has.
pub(crate) fn method_not_allowed() -> Response<Body> {
    let mut response = Reply::empty(StatusCode::METHOD_NOT_ALLOWED).into_response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST, GET, DELETE"));
    response
}

/// The refusal while the ledger takes no records. `executed` tells whether the server has run the call.
pub(crate) fn audit_unavailable(executed: bool) -> Refusal {
    let text = if executed {
        "The server ran the call, but its outcome could not be recorded, so the answer is withheld. Do not repeat the call blindly; ask the operators to look at the ledger's disk."
    } else {
        "Nothing was sent to the server. Try again in a moment; if it lasts, ask the operators to look at the ledger's disk."
    };
    GatewayError::AuditUnavailable.refusal(text, &[("executed", if executed { "true" } else { "false" })])
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Empty => "Empty",
            Self::Json(_) => "Json",
            Self::Events(_) => "Events",
        })
    }
}
