//! Which era a client's message belongs to (spec 2026-07-28 basic/versioning "Backward Compatibility").

use std::borrow::Cow;

use http::{HeaderMap, StatusCode};

use super::check::{plain, single};
use super::{MCP_PROTOCOL_VERSION, meta};
use crate::error::{INVALID_PARAMS, INVALID_REQUEST, Refusal};
use crate::{Era, Message, Method, Request};

/// The era that a message speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoken {
    /// It describes itself; no session.
    Modern(Era),
    /// It opens a legacy session; the era is negotiated from its params.
    Initialize,
    /// It belongs to a legacy session, or to none.
    Legacy(Era),
}

impl Spoken {
    /// The era; the newest legacy one for a handshake.
    pub fn era(self) -> Era {
        match self {
            Spoken::Modern(era) | Spoken::Legacy(era) => era,
            Spoken::Initialize => Era::LEGACY,
        }
    }
}

/// Decides the era of a message, and refuses versions that the gateway does not speak and modern requests without their
/// required `_meta` keys. Whether the headers of a modern request match is for [`super::check`].
///
/// # Errors
/// A [`Refusal`] with HTTP 400: -32022 for an unsupported version, -32602 for missing keys, -32020 for a broken or
/// contradicting version header, -32600 for what the era does not allow.
pub fn classify(headers: &HeaderMap, message: &Message<'_>) -> Result<Spoken, Refusal> {
    let header = single(headers, &MCP_PROTOCOL_VERSION).map_err(|e| e.refusal())?;
    let header = header.map(|v| plain(v, &MCP_PROTOCOL_VERSION)).transpose().map_err(|e| e.refusal())?;
    match message {
        Message::Request(request) => of_request(header, request),
        Message::Notification(_) => by_header(header),
        Message::Response(_) => match by_header(header)? {
            Spoken::Modern(_) => Err(not_allowed("this protocol version has no responses from clients")),
            spoken => Ok(spoken),
        },
        Message::Batch(messages) => of_batch(header, messages),
    }
}

fn of_request(header: Option<&str>, request: &Request<'_>) -> Result<Spoken, Refusal> {
    match request.meta(meta::PROTOCOL_VERSION) {
        Some(version) => {
            let version = version.string().ok_or_else(|| missing(meta::PROTOCOL_VERSION))?;
            modern(header, &version, request)
        }
        None if Method::parse(&request.method) == Method::Initialize => Ok(Spoken::Initialize),
        None => match by_header(header)? {
            Spoken::Modern(_) => Err(missing(meta::PROTOCOL_VERSION)),
            // These exist in modern eras only, so the client means one.
            _ if header.is_none() && is_modern_only(&request.method) => Err(missing(meta::PROTOCOL_VERSION)),
            spoken => Ok(spoken),
        },
    }
}

fn modern(header: Option<&str>, version: &str, request: &Request<'_>) -> Result<Spoken, Refusal> {
    // A contradiction is said before the version is judged: whichever the client meant, it is malformed.
    if header.is_some_and(|header| header != version) {
        return Err(super::HeaderMismatch::Differs(MCP_PROTOCOL_VERSION.as_str().into()).refusal());
    }
    let era = Era::parse(version).filter(|era| era.is_modern());
    let era = era.ok_or_else(|| Refusal::unsupported_version(version))?;
    match request.meta(meta::CLIENT_CAPABILITIES) {
        Some(capabilities) if capabilities.is_object() => Ok(Spoken::Modern(era)),
        _ => Err(missing(meta::CLIENT_CAPABILITIES)),
    }
}

fn of_batch(header: Option<&str>, messages: &[Message<'_>]) -> Result<Spoken, Refusal> {
    let spoken = by_header(header)?;
    if !spoken.era().allows_batch() {
        return Err(not_allowed("batches are not part of this protocol version"));
    }
    let alone = |message: &Message<'_>| match message {
        Message::Request(request) => {
            request.meta(meta::PROTOCOL_VERSION).is_some() || request.method == Method::Initialize.as_str()
        }
        _ => false,
    };
    if messages.iter().any(alone) {
        return Err(not_allowed("this request must not be part of a batch"));
    }
    Ok(spoken)
}

/// The era that the header names; 2025-03-26 if there is none.
fn by_header(header: Option<&str>) -> Result<Spoken, Refusal> {
    let Some(version) = header else { return Ok(Spoken::Legacy(Era::V2025_03_26)) };
    match Era::parse(version).filter(|era| era.is_supported()) {
        Some(era) if era.is_modern() => Ok(Spoken::Modern(era)),
        Some(era) => Ok(Spoken::Legacy(era)),
        None => Err(Refusal::unsupported_version(version)),
    }
}

fn is_modern_only(method: &str) -> bool {
    let method = Method::parse(method);
    method != Method::Unknown && !method.exists_in(Era::LEGACY)
}

fn missing(key: &'static str) -> Refusal {
    let message = Cow::Owned(format!("Missing or malformed _meta[\"{key}\"]"));
    Refusal::new(INVALID_PARAMS, StatusCode::BAD_REQUEST, message)
}

fn not_allowed(why: &'static str) -> Refusal {
    Refusal::new(INVALID_REQUEST, StatusCode::BAD_REQUEST, why)
}
