//! One connection: TLS if the listener has it, HTTP/2 by ALPN or by prior knowledge, else HTTP/1.1 under
//! guard; served until it ends, or drained when the process stops.

use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::ServeLimits;
use super::guarded::Guarded;
use super::idle::IdleTimer;
use crate::Scheme;

/// The client's preface of HTTP/2 (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Requests at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 256;
/// Headers in one request.
const MAX_HEADERS: usize = 128;
/// Requests that a client may take back before they were looked at, on one HTTP/2 connection (rapid reset, CVE-2023-44487);
/// h2's own default, stated.
const MAX_PENDING_RESETS: usize = 20;
/// Streams that this side may reset for a client's errors on one HTTP/2 connection (CVE-2025-8671); h2's own default, stated.
const MAX_ERROR_RESETS: usize = 1_024;
/// How often a silent HTTP/2 client is asked whether it is there, and how long it may take to say so.
const PING_EVERY: Duration = Duration::from_secs(60);
/// How often an HTTP/1.1 connection is looked at within its idle time.
const LOOKS: u32 = 4;

/// Who is at the other end of the connection; in the extensions of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerInfo {
    /// The address of whoever opened the connection: the client, or a proxy.
    pub addr: SocketAddr,
    /// What is spoken on this connection.
    pub scheme: Scheme,
}

/// What the connections of a listener share.
pub(super) struct Shared {
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) limits: ServeLimits,
    pub(super) stop: CancellationToken,
}

/// Adds the peer to each request.
#[derive(Clone)]
struct WithPeer<S> {
    inner: S,
    peer: PeerInfo,
}

impl<S: Service<Request<Incoming>>> Service<Request<Incoming>> for WithPeer<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, mut request: Request<Incoming>) -> S::Future {
        request.extensions_mut().insert(self.peer);
        self.inner.call(request)
    }
}

/// Why a connection ended before its time.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    #[error("nothing came in time")]
    Silent,
    #[error("TLS: {0}")]
    Tls(io::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{0}: {cause}", cause = .0.source().map(ToString::to_string).unwrap_or_default())]
    Http(#[from] hyper::Error),
}

/// Serves one accepted connection to its end, on the runtime that polls this.
pub(super) async fn serve<S, B>(
    tcp: std::net::TcpStream,
    address: SocketAddr,
    shared: Arc<Shared>,
    service: S,
) -> Result<(), ConnectionError>
where
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let tcp = TcpStream::from_std(tcp)?;
    tcp.set_nodelay(true)?;
    if let Some(tls) = &shared.tls {
        let Some(tls) = begun(&shared, tls.accept(tcp)).await? else { return Ok(()) };
        let tls = tls.map_err(ConnectionError::Tls)?;
        let h2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
        let service = WithPeer { inner: service, peer: PeerInfo { addr: address, scheme: Scheme::Https } };
        return if h2 { http2(tls, &shared, service).await } else { http1(tls, &shared, service).await };
    }
    let Some(h2) = begun(&shared, prior_knowledge(&tcp)).await? else { return Ok(()) };
    let h2 = h2?;
    let service = WithPeer { inner: service, peer: PeerInfo { addr: address, scheme: Scheme::Http } };
    if h2 { http2(tcp, &shared, service).await } else { http1(tcp, &shared, service).await }
}

/// Waits for the client's first word, for a while; `None` if the process stops before it comes. Clients and load
/// balancers open connections for later, which must not hold up the stop.
async fn begun<T>(shared: &Shared, first: impl Future<Output = T>) -> Result<Option<T>, ConnectionError> {
    tokio::select! {
        biased;
        came = timeout(shared.limits.header_timeout, first) => {
            came.map(Some).map_err(|_| ConnectionError::Silent)
        }
        () = shared.stop.cancelled() => Ok(None),
    }
}

/// Whether the client begins with HTTP/2's preface. Looks without taking.
async fn prior_knowledge(tcp: &TcpStream) -> io::Result<bool> {
    let mut seen = [0u8; PREFACE.len()];
    loop {
        let count = tcp.peek(&mut seen).await?;
        let start = seen.get(..count).unwrap_or_default();
        if count == 0 || !PREFACE.starts_with(start) {
            return Ok(false);
        }
        if count == PREFACE.len() {
            return Ok(true);
        }
        // A socket with unread bytes is always ready: without a pause this would spin.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn http1<IO, S, B>(io: IO, shared: &Shared, service: S) -> Result<(), ConnectionError>
where
    IO: AsyncRead + AsyncWrite + Unpin,
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let limits = &shared.limits;
    let spoken = Arc::new(AtomicBool::new(false));
    let io = TokioIo::new(Guarded::new(io, limits.header_timeout, Arc::clone(&spoken)));
    let connection = http1::Builder::new()
        .timer(IdleTimer)
        // hyper's clock runs while it waits for a request: that is the idle time. The guard has the
        // shorter one of a head that began.
        .header_read_timeout(limits.idle_timeout)
        .max_header_size(limits.max_header_bytes)
        .max_headers(MAX_HEADERS)
        .serve_connection(io, service);
    let looking = Looking { connection, pace: limits.idle_timeout / LOOKS, next: None };
    // hyper takes a connection without any request yet for a busy one.
    drive(looking, &shared.stop, || spoken.load(Ordering::Relaxed)).await
}

async fn http2<IO, S, B>(io: IO, shared: &Shared, service: S) -> Result<(), ConnectionError>
where
    IO: AsyncRead + AsyncWrite + Unpin,
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let header_bytes = u32::try_from(shared.limits.max_header_bytes).unwrap_or(u32::MAX);
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(header_bytes)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_ERROR_RESETS)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_EVERY)
        .serve_connection(TokioIo::new(io), service);
    drive(connection, &shared.stop, || true).await
}

/// A hyper connection that can be asked to finish.
trait Graceful: Future<Output = hyper::Result<()>> {
    fn finish(self: Pin<&mut Self>);
}

impl<I, S, B> Graceful for http1::Connection<I, S>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I, S, B> Graceful for http2::Connection<I, S, TokioExecutor>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// A connection that is looked at once in a while, though nothing comes, since its idle clock wakes nobody.
struct Looking<C> {
    connection: C,
    pace: Duration,
    next: Option<Pin<Box<Sleep>>>,
}

impl<C: Graceful + Unpin> Future for Looking<C> {
    type Output = hyper::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        let this = &mut *self;
        let next = this.next.get_or_insert_with(|| Box::pin(sleep(this.pace)));
        while next.as_mut().poll(cx).is_ready() {
            next.as_mut().reset(Instant::now() + this.pace);
        }
        Pin::new(&mut this.connection).poll(cx)
    }
}

impl<C: Graceful + Unpin> Graceful for Looking<C> {
    fn finish(mut self: Pin<&mut Self>) {
        Pin::new(&mut self.connection).finish();
    }
}

/// Runs a connection; when the process stops, lets what is in flight finish and takes nothing new. One on which
/// nothing was said just ends.
async fn drive(
    connection: impl Graceful,
    stop: &CancellationToken,
    spoken: impl Fn() -> bool,
) -> Result<(), ConnectionError> {
    // Polled with each event of the connection, and a token has a lock: its own, not everybody's.
    let stop = stop.child_token();
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        ended = connection.as_mut() => return Ok(ended?),
        () = stop.cancelled() => {}
    }
    if !spoken() {
        return Ok(());
    }
    connection.as_mut().finish();
    Ok(connection.await?)
}
