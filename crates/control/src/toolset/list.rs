//! `toolset list` and `toolset show`.

use bailiwick_model::toolset::Toolset;
use bailiwick_model::{Name, ServerId, ToolsetId};
use bailiwick_store::{Page, Tx};

use crate::{Actor, Control, ControlError, Listed, find};

/// A toolset, with the names of what it refers to.
#[derive(Debug, Clone)]
pub struct ToolsetDetail {
    /// The toolset.
    pub toolset: Toolset,
    /// The name of the team that owns it.
    pub team: Name,
    /// The names of the servers in its selections.
    pub servers: Vec<(ServerId, Name)>,
}

impl Control {
    /// A piece of the list of toolsets, in the order of making.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn list_toolsets(
        &self,
        actor: &Actor,
        page: Page<ToolsetId>,
    ) -> Result<Listed<ToolsetDetail, ToolsetId>, ControlError> {
        actor.may_read()?;
        let mut tx = self.parts().store.read().await?;
        let rows = tx.toolsets().list(page).await?;
        let mut listed = Listed::after(&rows, &page, |toolset| toolset.id);
        for toolset in rows {
            if actor.sees(toolset.team) {
                listed.items.push(detail(&mut tx, toolset).await?);
            }
        }
        Ok(listed)
    }

    /// One toolset.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn show_toolset(&self, actor: &Actor, asked: &str) -> Result<ToolsetDetail, ControlError> {
        actor.may_read()?;
        let mut tx = self.parts().store.read().await?;
        let toolset = find::toolset(&mut tx, actor, asked).await?;
        detail(&mut tx, toolset).await
    }
}

async fn detail<M>(tx: &mut Tx<M>, toolset: Toolset) -> Result<ToolsetDetail, ControlError> {
    let team = find::team_name(tx, toolset.team).await?;
    let mut servers: Vec<(ServerId, Name)> = Vec::new();
    for selection in &toolset.selections {
        if servers.iter().all(|(id, _)| *id != selection.server)
            && let Some(server) = tx.servers().get(selection.server).await?
        {
            servers.push((server.id, server.name));
        }
    }
    Ok(ToolsetDetail { toolset, team, servers })
}
