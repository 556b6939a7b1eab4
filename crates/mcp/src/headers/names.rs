//! Names of headers and of reserved `_meta` keys.

use http::HeaderName;

/// `MCP-Protocol-Version`.
pub static MCP_PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// `Mcp-Session-Id` (legacy eras).
pub static MCP_SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// `Mcp-Method` mirrors `method` (modern era).
pub static MCP_METHOD: HeaderName = HeaderName::from_static("mcp-method");
/// `Mcp-Name` mirrors name, uri or task id (modern era).
pub static MCP_NAME: HeaderName = HeaderName::from_static("mcp-name");
/// `Mcp-Param-…` mirror annotated arguments (modern era).
pub const MCP_PARAM_PREFIX: &str = "mcp-param-";
/// `Last-Event-ID` resumes a stream (legacy eras).
pub static LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// What the protocol's own `_meta` keys start with.
pub const META_PREFIX: &str = "io.modelcontextprotocol/";

/// Reserved `_meta` keys (spec 2026-07-28 basic/index "Reserved keys").
pub mod meta {
    /// Version of a request; required in the modern era.
    pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
    /// What the client can do; required in the modern era.
    pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
    /// Who the client says it is.
    pub const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
    /// Least level of log messages for a request.
    pub const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
    /// Who the server says it is, in results.
    pub const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
    /// Which listen request a notification belongs to.
    pub const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
    /// Opts in to progress notifications.
    pub const PROGRESS_TOKEN: &str = "progressToken";
    /// W3C trace context.
    pub const TRACEPARENT: &str = "traceparent";
    /// W3C trace context.
    pub const TRACESTATE: &str = "tracestate";
    /// W3C baggage.
    pub const BAGGAGE: &str = "baggage";
}
