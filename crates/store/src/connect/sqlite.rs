//! Opening a SQLite file.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};

use super::PATIENCE;
use crate::StoreError;
use crate::migrate::{self, LEDGER_INDEX, STATE, Schema};
use crate::pools::Pools;

const READERS: u32 = 4;

/// Memory of each connection to the ledger's index, in KiB (negative: SQLite's way to say so).
const INDEX_CACHE: &str = "-8192";

/// Pages in the log of the ledger's index before they are folded in: 64 MiB.
const INDEX_LOG_PAGES: &str = "16384";

pub(super) async fn open(path: &Path) -> Result<Pools, StoreError> {
    // What is overwritten or removed is gone from the file: keys can be destroyed.
    open_schema(path, &STATE, settings(path).pragma("secure_delete", "ON")).await
}

/// Opens the file of the ledger's index. More of its pages are kept in memory, since each record goes to a dozen
/// places in it; its log is folded in less often, so that what is written again and again is folded in once.
pub(crate) async fn open_index(path: &Path) -> Result<Pools, StoreError> {
    let settings = settings(path)
        .pragma("cache_size", INDEX_CACHE)
        .pragma("wal_autocheckpoint", INDEX_LOG_PAGES)
        .pragma("journal_size_limit", "134217728")
        .pragma("temp_store", "MEMORY");
    open_schema(path, &LEDGER_INDEX, settings).await
}

fn settings(path: &Path) -> SqliteConnectOptions {
    options(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
}

async fn open_schema(
    path: &Path,
    schema: &Schema,
    options: SqliteConnectOptions,
) -> Result<Pools, StoreError> {
    if keep_to_owner(path).map_err(StoreError::File)? == Found::Existing {
        refuse_newer(path, schema).await?;
    }
    let mut connection = options.connect().await?;
    migrate::sqlite(schema, &mut connection).await?;
    connection.close().await?;

    let pool = || SqlitePoolOptions::new().acquire_timeout(PATIENCE);
    let writer = pool().max_connections(1).connect_with(options.clone()).await?;
    let readers = pool().max_connections(READERS).connect_with(options.pragma("query_only", "ON")).await?;
    Ok(Pools::Sqlite { writer, readers })
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).busy_timeout(PATIENCE).disable_statement_logging()
}

#[derive(PartialEq, Eq)]
enum Found {
    Existing,
    Nothing,
}

/// Makes the file or, if it is there, takes it from everyone but its owner. SQLite gives the `-wal` and
/// `-shm` files beside it the same mode.
fn keep_to_owner(path: &Path) -> std::io::Result<Found> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(Found::Nothing),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let mode = std::fs::metadata(path)?.permissions().mode();
            if mode & 0o077 != 0 {
                tracing::warn!("the database file was open to others than its owner; it no longer is");
                std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
            }
            Ok(Found::Existing)
        }
        Err(error) => Err(error),
    }
}

/// A read-only look before anything is written: even switching to WAL would change the file.
async fn refuse_newer(path: &Path, schema: &Schema) -> Result<(), StoreError> {
    let mut connection = options(path).read_only(true).connect().await?;
    let result = migrate::refuse_newer(schema, &mut connection).await;
    connection.close().await?;
    result
}
