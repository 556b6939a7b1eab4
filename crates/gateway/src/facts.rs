//! What records say of a call: who, what, through which door. Strings that strangers chose are cut here.

use bailiwick_mcp::{Era, Raw, Request};
use bailiwick_model::call::TraceParent;
use bailiwick_model::principal::Caller;
use bailiwick_model::record::{What, Who};

use crate::session::Session;
use crate::trace::{Received, Span};
use crate::visit::Visit;

/// Longest text of a stranger in a record, in bytes.
const MAX_TEXT: usize = 256;

/// The caller, as records name it.
pub(crate) fn who(caller: &Caller) -> Who<'_> {
    let principal = &*caller.principal;
    Who {
        principal: principal.id,
        kind: principal.kind,
        issuer: &principal.issuer,
        subject: &principal.subject,
        team: principal.team,
        key: caller.key,
    }
}

/// What of a message records name.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) method: &'a str,
    pub(crate) era: Era,
    pub(crate) session: Option<&'a Session>,
    pub(crate) client: Option<Box<str>>,
    pub(crate) trace: Option<&'a Received>,
    /// The span that the call is, if it goes to a server.
    pub(crate) span: Option<&'a Span>,
}

impl<'a> Facts<'a> {
    /// As records name it.
    pub(crate) fn what<'s>(&'s self, visit: &'s Visit) -> What<'s> {
        let parent = self.trace.and_then(|received| received.parent.as_ref());
        let at = self.span.map(|span| &span.at);
        What {
            endpoint: &visit.path,
            method: cut(self.method),
            era: self.era.as_str(),
            session: self.session.map(|s| &*s.tag),
            client: self.session.and_then(|s| s.client.as_deref()).or(self.client.as_deref()),
            trace: at.or(parent).map(TraceParent::trace),
            span: at.map(TraceParent::span),
            parent: parent.map(TraceParent::span),
        }
    }
}

/// A text of at most 256 bytes.
pub(crate) fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default()
}

/// `name/version` out of the raw `params` of an `initialize`.
pub(crate) fn client_of(initialize: &[u8]) -> Option<Box<str>> {
    let text = std::str::from_utf8(initialize).ok()?;
    application(Raw::new(text).member("clientInfo").ok()??)
}

/// `name/version` out of a modern request's `_meta`.
pub(crate) fn client_of_request(request: &Request<'_>) -> Option<Box<str>> {
    application(request.meta(bailiwick_mcp::headers::meta::CLIENT_INFO)?)
}

fn application(info: Raw<'_>) -> Option<Box<str>> {
    let info = info.object().ok()?;
    let name = info.get("name")?.string()?;
    let version = info.get("version").and_then(|v| v.string()).unwrap_or_default();
    Some(cut(&format!("{name}/{version}")).into())
}
