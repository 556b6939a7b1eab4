//! Opening either database: options, the file's mode, the schema, the pools. Called by [`crate::Store::open`].

mod copy;
mod postgres;
mod sqlite;

pub(crate) use sqlite::open_index;

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use crate::StoreError;
use crate::pools::Pools;

pub use copy::copy_sqlite;

/// How long a caller waits for a connection, and a SQLite writer for another process's lock.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the state is.
#[derive(Debug, Clone)]
pub enum Location {
    /// A SQLite file; its folder exists.
    Sqlite(PathBuf),
    /// A PostgreSQL URL, `postgres://user:password@host/database`; secret because of the password.
    Postgres(SecretString),
}

pub(crate) async fn open(location: Location) -> Result<Pools, StoreError> {
    match location {
        Location::Sqlite(path) => sqlite::open(&path).await,
        Location::Postgres(url) => postgres::open(&url).await,
    }
}
