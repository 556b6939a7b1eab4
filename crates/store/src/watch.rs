//! Following the generation, so that a node's snapshot keeps up with what other nodes change.
//!
//! PostgreSQL tells of each commit (`NOTIFY`); a look each second finds what a broken connection missed,
//! and is all there is for SQLite. `control` runs the loop.

use std::time::Duration;

use bailiwick_model::Generation;
use sqlx::postgres::PgListener;

use crate::pools::Pools;
use crate::tx::CHANNEL;
use crate::{Store, StoreError};

/// How long a change may go unseen if nobody told of it.
const POLL: Duration = Duration::from_secs(1);

/// Waits for generations that were not seen before. Made by [`Store::watch_generation`].
#[derive(Debug)]
pub struct GenerationWatch {
    store: Store,
    seen: Option<Generation>,
    listener: Option<PgListener>,
    reachable: bool,
}

impl GenerationWatch {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, seen: None, listener: None, reachable: true }
    }

    /// The generation as soon as it is another than the last one that this returned: at once the first
    /// time. Rides out a database that is away; gives up never, so stop it by dropping the future, which
    /// loses nothing.
    pub async fn changed(&mut self) -> Generation {
        loop {
            match self.look().await {
                Ok(generation) if self.seen != Some(generation) => {
                    self.seen = Some(generation);
                    return generation;
                }
                Ok(_) => self.wait().await,
                Err(error) => {
                    self.lost(&error);
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }

    /// Takes a generation as seen: one that the caller has loaded already, after its own commit.
    pub fn mark_seen(&mut self, generation: Generation) {
        if self.seen.is_none_or(|seen| seen < generation) {
            self.seen = Some(generation);
        }
    }

    /// Listens first and looks then, so that a change in between is not missed.
    async fn look(&mut self) -> Result<Generation, StoreError> {
        if let (Pools::Postgres(pool), None) = (&self.store.pools, &self.listener) {
            let mut listener = PgListener::connect_with(pool).await?;
            // A reconnect within `wait` could be cut off by its timeout; `look` makes a new listener instead.
            listener.eager_reconnect(false);
            listener.listen(CHANNEL).await?;
            self.listener = Some(listener);
        }
        let generation = self.store.generation().await?;
        if !self.reachable {
            self.reachable = true;
            tracing::info!(%generation, "the database is back");
        }
        Ok(generation)
    }

    /// Until somebody tells of a commit, at most until the next look.
    async fn wait(&mut self) {
        let Some(listener) = &mut self.listener else { return tokio::time::sleep(POLL).await };
        match tokio::time::timeout(POLL, listener.try_recv()).await {
            Ok(Ok(Some(_))) | Err(_) => {}
            Ok(Ok(None) | Err(_)) => self.listener = None,
        }
    }

    fn lost(&mut self, error: &StoreError) {
        self.listener = None;
        if self.reachable {
            self.reachable = false;
            tracing::warn!(%error, "cannot follow changes; the last known state stays in force");
        }
    }
}
