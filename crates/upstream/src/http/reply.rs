//! From an HTTP response to an answer: status, content type, size, framing, id.

use std::sync::Arc;

use bailiwick_mcp::frame::Spots;
use bailiwick_mcp::{Limits, frame};
use bailiwick_runtime::outbound::Body;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, Response, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt;

use super::passage::Passage;
use super::{Wire, events};
use crate::{Answer, UpstreamError};

/// How a body is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Json,
    Events,
    Other,
}

/// Reads the answer; a stream is handed on.
pub(super) async fn answer(
    wire: &Arc<Wire>,
    response: Response<Body>,
    passage: Passage,
) -> Result<Answer, UpstreamError> {
    let status = response.status();
    let content = content(response.headers())?;
    match status.as_u16() {
        300..=399 => Err(UpstreamError::Invalid("it redirects")),
        401 | 403 => Err(UpstreamError::Refused),
        200 if content == Content::Events && !matches!(passage, Passage::Told) => {
            Ok(Answer::stream(events::stream(wire, response.into_body(), passage)))
        }
        200..=299 if content == Content::Json => {
            let body = collect(wire, response.into_body()).await?;
            match judge(wire, &body, &passage) {
                // Some servers answer a notification with `null`, which nobody waits for.
                _ if matches!(passage, Passage::Told) => Ok(Answer::empty(status.as_u16())),
                Ok((message, spots)) => Ok(Answer { spots, ..Answer::json(status.as_u16(), message) }),
                Err(error) => Err(error),
            }
        }
        200..=299 => without_message(wire, response, &passage).await,
        _ => failed(wire, response, content, &passage).await,
    }
}

/// A success without a message: right for what was only told, and for nothing else unless it is empty.
async fn without_message(
    wire: &Wire,
    response: Response<Body>,
    passage: &Passage,
) -> Result<Answer, UpstreamError> {
    let status = response.status().as_u16();
    let body = collect(wire, response.into_body()).await?;
    if body.is_empty() || matches!(passage, Passage::Told) {
        return Ok(Answer::empty(status));
    }
    Err(UpstreamError::Invalid("its content type is neither JSON nor an event stream"))
}

/// An error status: an answer if it says so in JSON-RPC, and where the status alone has a meaning.
async fn failed(
    wire: &Wire,
    response: Response<Body>,
    content: Content,
    passage: &Passage,
) -> Result<Answer, UpstreamError> {
    let status = response.status();
    if content == Content::Json {
        let body = collect(wire, response.into_body()).await?;
        if let Ok((message, _)) = judge(wire, &body, passage) {
            return Ok(Answer::json(status.as_u16(), message));
        }
    }
    match status {
        // The session is gone; there is no GET stream, or no DELETE.
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Ok(Answer::empty(status.as_u16())),
        StatusCode::BAD_REQUEST if matches!(passage, Passage::Told) => Ok(Answer::empty(400)),
        status => Err(UpstreamError::Failed(status.as_u16())),
    }
}

/// The message for the reader; an error if it is not the one that was waited for.
fn judge(wire: &Wire, body: &Bytes, passage: &Passage) -> Result<(Bytes, Option<Spots>), UpstreamError> {
    let limits = limits(wire);
    let passed = passage.judge(frame(body, &limits)?, Some(body), wire)?;
    let message = passed.body.filter(|_| passed.last);
    let message = message.ok_or(UpstreamError::Invalid("it is not the answer to this request"))?;
    Ok((message, passed.spots))
}

/// The bounds of a server's message.
pub(super) fn limits(wire: &Wire) -> Limits {
    let limits = &wire.shared.parts.settings.limits;
    Limits {
        max_bytes: limits.answer_bytes,
        max_depth: u8::try_from(limits.depth).unwrap_or(u8::MAX).max(128),
        max_id_bytes: limits.id_bytes,
        max_batch: 0,
    }
}

fn content(headers: &HeaderMap) -> Result<Content, UpstreamError> {
    // None was asked for; unpacking would make a small answer a large one.
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding.as_bytes() != b"identity") {
        return Err(UpstreamError::Invalid("its answer is compressed"));
    }
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(Content::Other) };
    let kind = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    Ok(match kind {
        kind if kind.eq_ignore_ascii_case(b"application/json") => Content::Json,
        kind if kind.eq_ignore_ascii_case(b"text/event-stream") => Content::Events,
        _ => Content::Other,
    })
}

/// The whole body, bounded in size and in time between its pieces.
async fn collect(wire: &Wire, mut body: Body) -> Result<Bytes, UpstreamError> {
    let most = wire.shared.parts.settings.limits.answer_bytes;
    let too_large = UpstreamError::Invalid("it is larger than allowed");
    if body.size_hint().lower() > most as u64 {
        return Err(too_large);
    }
    let mut whole = BytesMut::new();
    while let Some(piece) = next(wire, &mut body).await? {
        // The common case: one piece is all, and is handed on as it is.
        if whole.is_empty() && body.is_end_stream() {
            return if piece.len() > most { Err(too_large) } else { Ok(piece) };
        }
        if whole.len() + piece.len() > most {
            return Err(too_large);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// The next piece of a body, bounded in time; none at its end.
pub(super) async fn next(wire: &Wire, body: &mut Body) -> Result<Option<Bytes>, UpstreamError> {
    let next = tokio::time::timeout(wire.shared.timeouts().idle(), piece(body));
    next.await.map_err(|_| UpstreamError::Timeout("its answer paused too long"))?
}

/// The next piece of a body; none at its end.
pub(super) async fn piece(body: &mut Body) -> Result<Option<Bytes>, UpstreamError> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|_| UpstreamError::Cut)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}
