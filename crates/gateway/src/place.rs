//! An endpoint as it is in one snapshot: which definitions it shows under which names.

use std::sync::Arc;

use bailiwick_model::{ServerId, ToolsetId};
use bailiwick_policy::{CatalogueServer, Snapshot};
use serde::{Deserialize, Serialize};

use crate::Inner;
use crate::endpoint::Endpoint;
use crate::exposure::View;

/// An endpoint with its view.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) key: PlaceKey,
    pub(crate) view: Arc<View>,
    /// The only server, for endpoints that are transparent.
    pub(crate) server: Option<Arc<CatalogueServer>>,
}

/// What tells endpoints apart, over snapshots and renames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum PlaceKey {
    All,
    Toolset(ToolsetId),
    Server(ServerId),
}

impl Place {
    /// The endpoint in this snapshot; `None` if nothing has that name.
    pub(crate) fn find(inner: &Inner, snapshot: &Snapshot, endpoint: Endpoint<'_>) -> Option<Self> {
        let catalogue = &snapshot.catalogue;
        let (key, server) = match endpoint {
            Endpoint::All => (PlaceKey::All, None),
            Endpoint::Toolset(name) => (PlaceKey::Toolset(catalogue.toolset(name)?.toolset.id), None),
            Endpoint::Server(name) => {
                let server = catalogue.server(name)?;
                (PlaceKey::Server(server.server.id), Some(Arc::clone(server)))
            }
        };
        Some(Self { key, view: inner.views.get(catalogue, key), server })
    }

    /// Whether names are those of one server, byte for byte.
    pub(crate) const fn is_transparent(&self) -> bool {
        self.server.is_some()
    }
}
