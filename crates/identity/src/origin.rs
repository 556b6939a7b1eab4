//! The check of `Host` and `Origin` against DNS rebinding and foreign pages (spec: transports, "Security
//! Warning"), before anything else is read of a request.
//!
//! The names by which this gateway may be addressed are the host of its public URL, the address that it
//! listens on, and, where either of these is this machine itself, the names of this machine. A `Host` is
//! compared without its port, since a page cannot choose another name for us by choosing a port. An absent
//! `Origin` is no browser's.

use std::net::{IpAddr, SocketAddr};

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, Uri};

/// A request that was addressed to another name, or comes from a page of another place: 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ForeignRequest {
    /// The `Host` is missing, double or not one of ours.
    #[error(
        "the Host header names no address of this gateway; set listen.public_url to the one it is reached by"
    )]
    Host,
    /// The `Origin` is `null`, double or not allowed.
    #[error("requests from this Origin are not allowed; see listen.allowed_origins")]
    Origin,
}

impl ForeignRequest {
    /// The stable word for it in the ledger and in metrics.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Host => "foreign_host",
            Self::Origin => "foreign_origin",
        }
    }
}

/// By which names this gateway may be addressed, and pages of which origins may address it.
#[derive(Debug, Clone)]
pub struct HostRules {
    /// What nearly every `Host` says, as it is written there.
    usual: Vec<String>,
    hosts: Vec<String>,
    origins: Vec<String>,
    local: bool,
}

impl HostRules {
    /// Rules for a gateway that is reached at `public_url`, listens on `listen` and lets pages of
    /// `allowed_origins` (such as `https://app.example`) address it.
    pub fn new(public_url: &str, listen: &[SocketAddr], allowed_origins: &[String]) -> Self {
        let public = public_url.parse::<Uri>().ok();
        let public_host = public.as_ref().and_then(Uri::host).map(|host| plain(host).to_owned());
        let public_name = public
            .as_ref()
            .and_then(Uri::authority)
            .map(ToString::to_string)
            .filter(|name| !name.contains('@'));
        let named = listen.iter().filter(|at| !at.ip().is_unspecified()).map(ToString::to_string);
        let usual = named.chain(public_name).collect();
        let mut hosts: Vec<String> =
            listen.iter().filter(|at| !at.ip().is_unspecified()).map(|at| at.ip().to_string()).collect();
        let local = listen.iter().any(|at| at.ip().is_loopback())
            || public_host.as_deref().is_some_and(is_this_machine);
        hosts.extend(public_host);
        let origins = allowed_origins.iter().map(String::as_str).chain([public_url]).filter_map(origin_of);
        Self { usual, hosts, origins: origins.collect(), local }
    }

    /// Judges a request by its headers and its target (whose authority stands for `Host` in HTTP/2).
    ///
    /// # Errors
    /// If it was addressed to another name or comes from a page of another place.
    pub fn check(&self, headers: &HeaderMap, target: &Uri) -> Result<(), ForeignRequest> {
        self.check_host(headers, target)?;
        self.check_origin(headers)
    }

    fn check_host(&self, headers: &HeaderMap, target: &Uri) -> Result<(), ForeignRequest> {
        let header = single(headers, &HOST).map_err(|Double| ForeignRequest::Host)?;
        if target.authority().is_none() && header.is_some_and(|text| self.usual.iter().any(|u| u == text)) {
            return Ok(());
        }
        let header = match header {
            Some(text) => Some(text.parse::<Authority>().map_err(|_| ForeignRequest::Host)?),
            None => None,
        };
        let mut named = header.iter().chain(target.authority()).peekable();
        let known = named.peek().is_some()
            && named
                .all(|authority| !authority.as_str().contains('@') && self.knows(plain(authority.host())));
        if known { Ok(()) } else { Err(ForeignRequest::Host) }
    }

    fn check_origin(&self, headers: &HeaderMap) -> Result<(), ForeignRequest> {
        let Some(text) = single(headers, &ORIGIN).map_err(|Double| ForeignRequest::Origin)? else {
            return Ok(());
        };
        let origin = origin_of(text).ok_or(ForeignRequest::Origin)?;
        let from_here = self.local
            && text.parse::<Uri>().is_ok_and(|uri| uri.host().is_some_and(|h| is_this_machine(plain(h))));
        if from_here || self.origins.contains(&origin) { Ok(()) } else { Err(ForeignRequest::Origin) }
    }

    fn knows(&self, host: &str) -> bool {
        (self.local && is_this_machine(host))
            || self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
    }
}

struct Double;

/// The only header of this name; an unreadable one counts as foreign, like two.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Double> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Double);
    }
    value.to_str().map(Some).map_err(|_| Double)
}

/// A host without brackets and a final dot.
fn plain(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.')
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// `scheme://host:port` in one spelling, the default port written out; `None` for `null` and everything else
/// that is no web origin.
fn origin_of(text: &str) -> Option<String> {
    let uri = text.parse::<Uri>().ok()?;
    let scheme = uri.scheme_str()?;
    let port = match (uri.port_u16(), scheme) {
        (Some(port), "http" | "https") => port,
        (None, "http") => 80,
        (None, "https") => 443,
        _ => return None,
    };
    Some(format!("{scheme}://{}:{port}", plain(uri.host()?).to_ascii_lowercase()))
}

#[cfg(test)]
mod tests;
