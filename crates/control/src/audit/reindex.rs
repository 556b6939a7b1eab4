//! Making the index anew, and how it is.

use crate::change::{Told, record};
use crate::{Actor, Control, ControlError, IndexState};

impl Control {
    /// Asks for the index to be dropped and made anew from the segments, while calls go on. Returns at once;
    /// [`Control::index_state`] says how far it is.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn audit_reindex(&self, actor: &Actor) -> Result<(), ControlError> {
        actor.may_change()?;
        let ledger = self.parts().ledger.verifier().name().to_owned();
        record(self, actor, &Told::new("audit.reindex", &ledger)).await?;
        self.indexing().request();
        Ok(())
    }

    /// How the index over the ledger is.
    ///
    /// # Errors
    /// [`ControlError::Forbidden`] for members.
    pub fn index_state(&self, actor: &Actor) -> Result<IndexState, ControlError> {
        actor.may_read()?;
        Ok(self.indexing().state(self.parts().clock.now()))
    }
}
