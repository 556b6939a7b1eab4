//! The wire: what MCP messages look like as bytes, in every protocol era that the gateway speaks.
//!
//! Messages stay the bytes they arrived as. One scan finds the few members that routing and policy need
//! ([`envelope`] for clients, [`mod@frame`] for servers), [`splice`] changes them in place, and everything else
//! survives byte for byte, because typed models lose unknown members and cost many times more.
//! Around that: [`era`] (versions), [`method`], [`headers`], [`error`], [`bridge`] (between eras) and [`sse`].
//! Invariant: no I/O, no clock, no async; every input may be hostile; nothing here panics.

pub mod bridge;
pub mod envelope;
pub mod era;
pub mod error;
pub mod frame;
pub mod headers;
pub mod json;
pub mod method;
pub mod splice;
pub mod sse;

pub use envelope::{Envelope, Limits, Message, Notification, Params, ParseError, RawId, Request, Response};
pub use era::Era;
pub use error::{GatewayError, Refusal};
pub use frame::{Answer, Frame, FrameError, Outcome, frame, frames};
pub use json::{Raw, member};
pub use method::Method;
pub use splice::{Edits, ObjectPatch, Patch, SpliceError};
