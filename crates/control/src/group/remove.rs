//! `group.remove`: with it go the grants that it has.

use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError, find};

impl Control {
    /// Removes a group.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn remove_group(&self, actor: &Actor, asked: &str) -> Result<(), ControlError> {
        let mut change = self.change(actor).await?;
        let before = find::group(&mut change.tx, asked).await?;
        change.tx.groups().delete(before.id).await?;
        change.commit(Touched::Everything, Told::new("group.remove", &before.id).before(&before)?).await
    }
}
