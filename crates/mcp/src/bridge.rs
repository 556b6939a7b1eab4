//! Between the eras: what a legacy client's message needs for a modern server, and the reverse.
//!
//! Pure additions to a [`Patch`](crate::Patch), so that a call is renamed, traced and bridged in one copy (PROTOCOL.md 1.4).
//! Same era end to end needs nothing of this. What cannot be expressed in the other era is an error
//! ([`Unbridgeable`]), never a silent loss. Called by the gateway.

mod answer;
mod handshake;
mod request;

pub use answer::{ResultType, Unbridgeable, answer_to_legacy, answer_to_modern, result_type};
pub use handshake::{discover_from_initialize, initialize_from_discover, initialize_params};
pub use request::{ClientMeta, notification_to_legacy, request_to_legacy, request_to_modern};
