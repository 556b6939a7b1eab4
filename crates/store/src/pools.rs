//! The store itself: its connections, and the doors to a unit of work.
//!
//! SQLite has one writer at a time anyway, so it gets one writing connection, for which callers queue
//! fairly, and a few that cannot write. PostgreSQL has one pool.

use bailiwick_model::Generation;
use sqlx::{PgPool, Postgres, Row as _, Sqlite, SqlitePool, Transaction};

use crate::connect;
use crate::image::StoreImage;
use crate::tx::{Read, ReadTx, Tx, Write, WriteTx};
use crate::{GenerationWatch, Location, StoreError};

/// The database behind everything that is state. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pools: Pools,
}

#[derive(Debug, Clone)]
pub(crate) enum Pools {
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres(PgPool),
}

/// A connection within a transaction.
pub(crate) enum Connection {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Connection {
    /// Keeps what was done.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

impl Pools {
    /// Waits for units of work to end and closes all connections.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Store {
    /// Opens the database and brings its schema up to date. A SQLite file that does not exist is made, for
    /// its owner alone (0600); a PostgreSQL database must exist.
    ///
    /// # Errors
    /// [`StoreError::SchemaTooNew`] before anything is changed, if a newer version wrote it;
    /// [`StoreError::Unavailable`], [`StoreError::Location`], [`StoreError::File`],
    /// [`StoreError::Migration`] as they say.
    pub async fn open(location: Location) -> Result<Self, StoreError> {
        let pools = connect::open(location).await?;
        Ok(Self { pools })
    }

    /// Begins a unit of work that writes. Dropping it without [`Tx::commit`] undoes it.
    ///
    /// With SQLite a second one waits until the first has ended, so never hold two in one task.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if there is no connection within five seconds.
    pub async fn begin(&self) -> Result<WriteTx, StoreError> {
        let connection = match &self.pools {
            // IMMEDIATE: a transaction that first reads and then writes could else find, too late, that
            // another process wrote in between.
            Pools::Sqlite { writer, .. } => Connection::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Pools::Postgres(pool) => Connection::Postgres(pool.begin().await?),
        };
        Ok(Tx::<Write>::new(connection))
    }

    /// Begins a unit of work that only reads, and sees one moment of the database throughout.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if there is no connection within five seconds.
    pub async fn read(&self) -> Result<ReadTx, StoreError> {
        let connection = match &self.pools {
            Pools::Sqlite { readers, .. } => Connection::Sqlite(readers.begin().await?),
            Pools::Postgres(pool) => Connection::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?,
            ),
        };
        Ok(Tx::<Read>::new(connection))
    }

    /// The generation of the last committed change.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn generation(&self) -> Result<Generation, StoreError> {
        self.read().await?.generation().await
    }

    /// Everything that a snapshot is built from, of one moment.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn load_all(&self) -> Result<StoreImage, StoreError> {
        self.read().await?.load_all().await
    }

    /// Follows the generation: this process's changes and others'.
    pub fn watch_generation(&self) -> GenerationWatch {
        GenerationWatch::new(self.clone())
    }

    /// Takes what was overwritten or removed out of SQLite's log too, and says whether that is done: it waits for readers,
    /// though not for longer than five seconds. PostgreSQL has its own ways (`VACUUM`, the life of its log), and is left alone.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub async fn scrub(&self) -> Result<bool, StoreError> {
        let Pools::Sqlite { writer, .. } = &self.pools else { return Ok(false) };
        let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(writer).await?;
        let busy: i64 = row.try_get(0)?;
        Ok(busy == 0)
    }

    /// Waits for units of work to end and closes all connections. For an orderly shutdown.
    pub async fn close(&self) {
        self.pools.close().await;
    }
}
