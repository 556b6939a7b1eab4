//! POST: one message, or in 2025-03-26 several. Read once, parsed once, strictly; what it is decides who answers.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_mcp::headers::{MCP_PROTOCOL_VERSION, MCP_SESSION_ID, Spoken, check, classify};
use bailiwick_mcp::{Envelope, Era, Limits, Message, Method, Refusal, Request};
use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt as _;

use crate::batch;
use crate::body::Body;
use crate::dispatch::{Asked, bad_request, dispatch};
use crate::handshake;
use crate::listen::no_session;
use crate::malformed;
use crate::message;
use crate::reply::{Reply, refused};
use crate::session::Session;
use crate::trace;
use crate::visit::Visit;

/// The most of a refused request that is read, in bytes, and for how long.
const DRAINED: usize = 64 * 1024;
const DRAIN_TIME: Duration = Duration::from_millis(100);

/// Answers a POST.
pub(crate) async fn post<B>(visit: &Arc<Visit>, headers: &HeaderMap, body: B) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: std::error::Error,
{
    let limits = limits(visit, headers);
    let body = match acceptable(headers) {
        Ok(()) => read(visit, headers, body, limits.max_bytes).await,
        Err(refusal) => {
            drain(body).await;
            Err(refusal)
        }
    };
    let body = match body {
        Ok(body) => body,
        Err(refusal) => {
            visit.gateway.malformed.note(visit, malformed::of_head(&refusal));
            return refused(&refusal, None);
        }
    };
    // One strict parse; the bytes that are judged are the bytes that are sent on.
    let parsed = match Envelope::parse(&body, &limits) {
        Ok(message) => message,
        Err(error) => {
            visit.gateway.malformed.note(visit, malformed::of_body(&error));
            return refused(&error.refusal(), error.id.as_ref().map(|id| id.as_raw()));
        }
    };
    let id = match &parsed {
        Message::Request(request) => Some(request.id),
        _ => None,
    };
    let spoken = match classify(headers, &parsed) {
        Ok(spoken) => spoken,
        Err(refusal) => {
            visit.gateway.malformed.note(visit, malformed::of_headers(&refusal));
            return refused(&refusal, id);
        }
    };
    let outcome = match &parsed {
        Message::Request(request) => one(visit, headers, spoken, request, &body).await,
        Message::Notification(notification) => {
            Box::pin(message::notification(visit, headers, spoken, notification, &body)).await
        }
        Message::Response(response) => Box::pin(message::response(visit, headers, response, &body)).await,
        Message::Batch(messages) => Box::pin(batch::batch(visit, headers, spoken, messages, &body)).await,
    };
    outcome.map_or_else(|refusal| refused(&refusal, id), Reply::into_response)
}

/// Answers one request.
pub(crate) async fn one(
    visit: &Arc<Visit>,
    headers: &HeaderMap,
    spoken: Spoken,
    request: &Request<'_>,
    body: &Bytes,
) -> Result<Reply, Refusal> {
    let session = match spoken {
        Spoken::Legacy(_) => Some(session_of(visit, headers)?),
        Spoken::Modern(_) => {
            check(headers, request).map_err(|mismatch| {
                let refusal = mismatch.refusal();
                visit.gateway.malformed.note(visit, malformed::of_headers(&refusal));
                refusal
            })?;
            None
        }
        Spoken::Initialize => None,
    };
    let era = match (&session, spoken) {
        (Some(session), _) => session.era,
        (None, Spoken::Initialize) => {
            let version = request.param("protocolVersion").and_then(|raw| raw.string());
            Era::negotiate(version.as_deref().unwrap_or_default())
        }
        (None, spoken) => spoken.era(),
    };
    let asked = Asked {
        visit,
        request,
        method: Method::parse(&request.method),
        era,
        session: session.as_deref(),
        body: body.slice_ref(request.raw()),
        headers,
        trace: trace::of(headers, request),
    };
    match spoken {
        // What is rare is boxed, so that the future of a call stays small.
        Spoken::Initialize => Box::pin(handshake::initialize(&asked)).await,
        _ => dispatch(&asked).await,
    }
}

/// The session that the headers name, for this caller at this endpoint.
pub(crate) fn session_of(visit: &Visit, headers: &HeaderMap) -> Result<Arc<Session>, Refusal> {
    let mut ids = headers.get_all(&MCP_SESSION_ID).iter();
    let (id, second) = (ids.next(), ids.next());
    let id = id.filter(|_| second.is_none()).and_then(|id| id.to_str().ok());
    let id = id.ok_or_else(|| bad_request("Exactly one Mcp-Session-Id is needed; initialize first"))?;
    visit.gateway.sessions.open(visit, id).map_err(|_| no_session())
}

fn limits(visit: &Visit, headers: &HeaderMap) -> Limits {
    let limits = &visit.gateway.parts.limits;
    // Batches exist in 2025-03-26 only, which knew no version header.
    let batches = headers
        .get(&MCP_PROTOCOL_VERSION)
        .is_none_or(|version| version.as_bytes() == Era::V2025_03_26.as_str().as_bytes());
    if batches { limits.message.with_batches(limits.batch) } else { limits.message }
}

fn acceptable(headers: &HeaderMap) -> Result<(), Refusal> {
    let refuse = |status, text| Err(Refusal::new(bailiwick_mcp::error::INVALID_REQUEST, status, text));
    let json = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|text| {
        if text == "application/json" {
            return true;
        }
        let essence = text.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/json")
    });
    if !json || headers.get_all(CONTENT_TYPE).iter().nth(1).is_some() {
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json");
    }
    if headers.contains_key(CONTENT_ENCODING) {
        return refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Content-Encoding is not supported; send plain JSON",
        );
    }
    let mut accepts = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    let stated = accepts.peek().is_some();
    if stated
        && !accepts.any(|text| {
            ["application/json", "text/event-stream", "*/*", "application/*"].iter().any(|t| text.contains(t))
        })
    {
        return refuse(StatusCode::NOT_ACCEPTABLE, "Accept must list application/json and text/event-stream");
    }
    Ok(())
}

async fn read<B>(visit: &Visit, headers: &HeaderMap, body: B, max: usize) -> Result<Bytes, Refusal>
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: std::error::Error,
{
    let announced =
        headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<usize>().ok());
    if announced.is_some_and(|length| length > max) {
        return Err(too_large());
    }
    tokio::select! {
        biased;
        read = collect(body, max) => read,
        () = tokio::time::sleep(visit.gateway.parts.limits.body_time) => Err(Refusal::new(
            bailiwick_mcp::error::INVALID_REQUEST,
            StatusCode::REQUEST_TIMEOUT,
            "The body did not arrive in time",
        )),
    }
}

/// Reads the rest of a request that is refused unread, if it is small and soon there. A connection whose request was not
/// read has to be closed, and a client that uses it at once would lose its next request.
pub(crate) async fn drain<B>(body: B)
where
    B: http_body::Body<Data = Bytes> + Send,
{
    let rest = async {
        let mut body = std::pin::pin!(body);
        let mut left = DRAINED;
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                return;
            }
        }
    };
    // What does not come in time is left: the connection is closed behind the answer then.
    let _in_time = tokio::time::timeout(DRAIN_TIME, rest).await;
}

async fn collect<B>(body: B, max: usize) -> Result<Bytes, Refusal>
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: std::error::Error,
{
    let mut body = std::pin::pin!(body);
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| bad_request("The body did not arrive whole"))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + rest.len() + data.len() > max {
            return Err(too_large());
        }
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

fn too_large() -> Refusal {
    Refusal::new(
        bailiwick_mcp::error::INVALID_REQUEST,
        StatusCode::PAYLOAD_TOO_LARGE,
        "The message is larger than limits.body_bytes",
    )
}
