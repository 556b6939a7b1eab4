//! `agent.update` and `user.update`: another name to read, another role, on or off.

use bailiwick_model::principal::{Principal, PrincipalKind, Role};
use bailiwick_store::WriteTx;

use super::PrincipalDetail;
use crate::change::Told;
use crate::listed::every;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError, find, text};

/// What shall be different; what is absent stays.
#[derive(Debug, Default)]
pub struct PrincipalChange {
    /// What people read.
    pub display_name: Option<String>,
    /// What it may do on the admin API.
    pub role: Option<Role>,
    /// Off: every credential of it is refused.
    pub enabled: Option<bool>,
}

impl Control {
    /// Changes a principal.
    ///
    /// # Errors
    /// [`ControlError`]; [`ControlError::Conflict`] if nobody would be left who can administer.
    pub async fn update_principal(
        &self,
        actor: &Actor,
        asked: &str,
        wanted: PrincipalChange,
    ) -> Result<PrincipalDetail, ControlError> {
        let mut change = self.change(actor).await?;
        let before = find::principal(&mut change.tx, actor, asked).await?;
        let mut after = before.clone();
        if let Some(name) = wanted.display_name {
            after.display_name = text::label("display_name", name)?;
        }
        after.role = wanted.role.unwrap_or(after.role);
        after.enabled = wanted.enabled.unwrap_or(after.enabled);
        if after.kind == PrincipalKind::Agent && after.role != Role::Member {
            return Err(ControlError::invalid("role", "agents do not administer; make a user for that"));
        }
        if administers(&before) && !administers(&after) {
            keep_an_administrator(&mut change.tx, &after).await?;
        }
        change.tx.principals().update(&after).await?;
        let operation = if after.kind == PrincipalKind::Agent { "agent.update" } else { "user.update" };
        change
            .commit(Touched::People, Told::new(operation, &after.id).before(&before)?.after(&after)?)
            .await?;
        self.show_principal(actor, &after.id.to_string()).await
    }
}

fn administers(principal: &Principal) -> bool {
    principal.enabled && principal.role == Role::Admin
}

async fn keep_an_administrator(tx: &mut WriteTx, leaving: &Principal) -> Result<(), ControlError> {
    let all = every!(tx.principals(), principal => principal.id)?;
    if all.iter().any(|other| other.id != leaving.id && administers(other)) {
        return Ok(());
    }
    Err(ControlError::Conflict("this is the last administrator; make another one first".into()))
}
