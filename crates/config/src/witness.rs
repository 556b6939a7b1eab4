//! The witnesses of `[ledger]`: outside places that are told of each checkpoint, so that whoever changes the ledger would have to
//! change them too.

use std::net::IpAddr;
use std::path::PathBuf;

use url::{Host, Url};

use crate::problem::Problems;

/// Outside places that are told of each checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Witness {
    /// A file to append to.
    pub file: Option<PathBuf>,
    /// An `http` or `https` URL to post to, without user and password.
    pub webhook: Option<Url>,
    /// A syslog server (RFC 5424).
    pub syslog: Option<Syslog>,
}

/// Where a syslog server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Syslog {
    /// A UDP port (RFC 5426).
    Udp {
        /// A name or an address, without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// A datagram socket on this machine.
    Unix(PathBuf),
}

/// The port of syslog over UDP (RFC 5426, section 3.3).
const SYSLOG_PORT: u16 = 514;

pub(crate) fn file(path: PathBuf, problems: &mut Problems) -> PathBuf {
    if !path.is_absolute() {
        problems.add("ledger.witness_file", "not an absolute path").done();
    }
    path
}

pub(crate) fn webhook(text: &str, problems: &mut Problems) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
    });
    if url.is_none() {
        let wrong =
            problems.add("ledger.witness_webhook", "not an http or https URL without user and password");
        wrong.help("write https://witness.corp.example/checkpoints");
    }
    url
}

pub(crate) fn syslog(text: &str, problems: &mut Problems) -> Option<Syslog> {
    let found = Url::parse(text).ok().and_then(|url| match (url.scheme(), url.host()) {
        ("unix", None) => Some(Syslog::Unix(PathBuf::from(url.path()))),
        ("udp", Some(host)) if matches!(url.path(), "" | "/") => {
            let host = match host {
                Host::Domain(name) => name.to_owned(),
                Host::Ipv4(address) => IpAddr::from(address).to_string(),
                Host::Ipv6(address) => IpAddr::from(address).to_string(),
            };
            Some(Syslog::Udp { host, port: url.port().unwrap_or(SYSLOG_PORT) })
        }
        _ => None,
    });
    if found.is_none() {
        let wrong = problems.add("ledger.witness_syslog", "not the address of a syslog server");
        wrong.help("write udp://host:514 or unix:///dev/log");
    }
    found
}
