//! `key.issue`.

use std::time::Duration;

use bailiwick_identity::KeyRequest;
use bailiwick_model::key::Audience;
use bailiwick_model::principal::{PrincipalKind, Role};
use secrecy::SecretString;

use super::KeyDetail;
use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError, find, text};

/// A key to make.
#[derive(Debug)]
pub struct NewKey {
    /// Whose it shall be, by id or name.
    pub principal: String,
    /// What people call it.
    pub label: String,
    /// What it shall open.
    pub audience: Audience,
    /// For how long; without end if absent.
    pub expires_in: Option<Duration>,
}

/// A key that was just made.
#[derive(Debug)]
pub struct IssuedKey {
    /// Its text, which nobody can show again.
    pub text: SecretString,
    /// What is kept of it.
    pub detail: KeyDetail,
}

impl Control {
    /// Makes a key.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn issue_key(&self, actor: &Actor, new: NewKey) -> Result<IssuedKey, ControlError> {
        let mut change = self.change(actor).await?;
        let parts = self.parts();
        let principal = find::principal(&mut change.tx, actor, &new.principal).await?;
        if !principal.enabled {
            return Err(ControlError::Conflict(format!("{} is disabled", principal.subject)));
        }
        let opens_nothing = principal.kind == PrincipalKind::Agent || principal.role == Role::Member;
        if new.audience == Audience::Admin && opens_nothing {
            let problem = "an admin key is for users with the role auditor or admin";
            return Err(ControlError::invalid("audience", problem));
        }
        let request = KeyRequest {
            principal: principal.id,
            label: text::label("label", new.label)?,
            audience: new.audience,
            expires_at: new.expires_in.map(|lifetime| parts.clock.now().saturating_add(lifetime)),
        };
        let minted = bailiwick_identity::NewKey::mint(&*parts.clock, &*parts.entropy, request);
        change.tx.keys().insert(&minted.key).await?;
        change.commit(Touched::Keys, Told::new("key.issue", &minted.key.id).after(&minted.key)?).await?;
        let detail = KeyDetail { key: minted.key, principal: principal.subject };
        Ok(IssuedKey { text: minted.text, detail })
    }
}
