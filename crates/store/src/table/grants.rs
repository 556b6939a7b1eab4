//! Grants. One goes with its grantee, its server or its toolset; the schema sees to that.

use bailiwick_model::grant::{Grant, Grantee, Scope};
use bailiwick_model::{GrantId, GroupId, PrincipalId, ServerId, ToolsetId};

use crate::sql::{Row, Value, sql};
use crate::{Page, StoreError, Tx, Write};

/// Grants, within a unit of work.
#[derive(Debug)]
pub struct Grants<'t, M> {
    pub(crate) tx: &'t mut Tx<M>,
}

impl<M> Grants<'_, M> {
    /// The grant of this id.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn get(&mut self, id: GrantId) -> Result<Option<Grant>, StoreError> {
        let query = sql("SELECT * FROM grants WHERE id = $1").bind(Value::written(&id));
        self.tx.one(query).await?.as_ref().map(read).transpose()
    }

    /// A piece of the list, by id.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn list(&mut self, page: Page<GrantId>) -> Result<Vec<Grant>, StoreError> {
        let query = sql("SELECT * FROM grants WHERE id > $1 ORDER BY id LIMIT $2");
        let rows = self.tx.all(query.bind(page.bound()).bind(page.rows())).await?;
        rows.iter().map(read).collect()
    }

    pub(crate) async fn every(&mut self) -> Result<Vec<Grant>, StoreError> {
        self.tx.all(sql("SELECT * FROM grants ORDER BY id")).await?.iter().map(read).collect()
    }
}

impl Grants<'_, Write> {
    /// Adds a grant. A grant on a definition does not ask whether the definition exists now.
    ///
    /// # Errors
    /// [`StoreError::Dangling`] for its grantee, server or toolset.
    pub async fn insert(&mut self, grant: &Grant) -> Result<(), StoreError> {
        let (principal, group) = match grant.grantee {
            Grantee::Principal(id) => (Some(id), None),
            Grantee::Group(id) => (None, Some(id)),
        };
        let (server, toolset, definition) = match &grant.scope {
            Scope::Server { server } => (Some(server), None, None),
            Scope::Toolset { toolset } => (None, Some(toolset), None),
            Scope::Definition { server, kind, key } => (Some(server), None, Some((kind, key))),
        };
        let insert = sql("INSERT INTO grants \
             (id, principal, group_id, server, toolset, kind, key, actions, expires_at, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
        .bind(Value::written(&grant.id))
        .bind(principal.map(|id| id.to_string()))
        .bind(group.map(|id| id.to_string()))
        .bind(server.map(ServerId::to_string))
        .bind(toolset.map(ToolsetId::to_string))
        .bind(definition.map(|(kind, _)| kind.as_str().to_owned()))
        .bind(definition.map(|(_, key)| key.clone()))
        .bind(Value::json(&grant.actions)?)
        .bind(grant.expires_at)
        .bind(grant.created_at);
        self.tx.change(insert).await.map(drop)
    }

    /// Takes a grant back. False: there is none of this id.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn delete(&mut self, id: GrantId) -> Result<bool, StoreError> {
        let delete = sql("DELETE FROM grants WHERE id = $1").bind(Value::written(&id));
        Ok(self.tx.change(delete).await? > 0)
    }
}

fn read(row: &Row) -> Result<Grant, StoreError> {
    Ok(Grant {
        id: row.parsed("id")?,
        grantee: read_grantee(row)?,
        scope: read_scope(row)?,
        actions: row.json("actions")?,
        expires_at: row.optional_moment("expires_at")?,
        created_at: row.moment("created_at")?,
    })
}

fn read_grantee(row: &Row) -> Result<Grantee, StoreError> {
    if let Some(principal) = row.optional_parsed::<PrincipalId>("principal")? {
        return Ok(Grantee::Principal(principal));
    }
    row.parsed::<GroupId>("group_id").map(Grantee::Group)
}

fn read_scope(row: &Row) -> Result<Scope, StoreError> {
    if let Some(toolset) = row.optional_parsed("toolset")? {
        return Ok(Scope::Toolset { toolset });
    }
    let server = row.parsed("server")?;
    match row.optional_word("kind")? {
        Some(kind) => Ok(Scope::Definition { server, kind, key: row.text("key")? }),
        None => Ok(Scope::Server { server }),
    }
}
