//! What one principal brings to any decision: itself, its groups and its live grants. Made once per
//! principal and generation, and anew when one of the grants ends.

use std::sync::Arc;

use bailiwick_model::Timestamp;
use bailiwick_model::grant::{Action, Grant};
use bailiwick_model::principal::Principal;
use cedar_policy::{Entity, EntityUid};

use crate::entities::{Door, Slice, Unbuildable, Via, group_uid, principal_entity, principal_uid};
use crate::grants::Holdings;
use crate::{CatalogueServer, Parts};

/// What one principal brings.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) uid: EntityUid,
    principal: Arc<Principal>,
    groups: Vec<EntityUid>,
    holdings: Holdings,
}

impl Standing {
    /// The standing of a principal by these parts at this moment.
    pub(crate) fn of(principal: &Arc<Principal>, parts: &Parts, now: Timestamp) -> Self {
        let groups = parts.people.groups_of(principal.id);
        Self {
            uid: principal_uid(principal),
            principal: Arc::clone(principal),
            groups: groups.iter().copied().map(group_uid).collect(),
            holdings: parts.grants.held_by(principal.id, groups, now),
        }
    }

    /// Whose it is.
    pub(crate) fn principal(&self) -> &Principal {
        &self.principal
    }

    /// When the first of the grants ends.
    pub(crate) fn valid_until(&self) -> Option<Timestamp> {
        self.holdings.valid_until
    }

    /// Whether no grant ended since.
    pub(crate) fn holds(&self, now: Timestamp) -> bool {
        self.valid_until().is_none_or(|end| now < end)
    }

    /// The grants that let the principal do this to the resource, oldest first.
    pub(crate) fn grants_for<'a>(
        &'a self,
        server: &'a CatalogueServer,
        slice: &'a Slice,
        action: Action,
    ) -> Vec<&'a Arc<Grant>> {
        let mut grants: Vec<_> =
            slice.doors.iter().flat_map(|door| self.through(server, door, action)).collect();
        grants.sort_unstable_by_key(|grant| grant.id);
        grants.dedup_by_key(|grant| grant.id);
        grants
    }

    /// The principal in its groups and in those `Grantees` that the resource lets do the action.
    pub(crate) fn entity(
        &self,
        server: &CatalogueServer,
        slice: &Slice,
        action: Action,
    ) -> Result<Entity, Unbuildable> {
        let open = slice.doors.iter().filter(|door| self.through(server, door, action).next().is_some());
        let grantees = open.map(|door| door.grantees(action).clone());
        principal_entity(&self.principal, self.uid.clone(), self.groups.iter().cloned().chain(grantees))
    }

    fn through<'a>(
        &'a self,
        server: &'a CatalogueServer,
        door: &'a Door,
        action: Action,
    ) -> Box<dyn Iterator<Item = &'a Arc<Grant>> + 'a> {
        match &door.via {
            Via::Scope(scope) => Box::new(self.holdings.on(scope, action)),
            Via::Anything => Box::new(self.holdings.reaching(server.server.id, server.reached_by())),
        }
    }
}
