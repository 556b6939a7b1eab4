//! `server.remove`: with it go its definitions, secrets, and the grants and selections that name it, so that
//! a server registered anew under the same name inherits nothing.

use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError, find};

impl Control {
    /// Removes a server.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn remove_server(&self, actor: &Actor, asked: &str) -> Result<(), ControlError> {
        let mut change = self.change(actor).await?;
        let before = find::server(&mut change.tx, actor, asked).await?;
        change.tx.servers().delete(before.id).await?;
        change.commit(Touched::Everything, Told::new("server.remove", &before.id).before(&before)?).await
    }
}
