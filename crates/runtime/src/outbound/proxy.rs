//! The corporate proxy: which hosts go through it, and the tunnel (CONNECT, RFC 9110 section 9.3.6) that it
//! makes for `https`.

use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use ipnet::IpNet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use super::error::{OutboundError, SetupError};

/// The largest answer of a proxy to CONNECT.
const MAX_ANSWER: usize = 16 * 1024;

/// The corporate proxy.
#[derive(Clone)]
pub struct Proxy {
    host: String,
    port: u16,
    authorization: Option<HeaderValue>,
    around: Vec<Around>,
}

/// An entry of the `no_proxy` list.
#[derive(Debug, Clone)]
enum Around {
    Everything,
    Net(IpNet),
    /// The name itself and everything below it.
    Name(String),
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}:{})", self.host, self.port)
    }
}

impl Proxy {
    /// The proxy at `http://[user:password@]host:port`; hosts that match an entry of `no_proxy` (a name,
    /// with everything below it; a `.suffix`; an address; a range; `*`) are dialled directly.
    ///
    /// # Errors
    /// The URL is not of that form.
    pub fn new(url: &str, no_proxy: &[String]) -> Result<Self, SetupError> {
        let url = Url::parse(url).ok().filter(|url| url.scheme() == "http").ok_or(SetupError::Proxy)?;
        let host = url.host_str().ok_or(SetupError::Proxy)?.trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default().ok_or(SetupError::Proxy)?;
        let authorization = if url.username().is_empty() && url.password().is_none() {
            None
        } else {
            let pair = format!("{}:{}", plain(url.username())?, plain(url.password().unwrap_or(""))?);
            let value = format!("Basic {}", STANDARD.encode(pair));
            let mut value = HeaderValue::try_from(value).map_err(|_| SetupError::Proxy)?;
            value.set_sensitive(true);
            Some(value)
        };
        Ok(Self { host, port, authorization, around: no_proxy.iter().map(|entry| around(entry)).collect() })
    }

    /// Whether requests for this host (without brackets or with) go through the proxy.
    pub(super) fn carries(&self, host: &str) -> bool {
        let host = host.trim_matches(['[', ']']);
        let host = host.strip_suffix('.').unwrap_or(host);
        let ip = host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
        !self.around.iter().any(|entry| match (entry, ip) {
            (Around::Everything, _) => true,
            (Around::Net(net), Some(ip)) => net.contains(&ip),
            (Around::Name(name), None) => below(host, name),
            _ => false,
        })
    }

    pub(super) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Asks for a tunnel to `host:port` over a connection to the proxy.
    pub(super) async fn tunnel(
        &self,
        tcp: &mut TcpStream,
        host: &str,
        port: u16,
    ) -> Result<(), OutboundError> {
        let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let mut ask = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
        if let Some(authorization) = &self.authorization {
            ask.extend_from_slice(b"Proxy-Authorization: ");
            ask.extend_from_slice(authorization.as_bytes());
            ask.extend_from_slice(b"\r\n");
        }
        ask.extend_from_slice(b"\r\n");
        tcp.write_all(&ask).await.map_err(OutboundError::Connect)?;
        let head = read_head(tcp).await?;
        let status = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let status = String::from_utf8_lossy(status).trim_end().to_owned();
        match status.split(' ').nth(1) {
            Some(code) if status.starts_with("HTTP/1.") && code.len() == 3 && code.starts_with('2') => Ok(()),
            _ => Err(OutboundError::Proxy(status.escape_debug().to_string())),
        }
    }
}

/// Byte by byte would be slow, more could take bytes of the tunnel: but the server behind a fresh tunnel
/// says nothing before we do (TLS, client first), so what is read ends with the head.
async fn read_head(tcp: &mut TcpStream) -> Result<Vec<u8>, OutboundError> {
    let mut head = Vec::with_capacity(512);
    loop {
        if tcp.read_buf(&mut head).await.map_err(OutboundError::Connect)? == 0 {
            return Err(OutboundError::Proxy("it closed the connection".to_owned()));
        }
        if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            if end + 4 != head.len() {
                return Err(OutboundError::Proxy("it said more than an answer to CONNECT".to_owned()));
            }
            return Ok(head);
        }
        if head.len() > MAX_ANSWER {
            return Err(OutboundError::Proxy("its answer is too long".to_owned()));
        }
    }
}

fn around(entry: &str) -> Around {
    let entry = entry.trim();
    if entry == "*" {
        return Around::Everything;
    }
    let net = entry.parse::<IpNet>().ok().or_else(|| entry.parse::<IpAddr>().ok().map(IpNet::from));
    net.map_or_else(|| Around::Name(entry.trim_start_matches(['*', '.']).to_ascii_lowercase()), Around::Net)
}

fn below(host: &str, name: &str) -> bool {
    if name.is_empty() || host.len() < name.len() {
        return false;
    }
    let Some((front, back)) = host.split_at_checked(host.len() - name.len()) else { return false };
    back.eq_ignore_ascii_case(name) && (front.is_empty() || front.ends_with('.'))
}

/// Undoes percent-encoding of a user or password.
fn plain(text: &str) -> Result<String, SetupError> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(bytes.next()), digit(bytes.next())) else {
            return Err(SetupError::Proxy);
        };
        out.push(u8::try_from(high * 16 + low).map_err(|_| SetupError::Proxy)?);
    }
    String::from_utf8(out).map_err(|_| SetupError::Proxy)
}
