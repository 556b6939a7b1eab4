//! A copy of a SQLite file as it is at one moment, while it is written: for backups.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _, SqliteConnection};

use super::PATIENCE;
use crate::pools::Pools;
use crate::{Store, StoreError};

/// Copies a SQLite file, as of one committed moment, into a file that must not exist, and says how many rows each
/// table of the copy has. Writers are not held up. The copy is for its owner alone, and on disk when this returns.
///
/// # Errors
/// [`StoreError::File`] if the copy cannot be made; what the database says otherwise.
pub async fn copy_sqlite(from: &Path, to: &Path) -> Result<BTreeMap<String, u64>, StoreError> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(StoreError::File)?;
    let mut source = options(from).connect().await?;
    let target = to.to_str().ok_or_else(|| StoreError::File(std::io::ErrorKind::InvalidFilename.into()))?;
    // Not within a transaction: SQLite reads one moment of it by itself.
    sqlx::query("VACUUM INTO $1").bind(target).execute(&mut source).await?;
    source.close().await?;
    File::open(to).and_then(|file| file.sync_all()).map_err(StoreError::File)?;
    let mut copy = options(to).read_only(true).immutable(true).connect().await?;
    let rows = count(&mut copy).await?;
    copy.close().await?;
    Ok(rows)
}

impl Store {
    /// Copies the state as [`copy_sqlite`] does; `None` if it is in PostgreSQL, whose own tools copy it.
    ///
    /// # Errors
    /// As [`copy_sqlite`].
    pub async fn copy_to(&self, to: &Path) -> Result<Option<BTreeMap<String, u64>>, StoreError> {
        let Pools::Sqlite { writer, .. } = &self.pools else { return Ok(None) };
        copy_sqlite(writer.connect_options().get_filename(), to).await.map(Some)
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).busy_timeout(PATIENCE).disable_statement_logging()
}

async fn count(connection: &mut SqliteConnection) -> Result<BTreeMap<String, u64>, StoreError> {
    let tables = sqlx::query(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut counts = BTreeMap::new();
    for table in tables {
        let name: String = table.try_get("name")?;
        // The name is one of the file's own tables.
        let query = AssertSqlSafe(format!("SELECT count(*) AS n FROM \"{}\"", name.replace('"', "\"\"")));
        let rows: i64 = sqlx::query(query).fetch_one(&mut *connection).await?.try_get("n")?;
        counts.insert(name, u64::try_from(rows).unwrap_or_default());
    }
    Ok(counts)
}
