//! `agent.add` and `user.add`.

use bailiwick_model::PrincipalId;
use bailiwick_model::principal::{LOCAL_ISSUER, Principal, PrincipalKind, Role};

use super::PrincipalDetail;
use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError, find, text};

/// A principal to make.
#[derive(Debug)]
pub struct NewPrincipal {
    /// Person or workload.
    pub kind: PrincipalKind,
    /// Its subject, unique among those made here.
    pub name: String,
    /// What people read; the name if absent.
    pub display_name: Option<String>,
    /// Its team, by id or name; the actor's own if absent.
    pub team: Option<String>,
    /// What it may do on the admin API.
    pub role: Role,
}

impl Control {
    /// Makes a principal.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn add_principal(
        &self,
        actor: &Actor,
        new: NewPrincipal,
    ) -> Result<PrincipalDetail, ControlError> {
        let mut change = self.change(actor).await?;
        if new.kind == PrincipalKind::Agent && new.role != Role::Member {
            return Err(ControlError::invalid("role", "agents do not administer; make a user for that"));
        }
        let now = self.parts().clock.now();
        let subject = text::subject("name", new.name)?;
        let principal = Principal {
            id: PrincipalId::new(now, &*self.parts().entropy),
            kind: new.kind,
            issuer: LOCAL_ISSUER.into(),
            display_name: text::label("display_name", new.display_name.unwrap_or_else(|| subject.clone()))?,
            subject,
            team: find::team_or_own(&mut change.tx, actor, new.team.as_deref()).await?.id,
            role: new.role,
            enabled: true,
            created_at: now,
        };
        change.tx.principals().insert(&principal).await?;
        let operation = if new.kind == PrincipalKind::Agent { "agent.add" } else { "user.add" };
        change.commit(Touched::People, Told::new(operation, &principal.id).after(&principal)?).await?;
        self.show_principal(actor, &principal.id.to_string()).await
    }
}
