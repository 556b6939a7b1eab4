//! Principals and the groups they are in, as the data path knows them. Built by `control`, read by
//! decisions: a caller who is not here is denied, whatever credential was shown.

use std::collections::HashMap;
use std::sync::Arc;

use bailiwick_model::principal::{Group, Principal};
use bailiwick_model::{GroupId, PrincipalId};

/// All principals and groups.
#[derive(Debug, Clone, Default)]
pub struct People {
    principals: HashMap<PrincipalId, Arc<Principal>>,
    groups: HashMap<GroupId, Arc<Group>>,
    memberships: HashMap<PrincipalId, Vec<GroupId>>,
}

impl People {
    /// Indexes principals and groups. Members of groups who are not among the principals count for nothing.
    pub fn build(
        principals: impl IntoIterator<Item = Arc<Principal>>,
        groups: impl IntoIterator<Item = Arc<Group>>,
    ) -> Self {
        let principals = principals.into_iter().map(|p| (p.id, p)).collect();
        let groups: HashMap<_, _> = groups.into_iter().map(|g| (g.id, g)).collect();
        let mut memberships = HashMap::<_, Vec<GroupId>>::new();
        for group in groups.values() {
            for member in &group.members {
                memberships.entry(*member).or_default().push(group.id);
            }
        }
        for of_one in memberships.values_mut() {
            of_one.sort_unstable();
            of_one.dedup();
        }
        Self { principals, groups, memberships }
    }

    /// The principal of this id.
    pub fn principal(&self, id: PrincipalId) -> Option<&Arc<Principal>> {
        self.principals.get(&id)
    }

    /// The group of this id.
    pub fn group(&self, id: GroupId) -> Option<&Arc<Group>> {
        self.groups.get(&id)
    }

    /// The groups that a principal is in, in the order of their ids.
    pub fn groups_of(&self, principal: PrincipalId) -> &[GroupId] {
        self.memberships.get(&principal).map_or(&[], Vec::as_slice)
    }
}
