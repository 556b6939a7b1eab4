//! The body of an answer, whichever connection it comes over.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;

use super::kept::Driven;

/// The body of an answer. Dropping it before its end closes the connection (HTTP/1.1) or resets the stream.
#[derive(Debug)]
pub struct Body(Source);

#[derive(Debug)]
enum Source {
    Pooled(Incoming),
    Driven(Driven),
}

impl Body {
    pub(super) const fn pooled(body: Incoming) -> Self {
        Self(Source::Pooled(body))
    }

    pub(super) const fn driven(body: Driven) -> Self {
        Self(Source::Driven(body))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut self.0 {
            Source::Pooled(body) => {
                Pin::new(body).poll_frame(cx).map(|frame| frame.map(|frame| frame.map_err(io::Error::other)))
            }
            Source::Driven(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Pooled(body) => body.is_end_stream(),
            Source::Driven(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Pooled(body) => body.size_hint(),
            Source::Driven(body) => body.size_hint(),
        }
    }
}
