//! The views of a catalogue, made once for each endpoint and catalogue, shared by all callers.

use std::sync::Arc;

use bailiwick_model::QuickMap;
use bailiwick_policy::Catalogue;
use parking_lot::RwLock;

use crate::exposure::View;
use crate::place::PlaceKey;

/// Made views by endpoint. A view of an older catalogue is replaced at its first use under a newer one.
#[derive(Debug, Default)]
pub(crate) struct Views(RwLock<QuickMap<PlaceKey, Made>>);

#[derive(Debug, Clone)]
struct Made {
    catalogue: Arc<Catalogue>,
    view: Arc<View>,
}

impl Views {
    /// The view of this endpoint, which exists in this catalogue.
    pub(crate) fn get(&self, catalogue: &Arc<Catalogue>, key: PlaceKey) -> Arc<View> {
        if let Some(made) = self.0.read().get(&key)
            && Arc::ptr_eq(&made.catalogue, catalogue)
        {
            return Arc::clone(&made.view);
        }
        let view = Arc::new(View::build(catalogue, key));
        let mut views = self.0.write();
        // Views of endpoints that are gone would keep their catalogue alive.
        views.retain(|_, made| Arc::ptr_eq(&made.catalogue, catalogue));
        views.insert(key, Made { catalogue: Arc::clone(catalogue), view: Arc::clone(&view) });
        view
    }
}
