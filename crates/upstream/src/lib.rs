//! The servers behind: Streamable HTTP and stdio children, each in every protocol era.
//!
//! [`Upstreams`] holds the set of registered servers and carries requests to them against a permit; `discover` learns
//! what they offer; [`confine`] is the inside of the helper process in which stdio programs run. Called by `gateway`
//! (calls) and `control` (the set, discovery). What a server says is hostile: every body, line, stream, page and stretch
//! of time is bounded, and an answer reaches only the client whose request it answers.

mod answer;
mod backoff;
mod breaker;
mod changes;
pub mod confine;
mod conversation;
mod discover;
mod error;
mod exchange;
mod health;
mod http;
mod sinks;
mod spec;
mod stdio;
mod upstream;
mod upstreams;
mod wire;

pub use answer::{Answer, AnswerBody, Event, EventStream};
pub use conversation::{Conversation, Kind, Request};
pub use error::UpstreamError;
pub use health::{Health, State};
pub use spec::{Parts, ServerSpec, Settings};
pub use upstreams::Upstreams;
