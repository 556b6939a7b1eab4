//! HTTP headers of MCP: their names, what the modern era mirrors into them, and which era a request belongs to.
//!
//! Clients' headers are checked against the body ([`check`], [`check_params`]) and never copied; headers for a server are
//! built anew ([`mirror`]), because an intermediary that trusts one and a server that trusts the other is the attack
//! (spec 2026-07-28 basic/transports/streamable-http "Server Validation"). Called by gateway and upstream.

mod check;
mod classify;
mod mirror;
mod names;
mod param;
mod value;

pub use check::{HeaderMismatch, check, check_params};
pub use classify::{Spoken, classify};
pub use mirror::{Mirror, mirror};
pub use names::{
    LAST_EVENT_ID, MCP_METHOD, MCP_NAME, MCP_PARAM_PREFIX, MCP_PROTOCOL_VERSION, MCP_SESSION_ID, META_PREFIX,
    meta,
};
pub use param::{InvalidAnnotation, ParamHeaders};
pub use value::{decode, encode};
