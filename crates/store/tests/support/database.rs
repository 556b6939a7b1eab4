//! A database of a test's own, on either kind.

use bailiwick_store::{LedgerIndex, Location, Store, StoreError};
use secrecy::ExposeSecret as _;
use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};

/// A database and the store on it.
pub(crate) struct TestDatabase {
    /// The store, open.
    pub(crate) store: Store,
    /// Where it is.
    pub(crate) location: Location,
}

impl TestDatabase {
    /// Opens the store on a database in which nothing is yet.
    pub(crate) async fn at(location: Location) -> Self {
        Self { store: Store::open(location.clone()).await.unwrap(), location }
    }

    /// The ledger's index that goes with it.
    pub(crate) fn ledger_index(&self) -> LedgerIndex {
        let file = match &self.location {
            Location::Sqlite(path) => path.with_file_name("ledger-index.db"),
            Location::Postgres(_) => "unused".into(),
        };
        LedgerIndex::beside(&self.store, file)
    }

    /// Another store on the same database, as another node has it.
    pub(crate) async fn open(&self) -> Result<Store, StoreError> {
        Store::open(self.location.clone()).await
    }

    /// Runs a statement past the store.
    pub(crate) async fn raw(&self, statement: &'static str) {
        match &self.location {
            Location::Sqlite(path) => {
                let url = format!("sqlite://{}", path.display());
                let mut connection = SqliteConnection::connect(&url).await.unwrap();
                connection.execute(statement).await.unwrap();
                connection.close().await.unwrap();
            }
            Location::Postgres(url) => {
                let mut connection = PgConnection::connect(url.expose_secret()).await.unwrap();
                connection.execute(statement).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }
}
