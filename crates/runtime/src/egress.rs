//! The egress guard: a pure decision on the resolved address of each dial. Whatever a URL looks like
//! (`http://2130706433/`, `0x7f.1`, a name whose record changes between check and use), what counts is
//! the address that the socket connects to. The outbound connector asks it for every address.

mod ranges;

use std::net::IpAddr;

use bailiwick_model::{Destination, DestinationHost};

/// A dial that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host} is {ip}, a {range} address: allow it in egress.allow if it is meant")]
pub struct Forbidden {
    /// The host as the URL has it.
    pub host: String,
    /// The address.
    pub ip: IpAddr,
    /// The port.
    pub port: u16,
    /// The kind of address, for people: "loopback", "private", ...
    pub range: &'static str,
}

/// Which addresses may be dialled: the public internet, and what operators allow beside.
#[derive(Debug, Clone, Default)]
pub struct EgressRules {
    allow: Vec<Destination>,
}

impl EgressRules {
    /// The default rules plus these destinations.
    pub fn new(allow: Vec<Destination>) -> Self {
        Self { allow }
    }

    /// Whether `host`, which resolved to `ip`, may be dialled at `port`.
    ///
    /// # Errors
    /// The address is special and no entry allows it.
    pub fn check(&self, host: &str, ip: IpAddr, port: u16) -> Result<(), Forbidden> {
        // ::ffff:a.b.c.d is the same socket as a.b.c.d.
        let ip = ip.to_canonical();
        let Some(range) = ranges::special(ip) else { return Ok(()) };
        if self.allow.iter().any(|destination| allows(destination, host, ip, port)) {
            return Ok(());
        }
        Err(Forbidden { host: host.to_owned(), ip, port, range })
    }
}

fn allows(destination: &Destination, host: &str, ip: IpAddr, port: u16) -> bool {
    let port_ok = destination.port.is_none_or(|allowed| allowed == port);
    port_ok
        && match &destination.host {
            DestinationHost::Net(net) => net.contains(&ip),
            DestinationHost::Name(name) => host.strip_suffix('.').unwrap_or(host).eq_ignore_ascii_case(name),
        }
}

#[cfg(test)]
mod tests;
