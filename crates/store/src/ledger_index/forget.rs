//! Beginning anew.

use super::{LedgerIndex, Place};
use crate::StoreError;
use crate::sql::sql;

/// Rows deleted in one transaction: each stays below PostgreSQL's limit for a statement of ours.
const ROWS: i64 = 20_000;

impl LedgerIndex {
    /// Forgets what is indexed of this ledger. A file is made anew, whatever state it is in; in a shared database
    /// the rows of this ledger are deleted, which may take long.
    ///
    /// # Errors
    /// If the files cannot be removed or the rows not deleted.
    pub async fn forget(&self, ledger: &str) -> Result<(), StoreError> {
        match &self.0.place {
            Place::File(path) => {
                let mut open = self.0.open.write().await;
                if let Some(open) = open.take() {
                    open.pools.close().await;
                }
                for ending in ["", "-wal", "-shm"] {
                    let mut name = path.clone().into_os_string();
                    name.push(ending);
                    match std::fs::remove_file(&name) {
                        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                            return Err(StoreError::File(error));
                        }
                        _ => {}
                    }
                }
                self.0.damaged.store(false, std::sync::atomic::Ordering::Relaxed);
                Ok(())
            }
            Place::Shared(_) => self.delete_rows(ledger).await,
        }
    }

    /// INVARIANT: the position goes first. Cut off in the middle, the ledger counts as not indexed, and what is left
    /// of it is written over by the same.
    async fn delete_rows(&self, ledger: &str) -> Result<(), StoreError> {
        let mut connection = self.begin().await?;
        let rewind = sql("UPDATE indexed_ledgers SET next = 0 WHERE name = $1 RETURNING node").bind(ledger);
        let rows = rewind.all(&mut connection).await?;
        connection.commit().await?;
        let Some(node) = rows.first().map(|row| row.integer("node")).transpose()? else { return Ok(()) };
        for delete in [
            "DELETE FROM indexed_words WHERE node = $1 AND idx IN \
             (SELECT idx FROM indexed_words WHERE node = $1 ORDER BY idx LIMIT $2)",
            "DELETE FROM indexed_records WHERE node = $1 AND idx IN \
             (SELECT idx FROM indexed_records WHERE node = $1 ORDER BY idx LIMIT $2)",
        ] {
            loop {
                let mut connection = self.begin().await?;
                let gone = sql(delete).bind(node).bind(ROWS).execute(&mut connection).await?;
                connection.commit().await?;
                if gone == 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Whether an error means that the index has to be made anew, and that this would help: a file that is damaged,
    /// of another version, or no database at all.
    pub fn is_to_be_made_anew(&self, error: &StoreError) -> bool {
        let of_schema = matches!(
            error,
            StoreError::Migration(_) | StoreError::SchemaTooNew { .. } | StoreError::Damaged { .. }
        );
        matches!(self.0.place, Place::File(_)) && (error.tells_of_damage() || of_schema)
    }
}
