//! Everything that a snapshot is built from, read in one moment. `control` builds the snapshot from it.

use std::collections::BTreeMap;

use bailiwick_model::Generation;
use bailiwick_model::grant::Grant;
use bailiwick_model::key::Key;
use bailiwick_model::principal::{Group, Principal, Team};
use bailiwick_model::server::Server;
use bailiwick_model::toolset::Toolset;

use crate::table::discoveries::DiscoveryState;
use crate::table::secrets::Sealed;
use crate::{StoreError, Tx};

/// The whole state that calls depend on, each list in order of id.
#[derive(Debug, Clone)]
pub struct StoreImage {
    /// The generation of this state.
    pub generation: Generation,
    /// All teams.
    pub teams: Vec<Team>,
    /// All principals, disabled ones included.
    pub principals: Vec<Principal>,
    /// All groups with their members.
    pub groups: Vec<Group>,
    /// All servers with their sealed secrets, disabled ones included.
    pub servers: Vec<ServerEntry>,
    /// What servers offered when last seen; one entry per server that was ever asked.
    pub discoveries: Vec<DiscoveryState>,
    /// All toolsets with their selections.
    pub toolsets: Vec<Toolset>,
    /// All grants, expired ones included.
    pub grants: Vec<Grant>,
    /// All keys, revoked and expired ones included.
    pub keys: Vec<Key>,
}

/// A server and what it needs to be reached.
#[derive(Debug, Clone)]
pub struct ServerEntry {
    /// The server.
    pub server: Server,
    /// Its sealed secrets by name.
    pub secrets: BTreeMap<String, Sealed>,
}

impl<M> Tx<M> {
    /// Everything that a snapshot is built from, as this unit of work sees it.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn load_all(&mut self) -> Result<StoreImage, StoreError> {
        let mut secrets = self.secrets().everyones().await?;
        let servers = self.servers().every().await?.into_iter();
        let servers = servers.map(|server| {
            let secrets = secrets.remove(&server.id).unwrap_or_default();
            ServerEntry { server, secrets }
        });
        Ok(StoreImage {
            servers: servers.collect(),
            generation: self.generation().await?,
            teams: self.teams().every().await?,
            principals: self.principals().every().await?,
            groups: self.groups().every().await?,
            discoveries: self.discoveries().every().await?,
            toolsets: self.toolsets().every().await?,
            grants: self.grants().every().await?,
            keys: self.keys().every().await?,
        })
    }
}
