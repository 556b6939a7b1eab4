//! Servers' secrets, sealed. `control` seals them before they come here; `upstream` is handed them opened.

use std::collections::{BTreeMap, HashMap};

use bailiwick_model::ServerId;

use crate::sql::{Value, sql};
use crate::{StoreError, Tx, Write};

/// A secret that somebody else sealed: bytes that mean nothing here.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// Sealed secrets by server and name, within a unit of work.
#[derive(Debug)]
pub struct Secrets<'t, M> {
    pub(crate) tx: &'t mut Tx<M>,
}

impl<M> Secrets<'_, M> {
    /// A server's secrets by name.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn of(&mut self, server: ServerId) -> Result<BTreeMap<String, Sealed>, StoreError> {
        let query =
            sql("SELECT name, sealed FROM server_secrets WHERE server = $1").bind(Value::written(&server));
        let rows = self.tx.all(query).await?;
        rows.iter().map(|row| Ok((row.text("name")?, Sealed(row.bytes("sealed")?)))).collect()
    }

    pub(crate) async fn everyones(
        &mut self,
    ) -> Result<HashMap<ServerId, BTreeMap<String, Sealed>>, StoreError> {
        let mut secrets: HashMap<ServerId, BTreeMap<String, Sealed>> = HashMap::new();
        for row in self.tx.all(sql("SELECT server, name, sealed FROM server_secrets")).await? {
            let sealed = Sealed(row.bytes("sealed")?);
            secrets.entry(row.parsed("server")?).or_default().insert(row.text("name")?, sealed);
        }
        Ok(secrets)
    }
}

impl Secrets<'_, Write> {
    /// Keeps a secret, in place of the one that was there under this name.
    ///
    /// # Errors
    /// [`StoreError::Dangling`] for a server that does not exist.
    pub async fn put(&mut self, server: ServerId, name: &str, sealed: &Sealed) -> Result<(), StoreError> {
        let upsert = sql("INSERT INTO server_secrets (server, name, sealed) VALUES ($1, $2, $3) \
             ON CONFLICT (server, name) DO UPDATE SET sealed = excluded.sealed")
        .bind(Value::written(&server))
        .bind(name)
        .bind(sealed.0.as_slice());
        self.tx.change(upsert).await.map(drop)
    }

    /// Forgets a secret. False: there was none of this name.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn remove(&mut self, server: ServerId, name: &str) -> Result<bool, StoreError> {
        let delete = sql("DELETE FROM server_secrets WHERE server = $1 AND name = $2")
            .bind(Value::written(&server))
            .bind(name);
        Ok(self.tx.change(delete).await? > 0)
    }
}
