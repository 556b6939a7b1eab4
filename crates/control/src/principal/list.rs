//! `agent list`, `user list` and looking at one.

use bailiwick_model::principal::{Principal, PrincipalKind};
use bailiwick_model::{Name, PrincipalId};
use bailiwick_store::{Page, ReadTx};

use crate::{Actor, Control, ControlError, Listed, find};

/// A principal, with the names of what it belongs to.
#[derive(Debug, Clone)]
pub struct PrincipalDetail {
    /// The principal.
    pub principal: Principal,
    /// Its team's name.
    pub team: Name,
    /// The names of the groups that it is in.
    pub groups: Vec<Name>,
}

impl Control {
    /// A piece of the list of principals of a kind (or of both), in the order of making.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn list_principals(
        &self,
        actor: &Actor,
        kind: Option<PrincipalKind>,
        page: Page<PrincipalId>,
    ) -> Result<Listed<PrincipalDetail, PrincipalId>, ControlError> {
        actor.may_read()?;
        let mut tx = self.parts().store.read().await?;
        let rows = tx.principals().list(page).await?;
        let mut listed = Listed::after(&rows, &page, |principal| principal.id);
        for principal in rows {
            if actor.sees(principal.team) && kind.is_none_or(|kind| kind == principal.kind) {
                listed.items.push(self.principal_detail(&mut tx, principal).await?);
            }
        }
        Ok(listed)
    }

    /// One principal.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn show_principal(&self, actor: &Actor, asked: &str) -> Result<PrincipalDetail, ControlError> {
        actor.may_read()?;
        let mut tx = self.parts().store.read().await?;
        let principal = find::principal(&mut tx, actor, asked).await?;
        self.principal_detail(&mut tx, principal).await
    }

    async fn principal_detail(
        &self,
        tx: &mut ReadTx,
        principal: Principal,
    ) -> Result<PrincipalDetail, ControlError> {
        let team = find::team_name(tx, principal.team).await?;
        let people = &self.snapshot().people;
        let groups = people.groups_of(principal.id).iter().filter_map(|id| people.group(*id));
        let groups = groups.map(|group| group.name.clone()).collect();
        Ok(PrincipalDetail { principal, team, groups })
    }
}
