//! The one outbound HTTP client: for calls to servers and for every fetch of the control plane. Each dial
//! passes the egress guard on the resolved address, also behind a corporate proxy; TLS is always
//! verified; redirects are returned, never followed; connections are pooled and kept alive.
//!
//! Plain HTTP/1.1 without a proxy has a pool of its own (`kept`), whose connections are driven by the request's
//! task; TLS, HTTP/2 and proxies are hyper-util's.

mod body;
mod connector;
mod error;
mod kept;
mod line;
mod proxy;
mod small;
mod stream;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderValue, PROXY_AUTHORIZATION};
use http::uri::Scheme;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::EgressRules;
pub use body::Body;
use connector::Connector;
pub use error::{OutboundError, SetupError};
use kept::Kept;
pub use proxy::Proxy;

/// Idle connections are closed after this time.
const POOL_IDLE: Duration = Duration::from_secs(60);
/// Idle connections kept per origin.
const POOL_IDLE_PER_HOST: usize = 256;
/// The largest head of an HTTP/2 answer, in bytes. HTTP/1.1 has hyper's bound of about 400 kB, because the
/// same buffer takes the bodies, and large ones come faster through a large buffer.
const MAX_HEAD_H2: u32 = 64 * 1024;

/// How often an HTTP/2 server with open streams is asked whether it is there, and how long it may take.
const H2_PING: Duration = Duration::from_secs(20);

/// What an [`Outbound`] is made of.
#[derive(Debug, Clone)]
pub struct OutboundSettings {
    /// Where dials may go.
    pub rules: EgressRules,
    /// The corporate proxy, if there is one.
    pub proxy: Option<Proxy>,
    /// Further certificate authorities, as PEM.
    pub extra_ca: Option<Vec<u8>>,
    /// How long a dial may take: name, TCP, proxy and TLS together.
    pub connect_timeout: Duration,
}

impl Default for OutboundSettings {
    fn default() -> Self {
        Self {
            rules: EgressRules::default(),
            proxy: None,
            extra_ca: None,
            connect_timeout: Duration::from_secs(5),
        }
    }
}

/// The outbound client. Clones share the pool.
#[derive(Debug, Clone)]
pub struct Outbound {
    client: Client<Connector, Full<Bytes>>,
    kept: Kept,
    proxy: Option<Arc<Proxy>>,
}

impl Outbound {
    /// A client with an empty pool.
    ///
    /// # Errors
    /// The extra certificate authorities cannot be read, or there is no certificate authority at all.
    pub fn new(settings: OutboundSettings) -> Result<Self, SetupError> {
        let tls = tls::client_config(settings.extra_ca.as_deref())?;
        let proxy = settings.proxy.map(Arc::new);
        let connector = Connector::new(settings.rules, proxy.clone(), tls, settings.connect_timeout);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_IDLE_PER_HOST)
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .http2_max_header_list_size(MAX_HEAD_H2)
            .http2_adaptive_window(true)
            .http2_keep_alive_interval(H2_PING)
            .http2_keep_alive_timeout(H2_PING)
            .build(connector.clone());
        Ok(Self { client, kept: Kept::new(connector), proxy })
    }

    /// Sends a request to an absolute `http` or `https` URL and returns the answer's head, whatever its
    /// status; the body streams. A request that provably was not sent, because a kept connection had been
    /// closed, is sent again on a new one; nothing else is ever repeated. There is no timeout but that of
    /// dialling: the caller bounds the rest.
    ///
    /// # Errors
    /// Says what failed; [`OutboundError::was_sent`] tells whether the server may have seen the request.
    pub async fn request(&self, mut request: Request<Bytes>) -> Result<Response<Body>, OutboundError> {
        if !is_absolute(request.uri()) {
            return Err(OutboundError::Url);
        }
        match &self.proxy {
            Some(proxy) => authorize_at_proxy(proxy, &mut request),
            None if request.uri().scheme() == Some(&Scheme::HTTP) => {
                return self.kept.request(request).await.map(|answer| answer.map(Body::driven));
            }
            None => {}
        }
        // Boxed, so that the future of the common way stays small.
        let answer = Box::pin(self.client.request(request.map(Full::new)))
            .await
            .map_err(OutboundError::from_client)?;
        Ok(answer.map(Body::pooled))
    }
}

/// Plain `http` through a proxy is asked of the proxy itself, which therefore wants its password with
/// each request; it removes the header. `https` tells it once, when the tunnel is made.
fn authorize_at_proxy(proxy: &Proxy, request: &mut Request<Bytes>) {
    request.headers_mut().remove(PROXY_AUTHORIZATION);
    if request.uri().scheme() == Some(&Scheme::HTTP)
        && let Some(authorization) = proxy.authorization()
        && request.uri().host().is_some_and(|host| proxy.carries(host))
    {
        let value: HeaderValue = authorization.clone();
        request.headers_mut().insert(PROXY_AUTHORIZATION, value);
    }
}

/// `http` or `https` with a host, and without a user or password, which would end up in logs and pools.
fn is_absolute(uri: &Uri) -> bool {
    let scheme_ok = uri.scheme().is_some_and(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
    scheme_ok && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
}

/// The host of a URL without the brackets of an IPv6 literal.
fn bare_host(uri: &Uri) -> Option<&str> {
    let host = uri.host()?;
    Some(host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host))
}

#[cfg(test)]
mod tests;
