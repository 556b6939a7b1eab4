//! `group.add_member` and `group.remove_member`. Both may be said twice: the second time changes nothing.

use super::GroupDetail;
use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError, find};

impl Control {
    /// Puts a principal into a group, or takes it out.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn set_member(
        &self,
        actor: &Actor,
        (group, principal): (&str, &str),
        member: bool,
    ) -> Result<GroupDetail, ControlError> {
        let mut change = self.change(actor).await?;
        let before = find::group(&mut change.tx, group).await?;
        let principal = find::principal(&mut change.tx, actor, principal).await?.id;
        if before.members.contains(&principal) == member {
            drop(change);
            return self.show_group(actor, group).await;
        }
        let mut after = before.clone();
        if member {
            after.members.push(principal);
            change.tx.groups().add_member(after.id, principal).await?;
        } else {
            after.members.retain(|other| *other != principal);
            change.tx.groups().remove_member(after.id, principal).await?;
        }
        let operation = if member { "group.add_member" } else { "group.remove_member" };
        change
            .commit(Touched::People, Told::new(operation, &after.id).before(&before)?.after(&after)?)
            .await?;
        self.show_group(actor, &after.id.to_string()).await
    }
}
