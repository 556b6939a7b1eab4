//! One plain HTTP/1.1 connection, driven by whoever waits for an answer: one request at a time, its body in one piece,
//! the answer's body as it comes.

mod chunks;
mod head;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::buf::Chain;
use bytes::{Buf as _, Bytes, BytesMut};
use http::{Method, Request, Response};
use tokio::io::AsyncWrite as _;
use tokio::net::TcpStream;
use tokio::runtime::Id;
use tokio_util::io::{poll_read_buf, poll_write_buf};

use self::chunks::Chunks;
use self::head::{Framing, Head};
use super::error::OutboundError;

/// The largest body that is put behind its head for one plain write, in bytes: one copy costs less than a vectored
/// write.
const MAX_GATHERED: usize = 4 * 1024;
/// Room that a read asks for, in bytes, and the most of it where the answer says that so much comes.
const ROOM: usize = 8 * 1024;
const MOST_ROOM: usize = 128 * 1024;
/// Room that is worth a read.
const LITTLE_ROOM: usize = 2 * 1024;

/// Where a connection leads, and the runtime whose driver wakes it: for another one it would wake across threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) lane: Id,
    pub(super) authority: Box<str>,
}

/// A connection and what is under way on it.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) origin: Origin,
    io: TcpStream,
    /// What of the request is not sent yet.
    unsent: Chain<Bytes, Bytes>,
    /// What was read and not taken yet.
    read: BytesMut,
    framing: Framing,
    keeps: bool,
}

/// A request to whose answer no head came.
pub(super) struct Unanswered {
    /// Whether any of it may have reached the server.
    pub(super) sent: bool,
    why: io::Error,
}

impl From<Unanswered> for OutboundError {
    fn from(unanswered: Unanswered) -> Self {
        Self::Broken { sent: unanswered.sent, source: unanswered.why.into() }
    }
}

impl Line {
    pub(super) fn new(origin: Origin, io: TcpStream) -> Self {
        let unsent = Bytes::new().chain(Bytes::new());
        Self { origin, io, unsent, read: BytesMut::new(), framing: Framing::Length(0), keeps: true }
    }

    /// Whether another request may follow: the last answer is over, and nothing came behind it.
    pub(super) fn is_free(&self) -> bool {
        self.keeps && self.is_over() && self.read.is_empty() && !self.unsent.has_remaining()
    }

    /// Whether the server has neither said anything nor closed since the last answer.
    pub(super) fn is_quiet(&mut self, cx: &mut Context<'_>) -> bool {
        self.poll_fill(cx).is_pending()
    }

    /// Gives back the room that a large answer took.
    pub(super) fn rest(&mut self) {
        if self.read.capacity() > ROOM {
            self.read = BytesMut::new();
        }
    }

    /// Whether all of the answer's body was taken.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.framing, Framing::Length(0) | Framing::Chunked(Chunks::End))
    }

    /// How many bytes of the body are to come, if the head said so.
    pub(super) fn expected(&self) -> Option<u64> {
        match self.framing {
            Framing::Length(left) => Some(left),
            _ => None,
        }
    }

    /// Sends a request to `http` in origin form and waits for the answer's head.
    pub(super) async fn exchange(&mut self, request: &Request<Bytes>) -> Result<Response<()>, Unanswered> {
        let (mut head, mut body) = (head::write(request), request.body().clone());
        let whole = head.len() + body.len();
        if body.len() <= MAX_GATHERED {
            head.extend_from_slice(&body);
            body.clear();
        }
        self.unsent = head.freeze().chain(body);
        match std::future::poll_fn(|cx| self.poll_head(cx, request.method())).await {
            Ok(Head { response, framing, keeps }) => {
                (self.framing, self.keeps) = (framing, keeps);
                Ok(response)
            }
            Err(why) => Err(Unanswered { sent: self.unsent.remaining() < whole, why }),
        }
    }

    /// An answer may come before all of the request is sent: who refuses a large body says so and closes.
    fn poll_head(&mut self, cx: &mut Context<'_>, method: &Method) -> Poll<io::Result<Head>> {
        let unsendable = match self.poll_send(cx) {
            Poll::Ready(Err(error)) => Some(error),
            _ => None,
        };
        loop {
            match self.poll_fill(cx) {
                Poll::Ready(Ok(0)) => {
                    let ended = || io::ErrorKind::UnexpectedEof.into();
                    return Poll::Ready(Err(unsendable.unwrap_or_else(ended)));
                }
                Poll::Ready(Ok(_)) => {
                    if let Some(head) = head::read(&mut self.read, method)? {
                        return Poll::Ready(Ok(head));
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return unsendable.map_or(Poll::Pending, |error| Poll::Ready(Err(error))),
            }
        }
    }

    /// The next piece of the answer's body; none at its end.
    pub(super) fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.unsent.has_remaining() && self.poll_send(cx).is_ready() && self.unsent.has_remaining() {
            // The server takes no more of the request: it has answered, which is what counts.
            self.keeps = false;
        }
        loop {
            match self.take() {
                Ok(None) if self.is_over() => return Poll::Ready(None),
                Ok(None) => {}
                taken => return Poll::Ready(taken.transpose()),
            }
            match ready!(self.poll_fill(cx)) {
                Ok(0) if matches!(self.framing, Framing::ToEnd) => self.framing = Framing::Length(0),
                Ok(0) => return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
                Ok(_) => {}
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }

    /// What was read of the body.
    fn take(&mut self) -> io::Result<Option<Bytes>> {
        match &mut self.framing {
            Framing::Chunked(chunks) => chunks.next(&mut self.read),
            _ if self.read.is_empty() => Ok(None),
            Framing::ToEnd => Ok(Some(self.read.split().freeze())),
            Framing::Length(0) => Ok(None),
            Framing::Length(left) => {
                let length = usize::try_from(*left).unwrap_or(usize::MAX).min(self.read.len());
                *left -= length as u64;
                Ok(Some(self.read.split_to(length).freeze()))
            }
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.unsent.has_remaining() {
            let io = Pin::new(&mut self.io);
            let sent = if self.unsent.last_ref().has_remaining() {
                ready!(poll_write_buf(io, cx, &mut self.unsent))?
            } else {
                let sent = ready!(io.poll_write(cx, self.unsent.chunk()))?;
                self.unsent.advance(sent);
                sent
            };
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let expected = usize::try_from(self.expected().unwrap_or(0)).unwrap_or(usize::MAX);
        let room = expected.clamp(ROOM, MOST_ROOM);
        if self.read.capacity() - self.read.len() < LITTLE_ROOM.max(room / 4) {
            self.read.reserve(room);
        }
        poll_read_buf(Pin::new(&mut self.io), cx, &mut self.read)
    }
}
