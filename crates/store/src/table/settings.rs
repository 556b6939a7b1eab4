//! Facts about this installation that no call depends on, such as its id.

use crate::sql::sql;
use crate::{StoreError, Tx, Write};

/// Facts by name, within a unit of work. None of their changes bumps the generation.
#[derive(Debug)]
pub struct Settings<'t, M> {
    pub(crate) tx: &'t mut Tx<M>,
}

impl<M> Settings<'_, M> {
    /// The fact of this name.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn get(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        let query = sql("SELECT value FROM settings WHERE name = $1").bind(name);
        self.tx.one(query).await?.map(|row| row.text("value")).transpose()
    }
}

impl Settings<'_, Write> {
    /// Keeps a fact, in place of the one that was there.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn put(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        let upsert = sql("INSERT INTO settings (name, value) VALUES ($1, $2) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        .bind(name)
        .bind(value);
        self.tx.note(upsert).await.map(drop)
    }

    /// Keeps a fact unless there is one of this name, and says which holds: for facts that are made once,
    /// by whichever node is first.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn put_if_absent(&mut self, name: &str, value: &str) -> Result<String, StoreError> {
        let insert = sql("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
            .bind(name)
            .bind(value);
        self.tx.note(insert).await?;
        self.get(name).await.map(|held| held.unwrap_or_else(|| value.to_owned()))
    }
}
