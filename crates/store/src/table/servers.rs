//! Registered servers.

use bailiwick_model::server::Server;
use bailiwick_model::{Name, ServerId};

use crate::sql::{Row, Value, sql};
use crate::{Page, StoreError, Tx, Write};

/// Registered servers, within a unit of work.
#[derive(Debug)]
pub struct Servers<'t, M> {
    pub(crate) tx: &'t mut Tx<M>,
}

impl<M> Servers<'_, M> {
    /// The server of this id.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn get(&mut self, id: ServerId) -> Result<Option<Server>, StoreError> {
        let query = sql("SELECT * FROM servers WHERE id = $1").bind(Value::written(&id));
        self.tx.one(query).await?.as_ref().map(read).transpose()
    }

    /// The server of this name.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn by_name(&mut self, name: &Name) -> Result<Option<Server>, StoreError> {
        let query = sql("SELECT * FROM servers WHERE name = $1").bind(name.as_str());
        self.tx.one(query).await?.as_ref().map(read).transpose()
    }

    /// A piece of the list, by id.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn list(&mut self, page: Page<ServerId>) -> Result<Vec<Server>, StoreError> {
        let query = sql("SELECT * FROM servers WHERE id > $1 ORDER BY id LIMIT $2");
        let rows = self.tx.all(query.bind(page.bound()).bind(page.rows())).await?;
        rows.iter().map(read).collect()
    }

    pub(crate) async fn every(&mut self) -> Result<Vec<Server>, StoreError> {
        self.tx.all(sql("SELECT * FROM servers ORDER BY id")).await?.iter().map(read).collect()
    }
}

impl Servers<'_, Write> {
    /// Adds a server.
    ///
    /// # Errors
    /// [`StoreError::Taken`] for its name, [`StoreError::Dangling`] for its team.
    pub async fn insert(&mut self, server: &Server) -> Result<(), StoreError> {
        let insert = sql("INSERT INTO servers \
             (id, name, team, description, transport, enabled, timeouts, created_at, capture) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(Value::written(&server.id))
        .bind(server.name.as_str())
        .bind(Value::written(&server.team))
        .bind(server.description.as_str())
        .bind(Value::json(&server.transport)?)
        .bind(server.enabled)
        .bind(Value::json(&server.timeouts)?)
        .bind(server.created_at)
        .bind(Value::json(&server.capture)?);
        self.tx.change(insert).await.map(drop)
    }

    /// Changes everything but id and date. False: there is none of this id.
    ///
    /// # Errors
    /// As [`Servers::insert`].
    pub async fn update(&mut self, server: &Server) -> Result<bool, StoreError> {
        let update = sql("UPDATE servers SET name = $2, team = $3, description = $4, transport = $5, \
             enabled = $6, timeouts = $7, capture = $8 WHERE id = $1")
        .bind(Value::written(&server.id))
        .bind(server.name.as_str())
        .bind(Value::written(&server.team))
        .bind(server.description.as_str())
        .bind(Value::json(&server.transport)?)
        .bind(server.enabled)
        .bind(Value::json(&server.timeouts)?)
        .bind(Value::json(&server.capture)?);
        Ok(self.tx.change(update).await? > 0)
    }

    /// Removes a server with its secrets, definitions, selections and grants, so that one registered anew
    /// under its name inherits nothing. False: there is none of this id.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn delete(&mut self, id: ServerId) -> Result<bool, StoreError> {
        let delete = sql("DELETE FROM servers WHERE id = $1").bind(Value::written(&id));
        Ok(self.tx.change(delete).await? > 0)
    }
}

fn read(row: &Row) -> Result<Server, StoreError> {
    Ok(Server {
        id: row.parsed("id")?,
        name: row.parsed("name")?,
        team: row.parsed("team")?,
        description: row.text("description")?,
        transport: row.json("transport")?,
        enabled: row.flag("enabled")?,
        timeouts: row.json("timeouts")?,
        capture: row.json("capture")?,
        created_at: row.moment("created_at")?,
    })
}
