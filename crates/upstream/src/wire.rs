//! Small messages that the room makes or reads for itself.

use bailiwick_mcp::error::call;
use bailiwick_mcp::{Era, Frame, Limits, Outcome, frame, member};
use bytes::Bytes;

use crate::{AnswerBody, UpstreamError};

/// `notifications/cancelled` for a request of this number.
pub(crate) fn cancelled(number: u64) -> Bytes {
    let params = format!(r#"{{"requestId":{number},"reason":"the client is gone"}}"#);
    call(None, "notifications/cancelled", Some(params.as_bytes())).into()
}

/// The answer at the end of a body, for requests of the room itself.
pub(crate) async fn last_message(body: AnswerBody) -> Result<Bytes, UpstreamError> {
    match body {
        AnswerBody::Json(message) => Ok(message),
        AnswerBody::Empty => Err(UpstreamError::Invalid("it took the request without answering it")),
        AnswerBody::Stream(mut events) => {
            while let Some(event) = events.next().await {
                let Some(data) = event?.data else { continue };
                if matches!(read(&data), Ok(Frame::Answer(_))) {
                    return Ok(data);
                }
            }
            Err(UpstreamError::Cut)
        }
    }
}

/// The framing of a message that was bounded and checked before.
pub(crate) fn read(message: &[u8]) -> Result<Frame<'_>, UpstreamError> {
    let limits = Limits { max_bytes: usize::MAX, max_depth: u8::MAX, max_id_bytes: 4_096, max_batch: 0 };
    Ok(frame(message, &limits)?)
}

/// The result in an answer, byte for byte; an error if it is an error.
pub(crate) fn result_of(message: &Bytes) -> Result<Bytes, UpstreamError> {
    match read(message)? {
        Frame::Answer(answer) => match answer.outcome {
            Outcome::Result(result) => Ok(message.slice_ref(result.as_bytes())),
            Outcome::Error(error) => Err(UpstreamError::Answered(error.code())),
        },
        _ => Err(UpstreamError::Invalid("it is no answer")),
    }
}

/// The era that an `initialize` result names, if the gateway speaks it.
pub(crate) fn agreed_era(result: &[u8]) -> Option<Era> {
    let text = std::str::from_utf8(result).ok()?;
    let version = member(text, "protocolVersion").ok()??.string()?;
    Era::parse(&version).filter(|era| era.is_supported() && !era.is_modern())
}

/// The parameters with which the room introduces itself to a legacy server: it offers nothing.
pub(crate) fn initialize_params(era: Era) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        r#"{{"protocolVersion":"{era}","capabilities":{{}},"clientInfo":{{"name":"bailiwick","version":"{version}"}}}}"#
    )
}

/// The HTTP status that a stdio answer would have (spec 2026-07-28 basic/transports/streamable-http).
pub(crate) fn status_of(era: Era, message: &Bytes) -> u16 {
    use bailiwick_mcp::error::{
        HEADER_MISMATCH, METHOD_NOT_FOUND, MISSING_CLIENT_CAPABILITY, UNSUPPORTED_VERSION,
    };
    let code = match read(message) {
        Ok(Frame::Answer(answer)) if era.is_modern() => match answer.outcome {
            Outcome::Error(error) => error.code(),
            Outcome::Result(_) => return 200,
        },
        _ => return 200,
    };
    match code {
        METHOD_NOT_FOUND => 404,
        HEADER_MISMATCH | MISSING_CLIENT_CAPABILITY | UNSUPPORTED_VERSION => 400,
        _ => 200,
    }
}

/// The message with a line feed at its end and none inside: between JSON's tokens they mean nothing, and inside of
/// strings they cannot stand.
pub(crate) fn one_line(message: &[u8]) -> Bytes {
    let mut line = Vec::with_capacity(message.len() + 1);
    line.extend(message.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
    line.push(b'\n');
    line.into()
}

/// Whether a notification cancels a request.
pub(crate) fn is_cancellation(message: &[u8]) -> bool {
    matches!(read(message), Ok(Frame::Notification(told)) if told.method == bailiwick_mcp::Method::Cancelled.as_str())
}

/// A modern request that offers neither sampling nor elicitation nor roots, for a child that everybody shares.
pub(crate) fn without_client_features(message: &Bytes) -> Result<Bytes, UpstreamError> {
    use bailiwick_mcp::headers::meta::CLIENT_CAPABILITIES;
    let unreadable = || UpstreamError::Request("its inside cannot be read");
    let Frame::Request(request) = read(message)? else {
        return Err(UpstreamError::Request("it is no request"));
    };
    let meta = request.params.and_then(|params| params.member("_meta").ok().flatten());
    let Some(offered) = meta.and_then(|meta| meta.member(CLIENT_CAPABILITIES).ok().flatten()) else {
        return Ok(message.clone());
    };
    let mut features = bailiwick_mcp::ObjectPatch::new();
    for name in ["sampling", "elicitation", "roots"] {
        features.remove(name);
    }
    let mut edits = bailiwick_mcp::Edits::new();
    // Offsets within the capabilities' own text.
    let alone = bailiwick_mcp::Raw::new(offered.as_str()).object().map_err(|_| unreadable())?;
    features.edit(&alone, &mut edits);
    let reduced = edits.apply(offered.as_bytes()).map_err(|_| unreadable())?;
    let mut patch = bailiwick_mcp::Patch::new();
    patch.meta.set(CLIENT_CAPABILITIES, reduced);
    patch.apply(&request).map(Bytes::from).map_err(|_| unreadable())
}
