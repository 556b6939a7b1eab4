//! Who is at the other end when proxies stand between: `X-Forwarded-*` is believed only as far as the
//! chain of trusted proxies reaches. Anybody can send these headers.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

/// How the client speaks to us, at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

/// The client's end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAddress {
    /// The address of the nearest end that is no trusted proxy.
    pub ip: IpAddr,
    /// What it speaks.
    pub scheme: Scheme,
    /// The host that it asked for, if a trusted proxy says; otherwise the `Host` header counts.
    pub forwarded_host: Option<String>,
}

/// The client's address, scheme and host. `scheme` is that of the connection itself. Without trusted
/// proxies, or from anybody else, the headers mean nothing.
pub fn client_address(
    peer: SocketAddr,
    scheme: Scheme,
    trusted: &[IpNet],
    headers: &HeaderMap,
) -> ClientAddress {
    let peer_ip = peer.ip().to_canonical();
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    if !is_trusted(&peer_ip) {
        return ClientAddress { ip: peer_ip, scheme, forwarded_host: None };
    }
    let mut ip = peer_ip;
    // From the right: each trusted hop vouches for the entry before it; what stands left of the first
    // untrusted address was written by the client.
    for entry in entries_from_right(headers, "x-forwarded-for") {
        let Some(hop) = address(entry) else { break };
        ip = hop;
        if !is_trusted(&hop) {
            break;
        }
    }
    let scheme = match entries_from_right(headers, "x-forwarded-proto").next() {
        Some(proto) if proto.eq_ignore_ascii_case("https") => Scheme::Https,
        Some(proto) if proto.eq_ignore_ascii_case("http") => Scheme::Http,
        _ => scheme,
    };
    let forwarded_host = entries_from_right(headers, "x-forwarded-host").next().map(str::to_owned);
    ClientAddress { ip, scheme, forwarded_host }
}

fn entries_from_right<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let mut lines: Vec<&str> =
        headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("")).collect();
    lines.reverse();
    lines.into_iter().flat_map(|line| line.rsplit(',')).map(str::trim)
}

/// `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::7`, `[2001:db8::7]:4711`.
fn address(entry: &str) -> Option<IpAddr> {
    let plain = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let ip =
        plain.parse::<IpAddr>().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|addr| addr.ip()))?;
    Some(ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, headers: &[(&'static str, &str)]) -> (String, Scheme, Option<String>) {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let found = client_address(SocketAddr::new(peer.parse().unwrap(), 5), Scheme::Http, &trusted, &map);
        (found.ip.to_string(), found.scheme, found.forwarded_host)
    }

    #[test]
    fn forwarded_headers_of_strangers_mean_nothing() {
        let headers = [
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.example"),
        ];
        assert_eq!(seen("203.0.113.9", &headers), ("203.0.113.9".into(), Scheme::Http, None));
    }

    #[test]
    fn trusted_proxies_are_believed_up_to_the_first_stranger() {
        for (lines, expected) in [
            (vec!["1.2.3.4"], "1.2.3.4"),
            (vec!["9.9.9.9, 1.2.3.4"], "1.2.3.4"),
            (vec!["9.9.9.9, 1.2.3.4, 10.0.0.2"], "1.2.3.4"),
            (vec!["9.9.9.9", "1.2.3.4, 10.0.0.2"], "1.2.3.4"),
            (vec!["1.2.3.4:5678"], "1.2.3.4"),
            (vec!["[2001:db8::7]:5678"], "2001:db8::7"),
            (vec!["[2001:db8::7]"], "2001:db8::7"),
            (vec!["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            (vec!["1.2.3.4, unknown, 10.0.0.2"], "10.0.0.2"),
            (vec!["nonsense"], "10.0.0.1"),
            (vec![], "10.0.0.1"),
        ] {
            let headers: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
            assert_eq!(seen("10.0.0.1", &headers).0, expected, "{lines:?}");
            assert_eq!(seen("::ffff:10.0.0.1", &headers).0, expected, "{lines:?}");
        }
    }

    #[test]
    fn scheme_and_host_are_those_of_the_nearest_proxy() {
        let headers =
            [("x-forwarded-proto", "http, HTTPS"), ("x-forwarded-host", "evil.example, gateway.example")];
        let (_, scheme, host) = seen("fd00::1", &headers);
        assert_eq!((scheme, host.as_deref()), (Scheme::Https, Some("gateway.example")));
    }
}
