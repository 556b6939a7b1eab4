//! `group.add`.

use bailiwick_model::principal::Group;
use bailiwick_model::{GroupId, Name};

use super::GroupDetail;
use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError, find};

impl Control {
    /// Makes a group of these principals, each by id or name.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn add_group(
        &self,
        actor: &Actor,
        name: Name,
        members: &[String],
    ) -> Result<GroupDetail, ControlError> {
        let mut change = self.change(actor).await?;
        let now = self.parts().clock.now();
        let mut group = Group {
            id: GroupId::new(now, &*self.parts().entropy),
            name,
            members: Vec::new(),
            created_at: now,
        };
        for asked in members {
            let member = find::principal(&mut change.tx, actor, asked).await?.id;
            if !group.members.contains(&member) {
                group.members.push(member);
            }
        }
        change.tx.groups().insert(&group).await?;
        change.commit(Touched::People, Told::new("group.add", &group.id).after(&group)?).await?;
        self.show_group(actor, &group.id.to_string()).await
    }
}
