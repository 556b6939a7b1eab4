//! Plain HTTP/1.1 connections that are kept between requests, and driven by whoever waits for an answer.
//!
//! hyper-util's client runs each connection as a task of its own, so that every request costs two hand-overs
//! between tasks. Here the request's own task drives the connection while it waits, and an idle one is driven
//! by nobody: whether the server closed it is seen at the next checkout. For `http` without a proxy, where
//! servers inside a company's network are; everything else goes through hyper-util's client.

use std::collections::HashMap;
use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{Connection, SendRequest, handshake};
use hyper::rt::Executor as _;
use hyper_util::rt::TokioExecutor;
use parking_lot::Mutex;
use tokio::runtime::{self, Handle};
use tower::Service as _;

use super::connector::Connector;
use super::error::OutboundError;
use super::stream::Stream;
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
    /// The newest last: it is taken first, so that the others grow old.
    origins: HashMap<Origin, Vec<Resting>>,
    /// Somebody looks after the old ones.
    swept: bool,
}

#[derive(Debug)]
struct Resting {
    line: Box<Line>,
    /// Sweeps that found it here.
    age: u8,
}

/// Where a connection leads, and the runtime whose driver wakes it: another one would wake across threads.
type Origin = (runtime::Id, Authority);

/// A connection with its driver.
struct Line {
    sender: SendRequest<Full<Bytes>>,
    driver: Connection<Stream, Full<Bytes>>,
}

/// How often old connections are looked for; one that was found twice is closed.
const SWEEP: Duration = Duration::from_secs(POOL_IDLE.as_secs() / 2);

impl Kept {
    pub(super) fn new(connector: Connector) -> Self {
        Self { connector, idle: Arc::default() }
    }

    /// Sends a request to an absolute `http` URL.
    pub(super) async fn request(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Driven>, OutboundError> {
        let (authority, mut request) = in_origin_form(request)?;
        let origin = (Handle::current().id(), authority);
        while let Some(line) = self.idle.take(&origin).await {
            match self.send(&origin, line, request).await {
                Ok(response) => return Ok(response),
                // Closed meanwhile, and nothing of the request was sent.
                Err(Unsent::Whole(given_back)) => request = *given_back,
                Err(Unsent::Broken(error)) => return Err(error),
            }
        }
        let line = Box::pin(self.dial(&origin)).await?;
        self.send(&origin, line, request).await.map_err(|unsent| match unsent {
            Unsent::Whole(_) => OutboundError::Broken { sent: false, source: "closed at once".into() },
            Unsent::Broken(error) => error,
        })
    }

    async fn dial(&self, (_, authority): &Origin) -> Result<Box<Line>, OutboundError> {
        let uri = Uri::builder().scheme(Scheme::HTTP).authority(authority.clone()).path_and_query("/").build();
        let stream = self.connector.clone().call(uri.map_err(|_| OutboundError::Url)?).await;
        let stream = stream.map_err(|error| {
            error.take().unwrap_or(OutboundError::Broken { sent: false, source: "not dialled".into() })
        })?;
        let (sender, driver) = handshake(stream)
            .await
            .map_err(|source| OutboundError::Broken { sent: false, source: source.into() })?;
        Ok(Box::new(Line { sender, driver }))
    }

    async fn send(
        &self,
        origin: &Origin,
        mut line: Box<Line>,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Driven>, Unsent> {
        let Line { sender, driver } = &mut *line;
        let mut answer = std::pin::pin!(sender.try_send_request(request));
        let answered = poll_fn(|cx| {
            if let Poll::Ready(answered) = answer.as_mut().poll(cx) {
                return Poll::Ready(answered);
            }
            // Its end, well or badly, comes out of `answer` too.
            let _ = Pin::new(&mut *driver).poll(cx);
            answer.as_mut().poll(cx)
        })
        .await;
        match answered {
            Ok(response) => {
                let home = Some((origin.clone(), Arc::clone(&self.idle)));
                Ok(response.map(|body| Driven { body, line: Some(line), home }))
            }
            Err(mut error) => Err(match error.take_message() {
                Some(request) => Unsent::Whole(Box::new(request)),
                None => {
                    Unsent::Broken(OutboundError::Broken { sent: true, source: error.into_error().into() })
                }
            }),
        }
    }
}

/// A request that brought no answer.
enum Unsent {
    /// Nothing of it left.
    Whole(Box<Request<Full<Bytes>>>),
    /// Some of it may have.
    Broken(OutboundError),
}

impl Idle {
    /// A kept connection that the server has not closed.
    async fn take(&self, origin: &Origin) -> Option<Box<Line>> {
        loop {
            let mut line = self.0.lock().origins.get_mut(origin)?.pop()?.line;
            let ready = poll_fn(|cx| {
                if Pin::new(&mut line.driver).poll(cx).is_ready() {
                    return Poll::Ready(false);
                }
                Poll::Ready(matches!(line.sender.poll_ready(cx), Poll::Ready(Ok(()))))
            });
            if ready.await {
                return Some(line);
            }
        }
    }

    fn put(self: &Arc<Self>, origin: Origin, line: Box<Line>) {
        let mut state = self.0.lock();
        let resting = state.origins.entry(origin).or_default();
        if resting.len() < POOL_IDLE_PER_HOST {
            resting.push(Resting { line, age: 0 });
        }
        if !state.swept {
            state.swept = true;
            TokioExecutor::new().execute(sweep(Arc::downgrade(self)));
        }
    }

    /// Closes what grew old; false if nothing is left to look after.
    fn close_old(&self) -> bool {
        let mut state = self.0.lock();
        for resting in state.origins.values_mut() {
            resting.retain_mut(|resting| {
                resting.age += 1;
                resting.age <= 2
            });
        }
        state.origins.retain(|_, resting| !resting.is_empty());
        state.swept = !state.origins.is_empty();
        state.swept
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

/// The origin, and the request as a server wants it (RFC 9112 section 3.2.1).
fn in_origin_form(
    mut request: Request<Full<Bytes>>,
) -> Result<(Authority, Request<Full<Bytes>>), OutboundError> {
    let uri = std::mem::take(request.uri_mut()).into_parts();
    let origin = uri.authority.ok_or(OutboundError::Url)?;
    if !request.headers().contains_key(HOST) {
        let named = match origin.port_u16() {
            Some(80) => origin.host(),
            _ => origin.as_str(),
        };
        let host = HeaderValue::from_str(named).map_err(|_| OutboundError::Url)?;
        request.headers_mut().insert(HOST, host);
    }
    let path = uri.path_and_query.unwrap_or(PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
    Ok((origin, request))
}

/// An answer's body, whose reader drives the connection. Read to its end, the connection is kept; dropped
/// before, it is closed, which tells the server that nobody listens.
#[derive(Debug)]
pub(super) struct Driven {
    body: Incoming,
    line: Option<Box<Line>>,
    home: Option<(Origin, Arc<Idle>)>,
}

impl Driven {
    fn keep(&mut self) {
        if let (Some(line), Some((origin, idle))) = (self.line.take(), self.home.take()) {
            idle.put(origin, line);
        }
    }
}

impl HttpBody for Driven {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        let mut frame = Pin::new(&mut this.body).poll_frame(cx);
        if frame.is_pending()
            && let Some(line) = &mut this.line
        {
            // Its end, well or badly, comes out of the body too.
            let _ = Pin::new(&mut line.driver).poll(cx);
            frame = Pin::new(&mut this.body).poll_frame(cx);
        }
        match &frame {
            Poll::Ready(None) => this.keep(),
            Poll::Ready(Some(Err(_))) => this.line = None,
            _ => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        if self.body.is_end_stream() {
            self.keep();
        }
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}
