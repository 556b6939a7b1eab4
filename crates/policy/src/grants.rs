//! Who was granted what. Built by `control`; expired grants stay in and are passed over when a decision is
//! made, so that no rebuild is needed for a grant to end.

use std::collections::HashMap;
use std::sync::Arc;

use bailiwick_model::grant::{Action, Grant, Grantee, Scope};
use bailiwick_model::{GrantId, GroupId, PrincipalId, ServerId, Timestamp, ToolsetId};

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

    /// What a principal holds now, by its own grants and those of its groups.
    pub(crate) fn held_by(&self, principal: PrincipalId, groups: &[GroupId], now: Timestamp) -> Holdings {
        let mut holdings = Holdings::default();
        let own = self.of(Grantee::Principal(principal)).iter();
        let shared = groups.iter().flat_map(|group| self.of(Grantee::Group(*group)));
        for grant in own.chain(shared).filter(|grant| grant.expires_at.is_none_or(|end| now < end)) {
            holdings.add(grant);
        }
        holdings
    }
}

/// What one principal holds, found by what it is on.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    /// When the first of the grants ends: from then on this is no longer true.
    pub(crate) valid_until: Option<Timestamp>,
    by_scope: HashMap<Scope, Vec<Arc<Grant>>>,
    // Those on a server or on one of its definitions.
    by_server: HashMap<ServerId, Vec<Arc<Grant>>>,
}

impl Holdings {
    fn add(&mut self, grant: &Arc<Grant>) {
        self.valid_until = earlier(self.valid_until, grant.expires_at);
        if let Scope::Server { server } | Scope::Definition { server, .. } = &grant.scope {
            self.by_server.entry(*server).or_default().push(Arc::clone(grant));
        }
        self.by_scope.entry(grant.scope.clone()).or_default().push(Arc::clone(grant));
    }

    /// The grants on exactly this that allow the action.
    pub(crate) fn on(&self, scope: &Scope, action: Action) -> impl Iterator<Item = &Arc<Grant>> {
        let grants = self.by_scope.get(scope).map_or(&[][..], Vec::as_slice);
        grants.iter().filter(move |grant| grant.actions.contains(&action))
    }

    /// The grants that reach anything of a server: on it, on one of its definitions, or on one of these
    /// toolsets, which select some of them.
    pub(crate) fn reaching<'a>(
        &'a self,
        server: ServerId,
        toolsets: &'a [ToolsetId],
    ) -> impl Iterator<Item = &'a Arc<Grant>> {
        let of = |grants: Option<&'a Vec<Arc<Grant>>>| grants.map_or(&[][..], Vec::as_slice);
        let through_toolsets =
            toolsets.iter().flat_map(move |id| of(self.by_scope.get(&Scope::Toolset { toolset: *id })));
        of(self.by_server.get(&server))
            .iter()
            .chain(through_toolsets)
            .filter(|grant| !grant.actions.is_empty())
    }
}

/// The earlier of two ends, where none means never.
pub(crate) fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}
