//! Teams.

use bailiwick_model::principal::Team;
use bailiwick_model::{Name, TeamId};

use crate::sql::{Row, Value, sql};
use crate::{Page, StoreError, Tx, Write};

/// Teams, within a unit of work.
#[derive(Debug)]
pub struct Teams<'t, M> {
    pub(crate) tx: &'t mut Tx<M>,
}

impl<M> Teams<'_, M> {
    /// The team of this id.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn get(&mut self, id: TeamId) -> Result<Option<Team>, StoreError> {
        let row = self.tx.one(sql("SELECT * FROM teams WHERE id = $1").bind(Value::written(&id))).await?;
        row.as_ref().map(read).transpose()
    }

    /// The team of this name.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn by_name(&mut self, name: &Name) -> Result<Option<Team>, StoreError> {
        let row = self.tx.one(sql("SELECT * FROM teams WHERE name = $1").bind(name.as_str())).await?;
        row.as_ref().map(read).transpose()
    }

    /// A piece of the list, by id.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn list(&mut self, page: Page<TeamId>) -> Result<Vec<Team>, StoreError> {
        let query = sql("SELECT * FROM teams WHERE id > $1 ORDER BY id LIMIT $2");
        let rows = self.tx.all(query.bind(page.bound()).bind(page.rows())).await?;
        rows.iter().map(read).collect()
    }

    pub(crate) async fn every(&mut self) -> Result<Vec<Team>, StoreError> {
        self.tx.all(sql("SELECT * FROM teams ORDER BY id")).await?.iter().map(read).collect()
    }
}

impl Teams<'_, Write> {
    /// Adds a team.
    ///
    /// # Errors
    /// [`StoreError::Taken`] for its name.
    pub async fn insert(&mut self, team: &Team) -> Result<(), StoreError> {
        let insert = sql("INSERT INTO teams (id, name, created_at) VALUES ($1, $2, $3)")
            .bind(Value::written(&team.id))
            .bind(team.name.as_str())
            .bind(team.created_at);
        self.tx.change(insert).await.map(drop)
    }

    /// Renames a team. False: there is none of this id.
    ///
    /// # Errors
    /// [`StoreError::Taken`] for its name.
    pub async fn update(&mut self, team: &Team) -> Result<bool, StoreError> {
        let update = sql("UPDATE teams SET name = $2 WHERE id = $1")
            .bind(Value::written(&team.id))
            .bind(team.name.as_str());
        Ok(self.tx.change(update).await? > 0)
    }

    /// Removes a team that owns nothing. False: there is none of this id.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if principals, servers or toolsets belong to it.
    pub async fn delete(&mut self, id: TeamId) -> Result<bool, StoreError> {
        let delete = sql("DELETE FROM teams WHERE id = $1").bind(Value::written(&id));
        Ok(self.tx.change(delete).await.map_err(|error| error.while_deleting("team"))? > 0)
    }
}

fn read(row: &Row) -> Result<Team, StoreError> {
    Ok(Team { id: row.parsed("id")?, name: row.parsed("name")?, created_at: row.moment("created_at")? })
}
