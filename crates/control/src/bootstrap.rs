//! The first start: a team, a user who administers, and the link that lets that user in.

use bailiwick_model::principal::{LOCAL_ISSUER, Principal, PrincipalKind, Role, Team};
use bailiwick_model::{PrincipalId, TeamId};
use bailiwick_store::Page;

use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError, LoginLink};

/// What the first start made.
#[derive(Debug)]
pub struct FirstStart {
    /// The link that lets the administrator in, to be shown once.
    pub link: LoginLink,
}

impl Control {
    /// Makes what a new installation needs; `None` if there is anybody already.
    ///
    /// # Errors
    /// [`ControlError`]; nothing is made then.
    pub async fn bootstrap(&self) -> Result<Option<FirstStart>, ControlError> {
        let actor = Actor::Gateway;
        let mut change = self.change(&actor).await?;
        if !change.tx.principals().list(Page::first(1)).await?.is_empty() {
            return Ok(None);
        }
        let parts = self.parts();
        let now = parts.clock.now();
        let name = "default".parse().map_err(ControlError::internal)?;
        let team = Team { id: TeamId::new(now, &*parts.entropy), name, created_at: now };
        let user = Principal {
            id: PrincipalId::new(now, &*parts.entropy),
            kind: PrincipalKind::User,
            issuer: LOCAL_ISSUER.into(),
            subject: "admin".into(),
            display_name: "Administrator".into(),
            team: team.id,
            role: Role::Admin,
            enabled: true,
            created_at: now,
        };
        change.tx.teams().insert(&team).await?;
        change.tx.principals().insert(&user).await?;
        let link = self.insert_link(&mut change.tx, &user).await?;
        change.commit(Touched::People, Told::new("bootstrap", &user.id).after(&user)?).await?;
        Ok(Some(FirstStart { link }))
    }
}
