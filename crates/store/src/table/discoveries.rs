//! What servers offer, as last seen, and whether the last look failed.
//!
//! A failure leaves the last good discovery in place, which is then stale: lists go on being served from it.

mod definitions;
mod rows;

use bailiwick_model::definition::Discovery;
use bailiwick_model::{ServerId, Timestamp};

use crate::sql::{Value, sql};
use crate::{StoreError, Tx, Write};

/// What is known of what a server offers.
#[derive(Debug, Clone)]
pub struct DiscoveryState {
    /// The server.
    pub server: ServerId,
    /// The last discovery that succeeded.
    pub last_good: Option<LastGood>,
    /// Why the last look failed; `None` if it succeeded.
    pub failure: Option<DiscoveryFailure>,
}

impl DiscoveryState {
    /// Whether what is known may be out of date.
    pub fn is_stale(&self) -> bool {
        self.failure.is_some()
    }
}

/// A discovery that succeeded.
#[derive(Debug, Clone)]
pub struct LastGood {
    /// What it brought, definitions byte for byte and in the server's order.
    pub discovery: Discovery,
    /// When.
    pub discovered_at: Timestamp,
}

/// A discovery that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveryFailure {
    /// When.
    pub failed_at: Timestamp,
    /// Why, in words for administrators.
    pub reason: String,
}

/// What servers offer, within a unit of work.
#[derive(Debug)]
pub struct Discoveries<'t, M> {
    pub(crate) tx: &'t mut Tx<M>,
}

impl<M> Discoveries<'_, M> {
    /// What is known of this server; `None` if it was never asked.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn get(&mut self, server: ServerId) -> Result<Option<DiscoveryState>, StoreError> {
        let query = sql("SELECT * FROM discoveries WHERE server = $1").bind(Value::written(&server));
        let Some(row) = self.tx.one(query).await? else { return Ok(None) };
        let definitions = definitions::of(self.tx, server).await?;
        rows::read(&row, definitions).map(Some)
    }

    pub(crate) async fn every(&mut self) -> Result<Vec<DiscoveryState>, StoreError> {
        let mut definitions = definitions::everyones(self.tx).await?;
        let rows = self.tx.all(sql("SELECT * FROM discoveries ORDER BY server")).await?;
        let state = |row| rows::read(row, definitions.remove(&row.parsed("server")?).unwrap_or_default());
        rows.iter().map(state).collect()
    }
}

impl Discoveries<'_, Write> {
    /// Keeps what a discovery brought and clears the failure before it. True, and the generation is bumped,
    /// if eras, greeting or definitions differ from the last good discovery.
    ///
    /// # Errors
    /// [`StoreError::Dangling`] for a server that does not exist; [`StoreError::Taken`] for two definitions
    /// of one kind and key.
    pub async fn record(
        &mut self,
        server: ServerId,
        discovery: &Discovery,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let known = self.get(server).await?.and_then(|state| state.last_good);
        let differs = known.is_none_or(|known| rows::differ(&known.discovery, discovery));
        let upsert = rows::upsert(server, discovery, now)?;
        if differs {
            self.tx.change(upsert).await?;
            definitions::replace(self.tx, server, &discovery.definitions).await?;
        } else {
            self.tx.note(upsert).await?;
        }
        Ok(differs)
    }

    /// Notes that a discovery failed; the last good one stays, stale. Leaves the generation alone.
    ///
    /// # Errors
    /// [`StoreError::Dangling`] for a server that does not exist.
    pub async fn record_failure(
        &mut self,
        server: ServerId,
        failure: &DiscoveryFailure,
    ) -> Result<(), StoreError> {
        let upsert = sql("INSERT INTO discoveries (server, failed_at, failure) VALUES ($1, $2, $3) \
             ON CONFLICT (server) DO UPDATE SET failed_at = excluded.failed_at, failure = excluded.failure")
        .bind(Value::written(&server))
        .bind(failure.failed_at)
        .bind(failure.reason.as_str());
        self.tx.note(upsert).await.map(drop)
    }
}
