//! The way of one request to its server and back: decide, record the intent, carry, record the outcome.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use bailiwick_mcp::headers::{check_params, encode};
use bailiwick_mcp::method::Class;
use bailiwick_mcp::{Era, Method, Patch, Refusal};
use bailiwick_model::grant::Action;
use bailiwick_model::record::Status;
use bailiwick_policy::Permit;
use bailiwick_upstream::{Answer, AnswerBody, Request as Carried, UpstreamError};
use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use crate::carrier::{Bridge, Carrier, bridge_request, trace_inside};
use crate::complete::{complete, fail};
use crate::decide::{Found, decide};
use crate::dispatch::Asked;
use crate::exposure::Exposed;
use crate::mapping::Passage;
use crate::open_call::{End, OpenCall};
use crate::relay::Relay;
use crate::reply::{Reply, audit_unavailable};
use crate::running::{Entry, Running};

/// What a request is about, what for, and what has to change in it.
#[derive(Debug)]
pub(crate) struct Errand<'a> {
    pub(crate) found: Found,
    pub(crate) action: Action,
    /// The name that the client wrote.
    pub(crate) asked: &'a str,
    /// Changes that the request needs whatever the era: own names, unsealed handles.
    pub(crate) patch: Patch<'a>,
    /// What `Mcp-Name` says to the server.
    pub(crate) mirrored: Option<Cow<'a, str>>,
    /// The exposed tool, whose arguments headers may mirror.
    pub(crate) exposed: Option<&'a Exposed>,
}

/// Runs an errand.
pub(crate) async fn forward(asked: &Asked<'_>, errand: Errand<'_>) -> Result<Reply, Refusal> {
    let mut facts = asked.facts();
    let permit = decide(asked.visit, &facts, errand.action, &errand.found, errand.asked).await?;
    check_mirrored(asked, &errand)?;
    let carrier = Carrier::choose(asked.visit, &errand.found.server, asked.client())?;
    check_bridge(asked, &carrier)?;
    let passage = passage(asked, &errand.found, &carrier);
    let mut patch = errand.patch.clone();
    bridge_request(&mut patch, &carrier, asked.client());
    let span = asked.visit.gateway.begin_span(asked, asked.session);
    facts.span = Some(&span);
    let trace = asked.trace.onward(&span);
    trace_inside(&mut patch, &carrier, asked.request, (&asked.trace, &trace));
    let body = patched(asked, &patch)?;
    let carried = Carried {
        body,
        id: asked.request.id,
        method: &asked.request.method,
        name: errand.mirrored.as_deref(),
        params: mirror_params(asked, &errand, &carrier)?,
        trace: &trace,
    };
    let arguments = asked.request.params.as_ref().map_or(&b""[..], |p| p.raw().as_bytes());
    let mut call = OpenCall::open(asked.visit, &facts, &permit, arguments).await?;
    let entry = enter(asked, &errand.found);
    let upstreams = &asked.visit.gateway.parts.upstreams;
    let carried = tokio::select! {
        biased;
        carried = upstreams.request(&permit, &carrier.conversation, carried) => carried,
        () = cancelled(entry.as_ref()) => return Err(cancel(&mut call).await),
    };
    match carried {
        Ok(answer) => {
            let way = Way { permit, carrier, passage, entry };
            answered(asked, errand.found, way, call, answer).await
        }
        Err(error) => Err(fail(&mut call, &error).await),
    }
}

/// What has no counterpart in the other kind of era is refused with a clear word, to those who may do it.
fn check_bridge(asked: &Asked<'_>, carrier: &Carrier) -> Result<(), Refusal> {
    let status = Refusal::method_not_found(asked.era).status;
    let refuse = |text| Err(Refusal::new(bailiwick_mcp::error::METHOD_NOT_FOUND, status, text));
    if asked.method.class() == Class::Subscribe && !asked.visit.place.is_transparent() {
        // Its updates would come to nobody, so an acknowledgement would be a lie.
        return refuse(
            "An aggregate carries no updates of resources; subscribe at /servers/{name}/mcp".to_owned(),
        );
    }
    let crosses = !matches!(asked.method.class(), Class::Subscribe | Class::Logging | Class::Task);
    if crosses || carrier.bridge == Bridge::None {
        return Ok(());
    }
    let text = format!(
        "{} cannot be carried between protocol versions: the server speaks {}",
        asked.request.method, carrier.conversation.era
    );
    refuse(text)
}

/// Enters a request of a session, so that it can be cancelled.
fn enter(asked: &Asked<'_>, found: &Found) -> Option<Entry> {
    let session = asked.session?;
    let inner = &asked.visit.gateway;
    Some(Running::enter(inner, session.nonce, asked.request.id.as_str(), &found.server))
}

/// Resolves when the client cancels.
pub(crate) async fn cancelled(entry: Option<&Entry>) {
    match entry {
        Some(entry) => entry.cancel.cancelled().await,
        None => std::future::pending().await,
    }
}

/// The end of a cancelled call; nobody waits for the answer.
async fn cancel(call: &mut OpenCall) -> Refusal {
    match call.close(End::of(Status::Cancelled)).await {
        Ok(()) => {
            Refusal::new(bailiwick_mcp::error::INVALID_REQUEST, StatusCode::OK, "Cancelled by the client")
        }
        Err(_) => audit_unavailable(true),
    }
}

/// How a request was carried, as its answer needs it.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) permit: Permit,
    pub(crate) carrier: Carrier,
    pub(crate) passage: Passage,
    pub(crate) entry: Option<Entry>,
}

/// An answer on its way to the client.
pub(crate) async fn answered(
    asked: &Asked<'_>,
    found: Found,
    way: Way,
    mut call: OpenCall,
    answer: Answer,
) -> Result<Reply, Refusal> {
    call.answered(answer.status);
    match answer.body {
        AnswerBody::Json(body) => {
            let bytes = complete(asked.visit, &way.passage, &mut call, (body, answer.spots)).await?;
            let status = status_for(asked.era, way.carrier.bridge, answer.status, &bytes);
            Ok(Reply::json(status, bytes))
        }
        AnswerBody::Stream(events) => {
            if asked.method == Method::SubscriptionsListen {
                call.idle();
            }
            let relay = Relay {
                visit: Arc::clone(asked.visit),
                found,
                passage: way.passage,
                carrier: way.carrier,
                permit: way.permit,
                request: Some((asked.request.id.to_id(), call)),
                events,
                early: VecDeque::new(),
                entry: way.entry,
            };
            Ok(Reply::events(relay.into_pieces()))
        }
        AnswerBody::Empty if answer.status == 404 => {
            // The server's session is gone; in its own session the client has to hear that (spec 2025-11-25).
            fail(&mut call, &UpstreamError::Unreachable("the server ended the session")).await;
            Err(Refusal::new(
                bailiwick_mcp::error::INVALID_REQUEST,
                StatusCode::NOT_FOUND,
                "The session has ended; initialize again",
            ))
        }
        AnswerBody::Empty => Err(fail(&mut call, &UpstreamError::Invalid("it is empty")).await),
    }
}

pub(crate) fn passage(asked: &Asked<'_>, found: &Found, carrier: &Carrier) -> Passage {
    Passage {
        method: asked.method,
        bridge: carrier.bridge,
        principal: asked.visit.caller.principal.id,
        server: found.server.server.id,
        subject: found.handle_subject().map(|(kind, key)| (kind, key.into())),
        aggregate: (!asked.visit.place.is_transparent()).then(|| found.server.server.name.as_str().into()),
    }
}

/// The message with its changes; without any, the very bytes that were judged.
pub(crate) fn patched(asked: &Asked<'_>, patch: &Patch<'_>) -> Result<Bytes, Refusal> {
    if patch.is_empty() {
        return Ok(asked.body.clone());
    }
    patch.apply(asked.request).map(Bytes::from).map_err(|error| {
        tracing::error!(%error, "a request cannot be rewritten");
        Refusal::new(
            bailiwick_mcp::error::INTERNAL_ERROR,
            StatusCode::INTERNAL_SERVER_ERROR,
            "The request cannot be rewritten for its server",
        )
    })
}

/// Headers that mirror arguments must say what the body says (spec 2026-07-28 "Server Validation").
fn check_mirrored(asked: &Asked<'_>, errand: &Errand<'_>) -> Result<(), Refusal> {
    match errand.exposed.and_then(|e| e.params.as_ref()) {
        Some(params) if asked.era.is_modern() => {
            check_params(asked.headers, asked.request, params).map_err(|mismatch| mismatch.refusal())
        }
        _ => Ok(()),
    }
}

fn mirror_params(
    asked: &Asked<'_>,
    errand: &Errand<'_>,
    carrier: &Carrier,
) -> Result<Vec<(String, String)>, Refusal> {
    let Some(params) = errand.exposed.and_then(|e| e.params.as_ref()) else { return Ok(Vec::new()) };
    if !carrier.conversation.era.is_modern() {
        return Ok(Vec::new());
    }
    let arguments = asked.request.params.as_ref().and_then(|p| p.arguments());
    let values =
        params.values(arguments).map_err(|_| Refusal::invalid_params("The arguments cannot be read"))?;
    let plain = |value: HeaderValue| value.to_str().map(str::to_owned).unwrap_or_default();
    Ok(values.into_iter().map(|(name, text)| (name.as_str().to_owned(), plain(encode(&text)))).collect())
}

/// The HTTP status in the client's era: the server's own in the same era; else what the error means there.
fn status_for(era: Era, bridge: Bridge, status: u16, body: &[u8]) -> StatusCode {
    match bridge {
        Bridge::None => StatusCode::from_u16(status).unwrap_or(StatusCode::OK),
        Bridge::ToModern => StatusCode::OK,
        Bridge::ToLegacy => match bailiwick_mcp::frame(body, &bailiwick_mcp::Limits::default()) {
            Ok(bailiwick_mcp::Frame::Answer(answer)) => match answer.outcome {
                bailiwick_mcp::Outcome::Error(e) if e.code() == bailiwick_mcp::error::METHOD_NOT_FOUND => {
                    Refusal::method_not_found(era).status
                }
                _ => StatusCode::OK,
            },
            _ => StatusCode::OK,
        },
    }
}
