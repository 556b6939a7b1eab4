//! How a message is carried to its server: in which era, in which kind of conversation, and what has to be
//! changed in it for that. In the client's own era nothing is, but names of aggregates and sealed handles.

use std::sync::Arc;

use bailiwick_mcp::bridge::{ClientMeta, initialize_params, request_to_legacy, request_to_modern};
use bailiwick_mcp::headers::meta;
use bailiwick_mcp::{Era, GatewayError, Patch, Refusal, Request};
use bailiwick_model::call::Trace;
use bailiwick_model::server::Transport;
use bailiwick_policy::CatalogueServer;
use bailiwick_upstream::{Conversation, Kind};
use bytes::Bytes;

use crate::session::{Session, SessionKind};
use crate::trace::Received;
use crate::visit::Visit;

/// A server as this client speaks with it.
#[derive(Debug, Clone)]
pub(crate) struct Carrier {
    pub(crate) conversation: Conversation,
    pub(crate) bridge: Bridge,
    /// Whether the trace goes into `_meta`: where the era says so (SEP-414), and where there are no headers.
    pub(crate) traces_inside: bool,
}

/// Between which eras messages have to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bridge {
    /// Both sides speak the same kind of era.
    None,
    /// A legacy client, a modern server.
    ToModern,
    /// A modern client, a legacy server.
    ToLegacy,
}

/// What a modern request says of its client, or a session.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Client<'a> {
    Session(&'a Session),
    Modern { info: Option<&'a str> },
}

impl<'a> Client<'a> {
    /// The client of a modern request.
    pub(crate) fn of_request(request: &Request<'a>) -> Self {
        Self::Modern { info: request.meta(meta::CLIENT_INFO).map(|raw| raw.as_str()) }
    }
}

/// The eras of a server that the gateway speaks.
pub(crate) fn eras(server: &CatalogueServer) -> impl Iterator<Item = Era> {
    server.eras.iter().filter_map(|era| Era::parse(era)).filter(|era| era.is_supported())
}

impl Carrier {
    /// Chooses the client's own era where the server has it, else the server's newest.
    pub(crate) fn choose(
        visit: &Visit,
        server: &Arc<CatalogueServer>,
        client: Client<'_>,
    ) -> Result<Self, Refusal> {
        let legacy = eras(server).filter(|era| !era.is_modern());
        let modern = eras(server).any(Era::is_modern);
        let (era, kind, bridge) = match client {
            Client::Modern { .. } if modern => (Era::MODERN, Kind::Modern, Bridge::None),
            Client::Modern { info } => {
                let era = legacy.max().ok_or_else(undiscovered)?;
                let initialize = pooled_params(era, "{}", info);
                (era, Kind::Pooled { initialize }, Bridge::ToLegacy)
            }
            Client::Session(session) => match &session.kind {
                SessionKind::Own { upstream } => {
                    let initialize = session.initialize.clone();
                    (session.era, Kind::Own { initialize, session: upstream.clone() }, Bridge::None)
                }
                SessionKind::Ours => {
                    let mut best = None;
                    for era in legacy {
                        best = if era == session.era { Some(era) } else { best.max(Some(era)) };
                        if best == Some(session.era) {
                            break;
                        }
                    }
                    match best {
                        Some(era) => {
                            let initialize = with_era(&session.initialize, era);
                            (era, Kind::Pooled { initialize }, Bridge::None)
                        }
                        None if modern => (Era::MODERN, Kind::Modern, Bridge::ToModern),
                        None => return Err(undiscovered()),
                    }
                }
            },
        };
        let client = match client {
            Client::Session(session) => session.nonce,
            Client::Modern { .. } => 0,
        };
        let conversation = Conversation {
            server: server.server.id,
            era,
            principal: visit.caller.principal.id,
            client,
            kind,
        };
        Ok(Self { traces_inside: traces_inside(server, era), conversation, bridge })
    }

    /// Whether the server's session is the client's, one to one: ids, event ids and questions are the server's own.
    pub(crate) const fn is_own(&self) -> bool {
        matches!(self.conversation.kind, Kind::Own { .. })
    }
}

fn traces_inside(server: &CatalogueServer, era: Era) -> bool {
    era.is_modern() || matches!(server.server.transport, Transport::Stdio { .. })
}

/// The changes that a request needs for its server's era.
pub(crate) fn bridge_request<'p>(patch: &mut Patch<'p>, carrier: &Carrier, client: Client<'p>) {
    match (carrier.bridge, client) {
        (Bridge::ToModern, Client::Session(session)) => {
            let info = session_info(session);
            request_to_modern(
                patch,
                &ClientMeta { era: carrier.conversation.era, capabilities: "{}", info, log_level: None },
            );
        }
        (Bridge::ToLegacy, _) => request_to_legacy(patch),
        _ => {}
    }
}

/// Writes the trace into `_meta`: the call's own span where the caller's stands, or has to; the rest as it came. A
/// trace that the caller did not name is not written: the body stays as it was judged.
pub(crate) fn trace_inside<'p>(
    patch: &mut Patch<'p>,
    carrier: &Carrier,
    request: &Request<'_>,
    (received, trace): (&Received, &Trace<'p>),
) {
    if received.parent.is_some()
        && (carrier.traces_inside || request.meta(meta::TRACEPARENT).is_some())
        && let Some(parent) = &trace.parent
    {
        patch.meta.set_string(meta::TRACEPARENT, parent.as_str());
    }
    for (name, word) in [(meta::TRACESTATE, trace.state), (meta::BAGGAGE, trace.baggage)] {
        if carrier.traces_inside
            && let Some(word) = word.filter(|_| request.meta(name).is_none())
        {
            patch.meta.set_string(name, word);
        }
    }
}

fn session_info(session: &Session) -> Option<&str> {
    let text = std::str::from_utf8(&session.initialize).ok()?;
    bailiwick_mcp::member(text, "clientInfo").ok()?.map(|raw| raw.as_str())
}

/// `initialize` params for a session that the gateway keeps for a client. It offers no sampling, elicitation or
/// roots, whose answers could not be carried across eras.
fn pooled_params(era: Era, capabilities: &str, info: Option<&str>) -> Bytes {
    let info = info.unwrap_or(r#"{"name":"bailiwick","version":"1"}"#);
    initialize_params(era, capabilities, info).into()
}

/// The client's own `initialize` params, asking for another era.
fn with_era(initialize: &Bytes, era: Era) -> Bytes {
    let changed = std::str::from_utf8(initialize).ok().and_then(|text| {
        let version = bailiwick_mcp::member(text, "protocolVersion").ok()??;
        if version.string().as_deref() == Some(era.as_str()) {
            return None;
        }
        let mut edits = bailiwick_mcp::Edits::new();
        edits.replace(version.range(), bailiwick_mcp::json::quote(era.as_str()));
        edits.apply(initialize).ok()
    });
    changed.map_or_else(|| initialize.clone(), Bytes::from)
}

/// The server has never answered, so there is no era to speak.
fn undiscovered() -> Refusal {
    GatewayError::UpstreamUnreachable.refusal(
        "The server has not answered since it was registered, so nothing is known of it yet. Nothing was sent.",
        &[],
    )
}
