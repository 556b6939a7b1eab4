//! `key list`.

use bailiwick_model::KeyId;
use bailiwick_model::key::Key;
use bailiwick_store::Page;

use crate::{Actor, Control, ControlError, Listed};

/// A key, without its secret.
#[derive(Debug, Clone)]
pub struct KeyDetail {
    /// What is kept of it.
    pub key: Key,
    /// The subject of the principal whose it is.
    pub principal: String,
}

impl Control {
    /// A piece of the list of keys, in the order of making, revoked ones included.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn list_keys(
        &self,
        actor: &Actor,
        page: Page<KeyId>,
    ) -> Result<Listed<KeyDetail, KeyId>, ControlError> {
        actor.may_read()?;
        let mut tx = self.parts().store.read().await?;
        let rows = tx.keys().list(page).await?;
        let mut listed = Listed::after(&rows, &page, |key| key.id);
        for key in rows {
            let principal = tx.principals().get(key.principal).await?;
            if let Some(principal) = principal.filter(|found| actor.sees(found.team)) {
                listed.items.push(KeyDetail { key, principal: principal.subject });
            }
        }
        Ok(listed)
    }
}
