//! What is offered: servers with their definitions as last discovered, and toolsets.
//!
//! Built by `control` from `model` data whenever a server, a discovery or a toolset changed; read by
//! `gateway` (lists, names, routes), `upstream` (eras, `hello`) and decisions.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bailiwick_model::definition::{DefinitionKind, Discovery};
use bailiwick_model::server::Server;
use bailiwick_model::toolset::Toolset;
use bailiwick_model::{Name, ServerId, ToolsetId};

mod server;
mod toolset;

pub use server::CatalogueServer;
pub use toolset::{CatalogueToolset, Member};

/// What is known of one server, to build a catalogue from.
#[derive(Debug, Clone)]
pub struct Source {
    /// The server as registered.
    pub server: Arc<Server>,
    /// The last good discovery, if there ever was one.
    pub discovery: Option<Arc<Discovery>>,
    /// A later discovery failed: what is known may be old.
    pub stale: bool,
}

/// All servers and toolsets.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    servers: BTreeMap<Name, Arc<CatalogueServer>>,
    names: HashMap<ServerId, Name>,
    toolsets: BTreeMap<Name, Arc<CatalogueToolset>>,
    toolset_names: HashMap<ToolsetId, Name>,
}

impl Catalogue {
    /// Indexes servers and toolsets. Of two servers or toolsets of one name (which the store prevents) the
    /// later one counts.
    pub fn build(sources: Vec<Source>, toolsets: impl IntoIterator<Item = Arc<Toolset>>) -> Self {
        let toolsets: Vec<_> = toolsets.into_iter().collect();
        let mut catalogue = Self::default();
        for source in sources {
            let server = Arc::new(CatalogueServer::new(&source, &toolsets));
            catalogue.names.insert(server.server.id, server.server.name.clone());
            catalogue.servers.insert(server.server.name.clone(), server);
        }
        for toolset in toolsets {
            let built = CatalogueToolset::new(Arc::clone(&toolset), catalogue.servers.values());
            catalogue.toolset_names.insert(toolset.id, toolset.name.clone());
            catalogue.toolsets.insert(toolset.name.clone(), Arc::new(built));
        }
        catalogue
    }

    /// The server of this name.
    pub fn server(&self, name: &str) -> Option<&Arc<CatalogueServer>> {
        self.servers.get(name)
    }

    /// The server of this id.
    pub fn server_by_id(&self, id: ServerId) -> Option<&Arc<CatalogueServer>> {
        self.servers.get(self.names.get(&id)?).filter(|found| found.server.id == id)
    }

    /// All servers, disabled ones included, by name.
    pub fn servers(&self) -> impl Iterator<Item = &Arc<CatalogueServer>> {
        self.servers.values()
    }

    /// The toolset of this name.
    pub fn toolset(&self, name: &str) -> Option<&Arc<CatalogueToolset>> {
        self.toolsets.get(name)
    }

    /// The toolset of this id.
    pub fn toolset_by_id(&self, id: ToolsetId) -> Option<&Arc<CatalogueToolset>> {
        self.toolsets.get(self.toolset_names.get(&id)?).filter(|found| found.toolset.id == id)
    }

    /// All toolsets, by name.
    pub fn toolsets(&self) -> impl Iterator<Item = &Arc<CatalogueToolset>> {
        self.toolsets.values()
    }

    /// The toolsets that a definition is in, in the order of their ids; none if there is no such definition.
    pub fn toolsets_of(&self, server: ServerId, kind: DefinitionKind, key: &str) -> &[ToolsetId] {
        self.server_by_id(server).map_or(&[], |found| found.toolsets_of(kind, key))
    }
}

#[cfg(test)]
mod tests;
