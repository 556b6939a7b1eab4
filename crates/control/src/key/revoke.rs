//! `key.revoke`. May be said twice: the second time changes nothing.

use bailiwick_model::KeyId;

use super::KeyDetail;
use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError};

impl Control {
    /// Revokes a key: within a second it opens nothing on this node.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn revoke_key(&self, actor: &Actor, id: KeyId) -> Result<KeyDetail, ControlError> {
        let mut change = self.change(actor).await?;
        let missing = || ControlError::not_found("key", &id.to_string());
        let before = change.tx.keys().get(id).await?.ok_or_else(missing)?;
        let principal = change.tx.principals().get(before.principal).await?;
        let principal = principal.filter(|found| actor.sees(found.team)).ok_or_else(missing)?.subject;
        let mut after = before.clone();
        if before.revoked_at.is_none() {
            let now = self.parts().clock.now();
            after.revoked_at = Some(now);
            change.tx.keys().revoke(id, now).await?;
            change
                .commit(Touched::Keys, Told::new("key.revoke", &id).before(&before)?.after(&after)?)
                .await?;
        }
        Ok(KeyDetail { key: after, principal })
    }
}
