//! API keys: their hashes, never their text.

use bailiwick_model::key::Key;
use bailiwick_model::{KeyId, PrincipalId, Timestamp};

use crate::sql::{Row, Value, sql};
use crate::{Page, StoreError, Tx, Write};

/// API keys, within a unit of work.
#[derive(Debug)]
pub struct Keys<'t, M> {
    pub(crate) tx: &'t mut Tx<M>,
}

impl<M> Keys<'_, M> {
    /// The key of this id.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn get(&mut self, id: KeyId) -> Result<Option<Key>, StoreError> {
        let query = sql("SELECT * FROM keys WHERE id = $1").bind(Value::written(&id));
        self.tx.one(query).await?.as_ref().map(read).transpose()
    }

    /// The key of this visible part.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn by_prefix(&mut self, prefix: &str) -> Result<Option<Key>, StoreError> {
        let query = sql("SELECT * FROM keys WHERE prefix = $1").bind(prefix);
        self.tx.one(query).await?.as_ref().map(read).transpose()
    }

    /// A piece of the list, by id, revoked and expired ones included.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn list(&mut self, page: Page<KeyId>) -> Result<Vec<Key>, StoreError> {
        let query = sql("SELECT * FROM keys WHERE id > $1 ORDER BY id LIMIT $2");
        let rows = self.tx.all(query.bind(page.bound()).bind(page.rows())).await?;
        rows.iter().map(read).collect()
    }

    /// A piece of one principal's keys, by id.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn list_of(
        &mut self,
        principal: PrincipalId,
        page: Page<KeyId>,
    ) -> Result<Vec<Key>, StoreError> {
        let query = sql("SELECT * FROM keys WHERE principal = $1 AND id > $2 ORDER BY id LIMIT $3")
            .bind(Value::written(&principal));
        let rows = self.tx.all(query.bind(page.bound()).bind(page.rows())).await?;
        rows.iter().map(read).collect()
    }

    pub(crate) async fn every(&mut self) -> Result<Vec<Key>, StoreError> {
        self.tx.all(sql("SELECT * FROM keys ORDER BY id")).await?.iter().map(read).collect()
    }
}

impl Keys<'_, Write> {
    /// Adds a key.
    ///
    /// # Errors
    /// [`StoreError::Taken`] for its prefix, [`StoreError::Dangling`] for its principal.
    pub async fn insert(&mut self, key: &Key) -> Result<(), StoreError> {
        let insert = sql("INSERT INTO keys \
             (id, principal, label, prefix, hash, audience, expires_at, revoked_at, last_used_at, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
            .bind(Value::written(&key.id))
            .bind(Value::written(&key.principal))
            .bind(key.label.as_str())
            .bind(key.prefix.as_str())
            .bind(key.hash.as_slice())
            .bind(key.audience.as_str())
            .bind(key.expires_at)
            .bind(key.revoked_at)
            .bind(key.last_used_at)
            .bind(key.created_at);
        self.tx.change(insert).await.map(drop)
    }

    /// Revokes a key, for good. False: there is none of this id, or it was revoked before.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn revoke(&mut self, id: KeyId, now: Timestamp) -> Result<bool, StoreError> {
        let update = sql("UPDATE keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
            .bind(Value::written(&id))
            .bind(now);
        Ok(self.tx.change(update).await? > 0)
    }

    /// Notes when keys were last seen; an earlier moment never replaces a later one. Leaves the generation
    /// alone. Keys that are gone are passed over.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn touch(&mut self, uses: &[(KeyId, Timestamp)]) -> Result<(), StoreError> {
        let mut uses = uses.to_vec();
        // Always in the same order: two nodes that note the same keys would else lock each other out.
        uses.sort_unstable();
        for (id, moment) in uses {
            let update = sql("UPDATE keys SET last_used_at = $2 \
                 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)")
            .bind(Value::written(&id))
            .bind(moment);
            self.tx.note(update).await?;
        }
        Ok(())
    }
}

fn read(row: &Row) -> Result<Key, StoreError> {
    Ok(Key {
        id: row.parsed("id")?,
        principal: row.parsed("principal")?,
        label: row.text("label")?,
        prefix: row.text("prefix")?,
        hash: row.hash("hash")?,
        audience: row.word("audience")?,
        expires_at: row.optional_moment("expires_at")?,
        revoked_at: row.optional_moment("revoked_at")?,
        last_used_at: row.optional_moment("last_used_at")?,
        created_at: row.moment("created_at")?,
    })
}
