//! The end of a call whose answer is one message: mapped, recorded, handed down.

use bailiwick_mcp::frame::Spots;
use bailiwick_mcp::{Answer, Frame, GatewayError, RawId, Refusal};
use bailiwick_model::record::Status;
use bailiwick_upstream::UpstreamError;
use bytes::Bytes;

use crate::mapping::{Passage, Unmappable};
use crate::open_call::{End, OpenCall};
use crate::reply::audit_unavailable;
use crate::visit::Visit;

/// A message as the client gets it, once its outcome is in the ledger.
pub(crate) async fn complete(
    visit: &Visit,
    passage: &Passage,
    call: &mut OpenCall,
    (body, spots): (Bytes, Option<Spots>),
) -> Result<Bytes, Refusal> {
    let known = spots.and_then(|spots| Answer::at(&body, &spots));
    let framed = match known {
        Some(answer) => Ok(Frame::Answer(answer)),
        None => bailiwick_mcp::frame(&body, &frame_limits(visit)),
    };
    let mapped = match framed {
        Ok(Frame::Answer(answer)) => passage.answer(&visit.gateway, &answer).map_err(|e| unmappable(&e)),
        Ok(_) => Err(invalid("it sent a request where an answer was due")),
        Err(_) => Err(invalid("it is no JSON-RPC message")),
    };
    match mapped {
        Ok(mapped) => {
            // INVARIANT: the outcome is in the ledger before the last byte of the answer goes down.
            call.close(mapped.end).await.map_err(|_| audit_unavailable(true))?;
            Ok(mapped.bytes.unwrap_or(body))
        }
        Err(refusal) => {
            let end = End::invalid(&refusal);
            call.close(end).await.map_err(|_| audit_unavailable(true))?;
            Err(refusal)
        }
    }
}

/// A call that brought no answer: recorded with the true reason, told in public words.
pub(crate) async fn fail(call: &mut OpenCall, error: &UpstreamError) -> Refusal {
    let refusal = refusal_of(error);
    if let UpstreamError::Failed(http) = error {
        call.answered(*http);
    }
    let end = End {
        code: Some(refusal.code),
        detail: Some(detail(error)),
        failure: Some(error.class()),
        ..End::of(status_of(error))
    };
    match call.close(end).await {
        Ok(()) => refusal,
        Err(_) => audit_unavailable(error.may_have_run()),
    }
}

/// Messages of servers are bounded by `upstream`; here only their depth counts.
pub(crate) fn frame_limits(visit: &Visit) -> bailiwick_mcp::Limits {
    bailiwick_mcp::Limits { max_bytes: usize::MAX, ..visit.gateway.parts.limits.message }
}

/// The error message of a refusal, for streams.
pub(crate) fn message(refusal: &Refusal, id: RawId<'_>) -> Bytes {
    refusal.response(Some(id)).into()
}

pub(crate) const fn status_of(error: &UpstreamError) -> Status {
    match error {
        UpstreamError::Timeout(_) => Status::UpstreamTimeout,
        UpstreamError::Invalid(_) | UpstreamError::Frame(_) | UpstreamError::Cut => Status::UpstreamInvalid,
        _ => Status::UpstreamUnreachable,
    }
}

fn detail(error: &UpstreamError) -> &'static str {
    match error {
        UpstreamError::Unknown => "not in the set of servers",
        UpstreamError::Unreachable(why) | UpstreamError::Timeout(why) | UpstreamError::Invalid(why) => why,
        UpstreamError::Refused => "the server refuses the gateway's credential",
        UpstreamError::Cut => "the connection ended before the answer was complete",
        UpstreamError::Frame(_) => "no JSON-RPC message",
        UpstreamError::Request(why) => why,
        UpstreamError::Overloaded => "too much is under way with this server",
        _ => "unknown",
    }
}

/// The public words for what went wrong with a server.
pub(crate) fn refusal_of(error: &UpstreamError) -> Refusal {
    let executed = [("executed", if error.may_have_run() { "null" } else { "false" })];
    let hint = if error.may_have_run() {
        "It may or may not have run the call."
    } else {
        "It did not run the call; try again later, or ask the server's owner."
    };
    let text = format!("{}. {hint}", capital(&error.to_string()));
    let reason = match error {
        UpstreamError::Timeout(_) => GatewayError::UpstreamTimeout,
        UpstreamError::Invalid(_) | UpstreamError::Frame(_) | UpstreamError::Cut => {
            GatewayError::UpstreamInvalid
        }
        UpstreamError::Overloaded => GatewayError::Overloaded,
        _ => GatewayError::UpstreamUnreachable,
    };
    reason.refusal(&text, &executed)
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

pub(crate) fn invalid(why: &str) -> Refusal {
    let text = format!("The server's answer cannot be passed on: {why}. It may have run the call.");
    GatewayError::UpstreamInvalid.refusal(&text, &[("executed", "null")])
}

pub(crate) fn unmappable(error: &Unmappable) -> Refusal {
    invalid(&error.to_string())
}
