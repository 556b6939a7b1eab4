//! Dialling: resolve, ask the egress guard for each address, connect, tunnel if a proxy is wanted, TLS.
//! hyper-util's client calls it when its pool has no connection to an origin.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::bare_host;
use super::error::{DialError, OutboundError};
use super::proxy::Proxy;
use super::stream::Stream;
use crate::EgressRules;

/// Makes connections; cheap to clone, for the client clones it with each request.
#[derive(Debug, Clone)]
pub(super) struct Connector(Arc<Dialler>);

#[derive(Debug)]
struct Dialler {
    rules: EgressRules,
    proxy: Option<Arc<Proxy>>,
    tls: Arc<ClientConfig>,
    timeout: Duration,
}

/// Where a request wants to go.
struct Target {
    host: String,
    port: u16,
    tls: bool,
}

impl Connector {
    pub(super) fn new(
        rules: EgressRules,
        proxy: Option<Arc<Proxy>>,
        tls: Arc<ClientConfig>,
        timeout: Duration,
    ) -> Self {
        Self(Arc::new(Dialler { rules, proxy, tls, timeout }))
    }
}

impl tower::Service<Uri> for Connector {
    type Response = Stream;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, DialError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dialler = Arc::clone(&self.0);
        Box::pin(async move {
            let timeout = dialler.timeout;
            match tokio::time::timeout(timeout, dialler.dial(&uri)).await {
                Ok(dialled) => dialled.map_err(DialError::from),
                Err(_) => Err(OutboundError::ConnectTimeout(timeout).into()),
            }
        })
    }
}

impl Dialler {
    async fn dial(&self, uri: &Uri) -> Result<Stream, OutboundError> {
        let target = Target::of(uri)?;
        let proxy = self.proxy.as_ref().filter(|proxy| proxy.carries(&target.host));
        let (mut tcp, proxied) = match proxy {
            None => (self.connect(&self.allowed(&target).await?).await?, false),
            Some(proxy) => {
                self.allowed_behind_proxy(&target).await?;
                // The proxy's own address was chosen by the operator: no guard.
                (self.connect(&resolve(proxy.host(), proxy.port()).await?).await?, true)
            }
        };
        if !target.tls {
            return Ok(Stream::Plain { io: TokioIo::new(tcp), proxied });
        }
        if let Some(proxy) = proxy {
            proxy.tunnel(&mut tcp, &target.host, target.port).await?;
        }
        let name = ServerName::try_from(target.host).map_err(|_| OutboundError::Url)?;
        let tls = TlsConnector::from(Arc::clone(&self.tls)).connect(name, tcp).await;
        Ok(Stream::Tls(Box::new(TokioIo::new(tls.map_err(OutboundError::Tls)?))))
    }

    /// A connection to the first address that takes one. Each gets its share of the time, so that one that
    /// never answers (IPv6 where it is not routed) does not use up that of the others.
    async fn connect(&self, addresses: &[SocketAddr]) -> Result<TcpStream, OutboundError> {
        let share = self.timeout / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in addresses {
            match tokio::time::timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(tcp)) => {
                    tcp.set_nodelay(true).map_err(OutboundError::Connect)?;
                    return Ok(tcp);
                }
                Ok(Err(error)) => last = error,
                Err(_) => last = io::ErrorKind::TimedOut.into(),
            }
        }
        if last.kind() == io::ErrorKind::TimedOut {
            return Err(OutboundError::ConnectTimeout(self.timeout));
        }
        Err(OutboundError::Connect(last))
    }

    /// The target's addresses that may be dialled; an error if none may.
    async fn allowed(&self, target: &Target) -> Result<Vec<SocketAddr>, OutboundError> {
        let mut refused = None;
        let mut allowed = Vec::new();
        for address in resolve(&target.host, target.port).await? {
            match self.rules.check(&target.host, address.ip(), address.port()) {
                Ok(()) => allowed.push(address),
                Err(forbidden) => refused = Some(forbidden),
            }
        }
        match refused {
            Some(forbidden) if allowed.is_empty() => Err(OutboundError::Forbidden(forbidden)),
            _ => Ok(allowed),
        }
    }

    /// The proxy resolves and dials by itself. What we can know of the target must be allowed, all of it,
    /// for we do not choose among its addresses; names that only the proxy can resolve are its to judge.
    async fn allowed_behind_proxy(&self, target: &Target) -> Result<(), OutboundError> {
        let Ok(addresses) = resolve(&target.host, target.port).await else { return Ok(()) };
        addresses
            .iter()
            .try_for_each(|address| self.rules.check(&target.host, address.ip(), address.port()))
            .map_err(OutboundError::Forbidden)
    }
}

impl Target {
    fn of(uri: &Uri) -> Result<Self, OutboundError> {
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(OutboundError::Url),
        };
        let host = bare_host(uri).filter(|host| !host.is_empty()).ok_or(OutboundError::Url)?;
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { host: host.to_owned(), port, tls })
    }
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, OutboundError> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let failed = |source| OutboundError::Dns { host: host.to_owned(), source };
    let addresses: Vec<_> = tokio::net::lookup_host((host, port)).await.map_err(failed)?.collect();
    if addresses.is_empty() { Err(failed(io::ErrorKind::NotFound.into())) } else { Ok(addresses) }
}
