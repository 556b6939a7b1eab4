//! `[listen]`: where the gateway is reached, as what, and by whom it lets itself be told a client's
//! address.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::problem::{Problems, at_least};

/// Where the gateway is reached.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ListenFile {
    /// The address and port to listen on.
    address: String,
    /// The URL under which clients reach the gateway: decides issuer, audience and links.
    public_url: Option<String>,
    /// A PEM file with the certificate and its chain; read again when it changes.
    tls_cert: Option<PathBuf>,
    /// A PEM file with the certificate's private key.
    tls_key: Option<PathBuf>,
    /// Addresses or ranges of proxies whose `X-Forwarded-*` headers are believed.
    trusted_proxies: Vec<String>,
    /// Origins, beside the gateway's own, whose pages may call it: `https://app.example`.
    allowed_origins: Vec<String>,
    /// How many connections may be open at once.
    max_connections: usize,
    /// How long a client may take to send a request's headers.
    header_timeout_ms: u64,
    /// How large a request's headers may be.
    max_header_bytes: usize,
}

impl Default for ListenFile {
    fn default() -> Self {
        Self {
            address: "127.0.0.1:7420".into(),
            public_url: None,
            tls_cert: None,
            tls_key: None,
            trusted_proxies: Vec::new(),
            allowed_origins: Vec::new(),
            max_connections: 20_000,
            header_timeout_ms: 10_000,
            max_header_bytes: 32_768,
        }
    }
}

/// Where the gateway is reached.
#[derive(Debug, Clone)]
pub struct Listen {
    /// The address to listen on; port 0 takes a free one.
    pub address: SocketAddr,
    /// The URL under which clients reach the gateway, without a final slash's path; see [`Listen::base_url`].
    pub public_url: Option<Url>,
    /// Certificate and key, if the listener speaks TLS itself.
    pub tls: Option<TlsFiles>,
    /// Proxies whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Further origins whose pages may call the gateway, each as `scheme://host[:port]`.
    pub allowed_origins: Vec<String>,
    /// How many connections may be open at once.
    pub max_connections: usize,
    /// How long a client may take to send a request's headers.
    pub header_timeout: Duration,
    /// How large a request's headers may be, in bytes.
    pub max_header_bytes: usize,
}

/// The PEM files of the listener's certificate.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate, then its chain.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Listen {
    /// The URL under which clients reach the gateway, when it is bound to `bound`: the public URL, else
    /// the bound address (every-interface addresses as `localhost`). Its path is `/`.
    pub fn base_url(&self, bound: SocketAddr) -> Url {
        if let Some(url) = &self.public_url {
            return url.clone();
        }
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let text = if bound.ip().is_unspecified() {
            format!("{scheme}://localhost:{}/", bound.port())
        } else {
            format!("{scheme}://{bound}/")
        };
        Url::parse(&text).expect("a socket address is a valid authority")
    }
}

impl ListenFile {
    pub(crate) fn check(self, problems: &mut Problems) -> Listen {
        let listen = Listen {
            address: address(&self.address, problems),
            public_url: self.public_url.as_deref().and_then(|text| public_url(text, problems)),
            tls: tls(self.tls_cert, self.tls_key, problems),
            trusted_proxies: self.trusted_proxies.iter().filter_map(|text| range(text, problems)).collect(),
            allowed_origins: self.allowed_origins.iter().filter_map(|text| origin(text, problems)).collect(),
            max_connections: self.max_connections,
            header_timeout: Duration::from_millis(self.header_timeout_ms),
            max_header_bytes: self.max_header_bytes,
        };
        at_least(problems, "listen.max_connections", self.max_connections as u64, 1);
        at_least(problems, "listen.header_timeout_ms", self.header_timeout_ms, 100);
        at_least(problems, "listen.max_header_bytes", self.max_header_bytes as u64, 8192);
        if !listen.address.ip().is_loopback() && listen.tls.is_none() && listen.trusted_proxies.is_empty() {
            problems
                .add(
                    "listen.address",
                    format!("{} is reachable from outside, but without TLS", listen.address),
                )
                .help(
                    "keys and tokens would travel in the clear: set listen.tls_cert and listen.tls_key, or \
                     name the TLS-terminating proxy in listen.trusted_proxies, or listen on 127.0.0.1",
                );
        }
        listen
    }
}

fn address(text: &str, problems: &mut Problems) -> SocketAddr {
    text.parse().unwrap_or_else(|_| {
        problems
            .add("listen.address", format!("{text:?} is not an address and port"))
            .help("write 127.0.0.1:7420 or [::]:7420");
        SocketAddr::from((Ipv4Addr::LOCALHOST, 7420))
    })
}

fn public_url(text: &str, problems: &mut Problems) -> Option<Url> {
    let problem = match Url::parse(text) {
        Err(error) => format!("not a URL: {error}"),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => "the scheme must be https or http".to_owned(),
        Ok(url) if url.path() != "/" || url.query().is_some() || url.fragment().is_some() => {
            "a public URL has no path, query or fragment".to_owned()
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            "a public URL has no user or password".to_owned()
        }
        Ok(url) => return Some(url),
    };
    problems.add("listen.public_url", problem).help("write https://gateway.corp.example");
    None
}

fn tls(cert: Option<PathBuf>, key: Option<PathBuf>, problems: &mut Problems) -> Option<TlsFiles> {
    match (cert, key) {
        (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
        (Some(cert), None) => {
            problems.add("listen.tls_cert", "a certificate without its key").help("set listen.tls_key too");
            Some(TlsFiles { cert, key: PathBuf::new() })
        }
        (None, Some(key)) => {
            problems.add("listen.tls_key", "a key without its certificate").help("set listen.tls_cert too");
            Some(TlsFiles { cert: PathBuf::new(), key })
        }
        (None, None) => None,
    }
}

fn range(text: &str, problems: &mut Problems) -> Option<IpNet> {
    let range = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    match range {
        Some(range) if range.prefix_len() == 0 => {
            problems
                .add("listen.trusted_proxies", format!("{text} is everybody"))
                .help("name the proxy's own address: whoever is trusted here can claim to be anybody");
            None
        }
        Some(range) => Some(range.trunc()),
        None => {
            problems
                .add("listen.trusted_proxies", format!("{text:?} is no address or range"))
                .help("write 10.1.2.3 or 10.1.2.0/24");
            None
        }
    }
}

fn origin(text: &str, problems: &mut Problems) -> Option<String> {
    let origin = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none())
        .map(|url| url.origin().ascii_serialization());
    if origin.is_none() {
        problems
            .add("listen.allowed_origins", format!("{text:?} is no origin"))
            .help("write https://app.example, without a path");
    }
    origin
}
