//! `[egress]`: where outbound dials may go beside the public internet, and through what.

use std::path::PathBuf;

use bailiwick_model::Destination;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::problem::Problems;
use crate::secret::{ReadFile, secret};

/// Outbound connections. Private, loopback, link-local and other special addresses are forbidden unless
/// they are allowed here.
#[derive(Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct EgressFile {
    /// What may be dialled although it is forbidden by default: `10.0.0.0/8`, `wiki.corp.example:443`,
    /// `[fd00::1]:8080`; without a port, or with `*`, any port.
    allow: Vec<String>,
    /// The URL of a corporate proxy, `http://host:port`, with user and password if it wants them. A secret.
    proxy: Option<String>,
    /// A file that holds the proxy's URL.
    proxy_file: Option<PathBuf>,
    /// Names, `.suffixes`, addresses and ranges that are dialled directly.
    no_proxy: Vec<String>,
    /// A PEM file with certificate authorities that are trusted beside the system's.
    extra_ca: Option<PathBuf>,
}

/// Where outbound dials may go, and through what.
#[derive(Debug, Clone, Default)]
pub struct Egress {
    /// What may be dialled although it is forbidden by default.
    pub allow: Vec<Destination>,
    /// The corporate proxy's URL (`http://…`), which may hold a password.
    pub proxy: Option<SecretString>,
    /// Names, `.suffixes`, addresses and ranges that go around the proxy.
    pub no_proxy: Vec<String>,
    /// A PEM file of further certificate authorities.
    pub extra_ca: Option<PathBuf>,
}

impl EgressFile {
    pub(crate) fn check(self, read: ReadFile<'_>, problems: &mut Problems) -> Egress {
        let mut allow = Vec::with_capacity(self.allow.len());
        for text in &self.allow {
            match text.parse() {
                Ok(destination) => allow.push(destination),
                Err(error) => problems.add("egress.allow", format!("{text:?} is {error}")).done(),
            }
        }
        let proxy = secret("egress.proxy", self.proxy, self.proxy_file, read, problems);
        if let Some(proxy) = &proxy
            && !Url::parse(proxy.expose_secret()).is_ok_and(|url| url.scheme() == "http" && url.has_host())
        {
            problems.add("egress.proxy", "not the URL of an HTTP proxy").help("write http://host:port");
        }
        if proxy.is_none() && !self.no_proxy.is_empty() {
            problems.add("egress.no_proxy", "there is no egress.proxy to go around").done();
        }
        Egress { allow, proxy, no_proxy: self.no_proxy, extra_ca: self.extra_ca }
    }
}
