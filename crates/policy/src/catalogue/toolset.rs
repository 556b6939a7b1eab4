//! One toolset of the catalogue: which definitions it selects now.

use std::sync::Arc;

use bailiwick_model::definition::Definition;
use bailiwick_model::toolset::Toolset;

use super::CatalogueServer;

/// One definition within a toolset.
#[derive(Debug, Clone)]
pub struct Member {
    /// Whose it is.
    pub server: Arc<CatalogueServer>,
    /// The definition.
    pub definition: Arc<Definition>,
}

/// One toolset with its members.
#[derive(Debug)]
pub struct CatalogueToolset {
    /// The toolset as made.
    pub toolset: Arc<Toolset>,
    members: Vec<Member>,
}

impl CatalogueToolset {
    pub(super) fn new<'a>(
        toolset: Arc<Toolset>,
        servers: impl Iterator<Item = &'a Arc<CatalogueServer>>,
    ) -> Self {
        let members = servers
            .filter(|server| toolset.selections.iter().any(|s| s.server == server.server.id))
            .flat_map(|server| {
                let toolset = &toolset;
                server
                    .definitions
                    .iter()
                    .filter(move |d| {
                        toolset.selections.iter().any(|s| s.covers(server.server.id, d.kind, &d.key))
                    })
                    .map(|d| Member { server: Arc::clone(server), definition: Arc::clone(d) })
            })
            .collect();
        Self { toolset, members }
    }

    /// What it holds now, each once: by server name, then kind, then the server's own order. Nothing here
    /// says that a caller may see it.
    pub fn members(&self) -> &[Member] {
        &self.members
    }
}
