//! Users and agents.

use bailiwick_model::PrincipalId;
use bailiwick_model::principal::Principal;

use crate::sql::{Row, Value, sql};
use crate::{Page, StoreError, Tx, Write};

/// Users and agents, within a unit of work.
#[derive(Debug)]
pub struct Principals<'t, M> {
    pub(crate) tx: &'t mut Tx<M>,
}

impl<M> Principals<'_, M> {
    /// The principal of this id.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn get(&mut self, id: PrincipalId) -> Result<Option<Principal>, StoreError> {
        let query = sql("SELECT * FROM principals WHERE id = $1").bind(Value::written(&id));
        self.tx.one(query).await?.as_ref().map(read).transpose()
    }

    /// The principal whom this issuer calls so.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn by_subject(&mut self, issuer: &str, subject: &str) -> Result<Option<Principal>, StoreError> {
        let query =
            sql("SELECT * FROM principals WHERE issuer = $1 AND subject = $2").bind(issuer).bind(subject);
        self.tx.one(query).await?.as_ref().map(read).transpose()
    }

    /// A piece of the list, by id.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn list(&mut self, page: Page<PrincipalId>) -> Result<Vec<Principal>, StoreError> {
        let query = sql("SELECT * FROM principals WHERE id > $1 ORDER BY id LIMIT $2");
        let rows = self.tx.all(query.bind(page.bound()).bind(page.rows())).await?;
        rows.iter().map(read).collect()
    }

    pub(crate) async fn every(&mut self) -> Result<Vec<Principal>, StoreError> {
        self.tx.all(sql("SELECT * FROM principals ORDER BY id")).await?.iter().map(read).collect()
    }
}

impl Principals<'_, Write> {
    /// Adds a principal.
    ///
    /// # Errors
    /// [`StoreError::Taken`] for issuer and subject, [`StoreError::Dangling`] for its team.
    pub async fn insert(&mut self, principal: &Principal) -> Result<(), StoreError> {
        let insert = sql("INSERT INTO principals \
             (id, kind, issuer, subject, display_name, team, role, enabled, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(Value::written(&principal.id))
        .bind(principal.kind.as_str())
        .bind(principal.issuer.as_str())
        .bind(principal.subject.as_str())
        .bind(principal.display_name.as_str())
        .bind(Value::written(&principal.team))
        .bind(principal.role.as_str())
        .bind(principal.enabled)
        .bind(principal.created_at);
        self.tx.change(insert).await.map(drop)
    }

    /// Changes what can change: display name, team, role, enabled. False: there is none of this id.
    ///
    /// # Errors
    /// [`StoreError::Dangling`] for its team.
    pub async fn update(&mut self, principal: &Principal) -> Result<bool, StoreError> {
        let update =
            sql("UPDATE principals SET display_name = $2, team = $3, role = $4, enabled = $5 WHERE id = $1")
                .bind(Value::written(&principal.id))
                .bind(principal.display_name.as_str())
                .bind(Value::written(&principal.team))
                .bind(principal.role.as_str())
                .bind(principal.enabled);
        Ok(self.tx.change(update).await? > 0)
    }

    /// Removes a principal with its memberships, grants, keys and links. False: there is none of this id.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn delete(&mut self, id: PrincipalId) -> Result<bool, StoreError> {
        let delete = sql("DELETE FROM principals WHERE id = $1").bind(Value::written(&id));
        Ok(self.tx.change(delete).await? > 0)
    }
}

fn read(row: &Row) -> Result<Principal, StoreError> {
    Ok(Principal {
        id: row.parsed("id")?,
        kind: row.word("kind")?,
        issuer: row.text("issuer")?,
        subject: row.text("subject")?,
        display_name: row.text("display_name")?,
        team: row.parsed("team")?,
        role: row.word("role")?,
        enabled: row.flag("enabled")?,
        created_at: row.moment("created_at")?,
    })
}
