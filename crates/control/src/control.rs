//! The room's one object: what the use-cases share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_config::Retention;
use bailiwick_identity::LastUse;
use bailiwick_ledger::{Archive, Ledger};
use bailiwick_model::{Clock, Entropy, Recorder, ServerId};
use bailiwick_policy::Snapshot;
use bailiwick_runtime::{BodySealers, Sealer};
use bailiwick_store::{LedgerIndex, Store};
use bailiwick_upstream::Upstreams;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{Mutex, Semaphore, watch};

use crate::ControlError;
use crate::audit::{Indexing, Keeping};
use crate::discovery::Discoveries;
use crate::publish::Published;
use crate::server::associated;

/// What the room is made of.
#[derive(Debug)]
pub struct Parts {
    /// State.
    pub store: Store,
    /// The index over the ledger.
    pub index: LedgerIndex,
    /// The servers behind.
    pub upstreams: Arc<Upstreams>,
    /// Where changes are recorded.
    pub recorder: Arc<dyn Recorder>,
    /// The ledger, to look into.
    pub ledger: Arc<Ledger>,
    /// Where the ledger's closed segments are copied to.
    pub archive: Option<Archive>,
    /// Where snapshots are published.
    pub snapshots: watch::Sender<Arc<Snapshot>>,
    /// Where the keys for bodies are made known that are in use.
    pub body_sealers: watch::Sender<Arc<BodySealers>>,
    /// Seals secrets at rest.
    pub sealer: Arc<Sealer>,
    /// Uses of keys, noted by the data path and the console.
    pub last_use: Arc<LastUse>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// The room's settings.
    pub settings: Settings,
}

/// The room's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The URL under which the gateway is reached: for links.
    pub public_url: String,
    /// The data directory: to back up.
    pub data_dir: PathBuf,
    /// The ledger's directory: to look into.
    pub ledger_dir: PathBuf,
    /// How long the ledger's records stay on this node.
    pub retention: Retention,
    /// The commands that stdio servers may be started with; empty is any.
    pub allowed_commands: Vec<String>,
    /// How often a server's definitions are read anew.
    pub poll: Duration,
    /// How many servers are asked at once what they offer.
    pub discoveries: usize,
}

/// The use-cases. Clones are handles to the same room.
#[derive(Debug, Clone)]
pub struct Control(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: Parts,
    published: Published,
    discoveries: Discoveries,
    verifying: Semaphore,
    indexing: Indexing,
    body_keys: Mutex<()>,
    keeping: Keeping,
}

impl Control {
    /// The room of these parts. Nothing is published until [`Control::catch_up`] or [`Control::run`].
    pub fn new(parts: Parts) -> Self {
        let discoveries = Discoveries::new(parts.settings.discoveries);
        Self(Arc::new(Inner {
            parts,
            published: Published::default(),
            discoveries,
            verifying: Semaphore::new(1),
            indexing: Indexing::default(),
            body_keys: Mutex::default(),
            keeping: Keeping::default(),
        }))
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.0.parts
    }

    pub(crate) fn published(&self) -> &Published {
        &self.0.published
    }

    pub(crate) fn discoveries(&self) -> &Discoveries {
        &self.0.discoveries
    }

    /// Held by whoever has the ledger verified: one at a time.
    pub(crate) fn verifying(&self) -> &Semaphore {
        &self.0.verifying
    }

    /// Held by whoever changes which keys for bodies are known.
    pub(crate) fn body_keys(&self) -> &Mutex<()> {
        &self.0.body_keys
    }

    /// What the feed of the index tells, and is asked for.
    pub(crate) fn indexing(&self) -> &Indexing {
        &self.0.indexing
    }

    /// What the keeper of the ledger's segments tells, and is asked for.
    pub(crate) fn keeping(&self) -> &Keeping {
        &self.0.keeping
    }

    /// What the data path decides by now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.parts().snapshots.borrow())
    }

    /// Seals a server's secret, bound to the server and the value's name.
    pub(crate) fn seal(&self, server: ServerId, name: &str, value: &SecretString) -> Vec<u8> {
        self.parts().sealer.seal(associated(server, name).as_bytes(), value.expose_secret().as_bytes())
    }

    /// Opens a server's secret.
    pub(crate) fn unseal(
        &self,
        server: ServerId,
        name: &str,
        sealed: &[u8],
    ) -> Result<SecretString, ControlError> {
        let aad = associated(server, name);
        let open = self.parts().sealer.open(aad.as_bytes(), sealed);
        let text = open.and_then(|open| std::str::from_utf8(&open).ok().map(SecretString::from));
        text.ok_or_else(|| ControlError::internal(format!("a secret of {server} does not open")))
    }
}
