//! `toolset.add`.

use bailiwick_model::definition::DefinitionKind;
use bailiwick_model::toolset::{Selection, Toolset};
use bailiwick_model::{Name, ToolsetId};
use bailiwick_store::WriteTx;

use super::ToolsetDetail;
use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError, find, text};

/// Most selections of one toolset.
const MAX_SELECTIONS: usize = 1000;

/// A toolset to make.
#[derive(Debug)]
pub struct NewToolset {
    /// Its name.
    pub name: Name,
    /// The team that shall own it, by id or name; the actor's own if absent.
    pub team: Option<String>,
    /// What people read.
    pub description: String,
    /// What it shall hold.
    pub selections: Vec<WantedSelection>,
}

/// Definitions of one server.
#[derive(Debug, Clone)]
pub struct WantedSelection {
    /// The server, by id or name.
    pub server: String,
    /// One kind only, or all.
    pub kind: Option<DefinitionKind>,
    /// One definition by its key, or all of the kind. It need not exist yet.
    pub key: Option<String>,
}

impl Control {
    /// Makes a toolset.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn add_toolset(&self, actor: &Actor, new: NewToolset) -> Result<ToolsetDetail, ControlError> {
        let mut change = self.change(actor).await?;
        let now = self.parts().clock.now();
        let toolset = Toolset {
            id: ToolsetId::new(now, &*self.parts().entropy),
            name: new.name,
            team: find::team_or_own(&mut change.tx, actor, new.team.as_deref()).await?.id,
            description: text::description("description", new.description)?,
            selections: resolve(&mut change.tx, actor, new.selections).await?,
            created_at: now,
        };
        change.tx.toolsets().insert(&toolset).await?;
        change.commit(Touched::Everything, Told::new("toolset.add", &toolset.id).after(&toolset)?).await?;
        self.show_toolset(actor, &toolset.id.to_string()).await
    }
}

/// Finds the servers of selections.
pub(super) async fn resolve(
    tx: &mut WriteTx,
    actor: &Actor,
    wanted: Vec<WantedSelection>,
) -> Result<Vec<Selection>, ControlError> {
    if wanted.len() > MAX_SELECTIONS {
        return Err(ControlError::invalid("selections", format!("{MAX_SELECTIONS} is the most")));
    }
    let mut selections = Vec::with_capacity(wanted.len());
    for WantedSelection { server, kind, key } in wanted {
        if key.is_some() && kind.is_none() {
            return Err(ControlError::invalid("selections", "a key needs its kind, such as `tool`"));
        }
        let server = find::server(tx, actor, &server).await?.id;
        let selection = Selection { server, kind, key };
        if !selections.contains(&selection) {
            selections.push(selection);
        }
    }
    Ok(selections)
}
