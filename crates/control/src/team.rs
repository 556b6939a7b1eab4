//! Teams: the boundary of ownership and visibility.

use bailiwick_model::principal::Team;
use bailiwick_model::{Name, TeamId};
use bailiwick_store::Page;

use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError, Listed};

impl Control {
    /// Makes a team.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn add_team(&self, actor: &Actor, name: Name) -> Result<Team, ControlError> {
        let mut change = self.change(actor).await?;
        let now = self.parts().clock.now();
        let team = Team { id: TeamId::new(now, &*self.parts().entropy), name, created_at: now };
        change.tx.teams().insert(&team).await?;
        change.commit(Touched::Nothing, Told::new("team.add", &team.id).after(&team)?).await?;
        Ok(team)
    }

    /// A piece of the list of teams, in the order of making.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn list_teams(
        &self,
        actor: &Actor,
        page: Page<TeamId>,
    ) -> Result<Listed<Team, TeamId>, ControlError> {
        actor.may_read()?;
        let rows = self.parts().store.read().await?.teams().list(page).await?;
        let mut listed = Listed::after(&rows, &page, |team| team.id);
        listed.items.extend(rows.into_iter().filter(|team| actor.sees(team.id)));
        Ok(listed)
    }
}
