//! Keys for bodies in the ledger, wrapped: `control` seals them before they come here. A key that was destroyed leaves its
//! row without the key.

use bailiwick_model::body_key::{BodyKey, Destroyed};
use bailiwick_model::{BodyKeyId, PrincipalId, RetentionClass};

use crate::sql::{Row, Value, sql};
use crate::table::secrets::Sealed;
use crate::{StoreError, Tx, Write};

/// Keys for bodies, within a unit of work.
#[derive(Debug)]
pub struct BodyKeys<'t, M> {
    pub(crate) tx: &'t mut Tx<M>,
}

/// A key with what is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyKeyEntry {
    /// Which.
    pub key: BodyKey,
    /// The key itself, sealed; none if it was destroyed.
    pub sealed: Option<Sealed>,
}

impl<M> BodyKeys<'_, M> {
    /// The key of this id, destroyed or not.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn get(&mut self, id: BodyKeyId) -> Result<Option<BodyKeyEntry>, StoreError> {
        let query = sql("SELECT * FROM body_keys WHERE id = $1").bind(Value::written(&id));
        self.tx.one(query).await?.as_ref().map(entry).transpose()
    }

    /// The key of a principal for a class that is not destroyed.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn live(
        &mut self,
        principal: PrincipalId,
        class: &RetentionClass,
    ) -> Result<Option<BodyKeyEntry>, StoreError> {
        let query =
            sql("SELECT * FROM body_keys WHERE principal = $1 AND class = $2 AND destroyed_at IS NULL");
        let query = query.bind(Value::written(&principal)).bind(class.as_str());
        self.tx.one(query).await?.as_ref().map(entry).transpose()
    }

    /// All keys of a principal that are not destroyed, by id.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn live_of(&mut self, principal: PrincipalId) -> Result<Vec<BodyKey>, StoreError> {
        let query = sql("SELECT * FROM body_keys WHERE principal = $1 AND destroyed_at IS NULL ORDER BY id");
        self.tx.all(query.bind(Value::written(&principal))).await?.iter().map(read).collect()
    }

    /// Everybody's keys that are not destroyed, by id.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn every_live(&mut self) -> Result<Vec<BodyKeyEntry>, StoreError> {
        let query = sql("SELECT * FROM body_keys WHERE destroyed_at IS NULL ORDER BY id");
        self.tx.all(query).await?.iter().map(entry).collect()
    }
}

impl BodyKeys<'_, Write> {
    /// Adds a key, unless there is one of its principal and class that is not destroyed; says whether it did. Leaves the
    /// generation alone: another node finds it when it needs it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn insert(&mut self, key: &BodyKey, sealed: &Sealed) -> Result<bool, StoreError> {
        let insert = sql("INSERT INTO body_keys (id, principal, class, created_at, sealed) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING")
        .bind(Value::written(&key.id))
        .bind(Value::written(&key.principal))
        .bind(key.class.as_str())
        .bind(key.created_at)
        .bind(sealed.0.as_slice());
        Ok(self.tx.note(insert).await? > 0)
    }

    /// Destroys a key, for good: its row says how, and nothing of it stays. One that is not known here gets such a row too,
    /// so that it is told what became of it. False: it was destroyed before.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn destroy(&mut self, key: &BodyKey, how: &Destroyed) -> Result<bool, StoreError> {
        let update = sql("INSERT INTO body_keys \
             (id, principal, class, created_at, destroyed_at, destroyed_by, reason) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (id) DO UPDATE SET sealed = NULL, destroyed_at = excluded.destroyed_at, \
             destroyed_by = excluded.destroyed_by, reason = excluded.reason \
             WHERE body_keys.destroyed_at IS NULL")
        .bind(Value::written(&key.id))
        .bind(Value::written(&key.principal))
        .bind(key.class.as_str())
        .bind(key.created_at)
        .bind(how.at)
        .bind(how.by.map(|by| by.to_string()))
        .bind(how.reason.as_str());
        Ok(self.tx.change(update).await? > 0)
    }
}

fn entry(row: &Row) -> Result<BodyKeyEntry, StoreError> {
    Ok(BodyKeyEntry { key: read(row)?, sealed: row.optional_bytes("sealed")?.map(Sealed) })
}

fn read(row: &Row) -> Result<BodyKey, StoreError> {
    let destroyed = match row.optional_moment("destroyed_at")? {
        Some(at) => {
            Some(Destroyed { at, by: row.optional_parsed("destroyed_by")?, reason: row.text("reason")? })
        }
        None => None,
    };
    Ok(BodyKey {
        id: row.parsed("id")?,
        principal: row.parsed("principal")?,
        class: row.parsed("class")?,
        created_at: row.moment("created_at")?,
        destroyed,
    })
}
