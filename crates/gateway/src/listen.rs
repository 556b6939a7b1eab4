//! Streams that carry no call: the GET stream of legacy sessions, `subscriptions/listen` of modern clients, and
//! the end of sessions (DELETE).

use std::collections::VecDeque;
use std::sync::Arc;

use bailiwick_mcp::headers::{LAST_EVENT_ID, MCP_SESSION_ID};
use bailiwick_mcp::{Edits, Method, ObjectPatch, Patch, Raw, Refusal};
use bailiwick_model::definition::DefinitionKind;
use bailiwick_model::grant::Action;
use bailiwick_upstream::AnswerBody;
use http::{HeaderMap, StatusCode};

use crate::carrier::{Bridge, Carrier, Client};
use crate::complete::refusal_of;
use crate::decide::{Found, absent, decide};
use crate::dispatch::{Asked, bad_request, find, task_behind};
use crate::facts::Facts;
use crate::forward::{Errand, forward};
use crate::mapping::Passage;
use crate::open_call::overloaded;
use crate::post::session_of;
use crate::relay::Relay;
use crate::reply::{Content, Reply};
use crate::session::{Session, SessionKind};
use crate::visit::Visit;
use crate::{credential, local};

mod ours;

pub(crate) use ours::{Wanted, graceful_end};

/// GET: the stream of a legacy session.
pub(crate) async fn get(visit: &Arc<Visit>, headers: &HeaderMap) -> Result<Reply, Refusal> {
    let accepts = headers.get_all(http::header::ACCEPT).iter().filter_map(|v| v.to_str().ok());
    if !accepts.into_iter().any(|accept| accept.contains("text/event-stream") || accept.contains("*/*")) {
        return Err(Refusal::new(
            bailiwick_mcp::error::INVALID_REQUEST,
            StatusCode::NOT_ACCEPTABLE,
            "A GET stream is text/event-stream; say so in Accept",
        ));
    }
    if !headers.contains_key(&MCP_SESSION_ID) {
        // Modern clients have no GET stream (spec 2026-07-28 basic/transports/streamable-http).
        return Err(Refusal::new(
            bailiwick_mcp::error::INVALID_REQUEST,
            StatusCode::METHOD_NOT_ALLOWED,
            "A GET stream needs a session; without one use POST",
        ));
    }
    let session = session_of(visit, headers)?;
    let facts = facts_of(&session, "GET");
    match (&session.kind, &visit.place.server) {
        (SessionKind::Own { .. }, Some(_)) => own(visit, &session, headers).await,
        _ => {
            let slot = Arc::clone(&visit.gateway.streams).try_acquire_owned().map_err(|_| overloaded())?;
            local::record(visit, &facts).await?;
            Ok(Reply::events(ours::stream(visit, Wanted::all(None), slot)))
        }
    }
}

/// The server's own stream, passed on.
async fn own(visit: &Arc<Visit>, session: &Session, headers: &HeaderMap) -> Result<Reply, Refusal> {
    let Some(server) = &visit.place.server else { return Err(no_session()) };
    let slot = Arc::clone(&visit.gateway.streams).try_acquire_owned().map_err(|_| overloaded())?;
    let facts = facts_of(session, "GET");
    let found = Found::server(server);
    let permit = decide(visit, &facts, Action::List, &found, server.server.name.as_str()).await?;
    let carrier = Carrier::choose(visit, server, Client::Session(session))?;
    local::record(visit, &facts).await?;
    credential::note(visit, &permit).await?;
    let resume = headers.get(&LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    let upstreams = &visit.gateway.parts.upstreams;
    let answer =
        upstreams.listen(&permit, &carrier.conversation, resume).await.map_err(|error| refusal_of(&error))?;
    match answer.body {
        AnswerBody::Stream(events) => {
            let relay = Relay {
                visit: Arc::clone(visit),
                found,
                passage: Passage {
                    method: Method::Unknown,
                    bridge: Bridge::None,
                    principal: session.principal,
                    server: server.server.id,
                    subject: None,
                    aggregate: None,
                },
                carrier,
                permit,
                request: None,
                events,
                early: VecDeque::new(),
                entry: None,
            };
            Ok(Reply::events(ours::beside(relay.into_pieces(), visit, Wanted::all(None), slot)))
        }
        AnswerBody::Json(body) => Ok(Reply::json(status(answer.status), body)),
        AnswerBody::Empty => Ok(Reply::empty(status(answer.status))),
    }
}

/// DELETE: the client ends its session.
pub(crate) async fn delete(visit: &Arc<Visit>, headers: &HeaderMap) -> Result<Reply, Refusal> {
    if !headers.contains_key(&MCP_SESSION_ID) {
        return Err(Refusal::new(
            bailiwick_mcp::error::INVALID_REQUEST,
            StatusCode::METHOD_NOT_ALLOWED,
            "Only a session can be ended, and none is named",
        ));
    }
    let session = session_of(visit, headers)?;
    let facts = facts_of(&session, "DELETE");
    local::record(visit, &facts).await?;
    let status = match (&session.kind, &visit.place.server) {
        (SessionKind::Own { .. }, Some(server)) => {
            let found = Found::server(server);
            let permit = decide(visit, &facts, Action::List, &found, server.server.name.as_str()).await?;
            let carrier = Carrier::choose(visit, server, Client::Session(&session))?;
            credential::note(visit, &permit).await?;
            let upstreams = &visit.gateway.parts.upstreams;
            upstreams.close(&permit, &carrier.conversation).await.map_err(|error| refusal_of(&error))?
        }
        _ => 200,
    };
    // A server may refuse that its sessions are ended (405); then this one goes on.
    if status != 405 {
        visit.gateway.sessions.end(&session, visit.now);
        visit.gateway.suspended.end(session.nonce);
        visit.gateway.inbound.end(session.nonce);
    }
    Ok(Reply::empty(self::status(status)))
}

/// `subscriptions/listen` (modern): the server's own at a transparent endpoint of a modern server, else ours.
pub(crate) async fn subscriptions(asked: &Asked<'_>) -> Result<Reply, Refusal> {
    let visit = asked.visit;
    let wanted = Wanted::read(asked)?;
    let slot = Arc::clone(&visit.gateway.streams).try_acquire_owned().map_err(|_| overloaded())?;
    if let Some(server) = &visit.place.server {
        let carrier = Carrier::choose(visit, server, asked.client())?;
        if carrier.bridge == Bridge::None {
            for uri in &wanted.resources {
                readable(asked, uri).await?;
            }
            let errand = Errand {
                found: Found::server(server),
                action: Action::List,
                asked: server.server.name.as_str(),
                patch: own_tasks(asked, &wanted).await?,
                mirrored: None,
                exposed: None,
            };
            let mut reply = forward(asked, errand).await?;
            if let Content::Events(pieces) = reply.content {
                reply.content = Content::Events(ours::beside(pieces, visit, wanted, slot));
            }
            return Ok(reply);
        }
    }
    local::record(visit, &asked.facts()).await?;
    Ok(Reply::events(ours::stream(visit, wanted, slot)))
}

/// The filter with the ids that the server knows its tasks by. Following a task is decided like polling it.
async fn own_tasks(asked: &Asked<'_>, wanted: &Wanted) -> Result<Patch<'static>, Refusal> {
    let mut patch = Patch::new();
    if wanted.tasks.is_empty() {
        return Ok(patch);
    }
    let mut own = Vec::with_capacity(wanted.tasks.len());
    for id in &wanted.tasks {
        let (handle, found, action) = task_behind(asked, id).await?;
        decide(asked.visit, &asked.facts(), action, &found, id).await?;
        own.push(handle.own);
    }
    let unreadable = || Refusal::invalid_params("params.notifications is not a filter");
    let filter = asked.request.param("notifications").ok_or_else(unreadable)?;
    let alone = Raw::new(filter.as_str());
    let mut edits = Edits::new();
    let mut ids = ObjectPatch::new();
    ids.set("taskIds", serde_json::to_vec(&own).map_err(|_| unreadable())?);
    ids.edit(&alone.object().map_err(|_| unreadable())?, &mut edits);
    patch.body.set("notifications", edits.apply(alone.as_bytes()).map_err(|_| unreadable())?);
    Ok(patch)
}

/// Whether the caller may follow this resource; recorded if not.
async fn readable(asked: &Asked<'_>, uri: &str) -> Result<(), Refusal> {
    let facts = asked.facts();
    match find(asked.visit, DefinitionKind::Resource, uri) {
        Some((found, _)) => decide(asked.visit, &facts, Action::Read, &found, uri).await.map(|_| ()),
        None => Err(absent(asked.visit, &facts, Action::Read, uri).await),
    }
}

fn facts_of<'a>(session: &'a Session, method: &'a str) -> Facts<'a> {
    Facts { method, era: session.era, session: Some(session), client: None, trace: None, span: None }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_GATEWAY)
}

pub(crate) fn no_session() -> Refusal {
    Refusal { status: StatusCode::NOT_FOUND, ..bad_request("Session not found; initialize again") }
}
