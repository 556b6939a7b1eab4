//! `group list` and `group show`.

use bailiwick_model::GroupId;
use bailiwick_model::principal::{Group, Principal};
use bailiwick_store::{Page, Tx};

use crate::{Actor, Control, ControlError, Listed, find};

/// A group with its members that the actor sees.
#[derive(Debug, Clone)]
pub struct GroupDetail {
    /// The group.
    pub group: Group,
    /// Who is in it.
    pub members: Vec<Principal>,
}

impl Control {
    /// A piece of the list of groups, in the order of making.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn list_groups(
        &self,
        actor: &Actor,
        page: Page<GroupId>,
    ) -> Result<Listed<GroupDetail, GroupId>, ControlError> {
        actor.may_read()?;
        let mut tx = self.parts().store.read().await?;
        let rows = tx.groups().list(page).await?;
        let mut listed = Listed::after(&rows, &page, |group| group.id);
        for group in rows {
            listed.items.push(detail(&mut tx, actor, group).await?);
        }
        Ok(listed)
    }

    /// One group.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn show_group(&self, actor: &Actor, asked: &str) -> Result<GroupDetail, ControlError> {
        actor.may_read()?;
        let mut tx = self.parts().store.read().await?;
        let group = find::group(&mut tx, asked).await?;
        detail(&mut tx, actor, group).await
    }
}

async fn detail<M>(tx: &mut Tx<M>, actor: &Actor, group: Group) -> Result<GroupDetail, ControlError> {
    let mut members = Vec::with_capacity(group.members.len());
    for id in &group.members {
        members.extend(tx.principals().get(*id).await?.filter(|member| actor.sees(member.team)));
    }
    Ok(GroupDetail { group, members })
}
