//! `grant list` and looking at one.

use bailiwick_model::GrantId;
use bailiwick_model::grant::{Grant, Grantee, Scope};
use bailiwick_store::{Page, Tx};

use crate::{Actor, Control, ControlError, Listed};

/// A grant, with the names of what it refers to.
#[derive(Debug, Clone)]
pub struct GrantDetail {
    /// The grant.
    pub grant: Grant,
    /// The subject of the principal or the name of the group that has it.
    pub grantee: String,
    /// The name of the server or toolset that it is on.
    pub on: String,
}

impl Control {
    /// A piece of the list of grants, in the order of making.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn list_grants(
        &self,
        actor: &Actor,
        page: Page<GrantId>,
    ) -> Result<Listed<GrantDetail, GrantId>, ControlError> {
        actor.may_read()?;
        let mut tx = self.parts().store.read().await?;
        let rows = tx.grants().list(page).await?;
        let mut listed = Listed::after(&rows, &page, |grant| grant.id);
        for grant in rows {
            listed.items.extend(detail(&mut tx, actor, grant).await?);
        }
        Ok(listed)
    }

    /// One grant.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn show_grant(&self, actor: &Actor, id: GrantId) -> Result<GrantDetail, ControlError> {
        actor.may_read()?;
        let mut tx = self.parts().store.read().await?;
        let missing = || ControlError::not_found("grant", &id.to_string());
        let grant = tx.grants().get(id).await?.ok_or_else(missing)?;
        detail(&mut tx, actor, grant).await?.ok_or_else(missing)
    }
}

/// `None` if the grant concerns what the actor may not see, on either side.
async fn detail<M>(tx: &mut Tx<M>, actor: &Actor, grant: Grant) -> Result<Option<GrantDetail>, ControlError> {
    let grantee = match grant.grantee {
        Grantee::Principal(id) => {
            tx.principals().get(id).await?.filter(|found| actor.sees(found.team)).map(|found| found.subject)
        }
        Grantee::Group(id) => tx.groups().get(id).await?.map(|found| found.name.to_string()),
    };
    let on = match &grant.scope {
        Scope::Server { server } | Scope::Definition { server, .. } => {
            tx.servers().get(*server).await?.filter(|found| actor.sees(found.team)).map(|found| found.name)
        }
        Scope::Toolset { toolset } => {
            tx.toolsets().get(*toolset).await?.filter(|found| actor.sees(found.team)).map(|found| found.name)
        }
    };
    Ok(grantee.zip(on).map(|(grantee, on)| GrantDetail { grant, grantee, on: on.to_string() }))
}
