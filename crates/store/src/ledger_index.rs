//! The index over the ledger: what makes its records searchable, behind the data path and derived from the segments.
//!
//! With SQLite it is a file of its own, so that writing it never delays the state; with PostgreSQL it is in the same
//! database, where all nodes find each other's records. It is opened when it is first needed, and a file that is
//! damaged or gone is no misfortune: [`LedgerIndex::forget`] makes an empty one, and `control`, which feeds it, begins
//! anew at the ledger's first record.
//!
//! Invariant: what is written and up to which record is written in one transaction, so a feed that was cut off
//! resumes where it stopped, and writing the same records again changes nothing.

mod dialect;
mod filter;
mod find;
mod forget;

mod plan;
mod record;
mod row;
mod words;
mod write;

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::PgPool;
use tokio::sync::RwLock;

pub use filter::{IndexCursor, IndexFilter, Named};
pub use find::{Found, Thread};
pub use record::{Ending, IndexBatch, IndexPosition, IndexedRecord, NewEnding, NewRecord};
pub use words::words_of;

use crate::pools::{Connection, Pools};
use crate::sql::sql;
use crate::{Store, StoreError, connect, migrate};

/// The index over the ledger. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LedgerIndex(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    place: Place,
    open: RwLock<Option<Open>>,
    /// A statement found the file damaged.
    damaged: AtomicBool,
}

#[derive(Debug)]
enum Place {
    File(PathBuf),
    Shared(PgPool),
}

#[derive(Debug, Clone)]
struct Open {
    pools: Pools,
    /// Which file was opened: another of the same name is not it.
    inode: Option<u64>,
}

impl LedgerIndex {
    /// The index that goes with a store: in this file if the store is one, else in the store's database. Nothing is
    /// opened yet.
    pub fn beside(store: &Store, file: PathBuf) -> Self {
        let place = match &store.pools {
            Pools::Sqlite { .. } => Place::File(file),
            Pools::Postgres(pool) => Place::Shared(pool.clone()),
        };
        Self(Arc::new(Inner { place, open: RwLock::default(), damaged: AtomicBool::default() }))
    }

    /// Whether it is a file of its own, and not in the store's database.
    pub fn is_file(&self) -> bool {
        matches!(self.0.place, Place::File(_))
    }

    /// Up to where the ledger of this name is indexed; `None` if nothing of it is.
    ///
    /// # Errors
    /// If it cannot be read, or the schema not brought up to date.
    pub async fn position(&self, ledger: &str) -> Result<Option<IndexPosition>, StoreError> {
        let mut connection = self.read().await?;
        let query = sql("SELECT next, last FROM indexed_ledgers WHERE name = $1").bind(ledger);
        let rows = self.checked(query.all(&mut connection).await)?;
        rows.first().map(row::position).transpose()
    }

    /// Whether the file was damaged, or is no longer where it was opened: then it has to be made anew. Never true of
    /// a database.
    pub async fn is_lost(&self) -> bool {
        let Place::File(path) = &self.0.place else { return false };
        let Some(open) = self.0.open.read().await.clone() else { return false };
        self.0.damaged.load(Ordering::Relaxed) || inode(path) != open.inode
    }

    /// Waits for work under way and closes the connections. It opens again when it is needed.
    pub async fn close(&self) {
        if let (Some(open), Place::File(_)) = (self.0.open.write().await.take(), &self.0.place) {
            open.pools.close().await;
        }
    }

    async fn read(&self) -> Result<Connection, StoreError> {
        Ok(match self.pools().await? {
            Pools::Sqlite { readers, .. } => Connection::Sqlite(self.checked(readers.begin().await)?),
            Pools::Postgres(pool) => Connection::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?,
            ),
        })
    }

    async fn begin(&self) -> Result<Connection, StoreError> {
        Ok(match self.pools().await? {
            Pools::Sqlite { writer, .. } => {
                Connection::Sqlite(self.checked(writer.begin_with("BEGIN IMMEDIATE").await)?)
            }
            Pools::Postgres(pool) => Connection::Postgres(pool.begin().await?),
        })
    }

    async fn pools(&self) -> Result<Pools, StoreError> {
        if let Some(open) = &*self.0.open.read().await {
            return Ok(open.pools.clone());
        }
        let mut open = self.0.open.write().await;
        if let Some(open) = &*open {
            return Ok(open.pools.clone());
        }
        let pools = match &self.0.place {
            Place::File(path) => connect::open_index(path).await?,
            Place::Shared(pool) => {
                let mut connection = pool.acquire().await?;
                migrate::refuse_newer(&migrate::LEDGER_INDEX, &mut *connection).await?;
                migrate::postgres(&migrate::LEDGER_INDEX, &mut connection).await?;
                Pools::Postgres(pool.clone())
            }
        };
        let inode = match &self.0.place {
            Place::File(path) => inode(path),
            Place::Shared(_) => None,
        };
        *open = Some(Open { pools: pools.clone(), inode });
        Ok(pools)
    }

    /// Remembers if the file turned out to be damaged.
    fn checked<T, E: Into<StoreError>>(&self, result: Result<T, E>) -> Result<T, StoreError> {
        result.map_err(|error| {
            let error = error.into();
            if error.tells_of_damage() {
                self.0.damaged.store(true, Ordering::Relaxed);
            }
            error
        })
    }
}

fn inode(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|file| file.ino())
}
