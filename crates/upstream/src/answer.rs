//! What comes back: an HTTP-like status with a JSON message, a stream of events, or nothing.
//!
//! Stdio answers take the same form, so that the gateway has one way to pass them on.

use std::pin::Pin;
use std::task::{Context, Poll};

use bailiwick_mcp::frame::Spots;
use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::BoxStream;

use crate::UpstreamError;

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status; for stdio the one that HTTP would have.
    pub status: u16,
    /// The message or messages.
    pub body: AnswerBody,
    /// Where the parts of the one message stand, if that is known.
    pub spots: Option<Spots>,
}

/// The body of an answer.
#[derive(Debug)]
pub enum AnswerBody {
    /// One JSON-RPC message: framed, its id checked, otherwise byte for byte what the server sent.
    Json(Bytes),
    /// Events; each message in it framed and checked.
    Stream(EventStream),
    /// Nothing.
    Empty,
}

impl Answer {
    pub(crate) fn json(status: u16, body: Bytes) -> Self {
        Self { status, body: AnswerBody::Json(body), spots: None }
    }

    pub(crate) fn stream(events: EventStream) -> Self {
        Self { status: 200, body: AnswerBody::Stream(events), spots: None }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, body: AnswerBody::Empty, spots: None }
    }
}

/// One event of a stream: what SSE can say, kept apart so that it can be said again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// `id:`, if given; may be empty.
    pub id: Option<Box<str>>,
    /// `event:`, if given.
    pub name: Option<Box<str>>,
    /// `retry:`, in milliseconds.
    pub retry: Option<u64>,
    /// `data:`, if given; empty in the priming event of 2025-11-25.
    pub data: Option<Bytes>,
    /// A comment, as servers send to keep a connection alive.
    pub comment: Option<Box<str>>,
}

impl Event {
    /// A plain event that carries a message.
    pub fn message(data: Bytes) -> Self {
        Self { data: Some(data), ..Self::default() }
    }
}

/// Events as they come. Dropping it gives the request up: over HTTP the response is closed, a stdio child is sent
/// `notifications/cancelled`.
pub struct EventStream(BoxStream<'static, Result<Event, UpstreamError>>);

impl EventStream {
    pub(crate) fn new(stream: impl Stream<Item = Result<Event, UpstreamError>> + Send + 'static) -> Self {
        Self(Box::pin(stream))
    }

    /// The next event; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Event, UpstreamError>> {
        std::future::poll_fn(|cx| self.0.as_mut().poll_next(cx)).await
    }
}

impl Stream for EventStream {
    type Item = Result<Event, UpstreamError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventStream")
    }
}
