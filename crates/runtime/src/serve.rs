//! The listener: accepts connections and serves HTTP/1.1 and HTTP/2 on them with the binary's service.
//! Bounded in connections, header size and header time; ambiguous framing (request smuggling) is refused
//! before hyper sees it; certificates are read again when their files change.

mod accept;
mod connection;
mod framing;
mod guarded;
mod idle;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;

pub use connection::PeerInfo;
pub use tls::{Tls, TlsError};

/// Bounds on what clients may do to the listener.
#[derive(Debug, Clone)]
pub struct ServeLimits {
    /// Connections open at once; further ones are closed at once.
    pub max_connections: usize,
    /// How long a TLS handshake, or the head of a request, may take.
    pub header_timeout: Duration,
    /// The largest head of a request, in bytes; at least 8192.
    pub max_header_bytes: usize,
    /// How long a connection may stay without a request.
    pub idle_timeout: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            max_connections: 20_000,
            header_timeout: Duration::from_secs(10),
            max_header_bytes: 32 * 1024,
            idle_timeout: Duration::from_secs(120),
        }
    }
}

/// A bound socket that does not serve yet.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    local: SocketAddr,
    tls: Option<Tls>,
    limits: ServeLimits,
}

impl Listener {
    /// Binds `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// The address is in use or not ours.
    pub async fn bind(address: SocketAddr, tls: Option<Tls>, limits: ServeLimits) -> io::Result<Self> {
        let tcp = TcpListener::bind(address).await?;
        let local = tcp.local_addr()?;
        Ok(Self { tcp, local, tls, limits })
    }

    /// The address that it is bound to.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }
}

#[cfg(test)]
mod tests;
