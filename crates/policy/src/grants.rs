//! Who was granted what. Built by `control`; expired grants stay in and are passed over when a decision is
//! made, so that no rebuild is needed for a grant to end.

use std::collections::HashMap;
use std::sync::Arc;

use bailiwick_model::GrantId;
use bailiwick_model::grant::{Grant, Grantee};

/// All grants.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    by_grantee: HashMap<Grantee, Vec<Arc<Grant>>>,
    by_id: HashMap<GrantId, Arc<Grant>>,
}

impl Grants {
    /// Indexes grants. Who is in which group is told by [`crate::People`] alone.
    pub fn build(grants: impl IntoIterator<Item = Arc<Grant>>) -> Self {
        let mut built = Self::default();
        for grant in grants {
            built.by_grantee.entry(grant.grantee).or_default().push(Arc::clone(&grant));
            built.by_id.insert(grant.id, grant);
        }
        built
    }

    /// The grant of this id.
    pub fn get(&self, id: GrantId) -> Option<&Arc<Grant>> {
        self.by_id.get(&id)
    }

    /// The grants that name this principal or group itself.
    pub fn of(&self, grantee: Grantee) -> &[Arc<Grant>] {
        self.by_grantee.get(&grantee).map_or(&[], Vec::as_slice)
    }
}
