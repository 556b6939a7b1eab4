//! `grant.revoke`.

use bailiwick_model::GrantId;

use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError};

impl Control {
    /// Takes a grant back: within a second no call is admitted by it on this node.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn revoke_grant(&self, actor: &Actor, id: GrantId) -> Result<(), ControlError> {
        actor.may_change()?;
        self.show_grant(actor, id).await?;
        let mut change = self.change(actor).await?;
        let before = change.tx.grants().get(id).await?;
        let before = before.ok_or_else(|| ControlError::not_found("grant", &id.to_string()))?;
        change.tx.grants().delete(id).await?;
        change.commit(Touched::Grants, Told::new("grant.revoke", &id).before(&before)?).await
    }
}
