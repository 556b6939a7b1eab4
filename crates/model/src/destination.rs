//! A destination of outbound dials, as operators write it in `egress.allow`: `10.0.0.0/8`,
//! `wiki.corp.example:443`, `[fd00::1]:8080`, `127.0.0.1:*`. `config` reads it, `runtime` decides by it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;

/// Where a dial may go.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Destination {
    /// The address range or the name.
    pub host: DestinationHost,
    /// The port; `None` is any.
    pub port: Option<u16>,
}

/// The host part of a [`Destination`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DestinationHost {
    /// Every address of a range; one address is a range of one.
    Net(IpNet),
    /// A DNS name in lower case without the final dot: whatever it resolves to.
    Name(String),
}

/// A text that is no destination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a destination such as \"10.0.0.0/8\", \"wiki.example:443\" or \"[fd00::1]:8080\"")]
pub struct InvalidDestination;

impl FromStr for Destination {
    type Err = InvalidDestination;

    fn from_str(text: &str) -> Result<Self, InvalidDestination> {
        let (host, port) = split(text)?;
        let port = match port {
            None | Some("*") => None,
            Some(digits) => Some(number(digits)?),
        };
        Ok(Self { host: parse_host(host)?, port })
    }
}

/// `fd00::/8` and `::1` have colons of their own: those count as a port's only after a bracket.
fn split(text: &str) -> Result<(&str, Option<&str>), InvalidDestination> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or(InvalidDestination)?;
        host.split('/').next().unwrap_or(host).parse::<Ipv6Addr>().map_err(|_| InvalidDestination)?;
        return match rest {
            "" => Ok((host, None)),
            _ => rest.strip_prefix(':').map(|port| (host, Some(port))).ok_or(InvalidDestination),
        };
    }
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => Ok((host, Some(port))),
        _ => Ok((text, None)),
    }
}

fn number(digits: &str) -> Result<u16, InvalidDestination> {
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(InvalidDestination);
    }
    digits.parse().ok().filter(|port| *port > 0).ok_or(InvalidDestination)
}

fn parse_host(host: &str) -> Result<DestinationHost, InvalidDestination> {
    if let Ok(net) = host.parse::<IpNet>() {
        return Ok(DestinationHost::Net(net.trunc()));
    }
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(DestinationHost::Net(IpNet::from(ip)));
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    // A last label of digits would be another spelling of an address: those are written as addresses.
    let last_is_number = name
        .rsplit('.')
        .next()
        .is_none_or(|last| last.starts_with("0x") || last.bytes().all(|b| b.is_ascii_digit()));
    if name.len() > 253 || last_is_number || !name.split('.').all(label_ok) {
        return Err(InvalidDestination);
    }
    Ok(DestinationHost::Name(name))
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.host, self.port) {
            (DestinationHost::Net(net @ IpNet::V6(_)), Some(port)) => write!(f, "[{net}]:{port}"),
            (DestinationHost::Net(net), None) => write!(f, "{net}"),
            (DestinationHost::Net(net), Some(port)) => write!(f, "{net}:{port}"),
            (DestinationHost::Name(name), None) => f.write_str(name),
            (DestinationHost::Name(name), Some(port)) => write!(f, "{name}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_destinations_are_understood() {
        for (text, shown) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("10.1.2.3/8:443", "10.0.0.0/8:443"),
            ("127.0.0.1", "127.0.0.1/32"),
            ("127.0.0.1:*", "127.0.0.1/32"),
            ("::1", "::1/128"),
            ("fd00::/8", "fd00::/8"),
            ("[fd00::1]:8080", "[fd00::1/128]:8080"),
            ("[fd00::/8]:8080", "[fd00::/8]:8080"),
            ("Wiki.Corp.Example.:443", "wiki.corp.example:443"),
            ("localhost", "localhost"),
        ] {
            let destination: Destination = text.parse().unwrap();
            assert_eq!(destination.to_string(), shown, "{text}");
            assert_eq!(shown.parse::<Destination>().unwrap(), destination, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            ":443",
            "host:0",
            "host:65536",
            "host:+1",
            "host:",
            "a b",
            "http://host",
            "*",
            "2130706433",
            "0x7f.1",
            "127.1",
            "[wiki]:1",
            "[::1",
            "::1:x",
            "a..b",
            "10.0.0.0/33",
        ] {
            assert!(text.parse::<Destination>().is_err(), "{text}");
        }
    }
}
