//! Keys for bodies: made when a principal's first call needs one, wrapped before the store sees them, known to the data path
//! until they are destroyed.
//!
//! INVARIANT: which keys are known is changed by one at a time, by what is read from the store within its turn. A key that was
//! destroyed meanwhile is therefore never made known again.

use std::sync::Arc;

use bailiwick_model::body_key::BodyKey;
use bailiwick_model::{BodyKeyId, PrincipalId, RetentionClass};
use bailiwick_runtime::{BodySealer, BodySealers, SecretKey};
use bailiwick_store::{BodyKeyEntry, Sealed};

use crate::{Control, ControlError};

impl Control {
    /// Sees to it that the data path knows a key for a principal's bodies of a class.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn make_body_key(
        &self,
        principal: PrincipalId,
        class: &RetentionClass,
    ) -> Result<(), ControlError> {
        let _turn = self.body_keys().lock().await;
        let known = &self.parts().body_sealers;
        if known.borrow().get(principal, class).is_some() {
            return Ok(());
        }
        let mut tx = self.parts().store.begin().await?;
        let mut found = tx.body_keys().live(principal, class).await?;
        if found.is_none() {
            let (key, sealed) = self.new_body_key(principal, class);
            tx.body_keys().insert(&key, &sealed).await?;
            // Another node's, if that was faster.
            found = tx.body_keys().live(principal, class).await?;
        }
        tx.commit().await?;
        let entry = found.ok_or_else(|| ControlError::internal("a key for bodies is not there"))?;
        let sealer = Arc::new(self.open_body_key(&entry)?);
        known.send_modify(|known| Arc::make_mut(known).put(principal, class.clone(), sealer));
        Ok(())
    }

    /// Lets the data path know the keys that are in use, and forget all others.
    pub(crate) async fn reload_body_keys(&self) -> Result<(), ControlError> {
        let _turn = self.body_keys().lock().await;
        let entries = self.parts().store.read().await?.body_keys().every_live().await?;
        let before = Arc::clone(&self.parts().body_sealers.borrow());
        let mut now = BodySealers::default();
        for entry in entries {
            let BodyKey { id, principal, class, .. } = &entry.key;
            let known = before.get(*principal, class).filter(|known| known.id() == *id);
            let sealer = match known {
                Some(known) => Ok(Arc::clone(known)),
                None => self.open_body_key(&entry).map(Arc::new),
            };
            match sealer {
                Ok(sealer) => now.put(*principal, class.clone(), sealer),
                Err(error) => tracing::error!(key = %id, %error, "a key for bodies is unusable"),
            }
        }
        self.parts().body_sealers.send_replace(Arc::new(now));
        Ok(())
    }

    fn new_body_key(&self, principal: PrincipalId, class: &RetentionClass) -> (BodyKey, Sealed) {
        let parts = self.parts();
        let created_at = parts.clock.now();
        let id = BodyKeyId::new(created_at, &*parts.entropy);
        let key = BodyKey { id, principal, class: class.clone(), created_at, destroyed: None };
        let mut secret = SecretKey::new([0; 32]);
        parts.entropy.fill(secret.as_mut_slice());
        let sealed = Sealed(parts.sealer.seal(associated(&key).as_bytes(), secret.as_slice()));
        (key, sealed)
    }

    /// A key, ready for use.
    pub(crate) fn open_body_key(&self, entry: &BodyKeyEntry) -> Result<BodySealer, ControlError> {
        let opened = entry.sealed.as_ref().and_then(|sealed| {
            let bytes = self.parts().sealer.open(associated(&entry.key).as_bytes(), &sealed.0)?;
            let bytes: [u8; 32] = bytes.as_slice().try_into().ok()?;
            Some(BodySealer::new(entry.key.id, &SecretKey::new(bytes)))
        });
        opened.ok_or_else(|| ControlError::internal(format!("{} does not open", entry.key.id)))
    }
}

/// What a wrapped key is bound to: its row.
fn associated(key: &BodyKey) -> String {
    format!("body_key:{}:{}:{}", key.id, key.principal, key.class)
}
