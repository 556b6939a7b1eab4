//! What `control` hands over: the servers with their secrets, and the settings of this room.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use bailiwick_model::Clock;
use bailiwick_model::server::{Server, Value};
use bailiwick_runtime::{Outbound, Tasks};
use secrecy::{ExposeSecret, SecretString};

/// One server of the set, with the secret values of its headers or variables.
#[derive(Debug, Clone)]
pub struct ServerSpec {
    /// The server as registered.
    pub server: Arc<Server>,
    /// Secret values, by the name of the header or variable that is marked as secret.
    pub secrets: BTreeMap<String, SecretString>,
}

impl ServerSpec {
    /// Whether both are reached, shown and bounded alike, so that connections and children can stay.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        let (a, b) = (&*self.server, &*other.server);
        let alike = a.id == b.id
            && a.name == b.name
            && a.transport == b.transport
            && a.enabled == b.enabled
            && a.timeouts == b.timeouts;
        alike
            && self.secrets.len() == other.secrets.len()
            && self.secrets.iter().zip(&other.secrets).all(|((name, value), (other_name, other_value))| {
                name == other_name && value.expose_secret() == other_value.expose_secret()
            })
    }

    /// The values of these headers or variables, secrets filled in; a secret without value is left out.
    pub(crate) fn values<'a>(
        &'a self,
        declared: &'a BTreeMap<String, Value>,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        declared.iter().filter_map(|(name, value)| {
            let value = match value {
                Value::Plain { value } => value.as_str(),
                Value::Secret => self.secrets.get(name)?.expose_secret(),
            };
            Some((name.as_str(), value))
        })
    }
}

/// What the room is made of.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The one way out, with the egress guard.
    pub outbound: Outbound,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where background work is kept, so that shutdown waits for it.
    pub tasks: Tasks,
    /// The room's settings.
    pub settings: Settings,
}

/// The room's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `[upstream]`: children, discovery.
    pub upstream: bailiwick_config::Upstream,
    /// `[limits]`: how large answers and events may be.
    pub limits: bailiwick_config::Limits,
    /// The executable that runs as helper when its first argument is [`crate::confine::ARGUMENT`]; the gateway's own,
    /// `/proc/self/exe`, but in tests.
    pub helper: PathBuf,
    /// The `PATH` in which programs are looked up, and which children get.
    pub path: String,
    /// A folder of the gateway's own for the private working directories of children.
    pub scratch: PathBuf,
}
