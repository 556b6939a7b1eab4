//! Errors as they go over the wire: codes, the gateway's own reasons, and the writer of error responses.
//!
//! Spec codes are used by the spec's meaning only; the gateway's own lie outside the reserved range, as numbers
//! like HTTP statuses with a stable `data.reason` (DESIGN.md "Errors on the MCP side"). Everything that answers a
//! client with an error writes it here, so that it is always schema-valid.

use std::borrow::Cow;

use http::StatusCode;

use crate::envelope::RawId;
use crate::json::write_string;

/// The body is no JSON.
pub const PARSE_ERROR: i64 = -32700;
/// JSON, but no acceptable JSON-RPC message.
pub const INVALID_REQUEST: i64 = -32600;
/// Unknown or removed method.
pub const METHOD_NOT_FOUND: i64 = -32601;
/// Unacceptable params; since 2026-07-28 also a resource that does not exist.
pub const INVALID_PARAMS: i64 = -32602;
/// Something broke inside.
pub const INTERNAL_ERROR: i64 = -32603;
/// A resource that does not exist, until 2025-11-25.
pub const RESOURCE_NOT_FOUND: i64 = -32002;
/// A URL has to be visited first (2025-11-25 only).
pub const URL_ELICITATION_REQUIRED: i64 = -32042;
/// Headers contradict the body, or are missing (since 2026-07-28).
pub const HEADER_MISMATCH: i64 = -32020;
/// The client lacks a capability that the request needs (since 2026-07-28).
pub const MISSING_CLIENT_CAPABILITY: i64 = -32021;
/// The server does not speak the requested version (since 2026-07-28).
pub const UNSUPPORTED_VERSION: i64 = -32022;

/// Whether an error code can only come from a modern server, which decides the era of a server that is probed.
pub fn is_modern_code(code: i64) -> bool {
    matches!(code, HEADER_MISMATCH | MISSING_CLIENT_CAPABILITY | UNSUPPORTED_VERSION)
}

/// The gateway's own reasons for not doing what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GatewayError {
    /// A policy says no.
    PolicyDenied,
    /// Someone has to approve first.
    ApprovalRequired,
    /// The definition changed since it was approved.
    ToolQuarantined,
    /// Too many calls.
    RateLimited,
    /// The budget is used up.
    BudgetExhausted,
    /// The server answered something that is not MCP.
    UpstreamInvalid,
    /// The server cannot be reached.
    UpstreamUnreachable,
    /// The ledger cannot take the record.
    AuditUnavailable,
    /// The gateway is too busy.
    Overloaded,
    /// The server did not answer in time.
    UpstreamTimeout,
}

impl GatewayError {
    /// All of them, in the order of their codes.
    pub const ALL: [GatewayError; 10] = [
        GatewayError::PolicyDenied,
        GatewayError::ApprovalRequired,
        GatewayError::ToolQuarantined,
        GatewayError::RateLimited,
        GatewayError::BudgetExhausted,
        GatewayError::UpstreamInvalid,
        GatewayError::UpstreamUnreachable,
        GatewayError::AuditUnavailable,
        GatewayError::Overloaded,
        GatewayError::UpstreamTimeout,
    ];

    /// The JSON-RPC code.
    pub const fn code(self) -> i64 {
        match self {
            GatewayError::PolicyDenied => 40301,
            GatewayError::ApprovalRequired => 40302,
            GatewayError::ToolQuarantined => 40901,
            GatewayError::RateLimited => 42901,
            GatewayError::BudgetExhausted => 42902,
            GatewayError::UpstreamInvalid => 50201,
            GatewayError::UpstreamUnreachable => 50202,
            GatewayError::AuditUnavailable => 50301,
            GatewayError::Overloaded => 50302,
            GatewayError::UpstreamTimeout => 50401,
        }
    }

    /// The stable `data.reason`.
    pub const fn reason(self) -> &'static str {
        match self {
            GatewayError::PolicyDenied => "policy_denied",
            GatewayError::ApprovalRequired => "approval_required",
            GatewayError::ToolQuarantined => "tool_quarantined",
            GatewayError::RateLimited => "rate_limited",
            GatewayError::BudgetExhausted => "budget_exhausted",
            GatewayError::UpstreamInvalid => "upstream_invalid",
            GatewayError::UpstreamUnreachable => "upstream_unreachable",
            GatewayError::AuditUnavailable => "audit_unavailable",
            GatewayError::Overloaded => "overloaded",
            GatewayError::UpstreamTimeout => "upstream_timeout",
        }
    }

    /// The HTTP status: 200 for most, since SDKs take others for a broken transport.
    pub const fn status(self) -> StatusCode {
        match self {
            GatewayError::AuditUnavailable | GatewayError::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            GatewayError::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::OK,
        }
    }

    /// Whether the answer carries `Retry-After`.
    pub fn retries_later(self) -> bool {
        self.status() != StatusCode::OK
    }

    /// The error's short message.
    pub const fn message(self) -> &'static str {
        match self {
            GatewayError::PolicyDenied => "Denied by policy",
            GatewayError::ApprovalRequired => "Approval required",
            GatewayError::ToolQuarantined => "Changed since it was approved",
            GatewayError::RateLimited => "Rate limit exceeded",
            GatewayError::BudgetExhausted => "Budget exhausted",
            GatewayError::UpstreamInvalid => "The server answered something invalid",
            GatewayError::UpstreamUnreachable => "The server cannot be reached",
            GatewayError::AuditUnavailable => "The audit ledger cannot take records now",
            GatewayError::Overloaded => "The gateway is overloaded",
            GatewayError::UpstreamTimeout => "The server did not answer in time",
        }
    }

    /// The refusal with its reason and an explanation for people. `more` are further members of `data`: names with
    /// values as JSON text.
    pub fn refusal(self, explanation: &str, more: &[(&str, &str)]) -> Refusal {
        let mut data = Vec::with_capacity(64 + explanation.len());
        data.extend_from_slice(b"{\"reason\":\"");
        data.extend_from_slice(self.reason().as_bytes());
        data.extend_from_slice(b"\",\"explanation\":");
        write_string(&mut data, explanation);
        for (name, json) in more {
            data.push(b',');
            write_string(&mut data, name);
            data.push(b':');
            data.extend_from_slice(json.as_bytes());
        }
        data.push(b'}');
        Refusal { data: Some(data), ..Refusal::new(self.code(), self.status(), self.message()) }
    }
}

/// An error that is ready to be answered: code, HTTP status, message and data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The JSON-RPC code.
    pub code: i64,
    /// The HTTP status.
    pub status: StatusCode,
    /// The message.
    pub message: Cow<'static, str>,
    /// The data as JSON text.
    pub data: Option<Vec<u8>>,
}

impl Refusal {
    /// A refusal without data.
    pub fn new(code: i64, status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, status, message: message.into(), data: None }
    }

    /// An unknown or removed method: 404 in modern eras, 200 before.
    pub fn method_not_found(era: crate::Era) -> Self {
        let status = if era.is_modern() { StatusCode::NOT_FOUND } else { StatusCode::OK };
        Self::new(METHOD_NOT_FOUND, status, "Method not found")
    }

    /// Unacceptable params of a known method.
    pub fn invalid_params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(INVALID_PARAMS, StatusCode::OK, message)
    }

    /// A version that the gateway does not speak, with the list of those it does.
    pub fn unsupported_version(requested: &str) -> Self {
        let mut data = b"{\"supported\":[".to_vec();
        for (i, era) in crate::Era::SUPPORTED.into_iter().enumerate() {
            if i > 0 {
                data.push(b',');
            }
            write_string(&mut data, era.as_str());
        }
        data.extend_from_slice(b"],\"requested\":");
        write_string(&mut data, requested);
        data.push(b'}');
        let message = "Unsupported protocol version";
        Self { data: Some(data), ..Self::new(UNSUPPORTED_VERSION, StatusCode::BAD_REQUEST, message) }
    }

    /// The JSON-RPC error response.
    pub fn response(&self, id: Option<RawId<'_>>) -> Vec<u8> {
        error_response(id, self.code, &self.message, self.data.as_deref())
    }
}

/// Writes an error response. Without an id the member is left out, as the schema since 2025-11-25 wants it.
/// `data` is JSON text.
pub fn error_response(id: Option<RawId<'_>>, code: i64, message: &str, data: Option<&[u8]>) -> Vec<u8> {
    let mut out = Vec::with_capacity(96 + message.len() + data.map_or(0, <[u8]>::len));
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\"");
    if let Some(id) = id {
        out.extend_from_slice(b",\"id\":");
        out.extend_from_slice(id.as_str().as_bytes());
    }
    out.extend_from_slice(b",\"error\":{\"code\":");
    out.extend_from_slice(code.to_string().as_bytes());
    out.extend_from_slice(b",\"message\":");
    write_string(&mut out, message);
    if let Some(data) = data {
        out.extend_from_slice(b",\"data\":");
        out.extend_from_slice(data);
    }
    out.extend_from_slice(b"}}");
    out
}

/// Writes a result response. `result` is the JSON text of an object.
pub fn result_response(id: RawId<'_>, result: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(40 + id.as_str().len() + result.len());
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    out.extend_from_slice(id.as_str().as_bytes());
    out.extend_from_slice(b",\"result\":");
    out.extend_from_slice(result);
    out.push(b'}');
    out
}

/// Writes a request (with `id`) or notification (without). `params` is the JSON text of an object.
pub fn call(id: Option<RawId<'_>>, method: &str, params: Option<&[u8]>) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + method.len() + params.map_or(0, <[u8]>::len));
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\"");
    if let Some(id) = id {
        out.extend_from_slice(b",\"id\":");
        out.extend_from_slice(id.as_str().as_bytes());
    }
    out.extend_from_slice(b",\"method\":");
    write_string(&mut out, method);
    if let Some(params) = params {
        out.extend_from_slice(b",\"params\":");
        out.extend_from_slice(params);
    }
    out.push(b'}');
    out
}
