//! A server's endpoint: its URL and static headers, made ready once, so that a request only adds what is its own.

use bailiwick_mcp::headers::{
    self, MCP_METHOD, MCP_NAME, MCP_PARAM_PREFIX, MCP_PROTOCOL_VERSION, MCP_SESSION_ID,
};
use bailiwick_mcp::{Era, Method};
use bailiwick_model::call::TraceParent;
use bailiwick_model::server::Transport;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::conversation::{Conversation, Kind, Request};
use crate::{ServerSpec, UpstreamError};

/// Headers that belong to the connection and are nobody's to set.
const CONNECTION: [&str; 8] =
    ["connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

/// Room for what a request adds.
const ADDED: usize = 8;

/// A server's endpoint.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) uri: Uri,
    /// What every message carries. Values of secrets are marked sensitive, so that `Debug` does not show them.
    base: HeaderMap,
}

impl Endpoint {
    /// The endpoint of an HTTP server.
    pub(crate) fn new(spec: &ServerSpec) -> Result<Self, UpstreamError> {
        let Transport::Http { url, headers } = &spec.server.transport else {
            return Err(UpstreamError::Request("the server is not reached over HTTP"));
        };
        let uri: Uri = url.parse().map_err(|_| UpstreamError::Unreachable("its URL is malformed"))?;
        let mut base = HeaderMap::with_capacity(headers.len() + 3 + ADDED);
        base.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        base.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        base.insert(USER_AGENT, HeaderValue::from_static(concat!("bailiwick/", env!("CARGO_PKG_VERSION"))));
        for (name, value) in spec.values(headers) {
            let malformed = UpstreamError::Unreachable("a static header is malformed");
            let name = HeaderName::try_from(name).map_err(|_| malformed.clone())?;
            if CONNECTION.contains(&name.as_str()) {
                return Err(UpstreamError::Unreachable("a static header belongs to the connection"));
            }
            let mut value = HeaderValue::try_from(value).map_err(|_| malformed)?;
            value.set_sensitive(true);
            base.insert(name, value);
        }
        Ok(Self { uri, base })
    }

    /// For `initialize`, which is sent before a version is agreed upon.
    pub(super) fn first_headers(&self, request: &Request<'_>) -> HeaderMap {
        let mut headers = self.base.clone();
        trace(&mut headers, request);
        headers
    }

    /// For whatever follows in a legacy session.
    pub(super) fn legacy_headers(&self, era: Era, session: Option<HeaderValue>) -> HeaderMap {
        let mut headers = self.base.clone();
        if era.requires_version_header() {
            add(&mut headers, &MCP_PROTOCOL_VERSION, HeaderValue::from_static(era.as_str()));
        }
        if let Some(id) = session {
            add(&mut headers, &MCP_SESSION_ID, id);
        }
        headers
    }

    /// For a message of the client's own session, or of none.
    pub(super) fn session_headers(&self, conversation: &Conversation) -> Result<HeaderMap, UpstreamError> {
        let session = match &conversation.kind {
            Kind::Own { session: Some(id), .. } => Some(
                HeaderValue::from_str(id)
                    .map_err(|_| UpstreamError::Request("the session id is malformed"))?,
            ),
            _ => None,
        };
        Ok(self.legacy_headers(conversation.era, session))
    }

    /// For a request.
    pub(super) fn request_headers(
        &self,
        conversation: &Conversation,
        request: &Request<'_>,
    ) -> Result<HeaderMap, UpstreamError> {
        let mut headers = self.session_headers(conversation)?;
        if conversation.era.mirrors_headers() {
            mirrored(&mut headers, request)?;
        }
        trace(&mut headers, request);
        Ok(headers)
    }
}

/// Adds a header unless the server has a static one of that name.
fn add(headers: &mut HeaderMap, name: &HeaderName, value: HeaderValue) {
    headers.entry(name).or_insert(value);
}

/// What the modern era shows of the body (spec 2026-07-28 basic/transports/streamable-http "Headers").
fn mirrored(headers: &mut HeaderMap, request: &Request<'_>) -> Result<(), UpstreamError> {
    let method = match Method::parse(request.method) {
        Method::Unknown => headers::encode(request.method),
        known => HeaderValue::from_static(known.as_str()),
    };
    add(headers, &MCP_METHOD, method);
    if let Some(name) = request.name {
        add(headers, &MCP_NAME, headers::encode(name));
    }
    for (name, value) in &request.params {
        let malformed = || UpstreamError::Request("a parameter's header is malformed");
        let name = HeaderName::try_from(name.as_str()).map_err(|_| malformed())?;
        if !name.as_str().starts_with(MCP_PARAM_PREFIX) {
            return Err(malformed());
        }
        headers.insert(name, HeaderValue::from_str(value).map_err(|_| malformed())?);
    }
    Ok(())
}

pub(super) fn trace(headers: &mut HeaderMap, request: &Request<'_>) {
    let trace = request.trace;
    let parent = trace.parent.as_ref().map(TraceParent::as_str);
    for (name, value) in [("traceparent", parent), ("tracestate", trace.state), ("baggage", trace.baggage)] {
        // What is no header value was no header either: it came in `_meta` and goes on there.
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            add(headers, &HeaderName::from_static(name), value);
        }
    }
}
