//! `bodies.erase`: destroys a principal's keys for bodies. The ledger keeps the ciphertext, and its tree stays what it was;
//! what was encrypted can be read by nobody any more.

use bailiwick_model::RetentionClass;
use bailiwick_model::body_key::{BodyKey, Destroyed};
use serde_json::json;

use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError, find, text};

/// What shall be unreadable.
#[derive(Debug)]
pub struct Erasure {
    /// Whose bodies, by id or name.
    pub principal: String,
    /// Which of them; all if absent.
    pub class: Option<RetentionClass>,
    /// Why, for the record.
    pub reason: String,
}

impl Control {
    /// Destroys keys for bodies, and says which. Later calls of the principal get fresh ones.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn erase_bodies(&self, actor: &Actor, wanted: Erasure) -> Result<Vec<BodyKey>, ControlError> {
        let mut change = self.change(actor).await?;
        let reason = reason(wanted.reason)?;
        let principal = find::principal(&mut change.tx, actor, &wanted.principal).await?;
        let mut before = change.tx.body_keys().live_of(principal.id).await?;
        before.retain(|key| wanted.class.as_ref().is_none_or(|class| key.class == *class));
        let by = actor.who().map(|who| who.principal);
        let how = Destroyed { at: self.parts().clock.now(), by, reason };
        let mut after = before.clone();
        for key in &mut after {
            change.tx.body_keys().destroy(key, &how).await?;
            key.destroyed = Some(how.clone());
        }
        let told = Told::new("bodies.erase", &principal.id).before(&json!({ "keys": before }))?;
        let told = told.after(&json!({
            "keys": after,
            "destroyed": after.len(),
            "class": wanted.class,
            "reason": how.reason,
        }))?;
        change.commit(Touched::BodyKeys, told).await?;
        self.scrub().await;
        Ok(after)
    }

    /// Destroys keys again that an older state knows still, as they were destroyed before.
    pub(crate) async fn destroy_again(&self, keys: &[BodyKey]) -> Result<(), ControlError> {
        let mut change = self.change(&Actor::Gateway).await?;
        let mut before = Vec::new();
        for key in keys {
            let Some(how) = &key.destroyed else { continue };
            if let Some(known) = change.tx.body_keys().get(key.id).await? {
                before.push(known.key);
            }
            change.tx.body_keys().destroy(key, how).await?;
        }
        let of = keys.first().map(|key| key.principal.to_string()).unwrap_or_default();
        let told = Told::new("bodies.erase", &of).before(&json!({ "keys": before }))?;
        let told = told.after(&json!({ "keys": keys, "destroyed": keys.len() }))?;
        change.commit(Touched::BodyKeys, told).await?;
        self.scrub().await;
        Ok(())
    }

    /// The wrapped keys go out of the database's log too.
    async fn scrub(&self) {
        match self.parts().store.scrub().await {
            Ok(true) => {}
            Ok(false) => tracing::info!(
                "the database's own log holds wrapped keys that were destroyed until it is overwritten or vacuumed"
            ),
            Err(error) => {
                tracing::warn!(%error, "the database's log may hold wrapped keys that were destroyed");
            }
        }
    }
}

/// Why somebody does something that has to be answered for: one line, and not nothing.
pub(super) fn reason(text: String) -> Result<String, ControlError> {
    let text = text::label("reason", text)?;
    if text.trim().is_empty() {
        return Err(ControlError::invalid("reason", "say why; it is kept in the ledger"));
    }
    Ok(text)
}
