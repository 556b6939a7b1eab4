//! One HTTP/1.1 accept loop for all servers of this crate, and the body type that their answers share.
//!
//! A cancelled server drops its connections in the middle of whatever they carry: for the peer it has died, which is
//! what the tests of a gateway's failure paths want to see.

use std::io::Write as _;
use std::net::{SocketAddr, ToSocketAddrs as _};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use hyper::body::{Body, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::args::{Args, ArgsError};

/// Any error; what breaks a body is told to nobody but the log of a failing test.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// A body of any kind.
pub type AnyBody = UnsyncBoxBody<Bytes, BoxError>;

/// A body that is all there.
pub fn full(bytes: impl Into<Bytes>) -> AnyBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Serves HTTP/1.1 until cancelled, one task for each connection. A service that returns an error cuts its connection
/// without an answer.
pub async fn serve<S, B>(listener: TcpListener, service: S, until: CancellationToken)
where
    S: hyper::service::Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = until.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        // A peer that is gone before it is accepted is its own affair.
        let Ok((stream, _)) = accepted else { continue };
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        // Without `pipeline_flush`: it lifts the bound on buffered output, and some bodies here have no end.
        let http = hyper::server::conn::http1::Builder::new();
        let connection = http.serve_connection(TokioIo::new(stream), service.clone());
        let until = until.clone();
        connections.spawn(async move {
            // Broken connections are what these servers are for; the client side of the test tells what it saw.
            tokio::select! { _ = connection => {}, () = until.cancelled() => {} }
        });
    }
    connections.close();
    connections.wait().await;
}

/// Binds `address` and prints the one line by which whoever started the process learns where it listens.
///
/// # Errors
/// When the address is taken or standard output is gone.
pub async fn listen(address: SocketAddr, path: &str) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address).await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on http://{}{path}", listener.local_addr()?)?;
    out.flush()?;
    Ok(listener)
}

/// A token that is cancelled when the process is told to end.
///
/// # Errors
/// When signals cannot be listened to.
pub fn until_signal() -> std::io::Result<CancellationToken> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let token = CancellationToken::new();
    let told = token.clone();
    // One task for the life of the process; there is nothing that could wait for it.
    TaskTracker::new().spawn(async move {
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
        told.cancel();
    });
    Ok(token)
}

/// An `http://` address, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What to connect to.
    pub address: SocketAddr,
    /// Host and port as written.
    pub authority: String,
    /// Path and query, at least `/`.
    pub path: String,
}

/// Why a command line's address or header cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// No plain HTTP address.
    #[error("`{0}` is no `http://HOST:PORT/PATH`")]
    NotHttp(String),
    /// The name does not resolve.
    #[error("`{0}` has no address")]
    Unresolved(String),
    /// A header line without a colon, or with a line break in it.
    #[error("a header line must be `Name: value`")]
    HeaderLine,
    /// The variable that should hold a header line.
    #[error("the environment variable `{0}` is not set")]
    NoVariable(String),
    /// The flags.
    #[error(transparent)]
    Args(#[from] ArgsError),
}

impl Target {
    /// Takes an address apart and resolves its name.
    ///
    /// # Errors
    /// When it is no `http://` address or does not resolve.
    pub fn parse(url: &str) -> Result<Self, TargetError> {
        let uri: http::Uri = url.parse().map_err(|_| TargetError::NotHttp(url.to_owned()))?;
        let (Some("http"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(TargetError::NotHttp(url.to_owned()));
        };
        let host = authority.host().trim_matches(['[', ']']);
        let mut addresses = (host, authority.port_u16().unwrap_or(80))
            .to_socket_addrs()
            .map_err(|_| TargetError::Unresolved(url.to_owned()))?;
        let address = addresses.next().ok_or_else(|| TargetError::Unresolved(url.to_owned()))?;
        let path = uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
        Ok(Self { address, authority: authority.to_string(), path })
    }
}

/// Takes the header lines of `--header` and those in the variables named by `--header-env`, which no process list shows.
///
/// # Errors
/// When a line is none or a variable is not set.
pub fn header_lines(args: &mut Args) -> Result<Vec<String>, TargetError> {
    let mut lines = args.values("--header")?;
    for name in args.values("--header-env")? {
        let value = std::env::var_os(&name).and_then(|value| value.into_string().ok());
        lines.push(value.ok_or(TargetError::NoVariable(name))?);
    }
    if lines.iter().any(|line| !line.contains(':') || line.contains(['\r', '\n'])) {
        return Err(TargetError::HeaderLine);
    }
    Ok(lines)
}
