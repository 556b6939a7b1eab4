//! Plain HTTP/1.1 connections that are kept between requests, and driven by whoever waits for an answer.
//!
//! hyper-util's client runs each connection as a task of its own, so that every request costs two hand-overs
//! between tasks. Here the request's own task drives the connection while it waits, and an idle one is driven
//! by nobody: whether the server closed it is seen at the next checkout. For `http` without a proxy, where
//! servers inside a company's network are; everything else goes through hyper-util's client.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Response, Uri};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::rt::Executor as _;
use hyper_util::rt::TokioExecutor;
use parking_lot::Mutex;
use tokio::runtime::{Handle, Id};
use tower::Service as _;

use super::connector::Connector;
use super::error::OutboundError;
use super::line::{Line, Origin};
use super::{POOL_IDLE, POOL_IDLE_PER_HOST};

/// The kept connections by origin. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    connector: Connector,
    idle: Arc<Idle>,
}

#[derive(Debug, Default)]
struct Idle(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// One entry for each runtime: a handful.
    lanes: Vec<(Id, Origins)>,
    /// Somebody looks after the old ones.
    swept: bool,
}

/// The newest last: it is taken first, so that the others grow old.
type Origins = HashMap<Box<str>, Vec<Resting>>;

#[derive(Debug)]
struct Resting {
    line: Box<Line>,
    /// Sweeps that found it here.
    age: u8,
}

/// How often old connections are looked for; one that was found twice is closed.
const SWEEP: Duration = Duration::from_secs(POOL_IDLE.as_secs() / 2);

impl Kept {
    pub(super) fn new(connector: Connector) -> Self {
        Self { connector, idle: Arc::default() }
    }

    /// Sends a request to an absolute `http` URL.
    pub(super) async fn request(&self, request: Request<Bytes>) -> Result<Response<Driven>, OutboundError> {
        let authority = request.uri().authority().ok_or(OutboundError::Url)?.as_str();
        let lane = Handle::current().id();
        while let Some(mut line) = self.idle.take(lane, authority).await {
            match line.exchange(&request).await {
                Ok(answer) => return Ok(self.driven(answer, line)),
                // Closed meanwhile, and nothing of the request was sent.
                Err(unanswered) if !unanswered.sent => {}
                Err(unanswered) => return Err(unanswered.into()),
            }
        }
        let mut line = Box::pin(self.dial(lane, authority)).await?;
        let answer = line.exchange(&request).await?;
        Ok(self.driven(answer, line))
    }

    async fn dial(&self, lane: Id, authority: &str) -> Result<Box<Line>, OutboundError> {
        let uri = Uri::builder().scheme(Scheme::HTTP).authority(authority).path_and_query("/").build();
        let stream = self.connector.clone().call(uri.map_err(|_| OutboundError::Url)?).await;
        let stream = stream.map_err(|error| {
            error.take().unwrap_or(OutboundError::Broken { sent: false, source: "not dialled".into() })
        })?;
        let origin = Origin { lane, authority: authority.into() };
        Ok(Box::new(Line::new(origin, stream.into_plain().ok_or(OutboundError::Url)?)))
    }

    fn driven(&self, answer: Response<()>, line: Box<Line>) -> Response<Driven> {
        answer.map(|()| Driven { line: Some(line), home: Arc::clone(&self.idle) })
    }
}

impl Idle {
    /// A kept connection that the server has not closed.
    async fn take(&self, lane: Id, authority: &str) -> Option<Box<Line>> {
        loop {
            let mut line = self.0.lock().of(lane).get_mut(authority)?.pop()?.line;
            if poll_fn(|cx| Poll::Ready(line.is_quiet(cx))).await {
                return Some(line);
            }
        }
    }

    fn put(self: &Arc<Self>, mut line: Box<Line>) {
        line.rest();
        let mut state = self.0.lock();
        let origins = state.of(line.origin.lane);
        match origins.get_mut(&line.origin.authority) {
            Some(resting) if resting.len() >= POOL_IDLE_PER_HOST => {}
            Some(resting) => resting.push(Resting { line, age: 0 }),
            None => {
                origins.insert(line.origin.authority.clone(), vec![Resting { line, age: 0 }]);
            }
        }
        if !state.swept {
            state.swept = true;
            TokioExecutor::new().execute(sweep(Arc::downgrade(self)));
        }
    }

    /// Closes what grew old; false if nothing is left to look after.
    fn close_old(&self) -> bool {
        let mut state = self.0.lock();
        for (_, origins) in &mut state.lanes {
            for resting in origins.values_mut() {
                resting.retain_mut(|resting| {
                    resting.age += 1;
                    resting.age <= 2
                });
            }
            origins.retain(|_, resting| !resting.is_empty());
        }
        state.lanes.retain(|(_, origins)| !origins.is_empty());
        state.swept = !state.lanes.is_empty();
        state.swept
    }
}

impl State {
    fn of(&mut self, lane: Id) -> &mut Origins {
        let at = match self.lanes.iter().position(|(id, _)| *id == lane) {
            Some(at) => at,
            None => {
                self.lanes.push((lane, Origins::new()));
                self.lanes.len() - 1
            }
        };
        &mut self.lanes[at].1
    }
}

async fn sweep(idle: Weak<Idle>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        match idle.upgrade() {
            Some(idle) if idle.close_old() => {}
            _ => return,
        }
    }
}

/// An answer's body, whose reader drives the connection. Read to its end, the connection is kept; dropped
/// before, it is closed, which tells the server that nobody listens.
#[derive(Debug)]
pub(super) struct Driven {
    line: Option<Box<Line>>,
    home: Arc<Idle>,
}

impl HttpBody for Driven {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let Some(line) = &mut self.line else { return Poll::Ready(None) };
        let piece = ready!(line.poll_body(cx));
        if let Some(Err(_)) = &piece {
            self.line = None;
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.line.as_ref().is_none_or(|line| line.is_over())
    }

    fn size_hint(&self) -> SizeHint {
        let expected = self.line.as_ref().map_or(Some(0), |line| line.expected());
        expected.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        if let Some(line) = self.line.take().filter(|line| line.is_free()) {
            self.home.put(line);
        }
    }
}
