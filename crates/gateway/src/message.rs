//! What clients send beside requests: notifications, and answers to what a server asked them (legacy eras).

use std::sync::Arc;

use bailiwick_mcp::headers::Spoken;
use bailiwick_mcp::{Era, Method, Notification, Patch, Refusal, Response};
use bailiwick_model::grant::Action;
use bailiwick_model::record::Status;
use bailiwick_policy::CatalogueServer;
use bailiwick_upstream::{Answer, AnswerBody, Conversation, Kind};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::carrier::{Carrier, Client};
use crate::complete::fail;
use crate::decide::{Found, decide};
use crate::dispatch::bad_request;
use crate::facts::Facts;
use crate::local;
use crate::open_call::{End, OpenCall};
use crate::post::session_of;
use crate::reply::{Reply, audit_unavailable};
use crate::session::{Session, SessionKind};
use crate::visit::Visit;

/// How the names of all notifications begin, those of extensions too.
const NOTIFICATION: &str = "notifications/";

enum What {
    Notification,
    Response,
}

/// A notification: to the server whose session it is, or for the gateway itself.
pub(crate) async fn notification(
    visit: &Arc<Visit>,
    headers: &HeaderMap,
    spoken: Spoken,
    notification: &Notification<'_>,
    body: &Bytes,
) -> Result<Reply, Refusal> {
    // INVARIANT: a request without an id is no notification. It would reach the server without a decision on what
    // it names, and a server may well run it.
    if !notification.method.starts_with(NOTIFICATION) {
        return Err(bad_request("Only notifications come without an id"));
    }
    let method = Method::parse(&notification.method);
    let body = body.slice_ref(notification.raw());
    if spoken.era().is_modern() {
        return modern(visit, &notification.method, body).await;
    }
    let session = session_of(visit, headers)?;
    let facts = facts_of(&session, &notification.method);
    let cancelled = notification.param("requestId").filter(|_| method == Method::Cancelled);
    let running = || visit.gateway.running.find(session.nonce, cancelled?.as_str());
    let suspended = || visit.gateway.suspended.take(session.nonce, cancelled?.as_str());
    if let (SessionKind::Own { .. }, Some(server)) = (&session.kind, &visit.place.server) {
        let carrier = Carrier::choose(visit, server, Client::Session(&session))?;
        let what = (What::Notification, body);
        let reply = carry(visit, &facts, server, &carrier.conversation, what).await?;
        // The server is not to answer any more (spec basic/utilities/cancellation), so nobody shall wait for it.
        if let Some(run) = running() {
            run.cancel.cancel();
        }
        if let Some((mut call, _)) = suspended() {
            call.close(End::of(Status::Cancelled)).await.map_err(|_| audit_unavailable(true))?;
        }
        return Ok(reply);
    }
    match method {
        Method::Cancelled => {
            if let Some(run) = running() {
                let carrier = Carrier::choose(visit, &run.server, Client::Session(&session))?;
                if !carrier.conversation.era.is_modern() {
                    let what = (What::Notification, body);
                    carry(visit, &facts, &run.server, &carrier.conversation, what).await?;
                }
                run.cancel.cancel();
            }
            accepted(visit, &facts).await
        }
        Method::Initialized | Method::RootsListChanged | Method::Progress => accepted(visit, &facts).await,
        _ => Err(bad_request("This notification means nothing at this endpoint")),
    }
}

/// A modern client's notification, which the protocol itself does not have over HTTP; extensions may.
async fn modern(visit: &Arc<Visit>, method: &str, body: Bytes) -> Result<Reply, Refusal> {
    let facts = Facts { method, era: Era::MODERN, session: None, client: None, trace: None, span: None };
    if Method::parse(method) == Method::Cancelled {
        // Closing the stream is what cancels (spec 2026-07-28 basic/patterns/cancellation).
        return accepted(visit, &facts).await;
    }
    match &visit.place.server {
        Some(server) if crate::carrier::eras(server).any(Era::is_modern) => {
            let conversation = Conversation {
                server: server.server.id,
                era: Era::MODERN,
                principal: visit.caller.principal.id,
                client: 0,
                kind: Kind::Modern,
            };
            carry(visit, &facts, server, &conversation, (What::Notification, body)).await
        }
        _ => Err(bad_request("This notification means nothing at this endpoint")),
    }
}

/// A client's answer to a request that a server sent to this very session.
pub(crate) async fn response(
    visit: &Arc<Visit>,
    headers: &HeaderMap,
    response: &Response<'_>,
    body: &Bytes,
) -> Result<Reply, Refusal> {
    let session = session_of(visit, headers)?;
    let facts = facts_of(&session, "response");
    let (server, body) = match (&session.kind, &visit.place.server) {
        (SessionKind::Own { .. }, Some(server)) => (Arc::clone(server), body.slice_ref(response.raw())),
        _ => answered(visit, &session, response)
            .ok_or_else(|| bad_request("No server is waiting for this answer"))?,
    };
    let carrier = Carrier::choose(visit, &server, Client::Session(&session))?;
    carry(visit, &facts, &server, &carrier.conversation, (What::Response, body)).await
}

/// The server of an aggregate that waits for this answer, and the answer under that server's own id.
fn answered(
    visit: &Visit,
    session: &Session,
    response: &Response<'_>,
) -> Option<(Arc<CatalogueServer>, Bytes)> {
    let asked = visit.gateway.inbound.take(session.nonce, response.id?.as_str())?;
    let body = Patch::new().with_id(asked.id.as_raw()).apply(response).ok()?;
    Some((asked.server, body.into()))
}

/// Carries a message that has no answer: decided and recorded like every other contact with a server.
async fn carry(
    visit: &Arc<Visit>,
    facts: &Facts<'_>,
    server: &Arc<CatalogueServer>,
    conversation: &Conversation,
    (what, body): (What, Bytes),
) -> Result<Reply, Refusal> {
    let found = Found::server(server);
    let permit = decide(visit, facts, Action::List, &found, server.server.name.as_str()).await?;
    let mut call = OpenCall::open(visit, facts, &permit, &body).await?;
    let upstreams = &visit.gateway.parts.upstreams;
    let carried = match what {
        What::Notification => upstreams.notify(&permit, conversation, body).await,
        What::Response => upstreams.respond(&permit, conversation, body).await,
    };
    match carried {
        Ok(Answer { status, body, .. }) => {
            call.answered(status);
            call.close(End::of(Status::Ok)).await.map_err(|_| audit_unavailable(true))?;
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::ACCEPTED);
            Ok(match body {
                AnswerBody::Json(body) => Reply::json(status, body),
                _ => Reply::empty(status),
            })
        }
        Err(error) => Err(fail(&mut call, &error).await),
    }
}

async fn accepted(visit: &Visit, facts: &Facts<'_>) -> Result<Reply, Refusal> {
    local::record(visit, facts).await?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

fn facts_of<'a>(session: &'a Session, method: &'a str) -> Facts<'a> {
    Facts { method, era: session.era, session: Some(session), client: None, trace: None, span: None }
}
