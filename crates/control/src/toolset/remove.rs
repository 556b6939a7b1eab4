//! `toolset.remove`: with it go the grants on it.

use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError, find};

impl Control {
    /// Removes a toolset.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn remove_toolset(&self, actor: &Actor, asked: &str) -> Result<(), ControlError> {
        let mut change = self.change(actor).await?;
        let before = find::toolset(&mut change.tx, actor, asked).await?;
        change.tx.toolsets().delete(before.id).await?;
        change.commit(Touched::Everything, Told::new("toolset.remove", &before.id).before(&before)?).await
    }
}
