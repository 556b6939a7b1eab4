//! What can go wrong on the way out, precise enough for callers to decide on retries and breakers. The
//! texts name hosts and addresses: they are for logs and administrators, never for an answer to a client.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use crate::Forbidden;

/// A request failed.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The URL is not an absolute http or https URL without user and password.
    #[error("not an absolute http or https URL")]
    Url,
    /// The egress guard refused the address.
    #[error("forbidden: {0}")]
    Forbidden(Forbidden),
    /// The name has no address.
    #[error("{host} cannot be resolved: {source}")]
    Dns {
        /// The name.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// No address of the host took a connection.
    #[error("no connection: {0}")]
    Connect(#[source] io::Error),
    /// The proxy did not make the tunnel.
    #[error("the proxy refused the tunnel: {0}")]
    Proxy(String),
    /// The TLS handshake failed, usually for want of a certificate that can be trusted.
    #[error("no TLS connection: {0}")]
    Tls(#[source] io::Error),
    /// The dial took too long.
    #[error("no connection within {0:?}")]
    ConnectTimeout(Duration),
    /// The connection broke before the answer's head was there, or the answer is no HTTP.
    #[error("the connection broke: {source}")]
    Broken {
        /// Whether any of the request may have reached the server.
        sent: bool,
        /// How it broke.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The body is larger than asked for (`get_small` only).
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// The answer took too long (`get_small` only).
    #[error("no answer within {0:?}")]
    Timeout(Duration),
}

impl OutboundError {
    /// Whether the server may have seen the request. `false` is certain.
    pub fn was_sent(&self) -> bool {
        matches!(self, Self::Broken { sent: true, .. } | Self::TooLarge(_) | Self::Timeout(_))
    }

    pub(super) fn from_client(error: hyper_util::client::legacy::Error) -> Self {
        if error.is_connect() {
            return Self::from_dial(error);
        }
        // hyper gives `canceled` exactly when it hands the request back unsent.
        let not_sent = error
            .source()
            .and_then(|source| source.downcast_ref::<hyper::Error>())
            .is_some_and(hyper::Error::is_canceled);
        Self::Broken { sent: !not_sent, source: error.into() }
    }

    /// The connector's own error travels inside the client's.
    fn from_dial(error: hyper_util::client::legacy::Error) -> Self {
        let dial = error.source().and_then(|source| source.downcast_ref::<DialError>());
        match dial.and_then(DialError::take) {
            Some(precise) => precise,
            None => Self::Broken { sent: false, source: error.into() },
        }
    }
}

/// Carries an [`OutboundError`] out of the connector: hyper-util only lends the source of its error, so
/// the precise one is taken out of it.
#[derive(Debug, thiserror::Error)]
#[error("dial failed")]
pub(super) struct DialError(parking_lot::Mutex<Option<OutboundError>>);

impl DialError {
    pub(super) fn take(&self) -> Option<OutboundError> {
        self.0.lock().take()
    }
}

impl From<OutboundError> for DialError {
    fn from(error: OutboundError) -> Self {
        Self(parking_lot::Mutex::new(Some(error)))
    }
}

/// The client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The extra certificate authorities are no PEM certificates.
    #[error("the extra certificate authorities cannot be read: {0}")]
    ExtraCa(String),
    /// Neither the system nor the settings have a certificate authority.
    #[error("there is no certificate authority to trust: install ca-certificates or set egress.extra_ca")]
    NoRoots,
    /// The proxy's URL is not `http://[user:password@]host:port`.
    #[error("not the URL of an HTTP proxy")]
    Proxy,
    /// rustls refused the settings.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}
