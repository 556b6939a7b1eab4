//! One-time links that let a user in: made at the first start or by an administrator, dead after use.

use std::time::Duration;

use bailiwick_identity::{AdminLink, KeyRequest, NewKey, link};
use bailiwick_model::Timestamp;
use bailiwick_model::key::{Audience, Key};
use bailiwick_model::principal::{Principal, PrincipalKind, Role};
use bailiwick_store::WriteTx;
use secrecy::SecretString;
use serde_json::json;

use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError, find};

/// How long the key lives that a link is exchanged for.
const KEY_LIFETIME: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// A link that was just made.
#[derive(Debug)]
pub struct LoginLink {
    /// The whole URL, which nobody can show again.
    pub url: SecretString,
    /// When it dies by itself.
    pub expires_at: Timestamp,
    /// The subject of the user whom it lets in.
    pub user: String,
}

/// What a link was exchanged for.
#[derive(Debug)]
pub struct OpenedLink {
    /// The text of a key for the admin API, which nobody can show again.
    pub key: SecretString,
    /// What is kept of the key.
    pub kept: Key,
    /// The subject of the user.
    pub user: String,
}

impl Control {
    /// Makes a link for a user with a role.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn make_link(&self, actor: &Actor, asked: &str) -> Result<LoginLink, ControlError> {
        let mut change = self.change(actor).await?;
        let user = find::principal(&mut change.tx, actor, asked).await?;
        if user.kind != PrincipalKind::User || user.role == Role::Member || !user.enabled {
            let problem = "a link is for an enabled user with the role auditor or admin";
            return Err(ControlError::invalid("user", problem));
        }
        let link = self.insert_link(&mut change.tx, &user).await?;
        let told = Told::new("link.make", &user.id).after(&json!({ "expires_at": link.expires_at }))?;
        change.commit(Touched::Nothing, told).await?;
        Ok(link)
    }

    /// Makes a link within a unit of work.
    pub(crate) async fn insert_link(
        &self,
        tx: &mut WriteTx,
        user: &Principal,
    ) -> Result<LoginLink, ControlError> {
        let parts = self.parts();
        let minted = AdminLink::mint(&*parts.clock, &*parts.entropy, link::LIFETIME);
        let now = parts.clock.now();
        tx.admin_links().forget_expired(now).await?;
        let kept = bailiwick_store::AdminLink {
            token_hash: minted.hash,
            principal: user.id,
            expires_at: minted.expires_at,
            used_at: None,
            created_at: now,
        };
        tx.admin_links().insert(&kept).await?;
        Ok(LoginLink {
            url: minted.url(&parts.settings.public_url),
            expires_at: minted.expires_at,
            user: user.subject.clone(),
        })
    }

    /// Whether a link with this token would let somebody in now. Uses nothing up.
    ///
    /// # Errors
    /// [`ControlError::Unavailable`].
    pub async fn link_is_good(&self, token: &str) -> Result<bool, ControlError> {
        let Some(hash) = link::hash(token) else { return Ok(false) };
        let kept = self.parts().store.read().await?.admin_links().get(&hash).await?;
        let now = self.parts().clock.now();
        Ok(kept.is_some_and(|kept| kept.used_at.is_none() && kept.expires_at > now))
    }

    /// Uses a link up, for a key to the admin API. The token is the credential, so there is no actor; the
    /// record names the user whom it lets in.
    ///
    /// # Errors
    /// [`ControlError::NotFound`] alike for a link that never was, has ended or was used.
    pub async fn open_link(&self, token: &str) -> Result<OpenedLink, ControlError> {
        let unknown = || ControlError::not_found("link", "(hidden)");
        let hash = link::hash(token).ok_or_else(unknown)?;
        let parts = self.parts();
        let mut change = self.change(&Actor::Gateway).await?;
        let user = change.tx.admin_links().consume(&hash, parts.clock.now()).await?.ok_or_else(unknown)?;
        let user = change.tx.principals().get(user).await?.filter(|user| user.enabled).ok_or_else(unknown)?;
        let request = KeyRequest {
            principal: user.id,
            label: "from a login link".into(),
            audience: Audience::Admin,
            expires_at: Some(parts.clock.now().saturating_add(KEY_LIFETIME)),
        };
        let minted = NewKey::mint(&*parts.clock, &*parts.entropy, request);
        change.tx.keys().insert(&minted.key).await?;
        let told = Told::new("link.open", &user.id).after(&minted.key)?;
        change.commit(Touched::Keys, told).await?;
        Ok(OpenedLink { key: minted.text, kept: minted.key, user: user.subject })
    }
}
