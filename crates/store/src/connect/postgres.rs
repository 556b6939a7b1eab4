//! Opening a PostgreSQL database.

use std::str::FromStr as _;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};

use super::PATIENCE;
use crate::StoreError;
use crate::migrate::{self, STATE};
use crate::pools::Pools;

const CONNECTIONS: u32 = 10;

/// No statement of ours takes long; one that waits for a lock longer than this gives up.
const STATEMENT_TIMEOUT: &str = "15s";

pub(super) async fn open(url: &SecretString) -> Result<Pools, StoreError> {
    let options = parse(url)?.application_name("bailiwick").disable_statement_logging();

    let mut connection = tokio::time::timeout(PATIENCE, options.connect())
        .await
        .map_err(|_| StoreError::Unavailable(sqlx::Error::PoolTimedOut))??;
    migrate::refuse_newer(&STATE, &mut connection).await?;
    migrate::postgres(&STATE, &mut connection).await?;
    connection.close().await?;

    let pool = PgPoolOptions::new()
        .acquire_timeout(PATIENCE)
        .max_connections(CONNECTIONS)
        .max_lifetime(Duration::from_secs(3600))
        .connect_with(options.options([("statement_timeout", STATEMENT_TIMEOUT)]))
        .await?;
    Ok(Pools::Postgres(pool))
}

/// sqlx would take any scheme. Its errors name the part that is wrong and not the URL, which has a password.
fn parse(url: &SecretString) -> Result<PgConnectOptions, StoreError> {
    let url = url.expose_secret();
    if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(StoreError::Location("the URL begins neither with postgres:// nor postgresql://".into()));
    }
    PgConnectOptions::from_str(url).map_err(|error| StoreError::Location(Box::new(error)))
}
