//! `toolset.update`.

use super::add::resolve;
use super::{ToolsetDetail, WantedSelection};
use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError, find, text};

/// What shall be different; what is absent stays.
#[derive(Debug, Default)]
pub struct ToolsetChange {
    /// What people read.
    pub description: Option<String>,
    /// What it shall hold, whole.
    pub selections: Option<Vec<WantedSelection>>,
}

impl Control {
    /// Changes a toolset.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn update_toolset(
        &self,
        actor: &Actor,
        asked: &str,
        wanted: ToolsetChange,
    ) -> Result<ToolsetDetail, ControlError> {
        let mut change = self.change(actor).await?;
        let before = find::toolset(&mut change.tx, actor, asked).await?;
        let mut after = before.clone();
        if let Some(description) = wanted.description {
            after.description = text::description("description", description)?;
        }
        if let Some(selections) = wanted.selections {
            after.selections = resolve(&mut change.tx, actor, selections).await?;
        }
        change.tx.toolsets().update(&after).await?;
        change
            .commit(
                Touched::Everything,
                Told::new("toolset.update", &after.id).before(&before)?.after(&after)?,
            )
            .await?;
        self.show_toolset(actor, &after.id.to_string()).await
    }
}
