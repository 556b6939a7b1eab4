//! Server-sent events, as the Streamable HTTP transport uses them (WHATWG HTML "Server-sent events").
//!
//! [`Decoder`] takes bytes as they arrive from a server and gives events, with caps on what one line and one event
//! may hold; [`encode`] and [`encode_comment`] write them for a client. Unlike a browser, the decoder also gives events without
//! data, since 2025-11-25 starts streams with an id and empty data, and comments, which are signs of life.

mod decode;
mod encode;

pub use decode::{Caps, Decoder, Event, Item, SseError};
pub use encode::{Outgoing, encode, encode_comment};
